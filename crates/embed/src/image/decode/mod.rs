//! From the bytes of a file to an upright picture. The bytes choose the decoder; each decoder checks sizes before it allocates.
//!
//! The libraries see files of users and may have faults of their own: a panic in one is caught here and is a bad file.

mod bmp;
mod gif;
mod jpeg;
mod png;
mod tiff;
mod webp;

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::format::Format;
use super::limits::Limits;
use super::orient::Orientation;
use super::picture::Picture;
use crate::Failure;

/// What a decoder gives: the picture as it is stored, and which way up it is.
struct Decoded {
    picture: Picture,
    orientation: Orientation,
}

impl From<Picture> for Decoded {
    fn from(picture: Picture) -> Decoded {
        Decoded { picture, orientation: Orientation::Upright }
    }
}

/// Decode the first picture in a file and turn it upright.
///
/// The picture has alpha where the file has, or names a transparent colour. Errors are
/// [`vw_protocol::ErrorCode::BadInput`] for a file that is no picture, broken, cut short or over the limits, and
/// [`vw_protocol::ErrorCode::Overloaded`] where memory is short.
pub fn decode(file: &[u8], limits: &Limits) -> Result<Picture, Failure> {
    limits.check_file(file)?;
    let format = Format::of(file)?;
    let decoder = match format {
        Format::Png => png::decode,
        Format::Jpeg => jpeg::decode,
        Format::WebP => webp::decode,
        Format::Gif => gif::decode,
        Format::Bmp => bmp::decode,
        Format::Tiff => tiff::decode,
    };
    // Nothing outlives the call but what it returns, so a panic leaves nothing half done.
    let decoded = catch_unwind(AssertUnwindSafe(|| decoder(file, limits)));
    let Decoded { picture, orientation } = decoded.map_err(|_| format.broken("its decoder gave up"))??;
    orientation.apply(picture)
}
