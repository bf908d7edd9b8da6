//! A message of the binary protocol, read from its start. All numbers are big endian.

use crate::Error;

/// What is left of a message.
pub struct Message<'a>(&'a [u8]);

impl<'a> Message<'a> {
    /// Read from the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Message(bytes)
    }

    /// How many bytes were not read.
    pub fn left(&self) -> usize {
        self.0.len()
    }

    /// Take the next `N` bytes; fails where fewer are left.
    #[inline]
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (bytes, rest) = self.0.split_first_chunk::<N>().ok_or(Error::ShortMessage)?;
        self.0 = rest;
        Ok(*bytes)
    }

    /// Take a 2-byte number.
    #[inline]
    pub fn u16(&mut self) -> Result<u16, Error> {
        self.take().map(u16::from_be_bytes)
    }

    /// Take a 4-byte number.
    #[inline]
    pub fn i32(&mut self) -> Result<i32, Error> {
        self.take().map(i32::from_be_bytes)
    }

    /// Take a 4-byte float.
    #[inline]
    pub fn f32(&mut self) -> Result<f32, Error> {
        self.take().map(f32::from_be_bytes)
    }
}
