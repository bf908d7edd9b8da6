//! `vw_embed_text_pinned` and its kin: IMMUTABLE, since the model is named with the hash of its pack, and another pack
//! is refused. What they do is in `scalar`.

use super::ask::{ask, bad_input};
use super::scalar;
use crate::pg::args::Args;
use crate::pg::error::{Fault, Result};
use crate::pg::function::pg_functions;
use vw_protocol::{Modality, Reply, Request};

/// Hexadecimal digits of a pack's hash.
const DIGITS: usize = 64;

pg_functions! {
    /// vw_embed_text_pinned(input text, model text) -> vector; NULL for a NULL input.
    fn vw_embed_text_pinned(args) { pinned(args)?; scalar::embed_text(args) }

    /// vw_embed_image_pinned(input bytea, model text) -> vector; NULL for a NULL input.
    fn vw_embed_image_pinned(args) { pinned(args)?; scalar::embed_bytes(args, Modality::Image) }

    /// vw_embed_audio_pinned(input bytea, model text) -> vector; NULL for a NULL input.
    fn vw_embed_audio_pinned(args) { pinned(args)?; scalar::embed_bytes(args, Modality::Audio) }
}

/// Refuse a model whose name does not say which pack it is.
fn pinned(args: &Args) -> Result<()> {
    let model = if args.is_null(1) { String::new() } else { args.text(1)? };
    let is_hash = |hash: &str| hash.len() == DIGITS && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    match model.split_once('@') {
        Some((id, hash)) if !id.is_empty() && is_hash(hash) => Ok(()),
        _ => Err(unpinned(&model)),
    }
}

/// Say what the name would be that is wanted.
fn unpinned(model: &str) -> Fault {
    let id = model.split('@').next().unwrap_or_default();
    let models = match ask(&Request::Models) {
        Ok(Reply::Models(models)) => models,
        _ => Vec::new(),
    };
    let named = models.iter().find(|known| known.id == id);
    let hint = match named.or(models.first().filter(|_| id.is_empty())) {
        Some(known) => format!("Say '{}@{}'.", known.id, known.sha256),
        None => "vw_models() tells the pinned name of each model.".to_owned(),
    };
    bad_input(format!("model \"{model}\" is not named with the hash of its pack")).hint(hint)
}
