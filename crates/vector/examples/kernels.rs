//! Measure every kernel at every level of this CPU: nanoseconds per call, the operands in the cache.
//!
//! `cargo run --release -p vw-vector --example kernels`. The best of several rounds is printed: the least disturbed.

use std::hint::black_box;
use std::time::Instant;

use vw_vector::kernel::{self, Kernels};

const DIMS: [usize; 5] = [32, 384, 1024, 1536, 4096];

/// Operands of one length in every form.
struct Operands {
    floats: [Vec<f32>; 2],
    halves: [Vec<u16>; 2],
    bits: [Vec<u8>; 2],
}

/// Let the compiler believe that a result is used.
fn hide<T>(result: T) {
    let _ = black_box(result);
}

type Measured = (&'static str, fn(&Kernels, &mut Operands));

const MEASURED: [Measured; 12] = [
    ("f32_l2_squared", |k, o| hide((k.f32_l2_squared)(&o.floats[0], &o.floats[1]))),
    ("f32_inner_product", |k, o| hide((k.f32_inner_product)(&o.floats[0], &o.floats[1]))),
    ("f32_l1", |k, o| hide((k.f32_l1)(&o.floats[0], &o.floats[1]))),
    ("f32_cosine", |k, o| hide((k.f32_cosine)(&o.floats[0], &o.floats[1]))),
    ("f16_l2_squared", |k, o| hide((k.f16_l2_squared)(&o.halves[0], &o.halves[1]))),
    ("f16_inner_product", |k, o| hide((k.f16_inner_product)(&o.halves[0], &o.halves[1]))),
    ("f16_l1", |k, o| hide((k.f16_l1)(&o.halves[0], &o.halves[1]))),
    ("f16_cosine", |k, o| hide((k.f16_cosine)(&o.halves[0], &o.halves[1]))),
    ("f16_to_f32", |k, o| (k.f16_to_f32)(&o.halves[0], black_box(&mut o.floats[0]))),
    ("f32_to_f16", |k, o| (k.f32_to_f16)(&o.floats[0], black_box(&mut o.halves[0]))),
    ("bits_hamming", |k, o| hide((k.bits_hamming)(&o.bits[0], &o.bits[1]))),
    ("bits_jaccard", |k, o| hide((k.bits_jaccard)(&o.bits[0], &o.bits[1]))),
];

/// Values in -1..1, and as many bits as there are values.
fn operands(dim: usize) -> Operands {
    let mut state = 1u32;
    let mut next = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state
    };
    let floats = [0, 1].map(|_| (0..dim).map(|_| next() as f32 / u32::MAX as f32 * 2.0 - 1.0).collect::<Vec<_>>());
    let halves = floats.clone().map(|floats| floats.into_iter().map(kernel::half::from_f32).collect());
    let bits = [0, 1].map(|_| (0..dim / 8).map(|_| (next() >> 24) as u8).collect());
    Operands { floats, halves, bits }
}

/// The nanoseconds that one call takes, in the best of ten rounds of about a millisecond.
fn nanoseconds(mut call: impl FnMut()) -> f64 {
    let mut round = |calls: u32| {
        let start = Instant::now();
        (0..calls).for_each(|_| call());
        start.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
    };
    let calls = (1e6 / round(1_000).max(1.0)) as u32 + 1;
    (0..10).map(|_| round(calls)).fold(f64::INFINITY, f64::min)
}

/// The sum as one writes it first: one accumulator, which the compiler may not reorder.
fn plain(left: &[f32], right: &[f32]) -> f32 {
    let mut sum = 0.0;
    for (l, r) in left.iter().zip(right) {
        sum += (l - r) * (l - r);
    }
    sum
}

fn print(function: &str, level: &str, times: impl Iterator<Item = f64>) {
    let columns: String = times.map(|time| format!("{time:>9.1}")).collect();
    println!("{function:<18} {level:<16} {columns}");
}

fn main() {
    let heads: String = DIMS.iter().map(|dim| format!("{dim:>9}")).collect();
    println!("{:<18} {:<16} {heads}", "ns per call", "level \\ dim");
    let mut all = DIMS.map(operands);
    let times = all.iter().map(|o| nanoseconds(|| hide(plain(black_box(&o.floats[0]), &o.floats[1]))));
    print("f32_l2_squared", "(plain loop)", times);
    for (function, call) in MEASURED {
        for level in kernel::levels() {
            print(function, level.name, all.iter_mut().map(|o| nanoseconds(|| call(black_box(level), o))));
        }
    }
}
