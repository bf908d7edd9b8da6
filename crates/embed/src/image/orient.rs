//! Turning a picture the right way up, as the camera noted it. Exif 2.32, table of the tag Orientation.

use super::limits::buffer;
use super::picture::Picture;
use crate::Failure;

/// What the tag's values mean: how the stored picture becomes the upright one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Orientation {
    /// 1, and any value that is not defined.
    #[default]
    Upright,
    /// 2: columns from right to left.
    Mirror,
    /// 3: turned by 180 degrees.
    Half,
    /// 4: rows from the bottom.
    Flip,
    /// 5: rows become columns.
    Transpose,
    /// 6: turned by 90 degrees clockwise.
    Right,
    /// 7: turned by 180 degrees, then rows become columns.
    Transverse,
    /// 8: turned by 90 degrees counter-clockwise.
    Left,
}

/// Rows that are turned together.
const BAND: usize = 16;

impl Orientation {
    /// The tag's value as an orientation.
    pub fn from_tag(value: u32) -> Option<Orientation> {
        let orientation = match value {
            1 => Self::Upright,
            2 => Self::Mirror,
            3 => Self::Half,
            4 => Self::Flip,
            5 => Self::Transpose,
            6 => Self::Right,
            7 => Self::Transverse,
            8 => Self::Left,
            _ => return None,
        };
        Some(orientation)
    }

    /// Turn a picture; needs as much memory again as the picture has, unless it is upright.
    pub fn apply(self, picture: Picture) -> Result<Picture, Failure> {
        match self {
            Self::Upright => Ok(picture),
            _ if picture.has_alpha() => self.turn::<4>(&picture),
            _ => self.turn::<3>(&picture),
        }
    }

    /// Whether rows become columns, and whether the stored rows and columns are read backwards.
    fn steps(self) -> (bool, bool, bool) {
        match self {
            Self::Upright => (false, false, false),
            Self::Mirror => (false, false, true),
            Self::Half => (false, true, true),
            Self::Flip => (false, true, false),
            Self::Transpose => (true, false, false),
            Self::Right => (true, true, false),
            Self::Transverse => (true, true, true),
            Self::Left => (true, false, true),
        }
    }

    fn turn<const N: usize>(self, picture: &Picture) -> Result<Picture, Failure> {
        let (source, _) = picture.samples().as_chunks::<N>();
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let mut turned = buffer([0u8; N], source.len())?;
        for (number, rows) in source.chunks(BAND * width).enumerate() {
            self.put(rows, BAND * number, (width, height), &mut turned);
        }
        let (width, height) = self.size(picture.width(), picture.height());
        Picture::new(width, height, picture.has_alpha(), turned.into_flattened())
    }

    /// Width and height of the upright picture.
    pub fn size(self, width: u32, height: u32) -> (u32, u32) {
        if self.steps().0 { (height, width) } else { (width, height) }
    }

    /// Put some whole rows of a stored picture of `width` by `height` pixels, of which the first is the `first`, where they
    /// are in the upright one.
    pub fn put<const N: usize>(
        self,
        rows: &[[u8; N]],
        first: usize,
        (width, height): (usize, usize),
        upright: &mut [[u8; N]],
    ) {
        let (swap, backward_rows, backward_columns) = self.steps();
        let place = |at: usize, count: usize, backward: bool| if backward { count - 1 - at } else { at };
        let mut put = |x: usize, y: usize, pixel: &[u8; N]| {
            let (row, column) = (place(first + y, height, backward_rows), place(x, width, backward_columns));
            let at = if swap { column * height + row } else { row * width + column };
            if let Some(target) = upright.get_mut(at) {
                *target = *pixel;
            }
        };
        if !swap {
            let rows = rows.chunks_exact(width).enumerate();
            rows.for_each(|(y, row)| row.iter().enumerate().for_each(|(x, pixel)| put(x, y, pixel)));
            return;
        }
        // Where rows become columns, a column of what is here is written side by side.
        for x in 0..width {
            rows.iter().skip(x).step_by(width).enumerate().for_each(|(y, pixel)| put(x, y, pixel));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: u32, rows: &[u8]) -> Picture {
        let samples: Vec<u8> = rows.iter().flat_map(|tone| [*tone; 3]).collect();
        Picture::new(width, rows.len() as u32 / width, false, samples).unwrap()
    }

    #[test]
    fn each_value_turns_as_the_table_says() {
        // 1 2 3
        // 4 5 6
        let stored = picture(3, &[1, 2, 3, 4, 5, 6]);
        for (tag, width, rows) in [
            (1, 3, [1, 2, 3, 4, 5, 6]),
            (2, 3, [3, 2, 1, 6, 5, 4]),
            (3, 3, [6, 5, 4, 3, 2, 1]),
            (4, 3, [4, 5, 6, 1, 2, 3]),
            (5, 2, [1, 4, 2, 5, 3, 6]),
            (6, 2, [4, 1, 5, 2, 6, 3]),
            (7, 2, [6, 3, 5, 2, 4, 1]),
            (8, 2, [3, 6, 2, 5, 1, 4]),
        ] {
            let turned = Orientation::from_tag(tag).unwrap().apply(stored.clone()).unwrap();
            assert_eq!(turned, picture(width, &rows), "{tag}");
        }
        assert!(Orientation::from_tag(0).is_none() && Orientation::from_tag(9).is_none());
    }

    #[test]
    fn alpha_turns_along() {
        let stored = Picture::new(2, 1, true, vec![1, 2, 3, 4, 5, 6, 7, 8]).unwrap();
        let turned = Orientation::Mirror.apply(stored).unwrap();
        assert_eq!(turned.samples(), [5, 6, 7, 8, 1, 2, 3, 4]);
    }
}
