//! From planes to RGB, row by row, in libjpeg's integer arithmetic. JFIF 1.02; Adobe Technical Note 5116.

use super::frame::{Frame, Tables};
use super::planes::Plane;
use super::upsample::Upsampling;
use crate::Failure;
use crate::image::colour::cmyk_to_rgb;
use crate::image::limits::{buffer, reserve};
use crate::image::orient::Orientation;
use crate::image::picture::Picture;

/// What the components are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    Grey,
    Ycc,
    Rgb,
    /// Inks, or what Adobe's programs and Pillow take for inks: light.
    Cmyk,
    /// The first three as luma and chroma.
    Ycck,
}

impl Colours {
    /// Guess as libjpeg does: a JFIF segment, then Adobe's, then the components' numbers.
    pub fn of(frame: &Frame, tables: &Tables) -> Colours {
        let ids: Vec<u8> = frame.components.iter().map(|component| component.id).collect();
        match (ids.as_slice(), tables.transform) {
            ([_], _) => Colours::Grey,
            ([_, _, _, _], None | Some(0)) => Colours::Cmyk,
            ([_, _, _, _], Some(_)) => Colours::Ycck,
            (_, _) if tables.jfif => Colours::Ycc,
            (_, Some(0)) => Colours::Rgb,
            ([b'R', b'G', b'B'], None) => Colours::Rgb,
            _ => Colours::Ycc,
        }
    }
}

/// Rows that are turned together, at most.
const TURNED: usize = 32;

/// Sixteen bits below the point.
const HALF: i32 = 1 << 15;

#[inline(always)]
fn clip(value: i32) -> u8 {
    value.clamp(0, 255) as u8
}

/// Luma and chroma to colours.
#[inline(always)]
fn rgb(luma: u8, blue: u8, red: u8) -> [u8; 3] {
    let (luma, blue, red) = (i32::from(luma), i32::from(blue) - 128, i32::from(red) - 128);
    [
        clip(luma + ((91881 * red + HALF) >> 16)),
        clip(luma + ((-22554 * blue - 46802 * red + HALF) >> 16)),
        clip(luma + ((116130 * blue + HALF) >> 16)),
    ]
}

/// A picture that is filled from the top of what is stored, and upright at once: turning it later takes a second one.
pub struct Canvas {
    colours: Colours,
    orientation: Orientation,
    pixels: Vec<[u8; 3]>,
    /// Rows that are drawn.
    drawn: usize,
    /// Rows that have yet to be turned.
    band: Vec<[u8; 3]>,
    /// A row of each component at the picture's size.
    lines: [Vec<u8>; 4],
    sums: Vec<u16>,
}

impl Canvas {
    /// An empty one, with room for a frame's pixels.
    pub fn new(frame: &Frame, colours: Colours, orientation: Orientation) -> Result<Canvas, Failure> {
        // Upsampling writes whole groups.
        let line = 8 * frame.most.0 * frame.units.0;
        let lines = [buffer(0u8, line)?, buffer(0u8, line)?, buffer(0u8, line)?, buffer(0u8, line)?];
        let room = frame.width as usize * frame.height as usize;
        // Upright, a row at a time is added, and stays in the cache.
        let pixels = if orientation == Orientation::Upright { reserve(room)? } else { buffer([0; 3], room)? };
        Ok(Canvas { colours, orientation, pixels, drawn: 0, band: Vec::new(), lines, sums: Vec::new() })
    }

    /// Add rows, up to but without `end`, out of planes that have them.
    pub fn draw(&mut self, frame: &Frame, planes: &[Plane], end: usize) {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: it is the plain loop and only needs a processor with AVX2, which this one was just found to be.
            return unsafe { self.rows_avx2(frame, planes, end) };
        }
        self.rows(frame, planes, end);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn rows_avx2(&mut self, frame: &Frame, planes: &[Plane], end: usize) {
        self.rows(frame, planes, end);
    }

    #[inline(always)]
    fn rows(&mut self, frame: &Frame, planes: &[Plane], end: usize) {
        let (width, height) = (frame.width as usize, frame.height as usize);
        let upright = self.orientation == Orientation::Upright;
        for y in self.drawn..end.min(height) {
            for (line, plane) in self.lines.iter_mut().zip(planes) {
                Upsampling::of(plane, frame).row(plane, y, line, &mut self.sums);
            }
            let rows = if upright { &mut self.pixels } else { &mut self.band };
            let start = rows.len();
            rows.resize(start + width, [0; 3]);
            let [first, second, third, fourth] = &self.lines;
            if let Some(pixels) = rows.get_mut(start..) {
                row(self.colours, [first, second, third, fourth], pixels);
            }
            self.drawn = y + 1;
            if !upright && (y + 1 == end.min(height) || self.band.len() >= TURNED * width) {
                self.orientation.put(
                    &self.band,
                    self.drawn - self.band.len() / width,
                    (width, height),
                    &mut self.pixels,
                );
                self.band.clear();
            }
        }
    }

    /// The whole picture.
    pub fn finish(self, frame: &Frame) -> Result<Picture, Failure> {
        let (width, height) = self.orientation.size(frame.width, frame.height);
        Picture::new(width, height, false, self.pixels.into_flattened())
    }
}

/// Convert one row.
#[inline(always)]
fn row(colours: Colours, [first, second, third, fourth]: [&[u8]; 4], target: &mut [[u8; 3]]) {
    let three = first.iter().zip(second).zip(third);
    match colours {
        Colours::Grey => {
            for (pixel, tone) in target.iter_mut().zip(first) {
                *pixel = [*tone; 3];
            }
        }
        Colours::Rgb => {
            for (pixel, ((red, green), blue)) in target.iter_mut().zip(three) {
                *pixel = [*red, *green, *blue];
            }
        }
        Colours::Ycc => {
            for (pixel, ((luma, blue), red)) in target.iter_mut().zip(three) {
                *pixel = rgb(*luma, *blue, *red);
            }
        }
        Colours::Cmyk => {
            // Pillow turns light into ink.
            for (pixel, (((cyan, magenta), yellow), black)) in target.iter_mut().zip(three.zip(fourth)) {
                *pixel = cmyk_to_rgb([255 - *cyan, 255 - *magenta, 255 - *yellow, 255 - *black]);
            }
        }
        Colours::Ycck => {
            // Of luma and chroma libjpeg makes ink, so that Pillow turns it back.
            for (pixel, (((luma, blue), red), black)) in target.iter_mut().zip(three.zip(fourth)) {
                let [cyan, magenta, yellow] = rgb(*luma, *blue, *red);
                *pixel = cmyk_to_rgb([cyan, magenta, yellow, 255 - *black]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_within_one_of_the_definition() {
        for luma in (0..=255).step_by(5) {
            for blue in (0..=255).step_by(3) {
                for red in (0..=255).step_by(3) {
                    let (y, b, r) = (f64::from(luma), f64::from(blue) - 128.0, f64::from(red) - 128.0);
                    let exact = [y + 1.402 * r, y - 0.344_136 * b - 0.714_136 * r, y + 1.772 * b];
                    for (ours, exact) in rgb(luma, blue, red).iter().zip(exact) {
                        assert!((f64::from(*ours) - exact.clamp(0.0, 255.0)).abs() < 1.0);
                    }
                }
            }
        }
        assert_eq!(rgb(77, 128, 128), [77; 3]);
    }
}
