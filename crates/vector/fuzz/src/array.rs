//! Casts of arrays: numbers of any bit pattern become finite elements or an error, and casts between the types agree.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vw_vector::dense::{Element, check_elements, convert};
use vw_vector::sparse::convert::{from_dense, to_dense};

fn cast<E: Element>(numbers: &[f32]) -> Option<Vec<E>> {
    let mut elements = vec![E::round(0.0); numbers.len()];
    convert(numbers, &mut elements).and_then(|()| check_elements(&elements)).ok()?;
    assert!(elements.iter().all(|element| element.to_f32().is_finite()));
    Some(elements)
}

fuzz_target!(|bits: Vec<u32>| {
    let numbers: Vec<f32> = bits.into_iter().map(f32::from_bits).collect();
    cast::<u16>(&numbers);
    let Some(vector) = cast::<f32>(&numbers) else { return };
    assert!(vector.iter().zip(&numbers).all(|(left, right)| left.to_bits() == right.to_bits()));
    let Ok(sparse) = from_dense(&vector) else { return };
    assert!(sparse.values.iter().all(|value| *value != 0.0));
    let mut back = vec![0.0f32; vector.len()];
    to_dense(sparse.view(), &mut back).expect("its own length");
    assert_eq!(back, vector);
});
