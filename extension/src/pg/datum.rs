//! From Rust values to Datums. Reading arguments is in `args`.

use super::args::Args;
use pgrx::pg_sys;

/// A finished SQL value.
#[derive(Clone, Copy)]
pub struct Value(pub(super) pg_sys::Datum);

/// Anything a function may return.
pub trait IntoValue {
    /// Convert, or `None` for SQL NULL.
    fn into_value(self) -> Option<Value>;
}

macro_rules! by_value {
    ($($type:ty => |$v:ident| $e:expr),+ $(,)?) => {$(
        impl IntoValue for $type {
            fn into_value(self) -> Option<Value> {
                let $v = self;
                Some(Value($e))
            }
        }
    )+};
}

by_value! {
    Value => |v| v.0,
    bool => |v| pg_sys::Datum::from(v),
    i32 => |v| pg_sys::Datum::from(v),
    i64 => |v| pg_sys::Datum::from(v),
    f32 => |v| pg_sys::Datum::from(v.to_bits()),
    f64 => |v| pg_sys::Datum::from(v.to_bits()),
}

impl<T: IntoValue> IntoValue for Option<T> {
    fn into_value(self) -> Option<Value> {
        self.and_then(IntoValue::into_value)
    }
}

impl Value {
    /// The nothing that a void function or a materialised set returns.
    pub fn void() -> Value {
        Value(pg_sys::Datum::from(0))
    }
}

/// Finish a call: set the NULL flag or hand the Datum back.
pub fn finish(args: &mut Args, value: Option<Value>) -> pg_sys::Datum {
    match value {
        Some(value) => value.0,
        None => {
            args.set_null();
            pg_sys::Datum::from(0)
        }
    }
}
