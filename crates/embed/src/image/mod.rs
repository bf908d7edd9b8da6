//! From the bytes of a file to features, for pictures: decoding, and preprocessing as the reference implementation does it.

mod colour;
mod decode;
mod exif;
mod format;
mod limits;
mod orient;
mod picture;
mod processor;
pub mod resize;

pub use colour::Alpha;
pub use decode::decode;
pub use limits::Limits;
pub use picture::Picture;
pub use processor::Preprocessor;
