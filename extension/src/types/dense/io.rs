//! Text and binary forms, and the type modifier.

use super::{Dense, value_of};
use crate::pg::args::Args;
use crate::pg::datum::Value;
use crate::pg::error::Result;
use crate::pg::{float, varlena, wire};
use vw_vector::Message;
use vw_vector::dense::{Element, text, wire as form};

/// Read the text form, `[1,2,3]`.
pub fn input<E: Element>(args: &Args) -> Result<Value> {
    let input = args.cstr(0)?.to_string_lossy();
    value_of(&text::parse::<E>(&input, args.typmod(2)?)?)
}

/// Write the text form.
pub fn output<E: Element>(args: &Args) -> Result<Value> {
    Ok(varlena::cstring(&text::format(Dense::<E>::argument(args, 0)?.elements()?, float::write)))
}

/// Read the dimensions of a declaration, `vector(3)`.
pub fn typmod<E: Element>(args: &Args) -> Result<i32> {
    Ok(E::KIND.check_typmod(&args.array(0)?.to_typmods())?)
}

/// Read the binary form.
pub fn receive<E: Element>(args: &Args) -> Result<Value> {
    let typmod = args.typmod(2)?;
    let elements = wire::read(args, 0, |bytes| {
        let mut message = Message::new(bytes);
        let elements = form::receive::<E>(&mut message, typmod)?;
        Ok((elements, message.left()))
    })?;
    value_of(&elements)
}

/// Write the binary form.
pub fn send<E: Element>(args: &Args) -> Result<Value> {
    varlena::from_bytes(&form::send(Dense::<E>::argument(args, 0)?.elements()?))
}
