//! Hashes of values, for hash joins, hash aggregation, hash indexes and hash partitions.
//!
//! Rows of hash partitions and indexes stay where their hash once put them: this function must never change.

/// Odd constants of splitmix64.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
const MIX: [u64; 2] = [0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb];

/// Hash a value of `dim` dimensions by its words; seed 0 is the plain hash, whose lower half is the 32-bit one.
pub(crate) fn hash(dim: usize, words: impl Iterator<Item = u64>, seed: u64) -> u64 {
    let start = finish(seed ^ (dim as u64).wrapping_mul(STEP));
    finish(words.fold(start, |state, word| (state ^ word).wrapping_mul(STEP).rotate_left(29)))
}

/// The word of an index or of a number, and of the number behind it; zeros of either sign are alike, as they are to `=`.
#[inline]
pub(crate) fn word(first: u32, second: f32) -> u64 {
    u64::from(first) << 32 | u64::from(bits(second))
}

/// A number's bits.
#[inline]
pub(crate) fn bits(value: f32) -> u32 {
    if value == 0.0 { 0 } else { value.to_bits() }
}

/// Spread each bit over the whole word.
fn finish(state: u64) -> u64 {
    let [first, second] = MIX;
    let state = (state ^ (state >> 30)).wrapping_mul(first);
    let state = (state ^ (state >> 27)).wrapping_mul(second);
    state ^ (state >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// Values that were once computed; a change here would lose the rows of every hash partition.
    #[test]
    fn hashes_stay_what_they_were() {
        assert_eq!(hash(2, std::iter::once(word(7, 2.0)), 0), HASHED);
        assert_ne!(hash(2, std::iter::once(word(7, 2.0)), 1), HASHED);
        assert_eq!(word(1, -0.0), word(1, 0.0));
    }

    const HASHED: u64 = 4_806_337_896_304_876_005;

    #[test]
    fn near_values_spread() {
        let of = |value: u32| hash(1, std::iter::once(word(0, value as f32)), 0);
        let low: HashSet<u64> = (0..10_000).map(|value| of(value) & 0xffff_ffff).collect();
        assert_eq!(low.len(), 10_000);
        let buckets: HashSet<u64> = (0..10_000).map(|value| of(value) & 1023).collect();
        assert_eq!(buckets.len(), 1024);
    }
}
