//! The level of AVX-512 (F, BW and VL).

use std::arch::x86_64::*;

use super::avx2::{self, WITHIN, add_totals};
use super::checksum::{self, State, Stripe};
use super::level::level;
use super::{
    Across, Bounds, Codes, DEEP, LANES, Rounding, Stored, bounds, fours, hadamard, panel, products, rounding, scalar,
    tables,
};

static LEVEL: Codes = level!("avx512", "avx512f,avx512bw,avx512vl,avx2,fma,popcnt");

/// The level, if this CPU has its instructions.
pub(super) fn detect() -> Option<&'static Codes> {
    let found = avx2::detect().is_some()
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl");
    found.then_some(&LEVEL)
}

/// Sum the table entries that the nibbles of each member choose, for four tables at once; as in AVX2 otherwise.
///
/// # Safety
/// The CPU must have the instructions of the level.
#[inline(always)]
unsafe fn scan(tables: &[u8], planes: &[u8]) -> [u32; LANES] {
    let length = tables.len().min(planes.len());
    let (tables, table_rest) = tables.get(..length).unwrap_or_default().as_chunks::<64>();
    let (planes, plane_rest) = planes.get(..length).unwrap_or_default().as_chunks::<64>();
    let mut sums = scalar::scan(table_rest, plane_rest);
    // SAFETY: the caller vouches for the instructions; a load reads a chunk, which is as long as a register.
    unsafe {
        let nibble = _mm512_set1_epi8(15);
        let mut totals = [_mm256_setzero_si256(); 4];
        for (tables, planes) in tables.chunks(WITHIN).zip(planes.chunks(WITHIN)) {
            let (mut both_low, mut both_high) = (_mm512_setzero_si512(), _mm512_setzero_si512());
            let (mut odd_low, mut odd_high) = (_mm512_setzero_si512(), _mm512_setzero_si512());
            for (table, plane) in tables.iter().zip(planes) {
                let table = _mm512_loadu_si512(table.as_ptr().cast());
                let plane = _mm512_loadu_si512(plane.as_ptr().cast());
                let low = _mm512_shuffle_epi8(table, _mm512_and_si512(plane, nibble));
                let high = _mm512_shuffle_epi8(table, _mm512_and_si512(_mm512_srli_epi16::<4>(plane), nibble));
                both_low = _mm512_add_epi16(both_low, low);
                both_high = _mm512_add_epi16(both_high, high);
                odd_low = _mm512_add_epi16(odd_low, _mm512_srli_epi16::<8>(low));
                odd_high = _mm512_add_epi16(odd_high, _mm512_srli_epi16::<8>(high));
            }
            let even_low = _mm512_sub_epi16(both_low, _mm512_slli_epi16::<8>(odd_low));
            let even_high = _mm512_sub_epi16(both_high, _mm512_slli_epi16::<8>(odd_high));
            for (total, words) in totals.iter_mut().zip([even_low, odd_low, even_high, odd_high]) {
                let first = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(words));
                let second = _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64::<1>(words));
                let both = _mm512_add_epi32(first, second);
                let halves = (_mm512_castsi512_si256(both), _mm512_extracti64x4_epi64::<1>(both));
                *total = _mm256_add_epi32(*total, _mm256_add_epi32(halves.0, halves.1));
            }
        }
        add_totals(&mut sums, totals);
    }
    sums
}

/// Sum the products of the `BITS`-bit numbers of a code with floats, 64 at once.
///
/// # Safety
/// The CPU must have the instructions of the level.
#[inline(always)]
unsafe fn dot<const BITS: usize>(code: &[u8], floats: &[f32]) -> f32 {
    let codes = code.chunks_exact(8 * BITS);
    let chunks = floats.as_chunks::<64>().0;
    let whole = codes.len().min(chunks.len());
    let rest = scalar::dot::<BITS>(
        code.get(whole * 8 * BITS..).unwrap_or_default(),
        floats.get(whole * 64..).unwrap_or_default(),
    );
    // SAFETY: the caller vouches for the instructions. A chunk has 64 floats and the bytes of as many numbers, and
    // `add_sixteen` reads twice as many bytes as there are bits.
    unsafe {
        let mut sums = [_mm512_setzero_ps(); 4];
        for (code, floats) in codes.zip(chunks) {
            for (at, sum) in sums.iter_mut().enumerate() {
                let floats = _mm512_loadu_ps(floats.as_ptr().add(16 * at));
                *sum = add_sixteen::<BITS>(code.as_ptr().add(2 * BITS * at), floats, *sum);
            }
        }
        let all = _mm512_add_ps(_mm512_add_ps(sums[0], sums[1]), _mm512_add_ps(sums[2], sums[3]));
        _mm512_reduce_add_ps(all) + rest
    }
}

/// Add the products of sixteen numbers with floats.
///
/// # Safety
/// The CPU must have the instructions of the level, and there must be twice `BITS` bytes at `code`.
#[inline(always)]
unsafe fn add_sixteen<const BITS: usize>(code: *const u8, floats: __m512, sum: __m512) -> __m512 {
    // SAFETY: the caller's promise; each arm reads twice as many bytes as there are bits. The permutations look only at
    // the low four bits of a lane, which make the number (and of two bits, the next as well).
    unsafe {
        let numbers = match BITS {
            1 => return _mm512_mask_add_ps(sum, code.cast::<u16>().read_unaligned(), sum, floats),
            2 => {
                let all = _mm512_set1_epi32(code.cast::<i32>().read_unaligned());
                let shifts = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
                let floats = _mm512_setr_ps(0., 1., 2., 3., 0., 1., 2., 3., 0., 1., 2., 3., 0., 1., 2., 3.);
                _mm512_permutexvar_ps(_mm512_srlv_epi32(all, shifts), floats)
            }
            4 => {
                let (first, second) = (code.cast::<i32>(), code.add(4).cast::<i32>());
                let half = _mm512_set1_epi32(first.read_unaligned());
                let all = _mm512_mask_set1_epi32(half, 0xff00, second.read_unaligned());
                let shifts = _mm512_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28, 0, 4, 8, 12, 16, 20, 24, 28);
                let floats = _mm512_setr_ps(0., 1., 2., 3., 4., 5., 6., 7., 8., 9., 10., 11., 12., 13., 14., 15.);
                _mm512_permutexvar_ps(_mm512_srlv_epi32(all, shifts), floats)
            }
            _ => _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(code.cast()))),
        };
        _mm512_fmadd_ps(numbers, floats, sum)
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
    let registers = width / 16;
    // SAFETY: the caller vouches for the instructions; all loads are of whole registers within the vector and within
    // the row, which are equally long.
    let whole = unsafe {
        let mut sums = [_mm512_setzero_ps(); 4];
        for at in 0..registers {
            let numbers = _mm512_loadu_ps(vector.as_ptr().add(16 * at));
            for (row, sum) in sums.iter_mut().enumerate() {
                let others = _mm512_loadu_ps(rows.as_ptr().add(row * width + 16 * at));
                *sum = _mm512_fmadd_ps(numbers, others, *sum);
            }
        }
        [
            _mm512_reduce_add_ps(sums[0]),
            _mm512_reduce_add_ps(sums[1]),
            _mm512_reduce_add_ps(sums[2]),
            _mm512_reduce_add_ps(sums[3]),
        ]
    };
    let mut products = whole;
    let rest = vector.get(16 * registers..).unwrap_or_default();
    for (product, row) in products.iter_mut().zip(rows.chunks_exact(width.max(1))) {
        *product += products::product(rest, row.get(16 * registers..).unwrap_or_default());
    }
    products
}

/// The inner products of eight vectors with those of a panel: sixteen registers of sums.
///
/// # Safety
/// The CPU must have the instructions of the level.
#[inline(always)]
unsafe fn eight(vectors: &[[f32; DEEP]], panel: &[Across], to: &mut [Across; DEEP]) {
    // SAFETY: the caller vouches for the instructions; a row of a panel and one of `to` are as long as two registers.
    unsafe {
        let mut sums = [[_mm512_setzero_ps(); 2]; DEEP];
        for (numbers, across) in vectors.iter().zip(panel) {
            let low = _mm512_loadu_ps(across.as_ptr());
            let high = _mm512_loadu_ps(across.as_ptr().add(16));
            for (sums, number) in sums.iter_mut().zip(numbers) {
                let number = _mm512_set1_ps(*number);
                *sums = [_mm512_fmadd_ps(number, low, sums[0]), _mm512_fmadd_ps(number, high, sums[1])];
            }
        }
        for (to, sums) in to.iter_mut().zip(sums) {
            _mm512_storeu_ps(to.as_mut_ptr(), sums[0]);
            _mm512_storeu_ps(to.as_mut_ptr().add(16), sums[1]);
        }
    }
}

/// Transform in place by the Walsh-Hadamard matrix: within registers, then between them.
///
/// # Safety
/// The CPU must have the instructions of the level.
#[inline(always)]
unsafe fn hadamard(values: &mut [f32]) {
    let length = values.len();
    if !length.is_power_of_two() || length < 16 {
        return hadamard::hadamard(values);
    }
    let start = values.as_mut_ptr();
    for at in (0..length).step_by(16) {
        // SAFETY: the caller vouches for the instructions. Places are multiples of a register's length below the length,
        // which is one too.
        unsafe { _mm512_storeu_ps(start.add(at), within(_mm512_loadu_ps(start.add(at)))) };
    }
    hadamard::larger(values, 16);
}

/// Transform the lanes of a register: add to each its partner, with the sign turned where it is the second of the two.
///
/// # Safety
/// The CPU must have the instructions of the level.
#[inline(always)]
unsafe fn within(lanes: __m512) -> __m512 {
    // SAFETY: the caller vouches for the instructions.
    unsafe {
        let turned = |mask: u16| _mm512_mask_blend_ps(mask, _mm512_set1_ps(1.0), _mm512_set1_ps(-1.0));
        let lanes = _mm512_fmadd_ps(lanes, turned(0xaaaa), _mm512_permute_ps::<0b10_11_00_01>(lanes));
        let lanes = _mm512_fmadd_ps(lanes, turned(0xcccc), _mm512_permute_ps::<0b01_00_11_10>(lanes));
        let lanes = _mm512_fmadd_ps(lanes, turned(0xf0f0), _mm512_shuffle_f32x4::<0b10_11_00_01>(lanes, lanes));
        _mm512_fmadd_ps(lanes, turned(0xff00), _mm512_shuffle_f32x4::<0b01_00_11_10>(lanes, lanes))
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
    // SAFETY: the caller vouches for the instructions. State and stripes are as long as two registers, and any bits
    // are words.
    unsafe {
        let mut registers = std::mem::transmute::<State, [__m512i; 2]>(*state);
        for stripe in stripes {
            for (at, register) in registers.iter_mut().enumerate() {
                let words = _mm512_loadu_si512(stripe.as_ptr().add(64 * at).cast());
                let sum = _mm512_add_epi32(*register, words);
                let spread = _mm512_add_epi32(sum, _mm512_slli_epi32::<9>(sum));
                *register = _mm512_xor_si512(spread, _mm512_srli_epi32::<14>(spread));
            }
        }
        *state = std::mem::transmute::<[__m512i; 2], State>(registers);
    }
}
