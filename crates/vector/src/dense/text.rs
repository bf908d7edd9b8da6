//! The text form, `[1,2,3]`.

use super::Element;
use crate::number::{Range, WriteFloat, read_float, skip_space};
use crate::{Error, check_expected_dim};

/// Read a vector of `typmod` dimensions (`-1`: any number from 1 to 16,000).
///
/// Fails with pgvector's messages on malformed text, NaN, infinities, numbers that are too great, and wrong dimensions.
pub fn parse<E: Element>(text: &str, typmod: i32) -> Result<Vec<E>, Error> {
    let syntax = |detail| Error::Syntax(E::KIND, text.to_owned(), detail);
    let rest = skip_space(text);
    let mut rest = skip_space(rest.strip_prefix('[').ok_or_else(|| syntax("Vector contents must start with \"[\"."))?);
    if rest.starts_with(']') {
        return Err(Error::NoDimensions(E::KIND));
    }
    let mut values = Vec::with_capacity(usize::try_from(typmod).unwrap_or(0).min(E::KIND.max_dim()));
    loop {
        if values.len() == E::KIND.max_dim() {
            return Err(Error::TooManyDimensions(E::KIND));
        }
        let (number, tail) = read_float(skip_space(rest)).ok_or_else(|| syntax(""))?;
        let too_great = || Error::OutOfRange(E::KIND, number.text.to_owned());
        let value = E::fit(number.value).map_err(|_| too_great())?;
        if number.range == Range::Overflow {
            return Err(too_great());
        }
        E::KIND.check_element(value.to_f32())?;
        values.push(value);
        rest = skip_space(tail);
        if let Some(tail) = rest.strip_prefix(',') {
            rest = tail;
        } else {
            rest = rest.strip_prefix(']').ok_or_else(|| syntax(""))?;
            break;
        }
    }
    if !skip_space(rest).is_empty() {
        return Err(syntax("Junk after closing right brace."));
    }
    check_expected_dim(typmod, values.len())?;
    Ok(values)
}

/// Write a vector, each number by `write`.
pub fn format<E: Element>(values: &[E], write: WriteFloat) -> Vec<u8> {
    let mut out = Vec::with_capacity(2 + values.len() * 12);
    out.push(b'[');
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(&mut out, value.to_f32());
    }
    out.push(b']');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Random;
    use crate::{Kind, write_float};

    #[test]
    fn forms_of_pgvector_are_read() {
        assert_eq!(parse("[1,2,3]", -1), Ok(vec![1.0f32, 2.0, 3.0]));
        assert_eq!(parse(" [ 1,  -2 ,3.5e-1 ] ", 3), Ok(vec![1.0f32, -2.0, 0.35]));
        assert_eq!(parse("[.5,5.,0x10]", -1), Ok(vec![0.5f32, 5.0, 16.0]));
        assert_eq!(parse("[1e-46]", -1), Ok(vec![0.0f32]));
        assert_eq!(parse("[1,-2]", -1), Ok(vec![0x3c00u16, 0xc000]));
    }

    #[test]
    fn bad_text_is_refused_in_pgvectors_words() {
        let says = |text: &str| parse::<f32>(text, -1).expect_err(text).to_string();
        let half = |text: &str| parse::<u16>(text, -1).expect_err(text).to_string();
        let detail = |text: &str| parse::<f32>(text, -1).expect_err(text).detail();
        assert_eq!(says("1,2"), "invalid input syntax for type vector: \"1,2\"");
        assert_eq!(half("1,2"), "invalid input syntax for type halfvec: \"1,2\"");
        assert_eq!(detail("1"), Some("Vector contents must start with \"[\"."));
        assert_eq!(detail("[1]x"), Some("Junk after closing right brace."));
        for text in ["", "[", "[1", "[1,", "[1,]", "[,1]", "[1,,2]", "[hello]", "[1 2]", "[1e]", "[0xg]", "[\u{e9}]"] {
            assert!(matches!(parse::<f32>(text, -1), Err(Error::Syntax(..))), "{text}");
        }
        assert_eq!(says("[]"), "vector must have at least 1 dimension");
        assert_eq!(says("[NaN]"), "NaN not allowed in vector");
        assert_eq!(says("[Infinity]"), "infinite value not allowed in vector");
        assert_eq!(says("[4e38x]"), "\"4e38\" is out of range for type vector");
        assert_eq!(half("[65520]"), "\"65520\" is out of range for type halfvec");
        assert_eq!(half("[-inf]"), "infinite value not allowed in halfvec");
        assert_eq!(parse::<f32>("[1,2]", 3).expect_err("typmod").to_string(), "expected 3 dimensions, not 2");
        let long = format!("[{}1]", "1,".repeat(16_000));
        assert_eq!(says(&long), "vector cannot have more than 16000 dimensions");
    }

    #[test]
    fn every_float_survives_the_round_trip() {
        let mut random = Random::new(7);
        for _ in 0..10_000 {
            let count = 1 + random.below(5);
            let values = random.any_floats(count);
            let text = String::from_utf8(format(&values, write_float)).expect("ASCII");
            let read = parse::<f32>(&text, -1).expect("own text is read");
            assert!(read.iter().zip(&values).all(|(left, right)| left.to_bits() == right.to_bits()), "{values:?}");
        }
    }

    #[test]
    fn every_half_survives_the_round_trip() {
        for bits in (0..=u16::MAX).filter(|bits| Kind::Halfvec.check_element(bits.to_f32()).is_ok()) {
            let text = String::from_utf8(format(&[bits], write_float)).expect("ASCII");
            assert_eq!(parse::<u16>(&text, 1), Ok(vec![bits]), "{text}");
        }
    }
}
