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
        let (swap, backward_rows, backward_columns) = self.steps();
        let (source, _) = picture.samples().as_chunks::<N>();
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let mut turned = buffer([0u8; N], source.len())?;
        let place = |at: usize, count: usize, backward: bool| if backward { count - 1 - at } else { at };
        // Reads go along rows; where rows become columns, writes jump by a row each time.
        let (step, row_step) = if swap { (height, 1) } else { (1, width) };
        for (y, row) in source.chunks_exact(width).enumerate() {
            let start = place(y, height, backward_rows) * row_step;
            for (x, pixel) in row.iter().enumerate() {
                if let Some(target) = turned.get_mut(start + place(x, width, backward_columns) * step) {
                    *target = *pixel;
                }
            }
        }
        let (width, height) =
            if swap { (picture.height(), picture.width()) } else { (picture.width(), picture.height()) };
        Picture::new(width, height, picture.has_alpha(), turned.into_flattened())
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
