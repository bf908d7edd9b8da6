//! From a component's plane to rows as wide as the picture, to the bit as libjpeg does it: halves are filled in by a triangle
//! of weights 3 and 1, all other factors by repetition.

use super::frame::Frame;
use super::planes::Plane;

/// How one component is brought to the picture's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upsampling {
    /// It has that size.
    None,
    /// Twice as wide.
    Wide,
    /// Twice as high.
    High,
    /// Both.
    Both,
    /// So many times as wide and as high, by repetition.
    Repeat(usize, usize),
}

impl Upsampling {
    /// What a component of a frame needs. Planes of two columns are too narrow for triangles.
    pub fn of(plane: &Plane, frame: &Frame) -> Upsampling {
        let component = &plane.component;
        match (frame.most.0 / component.across, frame.most.1 / component.down) {
            (1, 1) => Upsampling::None,
            (2, 1) if component.width > 2 => Upsampling::Wide,
            (1, 2) => Upsampling::High,
            (2, 2) if component.width > 2 => Upsampling::Both,
            (across, down) => Upsampling::Repeat(across, down),
        }
    }

    /// Write the picture's row `y` of the plane into `line`, and leave what is behind it as it comes; `sums` is scratch.
    #[inline(always)]
    pub fn row(self, plane: &Plane, y: usize, line: &mut [u8], sums: &mut Vec<u16>) {
        match self {
            Upsampling::None => line.iter_mut().zip(plane.row(y)).for_each(|(target, sample)| *target = *sample),
            Upsampling::Wide => {
                fill(sums, plane.row(y).iter().map(|sample| u16::from(*sample)));
                spread(sums, line, |near, far| (3 * near + far + 1) >> 2, |near, far| (3 * near + far + 2) >> 2);
            }
            Upsampling::High => {
                let (near, far, bias) = neighbours(plane, y);
                for ((target, near), far) in line.iter_mut().zip(near).zip(far) {
                    *target = ((3 * u16::from(*near) + u16::from(*far) + bias) >> 2) as u8;
                }
            }
            Upsampling::Both => {
                let (near, far, _) = neighbours(plane, y);
                fill(sums, near.iter().zip(far).map(|(near, far)| 3 * u16::from(*near) + u16::from(*far)));
                spread(sums, line, |near, far| (3 * near + far + 8) >> 4, |near, far| (3 * near + far + 7) >> 4);
            }
            Upsampling::Repeat(across, down) => {
                for (group, sample) in line.chunks_mut(across).zip(plane.row(y / down)) {
                    group.fill(*sample);
                }
            }
        }
    }
}

/// Of a plane half as high: the row that `y` is in, the one that it is nearest to besides, and the rounding.
#[inline(always)]
fn neighbours(plane: &Plane, y: usize) -> (&[u8], &[u8], u16) {
    let near = y / 2;
    let (far, bias) = if y.is_multiple_of(2) { (near.saturating_sub(1), 1) } else { (near + 1, 2) };
    (plane.row(near), plane.row(far), bias)
}

/// Numbers with the first and the last of them once more at the ends.
#[inline(always)]
fn fill(sums: &mut Vec<u16>, values: impl Iterator<Item = u16>) {
    sums.clear();
    sums.push(0);
    sums.extend(values);
    if let (Some(second), Some(last)) = (sums.get(1).copied(), sums.last().copied()) {
        sums[0] = second;
        sums.push(last);
    }
}

/// Two samples for each number but the ends: one leaning to the left, one to the right.
#[inline(always)]
fn spread(sums: &[u16], line: &mut [u8], left: impl Fn(u16, u16) -> u16, right: impl Fn(u16, u16) -> u16) {
    let before = sums.iter();
    let middle = sums.iter().skip(1);
    let behind = sums.iter().skip(2);
    let pairs = line.as_chunks_mut::<2>().0.iter_mut();
    for (((pair, before), middle), behind) in pairs.zip(before).zip(middle).zip(behind) {
        *pair = [left(*middle, *before) as u8, right(*middle, *behind) as u8];
    }
}
