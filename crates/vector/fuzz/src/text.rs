//! Text of users: whatever is accepted is finite, within the limits, and reads back as it is written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vw_vector::dense::{Element, text};
use vw_vector::{MAX_DIM, MAX_NONZERO, MAX_SPARSE_DIM, sparse, write_float};

fn dense<E: Element + PartialEq + std::fmt::Debug>(input: &str, typmod: i32) {
    let Ok(values) = text::parse::<E>(input, typmod) else { return };
    assert!((1..=MAX_DIM).contains(&values.len()));
    assert!(typmod == -1 || usize::try_from(typmod) == Ok(values.len()));
    assert!(values.iter().all(|value| value.to_f32().is_finite()));
    let written = String::from_utf8(text::format(&values, write_float)).expect("text is UTF-8");
    assert_eq!(text::parse::<E>(&written, -1).as_deref(), Ok(values.as_slice()));
}

fn sparse(input: &str, typmod: i32) {
    let Ok(value) = sparse::text::parse(input, typmod) else { return };
    assert!((1..=MAX_SPARSE_DIM).contains(&value.dim) && value.indices.len() <= MAX_NONZERO);
    assert_eq!(value.indices.len(), value.values.len());
    assert!(value.values.iter().all(|number| number.is_finite() && *number != 0.0));
    assert!(value.indices.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(value.indices.iter().all(|index| usize::try_from(*index).is_ok_and(|index| index < value.dim)));
    let written = String::from_utf8(sparse::text::format(value.view(), write_float)).expect("text is UTF-8");
    assert_eq!(sparse::text::parse(&written, -1), Ok(value));
}

fuzz_target!(|input: (i8, &str)| {
    let (typmod, text) = input;
    let typmod = if typmod < 1 { -1 } else { i32::from(typmod) };
    dense::<f32>(text, typmod);
    dense::<u16>(text, typmod);
    sparse(text, typmod);
});
