//! A decoded picture: eight bits a sample, samples interleaved, rows from the top. What it means is not known here.

use crate::Failure;

/// RGB or RGBA, one byte a sample; alpha is not premultiplied, and 255 is opaque.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    width: u32,
    height: u32,
    alpha: bool,
    /// `width * height * channels` bytes.
    samples: Vec<u8>,
}

impl Picture {
    /// A picture of `width * height` pixels of three samples, or four with `alpha`.
    pub fn new(width: u32, height: u32, alpha: bool, samples: Vec<u8>) -> Result<Picture, Failure> {
        let picture = Picture { width, height, alpha, samples };
        let expected = u64::from(width) * u64::from(height) * picture.channels() as u64;
        if expected != picture.samples.len() as u64 || expected == 0 {
            let found = picture.samples.len();
            return Err(Failure::internal(format!("{width} x {height} pixels take {expected} samples, not {found}")));
        }
        Ok(picture)
    }

    /// Pixels in a row, at least 1.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows, at least 1.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Whether each pixel has a fourth sample.
    pub fn has_alpha(&self) -> bool {
        self.alpha
    }

    /// Samples of a pixel: 3 or 4.
    pub fn channels(&self) -> usize {
        3 + usize::from(self.alpha)
    }

    /// All samples.
    pub fn samples(&self) -> &[u8] {
        &self.samples
    }

    /// The samples themselves.
    pub fn into_samples(self) -> Vec<u8> {
        self.samples
    }

    /// Samples of one row.
    pub(super) fn stride(&self) -> usize {
        self.width as usize * self.channels()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_samples_are_as_many_as_the_size_says() {
        assert!(Picture::new(2, 3, false, vec![0; 18]).is_ok());
        assert!(Picture::new(2, 3, true, vec![0; 24]).is_ok());
        for (width, height, alpha, length) in
            [(2, 3, false, 17), (2, 3, true, 18), (0, 3, false, 0), (u32::MAX, u32::MAX, true, 4)]
        {
            assert!(Picture::new(width, height, alpha, vec![0; length]).is_err());
        }
    }
}
