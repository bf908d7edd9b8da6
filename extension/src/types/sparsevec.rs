//! The C functions of `sparsevec`. Its Datum form is dimensions, number of elements and an unused word, all int32, then
//! the indices from 0 as int32, then the float4 elements, in native byte order, byte for byte pgvector's.

use super::order::order_functions;
use crate::pg::args::Args;
use crate::pg::datum::Value;
use crate::pg::error::Result;
use crate::pg::fast::{LONG, fast_functions};
use crate::pg::function::pg_functions;
use crate::pg::varlena::{self, Varlena};
use crate::pg::{float, wire};
use std::cmp::Ordering;
use vw_vector::kernel::Best;
use vw_vector::sparse::{Sparse, SparseBuf, convert, distance, order, stored, text, wire as form};
use vw_vector::{Kind, Message, check_expected_dim};

/// A `sparsevec` argument, detoasted.
pub struct SparseVector<'a>(Varlena<'a>);

impl SparseVector<'_> {
    /// The value, in place.
    #[inline]
    pub fn view(&self) -> Result<Sparse<'_>> {
        Ok(stored::read(self.0.bytes())?)
    }
}

/// Read a `sparsevec` argument.
#[inline]
pub fn argument(args: &Args, index: usize) -> Result<SparseVector<'_>> {
    args.varlena(index).map(SparseVector)
}

/// Make a `sparsevec` of a value that was checked before.
pub fn value_of(value: Sparse) -> Result<Value> {
    varlena::build(stored::size(value.values.len()), |bytes| Ok(stored::write(value, bytes)?))
}

/// List the numbers that are not zero.
pub fn listed(numbers: &[f32]) -> Result<SparseBuf> {
    Ok(convert::from_dense(numbers)?)
}

pg_functions! {
    /// Read the text form, `{1:1.5,3:2}/5`.
    fn sparsevec_in(args) {
        let input = args.cstr(0)?.to_string_lossy();
        value_of(text::parse(&input, args.typmod(2)?)?.view())
    }

    /// Write the text form.
    fn sparsevec_out(args) {
        Result::Ok(varlena::cstring(&text::format(argument(args, 0)?.view()?, float::write)))
    }

    /// Read the dimensions of a declaration, `sparsevec(3)`.
    fn sparsevec_typmod_in(args) {
        Result::Ok(Kind::Sparsevec.check_typmod(&args.array(0)?.to_typmods())?)
    }

    /// Read the binary form.
    fn sparsevec_recv(args) {
        let typmod = args.typmod(2)?;
        let value = wire::read(args, 0, |bytes| {
            let mut message = Message::new(bytes);
            let value = form::receive(&mut message, typmod)?;
            Ok((value, message.left()))
        })?;
        value_of(value.view())
    }

    /// Write the binary form.
    fn sparsevec_send(args) { varlena::from_bytes(&form::send(argument(args, 0)?.view()?)) }

    /// Check a value against the dimensions of its column, and hand it back as it was passed.
    fn sparsevec(args) {
        check_expected_dim(args.typmod(1)?, argument(args, 0)?.view()?.dim)?;
        args.value(0)
    }

    /// Make a value of an array of integer, real, double precision or numeric.
    fn array_to_sparsevec(args) {
        let array = args.array(0)?;
        let dim = array.check_list()?;
        Kind::Sparsevec.check_dim(dim)?;
        check_expected_dim(args.typmod(1)?, dim)?;
        let value = listed(&array.to_f32s()?)?;
        for element in &value.values {
            Kind::Sparsevec.check_element(*element)?;
        }
        value_of(value.view())
    }

    /// Give the Euclidean length.
    fn sparsevec_l2_norm(args) { Result::Ok(vw_vector::dense::arith::norm(argument(args, 0)?.view()?.values)) }

    /// Scale to length one.
    fn sparsevec_l2_normalize(args) { value_of(convert::normalize(argument(args, 0)?.view()?)?.view()) }
}

fast_functions! {
    /// Euclidean distance.
    fn sparsevec_l2_distance(args) by flat_pair(LONG) |sums, left, right| plain(left, right, |l, r| distance::l2(sums, l, r)), else {
        measure(args, distance::l2)
    }

    /// Squared Euclidean distance; orders as the distance does.
    fn sparsevec_l2_squared_distance(args) by flat_pair(LONG) |sums, left, right| plain(left, right, |l, r| distance::l2_squared(sums, l, r)), else {
        measure(args, distance::l2_squared)
    }

    /// Inner product.
    fn sparsevec_inner_product(args) by flat_pair(LONG) |sums, left, right| plain(left, right, |l, r| distance::inner_product(sums, l, r)), else {
        measure(args, distance::inner_product)
    }

    /// Inner product with its sign turned, so that nearer is less.
    fn sparsevec_negative_inner_product(args) by flat_pair(LONG) |sums, left, right| plain(left, right, |l, r| distance::negative_inner_product(sums, l, r)), else {
        measure(args, distance::negative_inner_product)
    }

    /// Cosine distance.
    fn sparsevec_cosine_distance(args) by flat_pair(LONG) |sums, left, right| plain(left, right, |l, r| distance::cosine(sums, l, r)), else {
        measure(args, distance::cosine)
    }

    /// Taxicab distance.
    fn sparsevec_l1_distance(args) by flat_pair(LONG) |sums, left, right| plain(left, right, |l, r| distance::l1(sums, l, r)), else {
        measure(args, distance::l1)
    }
}

/// Measure two stored values; `None` where either is not whole or they have other dimensions.
#[inline(always)]
fn plain(left: &[u8], right: &[u8], distance: impl Fn(Sparse, Sparse) -> f64) -> Option<f64> {
    let (left, right) = (stored::read(left).ok()?, stored::read(right).ok()?);
    if left.dim == right.dim { Some(distance(left, right)) } else { None }
}

/// Measure the two arguments, which must have the same dimensions.
fn measure(args: &Args, distance: fn(Best, Sparse, Sparse) -> f64) -> Result<f64> {
    let (left, right) = (argument(args, 0)?, argument(args, 1)?);
    let (left, right) = (left.view()?, right.view()?);
    Kind::Sparsevec.check_same_dim(left.dim, right.dim)?;
    Ok(distance(Best, left, right))
}

fn compare(args: &Args) -> Result<Ordering> {
    let (left, right) = (argument(args, 0)?, argument(args, 1)?);
    Ok(order::compare(left.view()?, right.view()?))
}

fn hash(args: &Args, seed: u64) -> Result<u64> {
    Ok(order::hash(argument(args, 0)?.view()?, seed))
}

order_functions! {
    compare: compare, hash: hash;
    sparsevec_lt, sparsevec_le, sparsevec_eq, sparsevec_ne, sparsevec_ge, sparsevec_gt, sparsevec_cmp, sparsevec_hash,
    sparsevec_hash_extended
}
