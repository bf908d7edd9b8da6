//! Numbers that a pack stores beside its graphs: a linear map, a mean. One tensor of a safetensors file, or a raw file
//! of little-endian float32 whose extents the manifest gives.
//!
//! Format of safetensors: <https://github.com/huggingface/safetensors#format>.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::manifest::Stored;
use super::place::inside;
use crate::Failure;

/// The largest file that is read, in bytes.
const MAX_BYTES: u64 = 1 << 30;

/// A row-major array.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

#[derive(Deserialize)]
struct Tensor {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: (usize, usize),
}

/// Read an array that the manifest's `field` names, relative to the pack's folder.
pub fn read(folder: &Path, stored: &Stored, field: &str) -> Result<Array, Failure> {
    let path = inside(folder, &stored.file, &format!("{field}.file"))?;
    let wrong = |message: String| Failure::pack(format!("{field}: {}: {message}", path.display()));
    let size = path.metadata().map_err(|error| wrong(error.to_string()))?.len();
    if size > MAX_BYTES {
        return Err(wrong(format!("{size} bytes; at most {MAX_BYTES} are read")));
    }
    let bytes = std::fs::read(&path).map_err(|error| wrong(error.to_string()))?;
    let array = if path.extension().is_some_and(|end| end == "safetensors") {
        safetensors(&bytes, stored.tensor.as_deref())
    } else {
        raw(&bytes, stored.shape.clone())
    };
    let array = array.map_err(wrong)?;
    if array.values.iter().any(|value| !value.is_finite()) {
        return Err(wrong("a number is not finite".to_owned()));
    }
    Ok(array)
}

fn raw(bytes: &[u8], shape: Option<Vec<usize>>) -> Result<Array, String> {
    let shape = shape.ok_or("a raw file needs its shape in the manifest")?;
    let count = shape.iter().try_fold(1usize, |product, extent| product.checked_mul(*extent));
    if count.and_then(|count| count.checked_mul(4)) != Some(bytes.len()) {
        return Err(format!("{} bytes; the shape {shape:?} of float32 takes another number", bytes.len()));
    }
    let values = bytes.chunks_exact(4).map(|word| word.try_into().map_or(0.0, f32::from_le_bytes)).collect();
    Ok(Array { shape, values })
}

fn safetensors(bytes: &[u8], name: Option<&str>) -> Result<Array, String> {
    let cut = || "the file ends too early".to_owned();
    let (length, rest) = bytes.split_first_chunk::<8>().ok_or_else(cut)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| cut())?;
    let (header, data) = rest.split_at_checked(length).ok_or_else(cut)?;
    let mut header: BTreeMap<String, Value> = serde_json::from_slice(header).map_err(|error| error.to_string())?;
    header.remove("__metadata__");
    let known = header.keys().cloned().collect::<Vec<_>>().join(", ");
    let found = match name {
        Some(name) => header.remove(name),
        None if header.len() == 1 => header.into_values().next(),
        None => return Err(format!("say which tensor is meant: {known}")),
    };
    let found = found.ok_or_else(|| format!("there is no tensor \"{}\", but {known}", name.unwrap_or_default()))?;
    let tensor = Tensor::deserialize(found).map_err(|error| error.to_string())?;
    if tensor.dtype != "F32" {
        return Err(format!("its type is {}; F32 is wanted", tensor.dtype));
    }
    let (start, end) = tensor.data_offsets;
    raw(data.get(start..end).ok_or_else(cut)?, Some(tensor.shape))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(name: &str, bytes: &[u8]) -> (tempfile::TempDir, Stored) {
        let folder = tempfile::tempdir().expect("a folder can be made");
        std::fs::write(folder.path().join(name), bytes).expect("it can be written");
        (folder, Stored { file: name.into(), tensor: None, shape: None })
    }

    #[test]
    fn both_kinds_of_files_are_read_and_wrong_sizes_are_not() {
        let numbers: Vec<u8> = [1.0f32, 2.0, 3.0, 4.0].iter().flat_map(|value| value.to_le_bytes()).collect();
        let wanted = Array { shape: vec![2, 2], values: vec![1.0, 2.0, 3.0, 4.0] };
        let (folder, stored) = write("map.f32", &numbers);
        let shaped = |shape: &[usize]| Stored { shape: Some(shape.to_vec()), ..stored.clone() };
        assert_eq!(read(folder.path(), &shaped(&[2, 2]), "f").expect("it is in order"), wanted);
        for shape in [&[3, 2][..], &[usize::MAX, 2], &[]] {
            assert!(read(folder.path(), &shaped(shape), "f").is_err());
        }
        assert!(read(folder.path(), &stored, "f").expect_err("no shape").message.contains("shape"));
        let header = r#"{"__metadata__": {}, "w": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}"#;
        let file = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &numbers].concat();
        let (folder, stored) = write("map.safetensors", &file);
        assert_eq!(read(folder.path(), &stored, "f").expect("it is in order"), wanted);
        let other = Stored { tensor: Some("x".to_owned()), ..stored.clone() };
        assert!(read(folder.path(), &other, "f").expect_err("no such tensor").message.contains('w'));
        for bad in [&file[..5], &file[..40], &file[..file.len() - 1], &[0xFF; 9]] {
            let (folder, stored) = write("map.safetensors", bad);
            assert!(read(folder.path(), &stored, "f").is_err());
        }
        let (folder, stored) = write("nan.f32", &f32::NAN.to_le_bytes());
        assert!(read(folder.path(), &Stored { shape: Some(vec![1]), ..stored }, "f").is_err());
    }
}
