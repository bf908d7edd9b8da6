//! The way of a call that needs nothing of the server: two values read where they lie, one number given back.
//!
//! A distance of 32 dimensions takes less time than the guard that turns panics into ERRORs, or than two calls through
//! pointers. So a function of this kind has three ways that are compiled for each level of SIMD instructions. The short one takes
//! values of few bytes that lie flat, and needs so few registers that it saves none; the long one takes longer ones. Both
//! call nothing. The third one takes any values, and aligns and detoasts those that it must. The guarded body takes what is
//! left, and refuses what is to be refused.

use super::memo;
use pgrx::pg_sys;
use pgrx::varlena::{varatt_is_1b, varatt_is_1b_e, varatt_is_4b_u, varsize_1b, varsize_4b};
use std::mem::MaybeUninit;

/// Length of the ordinary header, in bytes.
const HEADER: usize = 4;

/// Bytes of a payload from which a value is long: a distance then takes so much time that another jump is nothing.
pub const LONG: usize = 160;

/// Room for the longest value with a short header, aligned for numbers.
pub type Room = MaybeUninit<[u64; 16]>;

/// An argument as it was passed.
///
/// # Safety
/// - The frame is live and has this argument.
#[inline(always)]
unsafe fn argument(fcinfo: pg_sys::FunctionCallInfo, index: usize) -> *mut pg_sys::varlena {
    // SAFETY: by our contract.
    unsafe { (*(*fcinfo).args.as_ptr().add(index)).value.cast_mut_ptr() }
}

/// Tell whether two values have ordinary headers and are aligned for four-byte numbers.
///
/// # Safety
/// - Both are of variable-length types.
#[inline(always)]
unsafe fn are_flat(left: *mut pg_sys::varlena, right: *mut pg_sys::varlena) -> bool {
    let addresses = left.addr() | right.addr();
    // SAFETY: by our contract; every value has a first byte, which tells its form.
    unsafe {
        if cfg!(target_endian = "little") {
            // The two lowest bits are zero: one test for all.
            let forms = left.cast::<u8>().read() | right.cast::<u8>().read();
            return (usize::from(forms) | addresses) & 3 == 0;
        }
        varatt_is_4b_u(left) && varatt_is_4b_u(right) && addresses & 3 == 0
    }
}

/// The payload of a value with an ordinary header; it is aligned for four-byte numbers.
///
/// # Safety
/// - `value` has such a header, and outlives the result.
#[inline(always)]
unsafe fn flat<'a>(value: *mut pg_sys::varlena) -> &'a [u8] {
    // SAFETY: by our contract; the header says how long the value is, itself included.
    unsafe { std::slice::from_raw_parts(value.cast::<u8>().add(HEADER), varsize_4b(value).unchecked_sub(HEADER)) }
}

/// The payload of a value with a short header; it has no particular address.
///
/// # Safety
/// - `value` is of a variable-length type and outlives the result.
#[inline(always)]
unsafe fn short<'a>(value: *mut pg_sys::varlena) -> Option<&'a [u8]> {
    // SAFETY: by our contract; a short header, which is not 0 then, says how long the value is, itself included.
    unsafe {
        let is_short = varatt_is_1b(value) && !varatt_is_1b_e(value);
        is_short.then(|| std::slice::from_raw_parts(value.cast::<u8>().add(1), varsize_1b(value) - 1))
    }
}

/// The payload of a value with a header of either kind; it has no particular address.
///
/// # Safety
/// - As for [`short`].
#[inline(always)]
unsafe fn in_place<'a>(value: *mut pg_sys::varlena) -> Option<&'a [u8]> {
    // SAFETY: by our contract, and as the header is tested.
    unsafe { if varatt_is_4b_u(value) { Some(flat(value)) } else { short(value) } }
}

/// The payloads of two aligned values that lie flat; `None` leaves the call to [`any_pair`]. The left one, which
/// is the column in `ORDER BY v <-> $1`, is what a scan goes along.
///
/// # Safety
/// - The frame is live and has two arguments of a variable-length type, which are not NULL and outlive the result.
#[inline(always)]
pub unsafe fn flat_pair<'a>(fcinfo: pg_sys::FunctionCallInfo) -> Option<(&'a [u8], &'a [u8])> {
    // SAFETY: by our contract, and as each is tested.
    unsafe {
        let (left, right) = (argument(fcinfo, 0), argument(fcinfo, 1));
        if !are_flat(left, right) {
            return None;
        }
        // Said again of each, so that nobody behind this tests it.
        std::hint::assert_unchecked(left.addr() & 3 == 0 && right.addr() & 3 == 0);
        Some((flat(left), flat(right)))
    }
}

/// The payloads of two values that lie flat, at any address; `None` leaves the call to [`any_pair`].
///
/// # Safety
/// - As for [`flat_pair`].
#[inline(always)]
pub unsafe fn byte_pair<'a>(fcinfo: pg_sys::FunctionCallInfo) -> Option<(&'a [u8], &'a [u8])> {
    // SAFETY: by our contract, and as each is tested.
    unsafe {
        let (left, right) = (argument(fcinfo, 0), argument(fcinfo, 1));
        match are_flat(left, right) {
            true => Some((flat(left), flat(right))),
            false => Some((in_place(left)?, in_place(right)?)),
        }
    }
}

/// A distance as the server takes it.
#[inline(always)]
pub fn datum(distance: f64) -> pg_sys::Datum {
    pg_sys::Datum::from(distance.to_bits())
}

/// An argument's payload, aligned for four-byte numbers: copied into `room` if it is short, detoasted if need be. What
/// was detoasted is left to the memory context of the row, which the executor resets sooner than it could be freed.
///
/// # Safety
/// - As for [`any_pair`].
#[inline(always)]
unsafe fn any(fcinfo: pg_sys::FunctionCallInfo, index: usize, room: &mut Room) -> &[u8] {
    // SAFETY: by our contract; a short value has at most 126 bytes, which fit into the room.
    unsafe {
        let value = argument(fcinfo, index);
        if let Some(bytes) = short(value) {
            let target = room.as_mut_ptr().cast::<u8>();
            target.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            return std::slice::from_raw_parts(target, bytes.len());
        }
        flat(if varatt_is_4b_u(value) { value } else { memo::detoast(fcinfo, index, value) })
    }
}

/// The payloads of two values, whatever their form, aligned for four-byte numbers; short ones are copied into `rooms`.
///
/// # Safety
/// - As for [`flat_pair`], and the function leaves `fn_extra` to this layer.
/// - No frame between this and the server owns anything that has to be dropped.
#[inline(always)]
pub unsafe fn any_pair(fcinfo: pg_sys::FunctionCallInfo, [left, right]: &mut [Room; 2]) -> (&[u8], &[u8]) {
    // SAFETY: by our contract.
    unsafe { (any(fcinfo, 0, left), any(fcinfo, 1, right)) }
}

/// Define functions of two values that give a float8: `fn name(args) by way(long) |sums, left, right| plain, else guarded`.
/// In SQL they are strict, and have two arguments of a variable-length type.
///
/// `way` is [`flat_pair`] or [`byte_pair`], and values are long from `long` bytes on. The plain part sees two payloads, and what to sum with; it gives `None` for
/// whatever it does not take, and must not panic. The guarded part is a body as in `pg_functions`.
macro_rules! fast_functions {
    ($( $(#[$meta:meta])* fn $name:ident($args:ident) by $way:ident($long:expr) |$sums:ident, $left:ident, $right:ident| $plain:expr,
        else $body:block )+) => {$(
        const _: () = {
            use pgrx::pg_sys::{Datum, FunctionCallInfo, Pg_finfo_record};

            #[unsafe(export_name = concat!("pg_finfo_", stringify!($name)))]
            extern "C" fn finfo() -> &'static Pg_finfo_record {
                &$crate::pg::function::CONVENTION
            }

            static AHEAD: vw_vector::kernel::ahead::Ahead = vw_vector::kernel::ahead::Ahead::new();

            $(#[$meta])*
            #[unsafe(no_mangle)]
            unsafe extern "C-unwind" fn $name(fcinfo: FunctionCallInfo) -> Datum {
                vw_vector::at_best_level!((fcinfo: FunctionCallInfo) -> Datum, |$sums| {
                    // SAFETY: the function manager passes a live frame with the arguments of the declaration, which is
                    // strict; the frame is passed on.
                    let distance = match unsafe { $crate::pg::fast::$way(fcinfo) } {
                        Some(($left, _)) if $left.len() >= $long => return unsafe { long(fcinfo) },
                        Some(($left, $right)) => {
                            AHEAD.follow($left);
                            $plain
                        }
                        None => None,
                    };
                    // SAFETY: the frame is passed on.
                    distance.map_or_else(|| unsafe { any(fcinfo) }, $crate::pg::fast::datum)
                }, fn long: {
                    // SAFETY: as above.
                    let distance = match unsafe { $crate::pg::fast::$way(fcinfo) } {
                        Some(($left, $right)) => {
                            AHEAD.follow($left);
                            $plain
                        }
                        None => None,
                    };
                    // SAFETY: the frame is passed on.
                    distance.map_or_else(|| unsafe { any(fcinfo) }, $crate::pg::fast::datum)
                }, fn any: {
                    let mut rooms = [$crate::pg::fast::Room::uninit(), $crate::pg::fast::Room::uninit()];
                    // SAFETY: as above; the frames up to here own nothing, and nothing else of these functions uses
                    // `fn_extra`.
                    let ($left, $right) = unsafe { $crate::pg::fast::any_pair(fcinfo, &mut rooms) };
                    $plain.map_or_else(|| guarded(fcinfo), $crate::pg::fast::datum)
                })
            }

            #[cold]
            #[inline(never)]
            extern "C-unwind" fn guarded(fcinfo: FunctionCallInfo) -> Datum {
                body(fcinfo)
            }

            #[pgrx::pg_guard]
            extern "C-unwind" fn body(fcinfo: FunctionCallInfo) -> Datum {
                $crate::pg::function::answer!(fcinfo, $args, $body)
            }
        };
    )+};
}

pub(crate) use fast_functions;
