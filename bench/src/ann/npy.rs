//! Reading an array that NumPy saved: two dimensions of little-endian float32, row by row, and nothing else.
//!
//! The format: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use super::data::Vectors;

const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// Read the array of a file.
pub fn read(path: &Path) -> Result<Vectors> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    parse(&mut BufReader::with_capacity(1 << 20, file)).with_context(|| format!("cannot read {}", path.display()))
}

fn parse(input: &mut impl Read) -> Result<Vectors> {
    let start: [u8; 8] = take(input)?;
    ensure!(start.starts_with(MAGIC), "this is no .npy file");
    // The major version tells how wide the header's length is.
    let length = match start[6] {
        1 => usize::from(u16::from_le_bytes(take(input)?)),
        2 | 3 => u32::from_le_bytes(take(input)?) as usize,
        version => bail!("version {version} of the format is unknown"),
    };
    let mut header = vec![0; length];
    input.read_exact(&mut header)?;
    let (rows, dims) = shape(&String::from_utf8_lossy(&header))?;
    let mut values = Vec::with_capacity(rows * dims);
    let mut row = vec![0; dims * 4];
    for _ in 0..rows {
        input.read_exact(&mut row)?;
        values.extend(row.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)));
    }
    Ok(Vectors { dims, values })
}

fn take<const N: usize>(input: &mut impl Read) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    input.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Rows and dimensions out of the header, a Python dictionary such as
/// `{'descr': '<f4', 'fortran_order': False, 'shape': (200000, 1024), }`.
fn shape(header: &str) -> Result<(usize, usize)> {
    let plain: String = header.chars().filter(|c| !c.is_whitespace()).collect();
    ensure!(plain.contains("'descr':'<f4'"), "its values are not little-endian float32: {header}");
    ensure!(plain.contains("'fortran_order':False"), "it is not stored row by row");
    let inside = plain.split("'shape':(").nth(1).and_then(|tail| tail.split(')').next()).unwrap_or_default();
    let sizes: Result<Vec<usize>, _> = inside.split(',').filter(|word| !word.is_empty()).map(str::parse).collect();
    match sizes.as_deref() {
        Ok([rows, dims]) if *dims > 0 => Ok((*rows, *dims)),
        _ => bail!("its shape is not (rows, dimensions): {header}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(header: &str, values: &[f32]) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        bytes
    }

    #[test]
    fn an_array_is_read() {
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n";
        let read = parse(&mut file(header, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).as_slice()).unwrap();
        assert_eq!((read.dims, read.len()), (3, 2));
        assert_eq!(read.row(1), [4.0, 5.0, 6.0]);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for header in [
            "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2), }",
            "{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2), }",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }",
        ] {
            assert!(parse(&mut file(header, &[1.0, 2.0]).as_slice()).is_err(), "{header}");
        }
        assert!(parse(&mut b"PK\x03\x04".as_slice()).is_err());
    }
}
