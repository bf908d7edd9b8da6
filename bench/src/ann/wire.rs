//! A vector as PostgreSQL's binary protocol carries it, and the file of a binary COPY.
//!
//! The value: how many components, two bytes that are zero, the components, all big-endian. The file:
//! <https://www.postgresql.org/docs/current/sql-copy.html>, section Binary Format.

use std::error::Error;
use std::io::{Result, Write};

use bytes::{BufMut, BytesMut};
use postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};

/// The bytes of a vector, ready to be sent.
#[derive(Debug)]
pub struct Wire(Vec<u8>);

impl Wire {
    pub fn new(components: &[f32]) -> Wire {
        let mut bytes = Vec::with_capacity(4 + 4 * components.len());
        bytes.put_u16(components.len() as u16);
        bytes.put_u16(0);
        components.iter().for_each(|component| bytes.put_f32(*component));
        Wire(bytes)
    }
}

impl ToSql for Wire {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> std::result::Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(&self.0);
        Ok(IsNull::No)
    }

    fn accepts(kind: &Type) -> bool {
        kind.name() == "vector"
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Binary
    }

    to_sql_checked!();
}

/// Write the rows `(number, vector)` as a binary COPY reads them.
pub fn copy<'a>(rows: impl Iterator<Item = (i32, &'a [f32])>, out: &mut impl Write) -> Result<()> {
    out.write_all(b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0")?;
    for (number, row) in rows {
        let value = Wire::new(row).0;
        out.write_all(&2_i16.to_be_bytes())?;
        out.write_all(&4_i32.to_be_bytes())?;
        out.write_all(&number.to_be_bytes())?;
        out.write_all(&(value.len() as i32).to_be_bytes())?;
        out.write_all(&value)?;
    }
    out.write_all(&(-1_i16).to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_its_size_and_components() {
        assert_eq!(Wire::new(&[1.0, -2.0]).0, [0, 2, 0, 0, 0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0]);
    }

    #[test]
    fn a_copy_has_head_rows_and_end() {
        let mut file = Vec::new();
        copy([(0, [1.0].as_slice())].into_iter(), &mut file).unwrap();
        assert_eq!(file.len(), 19 + 2 + 4 + 4 + 4 + 8 + 2);
        assert!(file.ends_with(&[0xff, 0xff]));
    }
}
