//! Binary messages of clients and stored bytes: whatever is accepted is finite, within the limits, and goes out as it came.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vw_vector::dense::{Element, stored, wire};
use vw_vector::{MAX_DIM, MAX_NONZERO, Message, sparse};

fn dense<E: Element + PartialEq + std::fmt::Debug>(bytes: &[u8]) {
    let mut message = Message::new(bytes);
    if let Ok(values) = wire::receive::<E>(&mut message, -1) {
        assert!((1..=MAX_DIM).contains(&values.len()));
        assert!(values.iter().all(|value| value.to_f32().is_finite()));
        assert_eq!(wire::send(&values), bytes[..bytes.len() - message.left()]);
    }
    // Stored bytes are believed for their length only; reading them must not fail in any other way than by an error.
    let _ = stored::elements::<E>(bytes);
}

fn sparse(bytes: &[u8]) {
    let mut message = Message::new(bytes);
    if let Ok(value) = sparse::wire::receive(&mut message, -1) {
        assert!(value.indices.len() <= MAX_NONZERO && value.indices.len() == value.values.len());
        assert!(value.values.iter().all(|number| number.is_finite() && *number != 0.0));
        assert!(value.indices.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(sparse::wire::send(value.view()), bytes[..bytes.len() - message.left()]);
    }
    if let Ok(value) = sparse::stored::read(bytes) {
        assert_eq!(value.indices.len(), value.values.len());
    }
}

fuzz_target!(|bytes: &[u8]| {
    dense::<f32>(bytes);
    dense::<u16>(bytes);
    sparse(bytes);
});
