//! From the bytes of a file to features, for pictures: decoding, and preprocessing as the reference implementation does it.
//!
//! A model was trained on what Pillow decodes and resizes. A pipeline that resizes in floating point, or rounds chroma
//! elsewhere, feeds it other numbers, and its vectors drift from those of the model's own library. So everything here is
//! held to Pillow 13 and to `transformers` 5 on NumPy, to the byte: `tests/parity/image_reference.py` makes pictures of all
//! formats, and `tests/image_reference.rs` compares.
//!
//! ```text
//! file -> format      first bytes; labels are not asked
//!      -> decode/     one file a format; sizes are checked before anything is allocated
//!      -> orient      Exif or XMP
//!      -> processor/  preprocessor_config.json became a plan: alpha, size, crop, tones
//!           colour        transparency
//!           resize/       Pillow's integer convolution, only of what the crop keeps
//!      -> Features    [3, height, width], float32
//! ```
//!
//! # Formats
//!
//! | format | decoder | against Pillow 13 |
//! |---|---|---|
//! | JPEG | here | equal: baseline and progressive, all subsampling, grey, RGB, CMYK, YCCK |
//! | PNG | `png` | equal, but for two faults of Pillow's, below |
//! | WebP | `image-webp` | equal: lossy, lossless, alpha, the first frame |
//! | GIF | `gif` | equal: the first frame on its screen |
//! | BMP | here | equal: 1 to 32 bits, run lengths, bit fields |
//! | TIFF | `tiff` | equal for grey, palette, RGB, CMYK and alpha; JPEG inside TIFF is that crate's |
//!
//! Where Pillow's own behaviour is plainly a fault it is not followed, and the decoder's file says so:
//! - grey of sixteen bits keeps its high byte, as colour does; Pillow clips it at 255, which leaves a white picture;
//! - a transparent colour of a PNG is compared with the samples as they are stored, as the standard says;
//! - TIFFs of floating point or 32-bit samples are refused; Pillow clips them at 0 and 255.
//!
//! Colour profiles are not applied: neither Pillow nor `transformers` does, and models were trained without.
//!
//! # Processors
//!
//! `image_processor_type`, or the older `feature_extractor_type`, chooses; every key that is missing has its class's default.
//! The suffixes `Fast` and `Pil` mean the same class.
//!
//! | type | alpha | size | crop | numbers |
//! |---|---|---|---|---|
//! | `CLIPImageProcessor`, `BitImageProcessor` | on white | shortest edge | centre | NumPy |
//! | `SiglipImageProcessor` (SigLIP 2 too, at fixed resolution), `ViTImageProcessor` | on white | exact | none | NumPy |
//! | `ConvNextImageProcessor` | on white | by `crop_pct` | centre | NumPy |
//! | `JinaCLIPImageProcessor` | dropped | `resize_mode` | centre or pad | torchvision |
//! | `ImageBindImageProcessor`, a name of ours for the steps of its `data.py` | dropped | shortest edge | centre | torchvision |
//!
//! Three choices are ours. A photograph is turned upright for every processor, as `transformers` loads images; jina-clip's
//! and ImageBind's own loaders leave it lying. Pictures are made RGB whatever `do_convert_rgb` says, since without it the
//! classes fail for all others. And the variants of `transformers` that work on tensors, its default where torchvision is
//! installed, differ from its Pillow variants by up to one tone of 255; the Pillow ones are followed.
//!
//! # Limits
//!
//! [`Limits`]: 20 MiB of file, 50 megapixels, 65,535 pixels a side, 400 MB in a decoder. What a header claims is checked
//! first, and for JPEG also whether the file is long enough for its blocks. A decoder's panic is a bad file.

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
