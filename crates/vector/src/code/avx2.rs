//! The level of AVX2 and FMA, which every x86-64 server since 2013 has.

use std::arch::x86_64::*;

use super::checksum::{self, State, Stripe};
use super::level::level;
use super::{
    Across, Bounds, Codes, DEEP, LANES, Rounding, Stored, bounds, fours, hadamard, panel, products, rounding, scalar,
    tables,
};

static LEVEL: Codes = level!("avx2", "avx2,fma,popcnt");

/// The level, if this CPU has its instructions.
pub(super) fn detect() -> Option<&'static Codes> {
    let found =
        is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") && is_x86_feature_detected!("popcnt");
    found.then_some(&LEVEL)
}

/// How many additions of a byte a lane of 16 bits holds.
pub(super) const WITHIN: usize = 256;

/// Sum the table entries that the nibbles of each member choose, for two tables at once.
///
/// # Safety
/// The CPU must have the instructions of the level.
#[inline(always)]
unsafe fn scan(tables: &[u8], planes: &[u8]) -> [u32; LANES] {
    let length = tables.len().min(planes.len());
    let (tables, table_rest) = tables.get(..length).unwrap_or_default().as_chunks::<32>();
    let (planes, plane_rest) = planes.get(..length).unwrap_or_default().as_chunks::<32>();
    let mut sums = scalar::scan(table_rest, plane_rest);
    // SAFETY: the caller vouches for the instructions; a load reads a chunk, which is as long as a register, and a
    // store writes an array of its length.
    unsafe {
        let nibble = _mm256_set1_epi8(15);
        // The members with even and with odd numbers, of the low nibbles and of the high.
        let mut totals = [_mm256_setzero_si256(); 4];
        for (tables, planes) in tables.chunks(WITHIN).zip(planes.chunks(WITHIN)) {
            // As words of 16 bits, `both` has the even members and 256 times the odd ones, modulo 2^16.
            let mut both = [_mm256_setzero_si256(); 2];
            let mut odd = [_mm256_setzero_si256(); 2];
            for (table, plane) in tables.iter().zip(planes) {
                let table = _mm256_loadu_si256(table.as_ptr().cast());
                let plane = _mm256_loadu_si256(plane.as_ptr().cast());
                let low = _mm256_shuffle_epi8(table, _mm256_and_si256(plane, nibble));
                let high = _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16::<4>(plane), nibble));
                both = [_mm256_add_epi16(both[0], low), _mm256_add_epi16(both[1], high)];
                odd = [
                    _mm256_add_epi16(odd[0], _mm256_srli_epi16::<8>(low)),
                    _mm256_add_epi16(odd[1], _mm256_srli_epi16::<8>(high)),
                ];
            }
            let even_low = _mm256_sub_epi16(both[0], _mm256_slli_epi16::<8>(odd[0]));
            let even_high = _mm256_sub_epi16(both[1], _mm256_slli_epi16::<8>(odd[1]));
            for (total, words) in totals.iter_mut().zip([even_low, odd[0], even_high, odd[1]]) {
                let first = _mm256_cvtepu16_epi32(_mm256_castsi256_si128(words));
                let second = _mm256_cvtepu16_epi32(_mm256_extracti128_si256::<1>(words));
                *total = _mm256_add_epi32(*total, _mm256_add_epi32(first, second));
            }
        }
        add_totals(&mut sums, totals);
    }
    sums
}

/// Add totals: of even and of odd members of the first half, then of the second.
///
/// # Safety
/// The CPU must have the instructions of the level.
#[inline(always)]
pub(super) unsafe fn add_totals(sums: &mut [u32; LANES], totals: [__m256i; 4]) {
    let [even, odd, other_even, other_odd] = totals;
    let (eights, _) = sums.as_chunks_mut::<8>();
    // SAFETY: the caller vouches for the instructions; loads and stores are of eight numbers.
    unsafe {
        let mut ordered = [_mm256_setzero_si256(); 4];
        for (pair, (even, odd)) in ordered.as_chunks_mut::<2>().0.iter_mut().zip([(even, odd), (other_even, other_odd)])
        {
            let (low, high) = (_mm256_unpacklo_epi32(even, odd), _mm256_unpackhi_epi32(even, odd));
            *pair = [_mm256_permute2x128_si256::<0x20>(low, high), _mm256_permute2x128_si256::<0x31>(low, high)];
        }
        for (sums, more) in eights.iter_mut().zip(ordered) {
            let known = _mm256_loadu_si256(sums.as_ptr().cast());
            _mm256_storeu_si256(sums.as_mut_ptr().cast(), _mm256_add_epi32(known, more));
        }
    }
}

/// Sum the products of the `BITS`-bit numbers of a code with floats, 32 at once.
///
/// # Safety
/// The CPU must have the instructions of the level.
#[inline(always)]
unsafe fn dot<const BITS: usize>(code: &[u8], floats: &[f32]) -> f32 {
    let codes = code.chunks_exact(4 * BITS);
    let chunks = floats.as_chunks::<32>().0;
    let whole = codes.len().min(chunks.len());
    let rest = scalar::dot::<BITS>(
        code.get(whole * 4 * BITS..).unwrap_or_default(),
        floats.get(whole * 32..).unwrap_or_default(),
    );
    // SAFETY: the caller vouches for the instructions. A chunk has 32 floats and the bytes of as many numbers, and
    // `add_eight` reads `BITS` bytes.
    unsafe {
        let mut sums = [_mm256_setzero_ps(); 4];
        for (code, floats) in codes.zip(chunks) {
            for (at, sum) in sums.iter_mut().enumerate() {
                let floats = _mm256_loadu_ps(floats.as_ptr().add(8 * at));
                *sum = add_eight::<BITS>(code.as_ptr().add(BITS * at), floats, *sum);
            }
        }
        let four = _mm256_add_ps(_mm256_add_ps(sums[0], sums[1]), _mm256_add_ps(sums[2], sums[3]));
        let lanes = std::mem::transmute::<__m256, [f32; 8]>(four);
        lanes.iter().sum::<f32>() + rest
    }
}

/// Add the products of eight numbers with floats.
///
/// # Safety
/// The CPU must have the instructions of the level, and there must be `BITS` bytes at `code`.
#[inline(always)]
unsafe fn add_eight<const BITS: usize>(code: *const u8, floats: __m256, sum: __m256) -> __m256 {
    // SAFETY: the caller's promise; each arm reads as many bytes as there are bits.
    unsafe {
        let numbers = match BITS {
            1 => {
                let bits = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
                let set = _mm256_and_si256(_mm256_set1_epi32(i32::from(code.read())), bits);
                let chosen = _mm256_castsi256_ps(_mm256_cmpeq_epi32(set, bits));
                return _mm256_add_ps(sum, _mm256_and_ps(chosen, floats));
            }
            2 => {
                let all = _mm256_set1_epi32(i32::from(code.cast::<u16>().read_unaligned()));
                let shifted = _mm256_srlv_epi32(all, _mm256_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14));
                _mm256_and_si256(shifted, _mm256_set1_epi32(3))
            }
            4 => {
                let all = _mm256_set1_epi32(code.cast::<i32>().read_unaligned());
                let shifted = _mm256_srlv_epi32(all, _mm256_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28));
                _mm256_and_si256(shifted, _mm256_set1_epi32(15))
            }
            _ => _mm256_cvtepu8_epi32(_mm_loadl_epi64(code.cast())),
        };
        _mm256_fmadd_ps(_mm256_cvtepi32_ps(numbers), floats, sum)
    }
}

/// The inner products of a vector with the rows of a matrix.
///
/// # Safety
/// The CPU must have the instructions of the level.
#[inline(always)]
unsafe fn products(vector: &[f32], matrix: &[f32], to: &mut [f32]) {
    let (fours, to_fours, rest, to_rest) = products::share(vector.len(), matrix, to);
    for (rows, to) in fours.chunks_exact((4 * vector.len()).max(1)).zip(to_fours) {
        // SAFETY: the caller vouches for the instructions, and the chunk is as long as four vectors.
        *to = unsafe { four_products(vector, rows) };
    }
    products::products(vector, rest, to_rest);
}

/// The inner products of a vector with four rows, which are loaded as often as the vector's numbers are used.
///
/// # Safety
/// The CPU must have the instructions of the level, and `rows` must be as long as four vectors.
#[inline(always)]
unsafe fn four_products(vector: &[f32], rows: &[f32]) -> [f32; 4] {
    let width = vector.len();
    debug_assert_eq!(rows.len(), 4 * width);
    let registers = width / 8;
    // SAFETY: the caller vouches for the instructions; all loads are of whole registers within the vector and within
    // the row, which are equally long.
    let whole = unsafe {
        let mut sums = [_mm256_setzero_ps(); 4];
        for at in 0..registers {
            let numbers = _mm256_loadu_ps(vector.as_ptr().add(8 * at));
            for (row, sum) in sums.iter_mut().enumerate() {
                let others = _mm256_loadu_ps(rows.as_ptr().add(row * width + 8 * at));
                *sum = _mm256_fmadd_ps(numbers, others, *sum);
            }
        }
        sums.map(|sum| std::mem::transmute::<__m256, [f32; 8]>(sum).iter().sum::<f32>())
    };
    let mut products = whole;
    let rest = vector.get(8 * registers..).unwrap_or_default();
    for (product, row) in products.iter_mut().zip(rows.chunks_exact(width.max(1))) {
        *product += products::product(rest, row.get(8 * registers..).unwrap_or_default());
    }
    products
}

/// The inner products of eight vectors with those of a panel, eight at once: eight registers of sums.
#[inline(always)]
fn eight(vectors: &[[f32; DEEP]], panel: &[Across], to: &mut [Across; DEEP]) {
    panel::eight::<8, true>(vectors, panel, to);
}

/// Transform in place by the Walsh-Hadamard matrix: within registers, then between them.
///
/// # Safety
/// The CPU must have the instructions of the level.
#[inline(always)]
unsafe fn hadamard(values: &mut [f32]) {
    let length = values.len();
    if !length.is_power_of_two() || length < 8 {
        return hadamard::hadamard(values);
    }
    let start = values.as_mut_ptr();
    for at in (0..length).step_by(8) {
        // SAFETY: the caller vouches for the instructions. Places are multiples of a register's length below the length,
        // which is one too.
        unsafe { _mm256_storeu_ps(start.add(at), within(_mm256_loadu_ps(start.add(at)))) };
    }
    hadamard::larger(values, 8);
}

/// Transform the lanes of a register: add to each its partner, with the sign turned where it is the second of the two.
///
/// # Safety
/// The CPU must have the instructions of the level.
#[inline(always)]
unsafe fn within(lanes: __m256) -> __m256 {
    // SAFETY: the caller vouches for the instructions.
    unsafe {
        let signs = _mm256_setr_ps(1., -1., 1., -1., 1., -1., 1., -1.);
        let lanes = _mm256_fmadd_ps(lanes, signs, _mm256_permute_ps::<0b10_11_00_01>(lanes));
        let signs = _mm256_setr_ps(1., 1., -1., -1., 1., 1., -1., -1.);
        let lanes = _mm256_fmadd_ps(lanes, signs, _mm256_permute_ps::<0b01_00_11_10>(lanes));
        let signs = _mm256_setr_ps(1., 1., 1., 1., -1., -1., -1., -1.);
        _mm256_fmadd_ps(lanes, signs, _mm256_permute2f128_ps::<1>(lanes, lanes))
    }
}

/// Give the checksum of bytes.
///
/// # Safety
/// The CPU must have the instructions of the level.
#[inline(always)]
unsafe fn checksum(seed: u64, bytes: &[u8]) -> u32 {
    let mut state = checksum::begin(seed, bytes);
    let (stripes, last) = checksum::stripes(bytes);
    // SAFETY: the caller vouches for the instructions.
    unsafe {
        take(&mut state, stripes);
        take(&mut state, last.as_slice());
    }
    checksum::finish(state)
}

/// Take stripes into the state of a checksum.
///
/// # Safety
/// The CPU must have the instructions of the level.
#[inline(always)]
unsafe fn take(state: &mut State, stripes: &[Stripe]) {
    // SAFETY: the caller vouches for the instructions. State and stripes are as long as four registers, and any bits
    // are words.
    unsafe {
        let mut registers = std::mem::transmute::<State, [__m256i; 4]>(*state);
        for stripe in stripes {
            for (at, register) in registers.iter_mut().enumerate() {
                let words = _mm256_loadu_si256(stripe.as_ptr().add(32 * at).cast());
                let sum = _mm256_add_epi32(*register, words);
                let spread = _mm256_add_epi32(sum, _mm256_slli_epi32::<9>(sum));
                *register = _mm256_xor_si256(spread, _mm256_srli_epi32::<14>(spread));
            }
        }
        *state = std::mem::transmute::<[__m256i; 4], State>(registers);
    }
}
