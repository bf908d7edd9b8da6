//! The text form, `{1:1.5,3:2}/5`: elements by index from 1, then the dimensions.

use super::{Sparse, SparseBuf, check_dim, check_index};
use crate::number::{Range, WriteFloat, read_float, read_integer, skip_space, write_integer};
use crate::{Error, Kind, MAX_NONZERO, check_expected_dim};

const KIND: Kind = Kind::Sparsevec;

/// Read a value of `typmod` dimensions (`-1`: any number).
///
/// Elements may come in any order; zeros are left out. Fails with pgvector's messages on malformed text, NaN,
/// infinities, numbers that do not fit, indices out of bounds or twice, and wrong dimensions.
pub fn parse(text: &str, typmod: i32) -> Result<SparseBuf, Error> {
    let syntax = |detail| Error::Syntax(KIND, text.to_owned(), detail);
    if text.bytes().filter(|byte| *byte == b',').count() >= MAX_NONZERO {
        return Err(Error::TooManyElements);
    }
    let rest = skip_space(text);
    let rest = rest.strip_prefix('{').ok_or_else(|| syntax("Vector contents must start with \"{\"."))?;
    let (mut elements, rest) = elements(skip_space(rest), text)?;
    let rest = skip_space(rest).strip_prefix('/').ok_or_else(|| syntax("Unexpected end of input."))?;
    let (dim, rest) = read_integer(skip_space(rest)).ok_or_else(|| syntax(""))?;
    if !skip_space(rest).is_empty() {
        return Err(syntax("Junk after closing."));
    }
    let dim = check_dim(dim.clamp(i32::MIN.into(), i32::MAX.into()) as i32)?;
    check_expected_dim(typmod, dim)?;
    elements.sort_unstable_by_key(|(index, _)| *index);
    let mut value = SparseBuf::with_capacity(dim, elements.len());
    for (index, element) in elements {
        check_index(index, value.indices.last().copied(), dim)?;
        value.push(index, element);
    }
    Ok(value)
}

/// Elements that are not zero, in the order of the text, by index from 0.
type Elements = Vec<(i32, f32)>;

/// Read the elements up to the brace that closes; what follows it is given back.
fn elements<'a>(text: &'a str, whole: &str) -> Result<(Elements, &'a str), Error> {
    let syntax = || Error::Syntax(KIND, whole.to_owned(), "");
    if let Some(rest) = text.strip_prefix('}') {
        return Ok((Vec::new(), rest));
    }
    let mut elements = Vec::new();
    let mut rest = text;
    loop {
        let (index, tail) = read_integer(skip_space(rest)).ok_or_else(syntax)?;
        let tail = skip_space(tail).strip_prefix(':').ok_or_else(syntax)?;
        let (number, tail) = read_float(skip_space(tail)).ok_or_else(syntax)?;
        if number.range != Range::Fits {
            return Err(Error::OutOfRange(KIND, number.text.to_owned()));
        }
        KIND.check_element(number.value)?;
        if number.value != 0.0 {
            let index = index.clamp(i64::from(i32::MIN) + 1, i32::MAX.into()) - 1;
            elements.push((index as i32, number.value));
        }
        rest = skip_space(tail);
        match rest.strip_prefix(',') {
            Some(tail) => rest = tail,
            None => return Ok((elements, rest.strip_prefix('}').ok_or_else(syntax)?)),
        }
    }
}

/// Write a value, each number by `write`.
pub fn format(value: Sparse, write: WriteFloat) -> Vec<u8> {
    let mut out = Vec::with_capacity(16 + value.values.len() * 20);
    out.push(b'{');
    for (at, (index, element)) in value.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write_integer(&mut out, i64::from(index) + 1);
        out.push(b':');
        write(&mut out, element);
    }
    out.extend_from_slice(b"}/");
    write_integer(&mut out, value.dim as i64);
    out
}

#[cfg(test)]
mod tests {
    use super::super::tests::{random, sparse};
    use super::*;
    use crate::testing::Random;
    use crate::write_float;

    #[test]
    fn forms_of_pgvector_are_read() {
        assert_eq!(parse("{1:1.5,3:3.5}/5", -1), Ok(sparse(5, &[(0, 1.5), (2, 3.5)])));
        assert_eq!(parse(" { 3 : 1. ,  1  :  -.5  } / 5 ", 5), Ok(sparse(5, &[(0, -0.5), (2, 1.0)])));
        assert_eq!(parse("{1:0,2:1,9:0}/3", -1), Ok(sparse(3, &[(1, 1.0)])));
        assert_eq!(parse("{ }/1000000000", -1), Ok(sparse(1_000_000_000, &[])));
    }

    #[test]
    fn bad_text_is_refused_in_pgvectors_words() {
        let says = |text: &str| parse(text, -1).expect_err(text).to_string();
        let detail = |text: &str| parse(text, -1).expect_err(text).detail();
        for text in ["{", "{ ", "{:", "{,", "{:}/1", "{,}/1", "{1,}/1", "{1:}/1", "{1a:1}/1", "{1:1a}/1", "{1:1,}/1"] {
            assert_eq!(says(text), format!("invalid input syntax for type sparsevec: \"{text}\""));
            assert_eq!(detail(text), None, "{text}");
        }
        assert_eq!(detail(""), Some("Vector contents must start with \"{\"."));
        assert_eq!(detail("{}"), Some("Unexpected end of input."));
        assert_eq!(detail("{}/"), None);
        assert_eq!(detail("{}/1a"), Some("Junk after closing."));
        for (text, message) in [
            ("{1:NaN}/1", "NaN not allowed in sparsevec"),
            ("{1:-inf}/1", "infinite value not allowed in sparsevec"),
            ("{1:-4e38}/1", "\"-4e38\" is out of range for type sparsevec"),
            ("{1:1e-46}/1", "\"1e-46\" is out of range for type sparsevec"),
            ("{}/-1", "sparsevec must have at least 1 dimension"),
            ("{}/1000000001", "sparsevec cannot have more than 1000000000 dimensions"),
            ("{}/-9223372036854775809", "sparsevec must have at least 1 dimension"),
            ("{2:1,1:1,1:1}/2", "sparsevec indices must not contain duplicates"),
            ("{2147483648:1}/1", "sparsevec index out of bounds"),
            ("{-2147483649:1}/1", "sparsevec index out of bounds"),
            ("{0:1}/1", "sparsevec index out of bounds"),
        ] {
            assert_eq!(says(text), message, "{text}");
        }
        assert_eq!(parse("{}/3", 2).expect_err("typmod").to_string(), "expected 2 dimensions, not 3");
        let many = ["{", &"1:1,".repeat(16_000), "1:1}/1"].concat();
        assert_eq!(says(&many), "sparsevec cannot have more than 16000 non-zero elements");
    }

    #[test]
    fn every_value_survives_the_round_trip() {
        let mut source = Random::new(11);
        for _ in 0..10_000 {
            let dim = 1 + source.below(7);
            let value = random(&mut source, dim);
            let text = String::from_utf8(format(value.view(), write_float)).expect("ASCII");
            assert_eq!(parse(&text, -1), Ok(value), "{text}");
        }
    }
}
