//! `vw_engine_models` and `vw_engine_stats`: what the engine can do, and what it did.

use super::ask::{ask, unexpected};
use crate::pg::args::Args;
use crate::pg::array;
use crate::pg::datum::{IntoValue, Value};
use crate::pg::encoding;
use crate::pg::error::Result;
use crate::pg::function::pg_functions;
use crate::pg::rows::Rows;
use vw_protocol::{Modality, Reply, Request, TowerStats};

pg_functions! {
    /// vw_engine_models() -> (id, name, types text[], dimensions int, metric, max_tokens int, sha256).
    fn vw_engine_models(args) {
        models(args)
    }

    /// vw_engine_stats() -> (model, modality, loaded bool, then bigints: waiting, inputs, failed, batches, tokens,
    /// padding, run_micros, wait_micros).
    fn vw_engine_stats(args) {
        stats(args)
    }
}

/// List the models of the engine.
fn models(args: &Args) -> Result<Value> {
    let mut rows = Rows::begin(args, 7)?;
    let Reply::Models(models) = ask(&Request::Models)? else { return Err(unexpected()) };
    for model in models {
        let types: Vec<_> = [Modality::Text, Modality::Image, Modality::Audio]
            .into_iter()
            .filter(|modality| model.embeds(*modality))
            .map(Modality::name)
            .collect();
        rows.put(&[
            Some(encoding::text(&model.id)?),
            Some(encoding::text(&model.name)?),
            Some(array::from_texts(&types)?),
            i32::try_from(model.dimensions).ok().into_value(),
            Some(encoding::text(&model.metric)?),
            i32::try_from(model.max_tokens).ok().into_value(),
            Some(encoding::text(&model.sha256)?),
        ])?;
    }
    Ok(Value::void())
}

/// List what each tower did since the engine started.
fn stats(args: &Args) -> Result<Value> {
    let mut rows = Rows::begin(args, 11)?;
    let Reply::Stats(towers) = ask(&Request::Stats)? else { return Err(unexpected()) };
    for tower in towers {
        let mut row = vec![
            Some(encoding::text(&tower.model)?),
            Some(encoding::text(tower.modality.name())?),
            tower.loaded.into_value(),
        ];
        row.extend(counts(&tower).map(|count| i64::try_from(count).unwrap_or(i64::MAX).into_value()));
        rows.put(&row)?;
    }
    Ok(Value::void())
}

/// A tower's numbers in the order of the function's columns.
fn counts(tower: &TowerStats) -> [u64; 8] {
    let TowerStats { waiting, inputs, failed, batches, tokens, padding, run_micros, wait_micros, .. } = tower;
    [waiting, inputs, failed, batches, tokens, padding, run_micros, wait_micros].map(|count| *count)
}
