//! The server's own writer of `real` numbers, so that ours look alike to the last digit.

use std::ffi::{c_char, c_int};

/// Room for the longest text (`FLOAT_SHORTEST_DECIMAL_LEN` of common/shortest_dec.h).
const LENGTH: usize = 16;

unsafe extern "C" {
    /// Write without a terminator and give the length; raises nothing.
    fn float_to_shortest_decimal_bufn(value: f32, result: *mut c_char) -> c_int;
}

/// Append the text of a number.
pub fn write(out: &mut Vec<u8>, value: f32) {
    let mut text = [0u8; LENGTH];
    // SAFETY: the buffer has the length that the function asks for.
    let length = unsafe { float_to_shortest_decimal_bufn(value, text.as_mut_ptr().cast()) };
    out.extend_from_slice(text.get(..length.max(0) as usize).unwrap_or_default());
}
