//! The Datum form of `vector`: dimensions int16, an unused int16, then float4 components, in native byte order.
//! Byte for byte pgvector's. The SQL functions are in the files below.

mod aggregate;
mod arithmetic;
mod cast;
mod compare;
mod distance;
mod io;

use crate::pg::args::Args;
use crate::pg::datum::Value;
use crate::pg::error::{Code, Fault, Result};
use crate::pg::varlena::{self, Varlena};
use vw_vector::{Error, SqlState, datum};

/// A `vector` argument, detoasted.
pub struct Vector(Varlena);

impl Vector {
    /// The components, in place.
    pub fn components(&self) -> Result<&[f32]> {
        let bytes = self.0.bytes();
        let count = datum::dimensions(bytes)?;
        // SAFETY: every bit pattern is a float; `align_to` itself cares for the alignment.
        let (before, components, _) = unsafe { bytes.get(datum::HEADER..).unwrap_or_default().align_to::<f32>() };
        let components = components.get(..count).filter(|_| before.is_empty());
        components.ok_or_else(|| Fault::from(Error::Length))
    }
}

/// Read a `vector` argument.
pub fn argument(args: &Args, index: usize) -> Result<Vector> {
    args.varlena(index).map(Vector)
}

/// Read a type modifier argument; -1 when there is none.
fn typmod(args: &Args, index: usize) -> Result<i32> {
    if args.is_null(index) { Ok(-1) } else { args.i32(index) }
}

/// Make a `vector` out of components that were checked before.
pub fn value_of(components: &[f32]) -> Result<Value> {
    varlena::from_bytes(&datum::build(components)?)
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        let code = match error.sqlstate() {
            SqlState::DataException => Code::ERRCODE_DATA_EXCEPTION,
            SqlState::NumericValueOutOfRange => Code::ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
            SqlState::InvalidParameterValue => Code::ERRCODE_INVALID_PARAMETER_VALUE,
            SqlState::InvalidTextRepresentation => Code::ERRCODE_INVALID_TEXT_REPRESENTATION,
            SqlState::ProgramLimitExceeded => Code::ERRCODE_PROGRAM_LIMIT_EXCEEDED,
        };
        Fault::new(code, error.to_string()).detail(error.detail().unwrap_or_default())
    }
}
