//! Casts: to another declaration, from arrays of numbers, to `real[]` and to `bit`.

use super::{argument, typmod, value_of};
use crate::pg::array;
use crate::pg::error::Result;
use crate::pg::function::pg_functions;
use crate::pg::varlena;
use vw_vector::{check_dim, check_element, check_expected_dim};

pg_functions! {
    /// Check a vector against the dimensions of its column.
    fn vector(args) {
        let value = argument(args, 0)?;
        check_expected_dim(typmod(args, 1)?, value.components()?.len())?;
        // The same bytes, flat; the argument itself may be a compressed or a borrowed copy.
        value_of(value.components()?)
    }

    /// Make a vector of an array of integer, real, double precision or numeric.
    fn array_to_vector(args) {
        let components = args.array(0)?.to_f32s()?;
        check_dim(components.len())?;
        check_expected_dim(typmod(args, 1)?, components.len())?;
        for component in &components {
            check_element(*component)?;
        }
        value_of(&components)
    }

    /// Make a `real[]` of a vector.
    fn vector_to_float4(args) {
        Result::Ok(array::from_f32s(argument(args, 0)?.components()?.iter().copied()))
    }

    /// Keep one bit a component: whether it is positive.
    fn binary_quantize(args) {
        let value = argument(args, 0)?;
        let components = value.components()?;
        let mut bits = (components.len() as i32).to_ne_bytes().to_vec();
        bits.extend(components.chunks(8).map(|group| {
            group.iter().enumerate().fold(0u8, |byte, (index, x)| byte | (u8::from(*x > 0.0) << (7 - index)))
        }));
        varlena::from_bytes(&bits)
    }
}
