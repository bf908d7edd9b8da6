//! From a tone of eight bits to the number that a graph reads: rescaled and normalised, in the reference's arithmetic.
//!
//! A sample has 256 tones, so each channel is a table, made once.

/// One number for each tone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Table([f32; 256]);

impl Table {
    /// The number of a tone.
    #[inline(always)]
    pub fn of(&self, tone: u8) -> f32 {
        // All tones are there.
        self.0.get(usize::from(tone)).copied().unwrap_or_default()
    }
}

/// A table for each channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Tones {
    tables: Box<[Table; 3]>,
}

impl Tones {
    /// The arithmetic of `transformers` on NumPy: `f32(f64(tone) * factor)`, then `(x - mean) / std` in f32; each part
    /// may be missing.
    pub fn numpy(factor: Option<f64>, normalise: Option<([f64; 3], [f64; 3])>) -> Tones {
        Self::new(normalise, |tone| match factor {
            Some(factor) => (f64::from(tone) * factor) as f32,
            None => f32::from(tone),
        })
    }

    /// The arithmetic of torchvision's ToTensor and Normalize: `tone / 255`, then `(x - mean) / std`, all in f32.
    pub fn torchvision(mean: [f64; 3], std: [f64; 3]) -> Tones {
        Self::new(Some((mean, std)), |tone| f32::from(tone) / 255.0)
    }

    fn new(normalise: Option<([f64; 3], [f64; 3])>, scaled: impl Fn(u8) -> f32) -> Tones {
        let mut tables = Box::new([Table([0.0; 256]); 3]);
        let (mean, std) = normalise.unwrap_or(([0.0; 3], [1.0; 3]));
        for ((table, mean), std) in tables.iter_mut().zip(mean).zip(std) {
            for (tone, value) in (0..=255).zip(&mut table.0) {
                *value = match normalise {
                    Some(_) => (scaled(tone) - mean as f32) / std as f32,
                    None => scaled(tone),
                };
            }
        }
        Tones { tables }
    }

    /// A table for each channel.
    pub fn tables(&self) -> &[Table; 3] {
        &self.tables
    }

    /// Tones as they are.
    #[cfg(test)]
    pub fn plain() -> Tones {
        Self::numpy(None, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_numpy() {
        let tones = Tones::numpy(Some(1.0 / 255.0), Some(([0.5, 0.48145466, 0.0], [0.5, 0.26862954, 1.0])));
        let [first, second, third] = tones.tables();
        assert_eq!([first.of(0), first.of(255), third.of(255)], [-1.0, 1.0, 1.0]);
        // numpy: (numpy.float32(numpy.float64(100) * (1 / 255)) - numpy.float32(.48145466)) / numpy.float32(.26862954)
        assert_eq!(second.of(100), -0.332_419_87);
        assert_eq!(third.of(7), (7.0f64 / 255.0) as f32);
    }

    #[test]
    fn parts_may_be_missing() {
        let tones = Tones::numpy(None, Some(([1.0; 3], [2.0; 3])));
        assert_eq!(tones.tables()[0].of(9), 4.0);
        assert_eq!(Tones::plain().tables()[2].of(9), 9.0);
    }
}
