//! The one place where the database's conditions become errors of the API. Not for errors found before the database.

use std::error::Error as _;

use deadpool_postgres::{PoolError, TimeoutType};
use tokio_postgres::error::DbError;

use crate::error::{Code, Error};

/// What is looked at in an error report of the server.
pub struct Condition<'a> {
    pub sqlstate: &'a str,
    pub message: &'a str,
    /// The parameter at fault, where the condition is one of `vw`'s own.
    pub column: Option<&'a str>,
    /// Whether `vw` raised it: its message is then fit for the client.
    pub ours: bool,
}

impl<'a> From<&'a DbError> for Condition<'a> {
    fn from(report: &'a DbError) -> Self {
        let native = report.file().is_some_and(|file| file.ends_with(".rs"));
        let column = report.column();
        Condition {
            sqlstate: report.code().code(),
            message: report.message(),
            column,
            ours: native || (column.is_some() && report.constraint().is_none()),
        }
    }
}

/// Map a condition by its SQLSTATE.
pub fn map(condition: &Condition) -> Error {
    let refusal = match (condition.sqlstate, condition.ours) {
        ("22023" | "54000", true) => Some((Code::InvalidRequest, condition.column.unwrap_or_default())),
        ("P0002", true) => Some((Code::NotFound, condition.column.unwrap_or_default())),
        // The pack of the collection's model was replaced.
        ("55000", true) => Some((Code::Conflict, condition.column.unwrap_or_default())),
        ("23505", true) => Some((Code::Conflict, condition.column.unwrap_or_default())),
        ("42501", true) => Some((Code::Forbidden, condition.column.unwrap_or_default())),
        ("42704", true) => Some((Code::UnknownModel, "model_id")),
        ("0A000", true) => Some((Code::UnsupportedInput, condition.column.unwrap_or_default())),
        _ => None,
    };
    if let Some((code, param)) = refusal {
        return Error::new(code, condition.message).at(param);
    }
    let cause = format!("{}: {}", condition.sqlstate, condition.message);
    match condition.sqlstate {
        "23505" => Error::new(Code::Conflict, "another request has just taken that name or id"),
        "58000" => Error::new(Code::EngineUnavailable, "the embedding engine is unavailable; try again").because(cause),
        "57014" => Error::new(Code::Timeout, "the request took too long and was cancelled").because(cause),
        state if state.starts_with("57P") || state.starts_with("08") => database_unavailable(cause),
        state if state.starts_with("53") || state.starts_with("40") => overloaded(cause),
        _ => Error::internal(cause),
    }
}

/// Map the SQLSTATE of one item that could not be embedded.
pub fn of_item(sqlstate: &str) -> Code {
    match sqlstate {
        "22023" => Code::DecodeFailed,
        "0A000" => Code::UnsupportedInput,
        state if state.starts_with("53") => Code::Overloaded,
        "58000" => Code::EngineUnavailable,
        _ => Code::Internal,
    }
}

/// Map what a statement failed with.
pub fn from_query(error: &tokio_postgres::Error) -> Error {
    match error.as_db_error() {
        Some(report) => map(&Condition::from(report)),
        None if error.is_closed() || error.source().is_some_and(|source| source.is::<std::io::Error>()) => {
            database_unavailable(chain(error))
        }
        None => Error::internal(chain(error)),
    }
}

/// Map why the pool gave no connection. Whatever stops us from connecting is, to the client, a database that is down.
pub fn from_pool(error: &PoolError) -> Error {
    let state = match error {
        PoolError::Backend(backend) => backend.code().map(|code| code.code()),
        _ => None,
    };
    match error {
        PoolError::Timeout(TimeoutType::Wait) => overloaded("no free connection in the pool".to_owned()),
        _ if state.is_some_and(|state| state.starts_with("53")) => overloaded(chain(error)),
        _ => database_unavailable(chain(error)),
    }
}

/// The database did not answer at all.
pub fn database_unavailable(cause: String) -> Error {
    Error::new(Code::DatabaseUnavailable, "the database is unavailable; try again").because(cause)
}

/// Too much is going on; the same request may succeed later.
pub fn overloaded(cause: String) -> Error {
    Error::new(Code::Overloaded, "the server is overloaded; try again").because(cause)
}

/// Join an error and its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    //! Guards the table of SQLSTATEs: a wrong row turns a client's mistake into an outage, or leaks internals.
    use super::*;

    fn ours(sqlstate: &str, column: &'static str) -> Error {
        map(&Condition { sqlstate, message: "own words", column: Some(column), ours: true })
    }

    fn foreign(sqlstate: &str) -> Error {
        map(&Condition { sqlstate, message: "inner words", column: None, ours: false })
    }

    #[test]
    fn own_conditions_keep_message_and_param() {
        let table = [
            ("22023", "top_k", 400, "invalid_request"),
            ("P0002", "collection", 404, "not_found"),
            ("23505", "name", 409, "conflict"),
            ("42501", "scope", 403, "forbidden"),
            ("42704", "model_id", 400, "unknown_model"),
            ("0A000", "items[3].image", 422, "unsupported_input"),
            ("54000", "items", 400, "invalid_request"),
        ];
        for (state, column, status, word) in table {
            let error = ours(state, column);
            assert_eq!(error.code.parts(), (axum::http::StatusCode::from_u16(status).expect("status"), word));
            assert_eq!(error.param.as_deref(), Some(column), "{state}");
            assert_eq!(error.message, "own words", "{state}");
        }
        assert_eq!(ours("22023", "").param, None);
    }

    #[test]
    fn outages_are_503() {
        let table = [
            ("58000", "engine_unavailable"),
            ("53200", "overloaded"),
            ("53300", "overloaded"),
            ("53400", "overloaded"),
            ("40P01", "overloaded"),
            ("57014", "timeout"),
            ("57P01", "database_unavailable"),
            ("57P02", "database_unavailable"),
            ("57P03", "database_unavailable"),
            ("08006", "database_unavailable"),
        ];
        for (state, word) in table {
            let error = foreign(state);
            assert_eq!((error.code.parts().0.as_u16(), error.code.parts().1), (503, word), "{state}");
            assert!(!error.message.contains("inner"), "{state}");
            assert!(error.cause.is_some_and(|cause| cause.contains("inner words")), "{state}");
        }
    }

    #[test]
    fn everything_else_is_internal_and_silent() {
        for state in ["22023", "P0002", "42704", "0A000", "54000", "42883", "42501", "XX000", "22P02", "23514"] {
            let error = foreign(state);
            assert_eq!(error.code, Code::Internal, "{state}");
            assert!(!error.message.contains("inner"), "{state}");
        }
        assert_eq!(foreign("23505").code, Code::Conflict);
        assert!(!foreign("23505").message.contains("inner"));
    }
}
