//! Bounds-checked reading of a frame's body. No field is trusted before its length is.

use crate::ProtocolError;

/// A cursor over the bytes that are left of a frame.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    /// Take `count` bytes.
    fn take(&mut self, count: usize, field: &'static str) -> Result<&'a [u8], ProtocolError> {
        let (head, tail) = self.rest.split_at_checked(count).ok_or(ProtocolError::Truncated(field))?;
        self.rest = tail;
        Ok(head)
    }

    pub(crate) fn u8(&mut self, field: &'static str) -> Result<u8, ProtocolError> {
        let (byte, tail) = self.rest.split_first().ok_or(ProtocolError::Truncated(field))?;
        self.rest = tail;
        Ok(*byte)
    }

    pub(crate) fn u32(&mut self, field: &'static str) -> Result<u32, ProtocolError> {
        let (word, tail) = self.rest.split_first_chunk().ok_or(ProtocolError::Truncated(field))?;
        self.rest = tail;
        Ok(u32::from_le_bytes(*word))
    }

    pub(crate) fn u64(&mut self, field: &'static str) -> Result<u64, ProtocolError> {
        let (word, tail) = self.rest.split_first_chunk().ok_or(ProtocolError::Truncated(field))?;
        self.rest = tail;
        Ok(u64::from_le_bytes(*word))
    }

    pub(crate) fn bytes(&mut self, field: &'static str) -> Result<&'a [u8], ProtocolError> {
        let length = self.u32(field)? as usize;
        self.take(length, field)
    }

    pub(crate) fn str(&mut self, field: &'static str) -> Result<String, ProtocolError> {
        let bytes = self.bytes(field)?;
        let text = std::str::from_utf8(bytes).map_err(|_| ProtocolError::BadField(field))?;
        Ok(text.to_owned())
    }

    /// Read `count` native-order floats.
    pub(crate) fn f32s(&mut self, count: usize, field: &'static str) -> Result<Vec<f32>, ProtocolError> {
        let length = count.checked_mul(4).ok_or(ProtocolError::BadField(field))?;
        let (chunks, _) = self.take(length, field)?.as_chunks::<4>();
        Ok(chunks.iter().map(|chunk| f32::from_le_bytes(*chunk)).collect())
    }

    /// Read a count of things that take at least `least` bytes each, so that it bounds an allocation.
    pub(crate) fn count(&mut self, least: usize, field: &'static str) -> Result<usize, ProtocolError> {
        let count = self.u32(field)? as usize;
        if count > self.rest.len() / least.max(1) {
            return Err(ProtocolError::Truncated(field));
        }
        Ok(count)
    }

    /// Refuse bytes after the last field.
    pub(crate) fn end(self) -> Result<(), ProtocolError> {
        if self.rest.is_empty() { Ok(()) } else { Err(ProtocolError::Trailing(self.rest.len())) }
    }
}
