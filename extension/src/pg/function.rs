//! The macro that makes C functions out of Rust bodies. Their SQL declarations are hand-written in `sql/`.

use pgrx::pg_sys;

/// Calling convention 1, what every `pg_finfo_` function answers.
pub static CONVENTION: pg_sys::Pg_finfo_record = pg_sys::Pg_finfo_record { api_version: 1 };

/// Define version-1 C functions whose symbols are exactly the names given.
///
/// A body sees its arguments as `pg::args::Args` and evaluates to `Result<impl IntoValue, Fault>`.
/// No panic leaves a function: pgrx's guard turns it into an ERROR at the boundary.
macro_rules! pg_functions {
    ($( $(#[$meta:meta])* fn $name:ident($args:ident) $body:block )+) => {$(
        const _: () = {
            #[unsafe(export_name = concat!("pg_finfo_", stringify!($name)))]
            extern "C" fn finfo() -> &'static pgrx::pg_sys::Pg_finfo_record {
                &$crate::pg::function::CONVENTION
            }

            $(#[$meta])*
            #[unsafe(no_mangle)]
            #[pgrx::pg_guard]
            extern "C-unwind" fn $name(fcinfo: pgrx::pg_sys::FunctionCallInfo) -> pgrx::pg_sys::Datum {
                $crate::pg::function::answer!(fcinfo, $args, $body)
            }
        };
    )+};
}

/// Run a body on a call's arguments, and hand its value to the server; for use below a guard.
macro_rules! answer {
    ($fcinfo:ident, $args:ident, $body:block) => {{
        // SAFETY: the function manager passes a call frame that lives until we return.
        let mut frame = unsafe { $crate::pg::args::Args::new($fcinfo) };
        let run = |$args: &$crate::pg::args::Args| $body;
        match run(&frame) {
            Ok(value) => {
                let value = $crate::pg::datum::IntoValue::into_value(value);
                $crate::pg::datum::finish(&mut frame, value)
            }
            Err(fault) => fault.raise(),
        }
    }};
}

pub(crate) use {answer, pg_functions};
