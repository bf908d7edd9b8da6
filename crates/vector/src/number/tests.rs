//! Texts of numbers that `strtof` and `float4out` agree on.

use super::*;

fn read(text: &str) -> Option<(f32, Range, &str)> {
    read_float(text).map(|(number, rest)| (number.value, number.range, rest))
}

#[test]
fn the_longest_number_is_read() {
    let cases = [
        ("1", 1.0, ""),
        ("-.5,", -0.5, ","),
        ("+5.]", 5.0, "]"),
        ("1e", 1.0, "e"),
        ("1e+", 1.0, "e+"),
        ("1e2x", 100.0, "x"),
        ("1.5.5", 1.5, ".5"),
        ("0x10", 16.0, ""),
        ("0x1.8p3,", 12.0, ","),
        ("-0x.8P-1", -0.25, ""),
        ("0x1p", 1.0, "p"),
        ("0xg", 0.0, "xg"),
        ("0x1.000001000000000000000001p0", 1.000_000_1, ""),
        ("0x1.0000010p0", 1.0, ""),
        ("0x1p-149", 1e-45, ""),
        ("inf]", f32::INFINITY, "]"),
        ("-InFiNiTy", f32::NEG_INFINITY, ""),
        ("infinit", f32::INFINITY, "init"),
    ];
    for (text, value, rest) in cases {
        assert_eq!(read(text), Some((value, Range::Fits, rest)), "{text}");
    }
    for text in ["", "-", ".", "e5", "hello", "+-1", ",", " 1", "\u{e9}"] {
        assert_eq!(read(text), None, "{text}");
    }
    for (text, rest) in [("nan", ""), ("NaN(0x1)]", "]"), ("-nan(!)", "(!)")] {
        let (value, range, left) = read(text).expect("NaN is a number here");
        assert!(value.is_nan() && range == Range::Fits && left == rest, "{text}");
    }
}

#[test]
fn what_does_not_fit_is_told() {
    let range = |text| read(text).expect("a number").1;
    for text in ["4e38", "-4e38", "1e999999999999", "0x1p128", "0x1p99999999999999999999"] {
        assert_eq!(range(text), Range::Overflow, "{text}");
    }
    for text in ["1e-46", "-0.0000001e-40", "0x1p-151", "0x1p-99999999999999999999"] {
        assert_eq!(range(text), Range::Underflow, "{text}");
    }
    for text in ["0", "-0e-999", "0x0p999", "3.4028235e38", "1e-45", "1e-40"] {
        assert_eq!(range(text), Range::Fits, "{text}");
    }
}

#[test]
fn integers_are_held_at_their_ends() {
    assert_eq!(read_integer("12:3"), Some((12, ":3")));
    assert_eq!(read_integer("-9223372036854775809"), Some((i64::MIN, "")));
    assert_eq!(read_integer("+9223372036854775808/"), Some((i64::MAX, "/")));
    assert_eq!(read_integer("x"), None);
    assert_eq!(read_integer("-"), None);
}

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
        let mut out = Vec::new();
        write_float(&mut out, value);
        assert_eq!(String::from_utf8_lossy(&out), text);
    }
}
