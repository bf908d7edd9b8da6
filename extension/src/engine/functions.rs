//! `vw_engine_embed` and `vw_engine_embed_all`: many inputs, embedded batch by batch.
//! Not for users to call directly; argument checks with friendly names are in `sql/vw/`.

use super::ask::{ask_outcomes, bad_input, condition, copy, refused};
use crate::pg::args::Args;
use crate::pg::datum::{IntoValue, Value};
use crate::pg::encoding;
use crate::pg::error::{Result, sqlstate};
use crate::pg::function::pg_functions;
use crate::pg::rows::Rows;
use crate::types::vector;
use vw_protocol::{Embedding, Modality, Outcome, Refusal, Request};

pg_functions! {
    /// vw_engine_embed(modality text, inputs bytea[], model text, bulk bool)
    /// -> (ordinal int, embedding vector, tokens int, truncated bool, error_code text, error text, hint text),
    /// ordinals from 1; an input that was refused has its error instead of an embedding.
    fn vw_engine_embed(args) {
        let mut rows = Rows::begin(args, 7)?;
        embed(args, |ordinal, _, outcome| {
            let [embedding, tokens, truncated] = embedded(outcome.as_ref().ok())?;
            let [code, error, hint] = refusal(outcome.as_ref().err())?;
            rows.put(&[ordinal.into_value(), embedding, tokens, truncated, code, error, hint])
        })
    }

    /// vw_engine_embed_all(modality text, inputs bytea[], model text, bulk bool)
    /// -> (ordinal int, embedding vector, tokens int, truncated bool); the first input that is refused is an error.
    fn vw_engine_embed_all(args) {
        let mut rows = Rows::begin(args, 4)?;
        embed(args, |ordinal, count, outcome| {
            let embedding = outcome.map_err(|refusal| refused(placed(refusal, ordinal, count)))?;
            let [embedding, tokens, truncated] = embedded(Some(&embedding))?;
            rows.put(&[ordinal.into_value(), embedding, tokens, truncated])
        })
    }
}

/// Inputs in one request; more are sent in turn.
const BATCH_COUNT: usize = 256;
/// Bytes in one request, unless one input alone is larger.
const BATCH_BYTES: usize = 16 << 20;

/// Embed the inputs in order, a batch at a time; `put` gets each ordinal, how many inputs there are, and what came of it.
fn embed(args: &Args, mut put: impl FnMut(i32, usize, Outcome) -> Result<()>) -> Result<Value> {
    let name = args.text(0)?;
    let modality = Modality::from_name(&name)
        .ok_or_else(|| bad_input(format!("unknown modality \"{name}\"")).hint("Use text, image or audio."))?;
    let array = args.array(1)?;
    let inputs = array.varlenas()?;
    let count = inputs.len();
    let model = if args.is_null(2) { String::new() } else { args.text(2)? };
    let bulk = args.bool(3)?;
    let mut ordinal = 0i32;
    let mut batch = Vec::new();
    let mut bytes = 0usize;
    let mut inputs = inputs.iter().peekable();
    while let Some(input) = inputs.next() {
        batch.push(copy(input)?);
        bytes = bytes.saturating_add(input.len());
        let next = inputs.peek().map_or(usize::MAX, |next| next.len());
        if batch.len() < BATCH_COUNT && bytes.saturating_add(next) <= BATCH_BYTES {
            continue;
        }
        let sent = std::mem::take(&mut batch);
        let expected = sent.len();
        bytes = 0;
        let request = Request::Embed { modality, bulk, model: model.clone(), inputs: sent };
        for outcome in ask_outcomes(&request, expected)? {
            ordinal = ordinal.saturating_add(1);
            put(ordinal, count, outcome)?;
        }
    }
    Ok(Value::void())
}

/// Say which of several inputs was refused.
fn placed(refusal: Refusal, ordinal: i32, count: usize) -> Refusal {
    if count == 1 {
        return refusal;
    }
    Refusal { message: format!("input {ordinal}: {}", refusal.message), ..refusal }
}

/// The columns of an embedding; NULL where there is none.
fn embedded(embedding: Option<&Embedding>) -> Result<[Option<Value>; 3]> {
    let Some(embedding) = embedding else { return Ok([None; 3]) };
    let tokens = i32::try_from(embedding.tokens).unwrap_or(i32::MAX);
    Ok([Some(vector::value_of(&embedding.vector)?), tokens.into_value(), embedding.truncated.into_value()])
}

/// The columns of a refusal; NULL where there is none.
fn refusal(refusal: Option<&Refusal>) -> Result<[Option<Value>; 3]> {
    let Some(refusal) = refusal else { return Ok([None; 3]) };
    let hint = (!refusal.hint.is_empty()).then(|| encoding::text(&refusal.hint)).transpose()?;
    let code = encoding::text(&sqlstate(condition(refusal.code)))?;
    Ok([Some(code), Some(encoding::text(&refusal.message)?), hint])
}
