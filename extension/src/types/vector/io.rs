//! Text and binary forms of `vector`, and its type modifier.

use super::{argument, typmod, value_of};
use crate::pg::error::{Code, Fault, Result};
use crate::pg::function::pg_functions;
use crate::pg::{varlena, wire};
use vw_vector::{MAX_DIM, text};

pg_functions! {
    /// Read the text form, `[1,2,3]`.
    fn vector_in(args) {
        let input = args.cstr(0)?.to_string_lossy();
        value_of(&text::parse(&input, typmod(args, 2)?)?)
    }

    /// Write the text form.
    fn vector_out(args) {
        Result::Ok(varlena::cstring(&text::format(argument(args, 0)?.components()?)))
    }

    /// Read the dimensions of a declaration, `vector(3)`.
    fn vector_typmod_in(args) {
        let modifiers = args.array(0)?.to_typmods();
        let [dimensions] = modifiers.as_slice() else { return Err(refuse("invalid type modifier".into())) };
        match usize::try_from(*dimensions) {
            Ok(1..=MAX_DIM) => Result::Ok(*dimensions),
            Ok(1..) => Err(refuse(format!("dimensions for type vector cannot exceed {MAX_DIM}"))),
            _ => Err(refuse("dimensions for type vector must be at least 1".into())),
        }
    }

    /// Read the binary form.
    fn vector_recv(args) {
        let message = wire::take_message(args, 0)?;
        value_of(&vw_vector::wire::receive(&message, typmod(args, 2)?)?)
    }

    /// Write the binary form.
    fn vector_send(args) {
        varlena::from_bytes(&vw_vector::wire::send(argument(args, 0)?.components()?))
    }
}

fn refuse(message: String) -> Fault {
    Fault::new(Code::ERRCODE_INVALID_PARAMETER_VALUE, message)
}
