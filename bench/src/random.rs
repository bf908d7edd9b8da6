//! Repeatable pseudo-random numbers and texts: the same seed gives the same on every machine.

/// A xorshift generator (Marsaglia, 2003); good enough to spread benchmark data, and for nothing else.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below `limit`, which must not be zero.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit.max(1)
    }

    /// A normally distributed number, by Box and Muller's transform.
    pub fn normal(&mut self) -> f32 {
        let mut unit = || (self.below(1 << 24) as f32 + 0.5) / (1 << 24) as f32;
        (-2.0 * unit().ln()).sqrt() * (std::f32::consts::TAU * unit()).cos()
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words.get(self.below(words.len())).copied().unwrap_or_default()
    }
}

const QUALITIES: &[&str] = &["light", "sturdy", "warm", "quiet", "white", "foldable", "waterproof", "soft", "bright"];
const MATERIALS: &[&str] = &["wool", "canvas", "steel", "oak", "glass", "leather", "linen", "bamboo", "aluminium"];
const THINGS: &[&str] = &["jacket", "lamp", "kettle", "backpack", "chair", "speaker", "tent", "notebook", "bicycle"];
const USES: &[&str] = &[
    "for long walks in the rain",
    "that children can open by themselves",
    "with a pocket for the phone",
    "made to be repaired",
    "which keeps its shape in the wash",
    "tested in a cold and windy winter",
    "for small kitchens and shared offices",
];

/// Describe `count` goods, 6 to 60 words each, no two alike.
pub fn descriptions(count: usize, seed: u64) -> Vec<String> {
    let mut random = Random::new(seed);
    let describe = |number: usize| {
        let (quality, material, thing) = (random.pick(QUALITIES), random.pick(MATERIALS), random.pick(THINGS));
        let uses: Vec<&str> = (0..=random.below(8)).map(|_| random.pick(USES)).collect();
        format!("{quality} {material} {thing} number {seed}-{number}, {}", uses.join(", "))
    };
    (0..count).map(describe).collect()
}

/// Words that every English model has as one token each.
const WORDS: &[&str] = &[
    "light", "warm", "quiet", "white", "soft", "bright", "steel", "glass", "leather", "jacket", "lamp", "chair",
    "winter", "rain", "garden", "kitchen", "office", "river", "stone", "paper", "music", "green", "small", "house",
];

/// Make `count` texts of twelve words, all of the same number of tokens.
pub fn equals(count: usize, seed: u64) -> Vec<String> {
    let mut random = Random::new(seed);
    (0..count).map(|_| (0..12).map(|_| random.pick(WORDS)).collect::<Vec<_>>().join(" ")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_numbers_have_their_mean_and_variance() {
        let mut random = Random::new(5);
        let numbers: Vec<f32> = (0..100_000).map(|_| random.normal()).collect();
        let mean = |power| numbers.iter().map(|number| number.powi(power)).sum::<f32>() / 100_000.0;
        assert!(mean(1).abs() < 0.02 && (mean(2) - 1.0).abs() < 0.03, "{} {}", mean(1), mean(2));
    }

    #[test]
    fn descriptions_repeat_and_differ() {
        let mut texts = descriptions(500, 7);
        assert_eq!(texts, descriptions(500, 7));
        texts.sort();
        texts.dedup();
        assert_eq!(texts.len(), 500);
    }
}
