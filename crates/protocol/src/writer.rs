//! Writing of frames: the length word is filled in when the body is complete.

/// A frame under construction.
pub(crate) struct Writer {
    frame: Vec<u8>,
}

impl Writer {
    pub(crate) fn new(kind: u8) -> Self {
        Self { frame: vec![0, 0, 0, 0, kind] }
    }

    pub(crate) fn u8(&mut self, value: u8) {
        self.frame.push(value);
    }

    /// Write a count or length; what exceeds `u32` also exceeds the frame and is refused by the peer.
    pub(crate) fn u32(&mut self, value: usize) {
        let value = u32::try_from(value).unwrap_or(u32::MAX);
        self.frame.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn u64(&mut self, value: u64) {
        self.frame.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn bytes(&mut self, value: &[u8]) {
        self.u32(value.len());
        self.frame.extend_from_slice(value);
    }

    pub(crate) fn f32s(&mut self, values: &[f32]) {
        let start = self.frame.len();
        self.frame.resize(start + 4 * values.len(), 0);
        let (words, _) = self.frame.get_mut(start..).unwrap_or_default().as_chunks_mut::<4>();
        words.iter_mut().zip(values).for_each(|(word, value)| *word = value.to_le_bytes());
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        let length = u32::try_from(self.frame.len() - 4).unwrap_or(u32::MAX);
        if let Some(word) = self.frame.first_chunk_mut() {
            *word = length.to_le_bytes();
        }
        self.frame
    }
}
