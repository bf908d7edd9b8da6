//! From the errors of vw-vector to those of the server.

use crate::pg::error::{Code, Fault};
use crate::pg::float;
use vw_vector::{Error, SqlState};

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        let code = match error.sqlstate() {
            SqlState::ProtocolViolation => Code::ERRCODE_PROTOCOL_VIOLATION,
            SqlState::DataException => Code::ERRCODE_DATA_EXCEPTION,
            SqlState::NumericValueOutOfRange => Code::ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
            SqlState::InvalidParameterValue => Code::ERRCODE_INVALID_PARAMETER_VALUE,
            SqlState::InvalidTextRepresentation => Code::ERRCODE_INVALID_TEXT_REPRESENTATION,
            SqlState::ProgramLimitExceeded => Code::ERRCODE_PROGRAM_LIMIT_EXCEEDED,
            SqlState::InternalError => Code::ERRCODE_INTERNAL_ERROR,
        };
        let error = error.written(float::write);
        Fault::new(code, error.to_string()).detail(error.detail().unwrap_or_default())
    }
}
