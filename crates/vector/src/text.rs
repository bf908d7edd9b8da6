//! The text form, `[1,2,3]`.

use crate::float::write_float;
use crate::{Error, check_dim, check_element, check_expected_dim};

/// PostgreSQL's white space.
fn skip_space(bytes: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c);
    let start = bytes.iter().position(|byte| !blank(byte)).unwrap_or(bytes.len());
    bytes.get(start..).unwrap_or_default()
}

/// Read a vector of `typmod` dimensions (`-1`: any number from 1 to 16,000).
///
/// Fails with pgvector's messages on malformed text, NaN, infinities, numbers that do not fit a
/// 4-byte float, and wrong dimensions.
pub fn parse(text: &str, typmod: i32) -> Result<Vec<f32>, Error> {
    let syntax = |detail| Error::Syntax(text.to_owned(), detail);
    let mut rest = skip_space(text.as_bytes());
    rest = rest.strip_prefix(b"[").ok_or_else(|| syntax("Vector contents must start with \"[\"."))?;
    rest = skip_space(rest);
    if rest.first() == Some(&b']') {
        return Err(Error::NoDimensions);
    }
    let mut values = Vec::new();
    loop {
        if values.len() == crate::MAX_DIM {
            return Err(Error::TooManyDimensions);
        }
        let (value, tail) = element(skip_space(rest), text)?;
        check_element(value)?;
        values.push(value);
        rest = skip_space(tail);
        match rest.split_first() {
            Some((b',', tail)) => rest = tail,
            Some((b']', tail)) => {
                rest = tail;
                break;
            }
            _ => return Err(syntax("")),
        }
    }
    if !skip_space(rest).is_empty() {
        return Err(syntax("Junk after closing right brace."));
    }
    check_dim(values.len())?;
    check_expected_dim(typmod, values.len())?;
    Ok(values)
}

/// Read one number; what follows it is given back.
fn element<'a>(bytes: &'a [u8], whole: &str) -> Result<(f32, &'a [u8]), Error> {
    let syntax = || Error::Syntax(whole.to_owned(), "");
    let part_of_number = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    let end = bytes.iter().position(|byte| !part_of_number(byte)).unwrap_or(bytes.len());
    let (number, tail) = bytes.split_at_checked(end).ok_or_else(syntax)?;
    let number = std::str::from_utf8(number).map_err(|_| syntax())?;
    let value: f32 = number.parse().map_err(|_| syntax())?;
    let digits = number.bytes().any(|byte| byte.is_ascii_digit());
    let mantissa = number.split(['e', 'E']).next().unwrap_or_default();
    let nonzero = mantissa.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
    if digits && (value.is_infinite() || value == 0.0 && nonzero) {
        return Err(Error::OutOfRange(number.to_owned()));
    }
    Ok((value, tail))
}

/// Write a vector; every number is the shortest text that reads back equal.
pub fn format(values: &[f32]) -> String {
    let mut out = String::with_capacity(2 + values.len() * 11);
    out.push('[');
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_float(&mut out, *value);
    }
    out.push(']');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Random;

    #[test]
    fn forms_of_pgvector_are_read() {
        assert_eq!(parse("[1,2,3]", -1), Ok(vec![1.0, 2.0, 3.0]));
        assert_eq!(parse(" [ 1,  -2 ,3.5e-1 ] ", 3), Ok(vec![1.0, -2.0, 0.35]));
        assert_eq!(parse("[.5,5.]", -1), Ok(vec![0.5, 5.0]));
    }

    #[test]
    fn bad_text_is_refused_in_pgvectors_words() {
        let says = |text: &str| parse(text, -1).expect_err(text).to_string();
        assert_eq!(says("1,2"), "invalid input syntax for type vector: \"1,2\"");
        assert_eq!(parse("1", -1).expect_err("no bracket").detail(), Some("Vector contents must start with \"[\"."));
        assert_eq!(parse("[1]x", -1).expect_err("junk").detail(), Some("Junk after closing right brace."));
        for text in ["", "[", "[1", "[1,", "[1,]", "[,1]", "[1,,2]", "[hello]", "[1 2]", "[1e]", "[0x10]"] {
            assert!(matches!(parse(text, -1), Err(Error::Syntax(..))), "{text}");
        }
        assert_eq!(says("[]"), "vector must have at least 1 dimension");
        assert_eq!(says("[NaN]"), "NaN not allowed in vector");
        assert_eq!(says("[Infinity]"), "infinite value not allowed in vector");
        assert_eq!(says("[4e38]"), "\"4e38\" is out of range for type vector");
        assert_eq!(says("[1e-46]"), "\"1e-46\" is out of range for type vector");
        assert_eq!(parse("[1,2]", 3).expect_err("typmod").to_string(), "expected 3 dimensions, not 2");
        let long = format!("[{}1]", "1,".repeat(16_000));
        assert_eq!(says(&long), "vector cannot have more than 16000 dimensions");
    }

    #[test]
    fn every_float_survives_the_round_trip() {
        let mut random = Random::new(7);
        for _ in 0..10_000 {
            let count = 1 + random.below(5);
            let values = random.any_floats(count);
            let read = parse(&format(&values), -1).expect("own text is read");
            assert!(read.iter().zip(&values).all(|(left, right)| left.to_bits() == right.to_bits()), "{values:?}");
        }
    }
}
