//! The text of numbers, shared by all types: floats as C's `strtof` reads them and `float4out` writes them, and integers.

use std::io::Write;

/// How a type's output writes one float. The server has its own writer, which is given to the `format` functions.
pub type WriteFloat = fn(&mut Vec<u8>, f32);

/// Whether a number fits a 4-byte float.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Range {
    Fits,
    /// Too great; its value is infinite.
    Overflow,
    /// Not zero, but its value is.
    Underflow,
}

/// One float as it was written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Number<'a> {
    pub value: f32,
    pub range: Range,
    pub text: &'a str,
}

/// Skip PostgreSQL's white space.
#[inline]
pub(crate) fn skip_space(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', '\n', '\r', '\u{b}', '\u{c}'])
}

/// Read the longest float at the start, and what follows it; `None` where there is none.
pub(crate) fn read_float(text: &str) -> Option<(Number<'_>, &str)> {
    let bytes = text.as_bytes();
    let sign = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let body = bytes.get(sign..)?;
    if let Some(length) = word_length(body) {
        let (text, rest) = text.split_at_checked(sign + length)?;
        let value = if body.first().is_some_and(|byte| byte | 0x20 == b'n') { f32::NAN } else { f32::INFINITY };
        let value = if text.starts_with('-') { -value } else { value };
        return Some((Number { value, range: Range::Fits, text }, rest));
    }
    if let Some((magnitude, nonzero, length)) = hexadecimal(body) {
        let (text, rest) = text.split_at_checked(sign + length)?;
        let value = if text.starts_with('-') { -magnitude } else { magnitude };
        return Some((Number { value, range: range(value, nonzero), text }, rest));
    }
    let (length, nonzero) = decimal_length(body)?;
    let (text, rest) = text.split_at_checked(sign + length)?;
    let value: f32 = text.parse().ok()?;
    Some((Number { value, range: range(value, nonzero), text }, rest))
}

fn range(value: f32, nonzero: bool) -> Range {
    match value {
        value if value.is_infinite() => Range::Overflow,
        value if value == 0.0 && nonzero => Range::Underflow,
        _ => Range::Fits,
    }
}

/// The length of a word for infinity or NaN, in any case.
fn word_length(bytes: &[u8]) -> Option<usize> {
    if !bytes.first()?.is_ascii_alphabetic() {
        return None;
    }
    let starts = |word: &[u8]| bytes.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
    if starts(b"nan") {
        let tag = bytes.get(3..).and_then(|tail| tail.strip_prefix(b"(")).unwrap_or_default();
        let end = count(tag, |byte| byte.is_ascii_alphanumeric() || byte == b'_');
        return Some(if tag.get(end) == Some(&b')') { end + 5 } else { 3 });
    }
    ["infinity", "inf"].iter().find(|word| starts(word.as_bytes())).map(|word| word.len())
}

/// How many bytes at the start are of a kind.
fn count(bytes: &[u8], of_kind: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|byte| !of_kind(*byte)).unwrap_or(bytes.len())
}

/// The length of a decimal without its sign, and whether it has a digit other than zero before its exponent.
fn decimal_length(bytes: &[u8]) -> Option<(usize, bool)> {
    let whole = count(bytes, |byte| byte.is_ascii_digit());
    let point = usize::from(bytes.get(whole) == Some(&b'.'));
    let fraction = count(bytes.get(whole + point..)?, |byte| byte.is_ascii_digit()) * point;
    if whole + fraction == 0 {
        return None;
    }
    let mantissa = whole + point + fraction;
    let nonzero = bytes.get(..mantissa)?.iter().any(|byte| matches!(byte, b'1'..=b'9'));
    Some((mantissa + exponent_length(bytes.get(mantissa..)?, b'e'), nonzero))
}

/// The length of an exponent: its letter, perhaps a sign, digits; 0 where it is not whole.
fn exponent_length(bytes: &[u8], letter: u8) -> usize {
    if bytes.first().is_none_or(|byte| byte | 0x20 != letter) {
        return 0;
    }
    let sign = usize::from(matches!(bytes.get(1), Some(b'+' | b'-')));
    match count(bytes.get(1 + sign..).unwrap_or_default(), |byte| byte.is_ascii_digit()) {
        0 => 0,
        digits => 1 + sign + digits,
    }
}

/// A hexadecimal float without its sign (`0x1.8p3`): its value, whether it is not zero, its length.
fn hexadecimal(bytes: &[u8]) -> Option<(f32, bool, usize)> {
    let body = bytes.strip_prefix(b"0x").or_else(|| bytes.strip_prefix(b"0X"))?;
    // At most 52 bits, of which the last also says whether anything but zeros follows: exact in a double, and enough to
    // round once to a float.
    let (mut mantissa, mut exponent, mut digits, mut length, mut point) = (0u64, 0i64, 0, 0, false);
    for byte in body {
        match (char::from(*byte).to_digit(16), *byte) {
            (Some(digit), _) => {
                let room = mantissa < 1 << 48;
                mantissa = if room { mantissa << 4 | u64::from(digit) } else { mantissa | u64::from(digit != 0) };
                exponent += if room { 0 } else { 4 } - if point { 4 } else { 0 };
                digits += 1;
            }
            (None, b'.') if !point => point = true,
            _ => break,
        }
        length += 1;
    }
    if digits == 0 {
        return None;
    }
    let power = exponent_length(body.get(length..)?, b'p');
    let written = std::str::from_utf8(body.get(length + 1..length + power).unwrap_or_default()).unwrap_or_default();
    let shift: i64 = written.parse().unwrap_or(if written.starts_with('-') { -10_000 } else { 10_000 });
    let shift = if written.is_empty() { 0 } else { shift };
    let scale = exponent.saturating_add(shift).clamp(-1_000, 900) as i32;
    Some(((mantissa as f64 * 2f64.powi(scale)) as f32, mantissa != 0, 2 + length + power))
}

/// Read a decimal integer as `strtol` does, held at the ends of its range, and what follows it.
pub(crate) fn read_integer(text: &str) -> Option<(i64, &str)> {
    let bytes = text.as_bytes();
    let sign = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let digits = count(bytes.get(sign..)?, |byte| byte.is_ascii_digit());
    if digits == 0 {
        return None;
    }
    let (number, rest) = text.split_at_checked(sign + digits)?;
    let limit = if number.starts_with('-') { i64::MIN } else { i64::MAX };
    Some((number.parse().unwrap_or(limit), rest))
}

/// Append an integer.
pub(crate) fn write_integer(out: &mut Vec<u8>, value: i64) {
    // Writing to memory cannot fail.
    let _ = write!(out, "{value}");
}

/// Append the shortest decimal that reads back as `value`, in `float4out`'s notation.
///
/// Fixed where the decimal exponent is in -4..=5, else scientific with at least two digits of exponent. The server's
/// own writer may choose one more digit where the shortest lies exactly between two floats.
pub fn write_float(out: &mut Vec<u8>, value: f32) {
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    // Writing to memory cannot fail.
    let _ = if (-4..6).contains(&exponent) {
        write!(out, "{value}")
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        write!(out, "{mantissa}e{sign}{:02}", exponent.abs())
    };
}

#[cfg(test)]
mod tests;
