//! From one vector per token to one per text, as sentence-transformers' `1_Pooling/config.json` says.

use std::path::Path;

use serde::Deserialize;

use super::place::read_json;
use crate::Failure;

/// How tokens become one vector.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Pooling {
    Mean,
    Cls,
    Max,
}

/// The file's keys: a name in new files, one flag per mode in old ones.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Config {
    pooling_mode: Option<String>,
    pooling_mode_cls_token: bool,
    pooling_mode_mean_tokens: bool,
    pooling_mode_max_tokens: bool,
}

impl Pooling {
    /// Read the mode of a tower; there is no default, since a wrong guess gives plausible nonsense.
    pub fn read(tower: &Path) -> Result<Pooling, Failure> {
        let path = tower.join("1_Pooling/config.json");
        if !path.is_file() {
            let message =
                format!("{}: the graph gives one vector per token, and no file says how to pool them", tower.display());
            return Err(Failure::pack(message).hint("Add 1_Pooling/config.json, or say pooling in vw-pack.json."));
        }
        let config: Config = read_json(&path)?;
        let flags = (config.pooling_mode_mean_tokens, config.pooling_mode_cls_token, config.pooling_mode_max_tokens);
        match (config.pooling_mode.as_deref(), flags) {
            (Some("mean"), _) | (None, (true, false, false)) => Ok(Pooling::Mean),
            (Some("cls"), _) | (None, (false, true, false)) => Ok(Pooling::Cls),
            (Some("max"), _) | (None, (false, false, true)) => Ok(Pooling::Max),
            _ => Err(Failure::pack(format!("{}: exactly one of mean, cls and max is supported", path.display()))),
        }
    }

    /// Pool the token vectors of `states` (row-major, `width` wide) from number `start` on, `length` of them; the rest
    /// is padding.
    pub fn pool(self, states: &[f32], width: usize, start: usize, length: usize) -> Vec<f32> {
        let rows = states.chunks_exact(width.max(1)).skip(start).take(length);
        match self {
            Pooling::Cls => rows.take(1).flatten().copied().collect(),
            Pooling::Max => fold(rows, vec![f32::NEG_INFINITY; width], f32::max),
            Pooling::Mean => {
                let sum = fold(rows, vec![0.0; width], |total, value| total + value);
                sum.into_iter().map(|value| value / length.max(1) as f32).collect()
            }
        }
    }
}

fn fold<'a>(rows: impl Iterator<Item = &'a [f32]>, mut start: Vec<f32>, op: impl Fn(f32, f32) -> f32) -> Vec<f32> {
    for row in rows {
        start.iter_mut().zip(row).for_each(|(total, value)| *total = op(*total, *value));
    }
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_rows_do_not_count() {
        let states = [1.0, 5.0, 3.0, 1.0, 100.0, 100.0];
        assert_eq!(Pooling::Mean.pool(&states, 2, 0, 2), [2.0, 3.0]);
        assert_eq!(Pooling::Cls.pool(&states, 2, 0, 2), [1.0, 5.0]);
        assert_eq!(Pooling::Max.pool(&states, 2, 0, 2), [3.0, 5.0]);
        assert_eq!(Pooling::Cls.pool(&states, 2, 1, 2), [3.0, 1.0], "padding in front");
    }
}
