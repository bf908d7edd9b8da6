//! The text of one 4-byte float, as PostgreSQL's `float4out` writes it.

use std::fmt::Write;

/// Append the shortest decimal that reads back as `value`.
///
/// PostgreSQL writes fixed notation where the decimal exponent is in -4..=5 (src/common/f2s.c) and
/// scientific notation with at least two exponent digits elsewhere.
pub(crate) fn write_float(out: &mut String, value: f32) {
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let written = if (-4..6).contains(&exponent) {
        write!(out, "{value}")
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        write!(out, "{mantissa}e{sign}{:02}", exponent.abs())
    };
    debug_assert!(written.is_ok(), "writing to a string cannot fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_postgres_own() {
        let cases = [
            (1.0, "1"),
            (-0.0, "-0"),
            (0.1, "0.1"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (123456.0, "123456"),
            (1234567.0, "1.234567e+06"),
            (1e6, "1e+06"),
            (3.4028235e38, "3.4028235e+38"),
            (1e-45, "1e-45"),
            (16777216.0, "1.6777216e+07"),
        ];
        for (value, text) in cases {
            let mut out = String::new();
            write_float(&mut out, value);
            assert_eq!(out, text);
        }
    }
}
