//! How large a picture may be: checked against what a file claims before anything is allocated for it.

use vw_protocol::ErrorCode;

use crate::Failure;

/// Bounds on one picture. What is over them is refused as bad input, with a message that names the bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a file.
    pub file: usize,
    /// Pixels of a picture: width times height.
    pub pixels: u64,
    /// Pixels along one side. PNG, TIFF and BMP could claim 2^31; what a camera makes stays far below 2^16.
    pub side: u32,
    /// Bytes that a decoder may hold at once, the file among them.
    pub memory: usize,
}

impl Default for Limits {
    /// 20 MiB, 50 megapixels, 65,535 pixels a side; and what the sandbox leaves a decoder of its 256 MiB.
    fn default() -> Self {
        Self { file: 20 << 20, pixels: 50_000_000, side: 65_535, memory: 236 << 20 }
    }
}

impl Limits {
    /// Refuse a file that is too long.
    pub(super) fn check_file(&self, file: &[u8]) -> Result<(), Failure> {
        if file.len() > self.file {
            let message = format!("the image file has {} bytes, more than the {} allowed", file.len(), self.file);
            return Err(Failure::new(ErrorCode::BadInput, message));
        }
        Ok(())
    }

    /// Refuse a picture that takes `needed` bytes to decode, beside its file, where that is too much.
    pub(super) fn check_memory(&self, (width, height): (u32, u32), file: &[u8], needed: usize) -> Result<(), Failure> {
        let sum = needed.saturating_add(file.len());
        if sum <= self.memory {
            return Ok(());
        }
        let (sum, limit) = (sum.div_ceil(1 << 20), self.memory >> 20);
        let message =
            format!("the image is {width} x {height} pixels, which take {sum} MiB to decode; {limit} are allowed");
        Err(Failure::new(ErrorCode::BadInput, message)
            .hint("Send a smaller picture; a JPEG takes less if it is not progressive."))
    }

    /// Refuse a picture that is too large, or empty.
    pub(super) fn check_size(&self, width: u64, height: u64) -> Result<(u32, u32), Failure> {
        let bad = |message: String| Err(Failure::new(ErrorCode::BadInput, message));
        let (Ok(short_width), Ok(short_height)) = (u32::try_from(width), u32::try_from(height)) else {
            return bad(format!("the image claims to be {width} x {height} pixels; a side has at most {}", self.side));
        };
        if width == 0 || height == 0 {
            return bad(format!("the image is empty: {width} x {height} pixels"));
        }
        if short_width.max(short_height) > self.side {
            return bad(format!("the image is {width} x {height} pixels; a side has at most {}", self.side));
        }
        if width * height > self.pixels {
            return bad(format!("the image is {width} x {height} pixels, more than the {} allowed", self.pixels));
        }
        Ok((short_width, short_height))
    }
}

/// An empty buffer with room for a length that a file chose, after its check.
pub(super) fn reserve<T>(length: usize) -> Result<Vec<T>, Failure> {
    let mut buffer = Vec::new();
    buffer.try_reserve_exact(length).map_err(|_| {
        let bytes = length.saturating_mul(size_of::<T>());
        Failure::new(ErrorCode::Overloaded, format!("no memory for {bytes} bytes of an image"))
    })?;
    Ok(buffer)
}

/// A buffer of that length, filled.
pub(super) fn buffer<T: Clone>(fill: T, length: usize) -> Result<Vec<T>, Failure> {
    let mut buffer = reserve(length)?;
    buffer.resize(length, fill);
    Ok(buffer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_refused_by_name() {
        let limits = Limits::default();
        assert_eq!(limits.check_size(1, 65_535).unwrap(), (1, 65_535));
        assert_eq!(limits.check_size(10_000, 5_000).unwrap(), (10_000, 5_000));
        for (width, height, named) in [
            (0, 7, "empty"),
            (7, 0, "empty"),
            (1, 65_536, "65535"),
            (10_001, 5_000, "50000000"),
            (1 << 40, 1, "65535"),
            (u64::MAX, u64::MAX, "65535"),
        ] {
            let failure = limits.check_size(width, height).unwrap_err();
            assert_eq!(failure.code, ErrorCode::BadInput);
            assert!(failure.message.contains(named), "{failure}");
        }
    }

    #[test]
    fn long_files_are_refused() {
        let limits = Limits { file: 3, ..Limits::default() };
        assert!(limits.check_file(&[0; 3]).is_ok());
        assert!(limits.check_file(&[0; 4]).is_err());
    }
}
