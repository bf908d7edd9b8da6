//! `vw_engine_embed` and `vw_engine_models`: what the `vw` extension's SQL is built on.
//! Not for users to call directly; argument checks with friendly names are in `sql/vw/`.

use super::client;
use crate::pg::args::Args;
use crate::pg::datum::{IntoValue, Value};
use crate::pg::error::{Code, Fault, Result};
use crate::pg::function::pg_functions;
use crate::pg::rows::Rows;
use crate::pg::{array, varlena};
use crate::types::vector;
use vw_protocol::{Embedding, ErrorCode, MAX_FRAME, Modality, Refusal, Reply, Request};

pg_functions! {
    /// vw_engine_embed(modality text, inputs bytea[], model text, bulk bool)
    /// -> (ordinal int, embedding vector, tokens int, truncated bool), ordinals from 1.
    fn vw_engine_embed(args) {
        embed(args)
    }

    /// vw_engine_models() -> (id, name, types text[], dimensions int, metric, max_tokens int, sha256).
    fn vw_engine_models(args) {
        models(args)
    }
}

/// Inputs in one request; more are sent in turn.
const BATCH_COUNT: usize = 256;
/// Bytes in one request, unless one input alone is larger.
const BATCH_BYTES: usize = 16 << 20;

/// Embed the inputs in order, a batch at a time.
fn embed(args: &Args) -> Result<Value> {
    let name = args.text(0)?;
    let modality = Modality::from_name(&name)
        .ok_or_else(|| bad_input(format!("unknown modality \"{name}\"")).hint("Use text, image or audio."))?;
    let array = args.array(1)?;
    let inputs = array.varlenas()?;
    let model = if args.is_null(2) { String::new() } else { args.text(2)? };
    let bulk = args.bool(3)?;
    let mut rows = Rows::begin(args, 4)?;
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
        for item in ask_embeddings(&request, expected)? {
            ordinal = ordinal.saturating_add(1);
            let vector = vector::value_of(&item.vector)?;
            let tokens = i32::try_from(item.tokens).unwrap_or(i32::MAX);
            rows.put(&[ordinal.into_value(), Some(vector), tokens.into_value(), item.truncated.into_value()])?;
        }
    }
    Ok(Value::void())
}

/// Send a request for embeddings; the reply has one for each of its `expected` inputs.
pub(super) fn ask_embeddings(request: &Request, expected: usize) -> Result<Vec<Embedding>> {
    match ask(request)? {
        Reply::Embeddings { items, .. } if items.len() == expected => {
            items.into_iter().map(|item| item.map_err(refused)).collect()
        }
        other => Err(unexpected(other)),
    }
}

/// List the models of the engine.
fn models(args: &Args) -> Result<Value> {
    let mut rows = Rows::begin(args, 7)?;
    let models = match ask(&Request::Models)? {
        Reply::Models(models) => models,
        other => return Err(unexpected(other)),
    };
    for model in models {
        let types: Vec<_> = [Modality::Text, Modality::Image, Modality::Audio]
            .into_iter()
            .filter(|modality| model.embeds(*modality))
            .map(Modality::name)
            .collect();
        rows.put(&[
            Some(varlena::from_bytes(model.id.as_bytes())?),
            Some(varlena::from_bytes(model.name.as_bytes())?),
            Some(array::from_texts(&types)?),
            i32::try_from(model.dimensions).ok().into_value(),
            Some(varlena::from_bytes(model.metric.as_bytes())?),
            i32::try_from(model.max_tokens).ok().into_value(),
            Some(varlena::from_bytes(model.sha256.as_bytes())?),
        ])?;
    }
    Ok(Value::void())
}

/// Send a request and read its reply.
fn ask(request: &Request) -> Result<Reply> {
    let body = {
        let frame = request.encode();
        if frame.len() > MAX_FRAME {
            return Err(bad_input("the input is too large for the embedding engine")
                .detail(format!("It has {} bytes; {MAX_FRAME} are allowed.", frame.len())));
        }
        client::exchange(&frame)?
    };
    Reply::decode(&body).map_err(|error| malformed(error.to_string()))
}

/// Turn what was not asked for into an error: the engine's own, or a broken promise.
fn unexpected(reply: Reply) -> Fault {
    match reply {
        Reply::Error(refusal) => refused(refusal),
        _ => malformed("The reply does not answer the request.".into()),
    }
}

fn refused(refusal: Refusal) -> Fault {
    Fault::new(condition(refusal.code), refusal.message).hint(refusal.hint)
}

/// The SQLSTATE of an engine's error.
fn condition(code: ErrorCode) -> Code {
    match code {
        ErrorCode::UnknownModel => Code::ERRCODE_UNDEFINED_OBJECT,
        ErrorCode::UnsupportedModality => Code::ERRCODE_FEATURE_NOT_SUPPORTED,
        ErrorCode::BadInput => Code::ERRCODE_INVALID_PARAMETER_VALUE,
        ErrorCode::ChangedPack => Code::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        ErrorCode::Overloaded => Code::ERRCODE_CONFIGURATION_LIMIT_EXCEEDED,
        ErrorCode::Internal | ErrorCode::BrokenPack => Code::ERRCODE_SYSTEM_ERROR,
    }
}

fn malformed(detail: String) -> Fault {
    Fault::new(Code::ERRCODE_SYSTEM_ERROR, "malformed reply of the embedding engine").detail(detail)
}

fn bad_input(message: impl Into<std::borrow::Cow<'static, str>>) -> Fault {
    Fault::new(Code::ERRCODE_INVALID_PARAMETER_VALUE, message)
}

/// Copy an input; large ones fail as an ERROR, not an abort.
pub(super) fn copy(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    out.try_reserve_exact(bytes.len()).map_err(|_| Fault::out_of_memory())?;
    out.extend_from_slice(bytes);
    Ok(out)
}
