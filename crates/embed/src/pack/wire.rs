//! The little of protocol buffers' wire format that reading an ONNX file's outline takes: varints, and runs of bytes
//! that are read or passed over.
//!
//! It reads from the file and passes over weights without reading them, so that gigabytes cost nothing. Format:
//! <https://protobuf.dev/programming-guides/encoding/>.

use std::io::{self, BufReader, Read, Seek};

/// The longest string that is read, in bytes; a name or a path of an ONNX file is far shorter.
const MAX_STRING: u64 = 4096;

/// A message's field: its number, and its value or where the value ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Field {
    Varint(u32, u64),
    /// Bytes from the present place to the second number.
    Bytes(u32, u64),
    /// A fixed-width number, passed over already.
    Fixed(u32),
}

/// A reader that knows its place.
pub struct Wire<R> {
    input: BufReader<R>,
    at: u64,
    end: u64,
}

fn broken(message: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message.into())
}

impl<R: Read + Seek> Wire<R> {
    /// Read an input from its beginning.
    pub fn new(mut input: R) -> io::Result<Wire<R>> {
        let end = input.seek(io::SeekFrom::End(0))?;
        input.rewind()?;
        Ok(Wire { input: BufReader::new(input), at: 0, end })
    }

    /// The length of the whole input, in bytes.
    pub fn len(&self) -> u64 {
        self.end
    }

    fn byte(&mut self) -> io::Result<u8> {
        let mut one = [0];
        self.input.read_exact(&mut one)?;
        self.at += 1;
        Ok(one[0])
    }

    fn varint(&mut self) -> io::Result<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(broken("a number has more than ten bytes"))
    }

    /// The next field of a message that ends at `end`; none at the end.
    pub fn field(&mut self, end: u64) -> io::Result<Option<Field>> {
        if self.at >= end {
            return if self.at == end { Ok(None) } else { Err(broken("a field goes on beyond its message")) };
        }
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).map_err(|_| broken("a field number is out of range"))?;
        match tag & 7 {
            0 => Ok(Some(Field::Varint(number, self.varint()?))),
            1 => self.skip_to(self.at + 8).map(|()| Some(Field::Fixed(number))),
            5 => self.skip_to(self.at + 4).map(|()| Some(Field::Fixed(number))),
            2 => {
                let length = self.varint()?;
                let stop = self.at.checked_add(length).filter(|stop| *stop <= end);
                Ok(Some(Field::Bytes(number, stop.ok_or_else(|| broken("a field goes on beyond its message"))?)))
            }
            kind => Err(broken(format!("a field has the unknown wire type {kind}"))),
        }
    }

    /// Pass over everything before `place`.
    pub fn skip_to(&mut self, place: u64) -> io::Result<()> {
        let distance = place.checked_sub(self.at).and_then(|distance| i64::try_from(distance).ok());
        let distance = distance.filter(|_| place <= self.end).ok_or_else(|| broken("the file ends too early"))?;
        self.input.seek_relative(distance)?;
        self.at = place;
        Ok(())
    }

    /// Read the bytes before `end` as a string.
    pub fn string(&mut self, end: u64) -> io::Result<String> {
        let length = end.saturating_sub(self.at);
        if length > MAX_STRING {
            return Err(broken(format!("a name has {length} bytes; at most {MAX_STRING} are read")));
        }
        let mut bytes = vec![0; length as usize];
        self.input.read_exact(&mut bytes)?;
        self.at = end;
        String::from_utf8(bytes).map_err(|_| broken("a name is not UTF-8"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn fields(bytes: &[u8]) -> io::Result<Vec<Field>> {
        let mut wire = Wire::new(Cursor::new(bytes))?;
        let mut found = Vec::new();
        while let Some(field) = wire.field(wire.len())? {
            if let Field::Bytes(_, end) = field {
                wire.skip_to(end)?;
            }
            found.push(field);
        }
        Ok(found)
    }

    #[test]
    fn fields_of_every_kind_are_told_apart() {
        let bytes = [0x08, 0x96, 0x01, 0x12, 2, b'h', b'i', 0x1D, 0, 0, 0, 0, 0x21, 0, 0, 0, 0, 0, 0, 0, 0];
        let wanted = [Field::Varint(1, 150), Field::Bytes(2, 7), Field::Fixed(3), Field::Fixed(4)];
        assert_eq!(fields(&bytes).expect("it is in order"), wanted);
        let mut wire = Wire::new(Cursor::new(&bytes[3..])).expect("it can be read");
        assert_eq!(wire.field(4).expect("it is in order"), Some(Field::Bytes(2, 4)));
        assert_eq!(wire.string(4).expect("it is text"), "hi");
    }

    #[test]
    fn nothing_cut_short_or_overlong_is_read() {
        for bad in [&[0x12, 5, b'h'][..], &[0x08], &[0x80; 12], &[0x1D, 0], &[0x0B], &[0x12, 0xFF, 0xFF, 0xFF, 0x7F]] {
            assert!(fields(bad).is_err(), "{bad:?}");
        }
    }
}
