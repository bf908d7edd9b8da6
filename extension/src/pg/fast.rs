//! The way of a call that needs nothing of the server: two values read where they lie, one number given back.
//!
//! A distance of 32 dimensions takes less time than the guard that turns panics into ERRORs. So a function of this kind
//! tries without first, and leaves to its guarded body whatever is not plain: short values that must be aligned, and all
//! that is refused.

use pgrx::pg_sys;
use pgrx::varlena::{varatt_is_1b, varatt_is_1b_e, varatt_is_4b_u, varsize_1b, varsize_4b};

unsafe extern "C-unwind" {
    /// The server's function, without the guard of pgrx's binding: an ERROR jumps over our frames, which own nothing.
    fn pg_detoast_datum(value: *mut pg_sys::varlena) -> *mut pg_sys::varlena;
}

/// An argument's payload behind an ordinary header, detoasted if need be; it is aligned for four-byte numbers. What was
/// detoasted is left to the memory context of the row, which the executor resets sooner than it could be freed.
///
/// # Safety
/// - The frame is live, and the argument is of a variable-length type.
/// - No frame between this and the server owns anything that has to be dropped.
#[inline(always)]
unsafe fn flat<'a>(fcinfo: pg_sys::FunctionCallInfo, index: usize) -> Option<&'a [u8]> {
    // SAFETY: by our contract; an ordinary header says how long the value is, itself included.
    unsafe {
        let argument = (*fcinfo).args.as_slice((*fcinfo).nargs.max(0) as usize).get(index)?;
        let mut value: *mut pg_sys::varlena = argument.value.cast_mut_ptr();
        if argument.isnull {
            return None;
        }
        if !varatt_is_4b_u(value) {
            // A short value is cheaper to align in the guarded body's room than in memory of the server's.
            if varatt_is_1b(value) && !varatt_is_1b_e(value) {
                return None;
            }
            value = pg_detoast_datum(value);
        }
        Some(std::slice::from_raw_parts(value.cast::<u8>().add(4), varsize_4b(value).checked_sub(4)?))
    }
}

/// The same, and of a value with a short header too; it has no particular address then.
///
/// # Safety
/// - As for [`flat`].
#[inline(always)]
unsafe fn in_place<'a>(fcinfo: pg_sys::FunctionCallInfo, index: usize) -> Option<&'a [u8]> {
    // SAFETY: by our contract; a short header says how long the value is, itself included.
    unsafe {
        let argument = (*fcinfo).args.as_slice((*fcinfo).nargs.max(0) as usize).get(index)?;
        let value: *mut pg_sys::varlena = argument.value.cast_mut_ptr();
        if argument.isnull || !varatt_is_1b(value) || varatt_is_1b_e(value) {
            return flat(fcinfo, index);
        }
        Some(std::slice::from_raw_parts(value.cast::<u8>().add(1), varsize_1b(value).checked_sub(1)?))
    }
}

/// Measure two aligned values; `None` leaves the call to the guarded body.
///
/// # Safety
/// - The frame is live and has two arguments of a variable-length type.
/// - `measure` neither panics nor calls the server.
#[inline(always)]
pub unsafe fn of_flat(
    fcinfo: pg_sys::FunctionCallInfo,
    measure: impl FnOnce(&[u8], &[u8]) -> Option<f64>,
) -> Option<pg_sys::Datum> {
    // SAFETY: by our contract.
    let (left, right) = unsafe { (flat(fcinfo, 0)?, flat(fcinfo, 1)?) };
    measure(left, right).map(|distance| pg_sys::Datum::from(distance.to_bits()))
}

/// Measure two values at any address; `None` leaves the call to the guarded body.
///
/// # Safety
/// - As for [`of_flat`].
#[inline(always)]
pub unsafe fn of_bytes(
    fcinfo: pg_sys::FunctionCallInfo,
    measure: impl FnOnce(&[u8], &[u8]) -> Option<f64>,
) -> Option<pg_sys::Datum> {
    // SAFETY: by our contract.
    let (left, right) = unsafe { (in_place(fcinfo, 0)?, in_place(fcinfo, 1)?) };
    measure(left, right).map(|distance| pg_sys::Datum::from(distance.to_bits()))
}

/// Define functions of two values that give a float8: `fn name(args) by way |left, right| plain, else guarded`.
///
/// `way` is one of this file's functions; the plain part sees two payloads and gives `None` for whatever it does not
/// take; it must not panic. The guarded part is a body as in `pg_functions`.
macro_rules! fast_functions {
    ($( $(#[$meta:meta])* fn $name:ident($args:ident) by $way:ident |$left:ident, $right:ident| $plain:expr, else $body:block )+) => {$(
        const _: () = {
            #[unsafe(export_name = concat!("pg_finfo_", stringify!($name)))]
            extern "C" fn finfo() -> &'static pgrx::pg_sys::Pg_finfo_record {
                &$crate::pg::function::CONVENTION
            }

            $(#[$meta])*
            #[unsafe(no_mangle)]
            unsafe extern "C-unwind" fn $name(fcinfo: pgrx::pg_sys::FunctionCallInfo) -> pgrx::pg_sys::Datum {
                // SAFETY: the function manager passes a live frame with the arguments of the declaration, and what is
                // measured here only reads two slices.
                match unsafe { $crate::pg::fast::$way(fcinfo, |$left: &[u8], $right: &[u8]| $plain) } {
                    Some(distance) => distance,
                    None => guarded(fcinfo),
                }
            }

            #[cold]
            #[pgrx::pg_guard]
            extern "C-unwind" fn guarded(fcinfo: pgrx::pg_sys::FunctionCallInfo) -> pgrx::pg_sys::Datum {
                $crate::pg::function::answer!(fcinfo, $args, $body)
            }
        };
    )+};
}

pub(crate) use fast_functions;
