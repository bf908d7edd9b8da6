//! Vectors by number, the same for the same number everywhere, and distances by their definitions.

use vw_ivf::Metric;

use super::Random;

/// How vectors follow from numbers.
#[derive(Clone, Copy, Debug)]
pub enum Vectors {
    /// So many places, with vectors around each. The place is by chance.
    Clusters(u64),
    /// The same, but numbers that follow each other are at one place, so many of them.
    Drift(u64),
    /// One place, and nothing around it, for all numbers but one in so many.
    Alike(u64),
    /// So many places, and that of one number for all numbers above a million.
    Same(u64, u64),
    /// All on a circle.
    Circle,
    /// Zeros, equal ones, huge and tiny ones, and some that no code stands for, among usual ones.
    Wild,
}

/// Numbers about a place, each from -1 to 1, two of whose sums make a hill.
fn noise(random: &mut Random) -> f32 {
    let unit = |random: &mut Random| (random.next() >> 40) as f32 / (1 << 23) as f32 - 1.0;
    (unit(random) + unit(random)) / 2.0
}

/// A vector by its seed.
fn scattered(seed: u64, dimensions: usize) -> Vec<f32> {
    let mut random = Random(seed);
    (0..dimensions).map(|_| noise(&mut random)).collect()
}

fn beside(place: u64, number: u64, width: f32, dimensions: usize) -> Vec<f32> {
    let (mut centre, noise) =
        (scattered(place.wrapping_mul(7_919) ^ 0x5eed, dimensions), scattered(!number, dimensions));
    centre.iter_mut().zip(noise).for_each(|(value, noise)| *value += width * noise);
    centre
}

impl Vectors {
    /// A vector that is no member's, at the place of one.
    pub fn near(self, number: u64, dimensions: usize) -> Vec<f32> {
        let place = match self {
            Vectors::Clusters(places) => Random(number).below(places),
            Vectors::Drift(run) => number / run,
            Vectors::Same(..) | Vectors::Circle | Vectors::Alike(_) | Vectors::Wild => number,
        };
        beside(place, number | 1 << 50, 0.6, dimensions)
    }

    pub fn of(self, number: u64, dimensions: usize) -> Vec<f32> {
        match self {
            Vectors::Clusters(places) => beside(Random(number).below(places), number, 0.6, dimensions),
            Vectors::Same(places, one) if number >= 1_000_000 => {
                beside(Random(one).below(places), number, 0.6, dimensions)
            }
            Vectors::Same(places, _) => Vectors::Clusters(places).of(number, dimensions),
            Vectors::Circle => circle(number, dimensions),
            Vectors::Drift(run) => beside(number / run, number, 0.6, dimensions),
            Vectors::Alike(every) if number % every == every - 1 => scattered(number, dimensions),
            Vectors::Alike(_) => scattered(1, dimensions),
            Vectors::Wild => wild(number, dimensions),
        }
    }
}

fn circle(number: u64, dimensions: usize) -> Vec<f32> {
    let (sin, cos) = (Random(number).below(6_283) as f32 / 1e3).sin_cos();
    let (mut one, other) = (scattered(1, dimensions), scattered(2, dimensions));
    one.iter_mut().zip(other).for_each(|(value, other)| *value = *value * cos + other * sin);
    one
}

fn wild(number: u64, dimensions: usize) -> Vec<f32> {
    let scaled = |scale: f32| scattered(number, dimensions).iter().map(|value| value * scale).collect();
    match Random(number ^ 0xdead).below(16) {
        0 => vec![0.0; dimensions],
        1 | 2 => scattered(3, dimensions),
        3 => scaled(1e15),
        4 => scaled(1e-12),
        // Squares of these are out of the range of floats, and these are no normal floats themselves.
        5 => scaled(1e30),
        6 => scaled(1e-40),
        7 => (0..dimensions).map(|at| if at == 0 { -1.0 } else { 0.0 }).collect(),
        _ => scaled(1.0),
    }
}

fn dot(left: &[f32], right: &[f32]) -> f64 {
    left.iter().zip(right).map(|(left, right)| f64::from(*left) * f64::from(*right)).sum()
}

/// A distance on the scale of support function 1: NaN where cosine has no direction.
pub fn distance(metric: Metric, left: &[f32], right: &[f32]) -> f64 {
    match metric {
        Metric::L2 => left.iter().zip(right).map(|(l, r)| (f64::from(*l) - f64::from(*r)).powi(2)).sum(),
        Metric::InnerProduct => -dot(left, right),
        Metric::Cosine => 1.0 - dot(left, right) / (dot(left, left) * dot(right, right)).sqrt(),
    }
}
