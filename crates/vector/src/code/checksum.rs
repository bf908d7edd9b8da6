//! The checksum of pages: 32 words of state, each of which takes every 32nd word of the bytes.
//!
//! Taking a word in is a bijection of the state for any word, and of the word for any state; so is every later step.
//! Bytes that differ in one word, or in any words of one state that do not undo each other, differ in the checksum.
//! The last words are filled up with zeros; the length counts too. It is no cryptographic hash.

/// Words of state.
const WORDS: usize = 32;

pub(super) type State = [u32; WORDS];
/// Bytes that are taken in at once, a word into each word of the state.
pub(super) type Stripe = [u8; 4 * WORDS];

/// Give the checksum of bytes.
#[inline(always)]
pub(super) fn checksum(seed: u64, bytes: &[u8]) -> u32 {
    let mut state = begin(seed, bytes);
    let (stripes, last) = stripes(bytes);
    take(&mut state, stripes);
    take(&mut state, last.as_slice());
    finish(state)
}

/// Take stripes in.
#[inline(always)]
fn take(state: &mut State, stripes: &[Stripe]) {
    for stripe in stripes {
        for (state, word) in state.iter_mut().zip(stripe.as_chunks::<4>().0) {
            let sum = state.wrapping_add(u32::from_le_bytes(*word));
            // Times 513, which is odd, without a multiplication: those of 32 bits are slow in vector registers.
            let spread = sum.wrapping_add(sum << 9);
            *state = spread ^ (spread >> 14);
        }
    }
}

/// The state before any bytes.
#[inline(always)]
pub(super) fn begin(seed: u64, bytes: &[u8]) -> State {
    let mixed = mix64(mix64(seed).wrapping_add(bytes.len() as u64));
    let mut state = [0; WORDS];
    for (at, word) in state.iter_mut().enumerate() {
        let half = if at % 2 == 0 { mixed } else { mixed >> 32 };
        *word = (half as u32).wrapping_add((at as u32).wrapping_mul(0x9e37_79b9));
    }
    state
}

/// Cut bytes into stripes; the last is filled up with zeros.
#[inline(always)]
pub(super) fn stripes(bytes: &[u8]) -> (&[Stripe], Option<Stripe>) {
    let (stripes, rest) = bytes.as_chunks::<{ 4 * WORDS }>();
    let mut last = [0; 4 * WORDS];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    (stripes, (!rest.is_empty()).then_some(last))
}

/// Fold the state to one word. Each step is a bijection in either half.
#[inline(always)]
pub(super) fn finish(state: State) -> u32 {
    let sixteen = fold::<WORDS, 16>(state);
    let eight = fold::<16, 8>(sixteen);
    let four = fold::<8, 4>(eight);
    let two = fold::<4, 2>(four);
    let [word] = fold::<2, 1>(two);
    mix32(word)
}

/// Combine the first half of the words with the second.
#[inline(always)]
fn fold<const ALL: usize, const HALF: usize>(words: [u32; ALL]) -> [u32; HALF] {
    let mut half = [0; HALF];
    let (left, right) = words.split_at(HALF);
    for ((to, l), r) in half.iter_mut().zip(left).zip(right) {
        *to = mix32(*l).wrapping_add(r.rotate_left(11));
    }
    half
}

/// Mix the bits of a word (the end of MurmurHash3); a bijection.
#[inline(always)]
fn mix32(word: u32) -> u32 {
    let word = (word ^ (word >> 16)).wrapping_mul(0x85eb_ca6b);
    let word = (word ^ (word >> 13)).wrapping_mul(0xc2b2_ae35);
    word ^ (word >> 16)
}

/// Mix the bits of a seed (the end of splitmix64); a bijection.
#[inline(always)]
fn mix64(seed: u64) -> u64 {
    let seed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let seed = (seed ^ (seed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    seed ^ (seed >> 31)
}
