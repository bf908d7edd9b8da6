//! The state of `avg`: `[count, sum of each dimension...]` in double precision; `[0]` before the first value.

use super::Element;
use crate::{Error, check_expected_dim};

/// How many numbers the state has once a value of `dim` dimensions was added.
pub fn length(dim: usize) -> usize {
    dim + 1
}

/// Split a state into its count and its sums.
fn split(state: &[f64]) -> Result<(f64, &[f64]), Error> {
    state.split_first().map(|(count, sums)| (*count, sums)).ok_or(Error::Length)
}

/// Begin: `out` becomes the state of a first value, counted on from `before`.
pub fn begin<E: Element>(before: f64, value: &[E], out: &mut [f64]) {
    let numbers = std::iter::once(before + 1.0).chain(value.iter().map(|value| f64::from(value.to_f32())));
    out.iter_mut().zip(numbers).for_each(|(out, number)| *out = number);
}

/// Add numbers to the sums; tells whether one of them got infinite.
fn add(sums: &mut [f64], numbers: impl Iterator<Item = f64>) -> bool {
    let mut infinite = false;
    for (sum, number) in sums.iter_mut().zip(numbers) {
        *sum += number;
        infinite |= sum.is_infinite();
    }
    infinite
}

/// Add a value to a state that has begun.
pub fn accumulate<E: Element>(state: &mut [f64], value: &[E]) -> Result<(), Error> {
    let (count, sums) = state.split_first_mut().ok_or(Error::Length)?;
    check_expected_dim(i32::try_from(sums.len()).unwrap_or(i32::MAX), value.len())?;
    *count += 1.0;
    let (mut rest, mut infinite) = (sums, false);
    E::read_blocks(value, |numbers| {
        let (block, tail) = std::mem::take(&mut rest).split_at_mut_checked(numbers.len()).unwrap_or_default();
        infinite |= add(block, numbers.iter().map(|number| f64::from(*number)));
        rest = tail;
    });
    if infinite { Err(Error::Overflow) } else { Ok(()) }
}

/// Add the state `right` to `left`; both have begun.
pub fn merge(left: &mut [f64], right: &[f64]) -> Result<(), Error> {
    let (right_count, right) = split(right)?;
    let (count, sums) = left.split_first_mut().ok_or(Error::Length)?;
    check_expected_dim(i32::try_from(sums.len()).unwrap_or(i32::MAX), right.len())?;
    *count += right_count;
    if add(sums, right.iter().copied()) { Err(Error::Overflow) } else { Ok(()) }
}

/// Divide the sums by the count into `out`, as long as the sums.
pub fn average<E: Element>(state: &[f64], out: &mut [E]) -> Result<(), Error> {
    let (count, sums) = split(state)?;
    for (out, sum) in out.iter_mut().zip(sums) {
        *out = E::fit((sum / count) as f32)?;
        E::KIND.check_element(out.to_f32())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    #[test]
    fn means_are_exact_where_sums_of_floats_are_not() {
        let mut state = [0.0; 2];
        begin(0.0, &[16777216.0f32], &mut state);
        (0..3).for_each(|_| accumulate(&mut state, &[1.0f32]).expect("it fits"));
        let mut half = [5.0, 1.0];
        merge(&mut half, &state).expect("it fits");
        assert_eq!(half, [9.0, 16777220.0]);
        let mut mean = [0.0f32];
        average(&state, &mut mean).expect("it fits");
        assert_eq!(mean, [4194304.75]);
    }

    #[test]
    fn states_that_do_not_fit_are_errors() {
        let mut state = [1.0, f64::MAX];
        assert_eq!(merge(&mut state, &[1.0, f64::MAX]), Err(Error::Overflow));
        let expected = Err(Error::ExpectedDimensions { expected: 1, actual: 2 });
        assert_eq!(accumulate(&mut state, &[0x3c00u16, 0x3c00]), expected);
        assert_eq!(merge(&mut state, &[1.0, 2.0, 3.0]), expected);
        let mut out = [0u16];
        assert_eq!(average(&[1.0, 65520.0], &mut out), Err(Error::NumberOutOfRange(Kind::Halfvec, 65520.0)));
        assert_eq!(average(&[0.5, f64::MAX], &mut out), Err(Error::Infinite(Kind::Halfvec)));
        assert_eq!(average(&[1.0, f64::NAN], &mut [0.0f32]), Err(Error::Nan(Kind::Vector)));
    }
}
