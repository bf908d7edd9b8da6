//! Projects, keys and the engine's towers, as told to whoever runs the service.

use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio_postgres::Row;
use utoipa::ToSchema;

use crate::error::Result;
use crate::metrics::TowerNumber;

use super::{get, rfc3339, rfc3339_or_null};

/// A project.
#[derive(Serialize, ToSchema)]
pub struct Project {
    pub id: String,
    pub name: String,
    #[serde(serialize_with = "rfc3339")]
    pub created_at: DateTime<Utc>,
}

impl Project {
    pub fn from_row(row: &Row) -> Result<Project> {
        Ok(Project { id: get(row, "id")?, name: get(row, "name")?, created_at: get(row, "created_at")? })
    }
}

/// What is known of a key.
#[derive(Serialize, ToSchema)]
pub struct KeyInfo {
    /// The eight characters after `vwk_`.
    pub id: String,
    /// The project's name.
    pub project: String,
    pub name: Option<String>,
    pub scopes: Vec<String>,
    #[serde(serialize_with = "rfc3339")]
    pub created_at: DateTime<Utc>,
    /// To the minute.
    #[serde(serialize_with = "rfc3339_or_null")]
    pub last_used_at: Option<DateTime<Utc>>,
    #[serde(serialize_with = "rfc3339_or_null")]
    pub expires_at: Option<DateTime<Utc>>,
    #[serde(serialize_with = "rfc3339_or_null")]
    pub revoked_at: Option<DateTime<Utc>>,
}

impl KeyInfo {
    pub fn from_row(row: &Row) -> Result<KeyInfo> {
        Ok(KeyInfo {
            id: get(row, "id")?,
            project: get(row, "project")?,
            name: get(row, "name")?,
            scopes: get(row, "scopes")?,
            created_at: get(row, "created_at")?,
            last_used_at: get(row, "last_used_at")?,
            expires_at: get(row, "expires_at")?,
            revoked_at: get(row, "revoked_at")?,
        })
    }
}

/// A new key.
#[derive(Serialize, ToSchema)]
pub struct MadeKey {
    /// The key itself, shown this once.
    pub key: String,
    #[serde(flatten)]
    pub info: KeyInfo,
}

#[derive(Serialize, ToSchema)]
pub struct Projects {
    pub projects: Vec<Project>,
}

#[derive(Serialize, ToSchema)]
pub struct Keys {
    pub keys: Vec<KeyInfo>,
}

/// What a tower of the engine did since the engine started.
pub struct Tower {
    model: String,
    modality: String,
    numbers: [i64; 8],
}

/// The columns of a tower, with the names and meanings that Prometheus is told.
const NUMBERS: [(&str, &str, &str); 8] = [
    ("waiting", "vw_engine_waiting", "Inputs that wait to be embedded."),
    ("inputs", "vw_engine_inputs_total", "Inputs embedded."),
    ("failed", "vw_engine_failed_total", "Inputs that could not be embedded."),
    ("batches", "vw_engine_batches_total", "Batches run."),
    ("tokens", "vw_engine_tokens_total", "Tokens embedded."),
    ("padding", "vw_engine_padding_total", "Places of batches that held padding."),
    ("run_micros", "vw_engine_run_microseconds_total", "Microseconds that batches ran."),
    ("wait_micros", "vw_engine_wait_microseconds_total", "Microseconds that inputs waited for their batch."),
];

impl Tower {
    pub fn from_row(row: &Row) -> Result<Tower> {
        let mut numbers = [0; NUMBERS.len()];
        for (place, (column, _, _)) in numbers.iter_mut().zip(NUMBERS) {
            *place = get(row, column)?;
        }
        Ok(Tower { model: get(row, "model")?, modality: get(row, "modality")?, numbers })
    }

    /// The numbers, each under its name.
    pub fn numbers(&self) -> impl Iterator<Item = TowerNumber<'_>> {
        self.numbers.iter().zip(NUMBERS).map(|(number, (_, name, help))| TowerNumber {
            name,
            help,
            model: &self.model,
            modality: &self.modality,
            value: u64::try_from(*number).unwrap_or(0),
        })
    }
}
