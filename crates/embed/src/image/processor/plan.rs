//! What is done to an opaque picture, whatever configuration asked for it: resize, crop or pad, and tones to numbers.

use vw_protocol::ErrorCode;

use super::tones::Tones;
use crate::Failure;
use crate::image::colour::Alpha;
use crate::image::limits::buffer;
use crate::image::picture::Picture;
use crate::image::resize::{Filter, Window, resize};
use crate::media::Features;

/// Pixels of a result at most; only a configuration without a crop makes results whose size a picture chooses.
const RESULT: u64 = 1 << 24;

/// All steps, in their order.
#[derive(Clone, Debug)]
pub struct Plan {
    pub alpha: Alpha,
    pub resize: Option<(Target, Filter)>,
    pub crop: Option<Crop>,
    pub tones: Tones,
}

/// What size a picture is resized to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// This size, whatever the proportions.
    Exact { width: u32, height: u32 },
    /// The shorter side to this length, the longer one in proportion, rounded down.
    Shortest(u32),
    /// In proportion, so that it covers this size, or with `inside` fits into it; rounded to the nearest, ties to even.
    Proportional { width: u32, height: u32, inside: bool },
}

/// The middle of a resized picture, with a margin where the picture is smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crop {
    pub width: u32,
    pub height: u32,
    pub rounding: Rounding,
    /// The margin's colour.
    pub fill: [u8; 3],
}

/// Where the middle is when the difference is odd.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// `transformers` on NumPy: the crop begins at the lower half, a margin has its larger half first.
    Numpy,
    /// torchvision: the crop begins at the half that is even, a margin has its smaller half first.
    Torchvision,
}

impl Target {
    /// Width and height that a picture of this size gets.
    fn size(self, width: u32, height: u32) -> Result<(u32, u32), Failure> {
        // Products are exact in f64, and one division rounds as Python's does.
        let (across, down) = (f64::from(width), f64::from(height));
        let (width, height) = match self {
            Target::Exact { width, height } => (f64::from(width), f64::from(height)),
            Target::Shortest(side) => {
                let side = f64::from(side);
                let long = (side * across.max(down) / across.min(down)).floor();
                if width <= height { (side, long) } else { (long, side) }
            }
            Target::Proportional { width, height, inside } => {
                let (by_width, by_height) = (across / f64::from(width), down / f64::from(height));
                let ratio = if inside { by_width.max(by_height) } else { by_width.min(by_height) };
                // A picture that is all but a line keeps one pixel.
                let scale = |side: f64| (side / ratio).round_ties_even().max(1.0);
                (scale(across), scale(down))
            }
        };
        let fits = |side: f64| if side <= f64::from(u32::MAX) { Some(side as u32) } else { None };
        fits(width).zip(fits(height)).ok_or_else(|| too_long(across, down))
    }
}

fn too_long(width: f64, height: f64) -> Failure {
    let message = format!("the image is {width} x {height} pixels, which is too long for its width to be resized");
    Failure::new(ErrorCode::BadInput, message)
}

/// Along one axis: where the crop begins in the picture, how many pixels it takes, and the margin before them.
fn middle(source: u32, crop: u32, rounding: Rounding) -> (u32, u32, u32) {
    if source >= crop {
        let spare = source - crop;
        let half = spare / 2;
        let odd = rounding == Rounding::Torchvision && spare % 2 == 1 && half % 2 == 1;
        return (half + u32::from(odd), crop, 0);
    }
    let margin = crop - source;
    let before = match rounding {
        Rounding::Numpy => margin.div_ceil(2),
        Rounding::Torchvision => margin / 2,
    };
    (0, source, before)
}

impl Plan {
    /// Do all steps to a decoded picture: `[3, height, width]`.
    pub fn run(&self, picture: Picture) -> Result<Features, Failure> {
        let picture = self.alpha.apply(picture)?;
        let (width, height) = match self.resize {
            Some((target, _)) => target.size(picture.width(), picture.height())?,
            None => (picture.width(), picture.height()),
        };
        // Without a resize any filter leaves the picture as it is.
        let filter = self.resize.map_or(Filter::Nearest, |(_, filter)| filter);
        let whole = Crop { width, height, rounding: Rounding::Numpy, fill: [0; 3] };
        let crop = self.crop.unwrap_or(whole);
        if u64::from(crop.width) * u64::from(crop.height) > RESULT {
            return Err(too_long(picture.width().into(), picture.height().into()));
        }
        let (left, columns, before) = middle(width, crop.width, crop.rounding);
        let (top, rows, above) = middle(height, crop.height, crop.rounding);
        let window = Window { left, top, width: columns, height: rows };
        let cut = resize(&picture, width, height, filter, window)?;
        let shape = vec![3, crop.height as usize, crop.width as usize];
        let values = self.spread(&cut, crop, before as usize, above as usize)?;
        Ok(Features { shape, clips: 1, values, truncated: false, longer: false })
    }

    /// Turn samples into numbers, one plane for each channel, inside the margin.
    fn spread(&self, picture: &Picture, crop: Crop, before: usize, above: usize) -> Result<Vec<f32>, Failure> {
        let (width, height) = (crop.width as usize, crop.height as usize);
        let mut values = buffer(0f32, 3 * width * height)?;
        let planes = values.chunks_exact_mut(width * height).zip(self.tones.tables()).zip(crop.fill);
        for (channel, ((plane, table), fill)) in planes.enumerate() {
            let margin = picture.width() < crop.width || picture.height() < crop.height;
            if margin {
                plane.fill(table.of(fill));
            }
            let rows = picture.samples().chunks_exact(picture.stride());
            for (target, row) in plane.chunks_exact_mut(width).skip(above).zip(rows) {
                let samples = row.iter().skip(channel).step_by(3);
                target.iter_mut().skip(before).zip(samples).for_each(|(value, tone)| *value = table.of(*tone));
            }
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded_as_python_rounds() {
        assert_eq!(Target::Shortest(224).size(640, 480).unwrap(), (298, 224));
        assert_eq!(Target::Shortest(224).size(480, 640).unwrap(), (224, 298));
        assert_eq!(Target::Shortest(224).size(7, 7).unwrap(), (224, 224));
        assert_eq!(Target::Shortest(224).size(65_535, 1).unwrap(), (65_535 * 224, 224));
        assert_eq!(Target::Exact { width: 3, height: 4 }.size(640, 480).unwrap(), (3, 4));
        let inside = Target::Proportional { width: 512, height: 512, inside: true };
        assert_eq!(inside.size(1000, 333).unwrap(), (512, 170));
        assert_eq!(inside.size(65_535, 1).unwrap(), (512, 1));
        let covering = Target::Proportional { width: 512, height: 512, inside: false };
        assert_eq!(covering.size(1000, 333).unwrap(), (1538, 512));
        assert!(Target::Shortest(u32::MAX).size(2, 1).is_err());
    }

    #[test]
    fn the_middle_is_where_each_library_has_it() {
        for (source, crop, numpy, torchvision) in [
            (298, 224, (37, 224, 0), (37, 224, 0)),
            (299, 224, (37, 224, 0), (38, 224, 0)),
            (301, 224, (38, 224, 0), (38, 224, 0)),
            (224, 224, (0, 224, 0), (0, 224, 0)),
            (5, 8, (0, 5, 2), (0, 5, 1)),
            (4, 8, (0, 4, 2), (0, 4, 2)),
        ] {
            assert_eq!(middle(source, crop, Rounding::Numpy), numpy);
            assert_eq!(middle(source, crop, Rounding::Torchvision), torchvision);
        }
    }

    fn plan(resize: Option<(Target, Filter)>, crop: Option<Crop>) -> Plan {
        Plan { alpha: Alpha::Drop, resize, crop, tones: Tones::plain() }
    }

    #[test]
    fn a_small_picture_gets_a_margin() {
        let picture = Picture::new(1, 2, false, vec![1, 2, 3, 4, 5, 6]).unwrap();
        let crop = Crop { width: 4, height: 3, rounding: Rounding::Torchvision, fill: [9, 8, 7] };
        let features = plan(None, Some(crop)).run(picture).unwrap();
        assert_eq!(features.shape, [3, 3, 4]);
        #[rustfmt::skip]
        assert_eq!(features.values, [
            9.0, 1.0, 9.0, 9.0,  9.0, 4.0, 9.0, 9.0,  9.0, 9.0, 9.0, 9.0,
            8.0, 2.0, 8.0, 8.0,  8.0, 5.0, 8.0, 8.0,  8.0, 8.0, 8.0, 8.0,
            7.0, 3.0, 7.0, 7.0,  7.0, 6.0, 7.0, 7.0,  7.0, 7.0, 7.0, 7.0,
        ]);
    }

    #[test]
    fn a_line_is_cropped_without_the_rest_and_refused_without_a_crop() {
        let line = Picture::new(60_000, 1, false, vec![5; 180_000]).unwrap();
        let target = Some((Target::Shortest(224), Filter::Bicubic));
        let crop = Crop { width: 224, height: 224, rounding: Rounding::Numpy, fill: [0; 3] };
        let features = plan(target, Some(crop)).run(line.clone()).unwrap();
        assert!(features.values.iter().all(|value| *value == 5.0));
        let failure = plan(target, None).run(line).unwrap_err();
        assert_eq!(failure.code, ErrorCode::BadInput);
    }
}
