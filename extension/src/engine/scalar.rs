//! `vw_embed_text`, `vw_embed_image` and `vw_embed_audio`: one input, one vector. Batches are in `functions`.

use super::ask::{ask_outcomes, copy, refused};
use super::memo;
use crate::pg::args::Args;
use crate::pg::datum::Value;
use crate::pg::error::{Fault, Result};
use crate::pg::function::pg_functions;
use crate::types::vector;
use vw_protocol::{Modality, Request};

pg_functions! {
    /// vw_embed_text(input text, model text) -> vector; NULL for a NULL input.
    fn vw_embed_text(args) { embed_text(args) }

    /// vw_embed_image(input bytea, model text) -> vector; NULL for a NULL input.
    fn vw_embed_image(args) { embed_bytes(args, Modality::Image) }

    /// vw_embed_audio(input bytea, model text) -> vector; NULL for a NULL input.
    fn vw_embed_audio(args) { embed_bytes(args, Modality::Audio) }
}

/// Embed the text that is the first argument with the model that is the second.
pub fn embed_text(args: &Args) -> Result<Option<Value>> {
    if args.is_null(0) {
        return Ok(None);
    }
    embed(args, Modality::Text, args.text(0)?.as_bytes()).map(Some)
}

/// Embed the file that is the first argument with the model that is the second.
pub fn embed_bytes(args: &Args, modality: Modality) -> Result<Option<Value>> {
    if args.is_null(0) {
        return Ok(None);
    }
    let input = args.varlena(0)?;
    embed(args, modality, input.bytes()).map(Some)
}

/// Embed one input, or answer what this statement asked before.
fn embed(args: &Args, modality: Modality, input: &[u8]) -> Result<Value> {
    let model = if args.is_null(1) { String::new() } else { args.text(1)? };
    if let Some(value) = memo::find(modality, &model, input, vector::value_of) {
        return value;
    }
    let request = Request::Embed { modality, bulk: false, model: model.clone(), inputs: vec![copy(input)?] };
    let outcome = ask_outcomes(&request, 1)?.pop().ok_or_else(|| Fault::internal("no embedding came back"))?;
    let item = outcome.map_err(refused)?;
    let value = vector::value_of(&item.vector)?;
    memo::keep(modality, model, input, item.vector);
    Ok(value)
}
