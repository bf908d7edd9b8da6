//! The Walsh-Hadamard transform in place, written so that compilers make vector code of it.

/// Transform values, whose number must be a power of two.
#[inline(always)]
pub(super) fn hadamard(values: &mut [f32]) {
    if !values.len().is_power_of_two() {
        return;
    }
    let mut half = 1;
    if values.len() >= 8 {
        values.as_chunks_mut::<8>().0.iter_mut().for_each(eight);
        half = 8;
    }
    larger(values, half);
}

/// Combine transforms of `half` values to those of all.
#[inline(always)]
pub(super) fn larger(values: &mut [f32], mut half: usize) {
    while 4 * half <= values.len() {
        values.chunks_exact_mut(4 * half).for_each(|block| two_steps(block, half));
        half *= 4;
    }
    if 2 * half <= values.len() {
        let (left, right) = values.split_at_mut(half);
        left.iter_mut().zip(right).for_each(|(l, r)| (*l, *r) = (*l + *r, *l - *r));
    }
}

/// Combine four transforms of `half` values to one, which goes over memory once where two steps would do it twice.
#[inline(always)]
fn two_steps(block: &mut [f32], half: usize) {
    let (low, high) = block.split_at_mut(2 * half);
    let ((a, b), (c, d)) = (low.split_at_mut(half), high.split_at_mut(half));
    for (((a, b), c), d) in a.iter_mut().zip(b).zip(c).zip(d) {
        let (left, right) = (*a + *b, *c + *d);
        let (less, fewer) = (*a - *b, *c - *d);
        (*a, *b, *c, *d) = (left + right, less + fewer, left - right, less - fewer);
    }
}

/// Transform eight values.
#[inline(always)]
fn eight(values: &mut [f32; 8]) {
    let [a, b, c, d, e, f, g, h] = *values;
    let [a, b, c, d, e, f, g, h] = [a + b, a - b, c + d, c - d, e + f, e - f, g + h, g - h];
    let [a, b, c, d, e, f, g, h] = [a + c, b + d, a - c, b - d, e + g, f + h, e - g, f - h];
    *values = [a + e, b + f, c + g, d + h, a - e, b - f, c - g, d - h];
}
