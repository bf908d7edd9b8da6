//! From what files store to RGB, in Pillow's integer arithmetic: opaque colours, CMYK, palettes, sixteen bits.

use super::picture::Picture;
use crate::Failure;

/// What becomes of transparency when a picture is made opaque.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alpha {
    /// Composite on white, as `transformers` does from version 5 on.
    OnWhite,
    /// Forget it: what lies under a transparent pixel shows. Pillow's `convert("RGB")`.
    Drop,
}

impl Alpha {
    /// Make a picture opaque.
    pub fn apply(self, picture: Picture) -> Result<Picture, Failure> {
        if !picture.has_alpha() {
            return Ok(picture);
        }
        let (width, height) = (picture.width(), picture.height());
        let mut samples = picture.into_samples();
        // In place, since a second picture of 50 megapixels would be most of a decoder's memory: no place is written before
        // it was read.
        let pixels = samples.len() / 4;
        for at in 0..pixels {
            let Some([red, green, blue, alpha]) = samples.get(4 * at..).and_then(<[u8]>::first_chunk).copied() else {
                break;
            };
            let opaque = match self {
                Alpha::Drop => [red, green, blue],
                Alpha::OnWhite => [red, green, blue].map(|sample| on_white(sample, alpha)),
            };
            if let Some(target) = samples.get_mut(3 * at..).and_then(<[u8]>::first_chunk_mut) {
                *target = opaque;
            }
        }
        samples.truncate(3 * pixels);
        Picture::new(width, height, false, samples)
    }
}

/// One sample over white: `alpha_composite` with an opaque background, which keeps seven bits below the point.
fn on_white(sample: u8, alpha: u8) -> u8 {
    let weight = u32::from(alpha) << 7;
    let sum = u32::from(sample) * weight + 255 * ((255 << 7) - weight) + (0x80 << 7);
    // A division by 255, then the seven bits.
    ((((sum >> 8) + sum) >> 8) >> 7) as u8
}

/// `left * right / 255`, rounded.
fn scale(left: u8, right: u8) -> u8 {
    let product = u32::from(left) * u32::from(right) + 128;
    (((product >> 8) + product) >> 8) as u8
}

/// Ink to light: 0 is no ink. What a colour profile would say is not asked, as Pillow does not.
pub fn cmyk_to_rgb([cyan, magenta, yellow, black]: [u8; 4]) -> [u8; 3] {
    let light = 255 - black;
    [cyan, magenta, yellow].map(|ink| light - scale(ink, light))
}

/// A palette of RGB or RGBA entries; what lies beyond its end is black and opaque.
pub fn look_up<const N: usize>(palette: &[[u8; N]], index: u8) -> [u8; N] {
    let mut beyond = [0; N];
    if let Some(alpha) = beyond.get_mut(3) {
        *alpha = 255;
    }
    palette.get(usize::from(index)).copied().unwrap_or(beyond)
}

/// The high byte of each big-endian sample.
pub fn high_bytes(samples: &[u8]) -> impl Iterator<Item = u8> {
    samples.as_chunks::<2>().0.iter().map(|[high, _]| *high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_shows_through() {
        for sample in 0..=255u8 {
            assert_eq!(on_white(sample, 255), sample);
            assert_eq!(on_white(sample, 0), 255);
            for alpha in 0..=255u8 {
                let exact = (f64::from(sample) * f64::from(alpha) + 255.0 * f64::from(255 - alpha)) / 255.0;
                assert!((f64::from(on_white(sample, alpha)) - exact).abs() <= 1.0, "{sample} {alpha}");
            }
        }
    }

    #[test]
    fn ink_takes_light_away() {
        assert_eq!(cmyk_to_rgb([0, 0, 0, 0]), [255; 3]);
        assert_eq!(cmyk_to_rgb([0, 0, 0, 255]), [0; 3]);
        assert_eq!(cmyk_to_rgb([255, 0, 0, 0]), [0, 255, 255]);
        // Values of Pillow 13.
        assert_eq!(cmyk_to_rgb([95, 130, 194, 217]), [24, 19, 9]);
        assert_eq!(cmyk_to_rgb([184, 232, 205, 78]), [49, 16, 35]);
    }

    #[test]
    fn transparency_is_dropped_or_shown_on_white() {
        let picture = Picture::new(1, 1, true, vec![10, 20, 30, 0]).unwrap();
        assert_eq!(Alpha::Drop.apply(picture.clone()).unwrap().samples(), [10, 20, 30]);
        assert_eq!(Alpha::OnWhite.apply(picture).unwrap().samples(), [255; 3]);
    }

    #[test]
    fn a_palette_ends_in_black() {
        assert_eq!(look_up(&[[1, 2, 3]], 0), [1, 2, 3]);
        assert_eq!(look_up(&[[1, 2, 3]], 1), [0; 3]);
        assert_eq!(look_up::<4>(&[], 7), [0, 0, 0, 255]);
    }
}
