//! Risk: a picture is decoded, resized or preprocessed other than by the reference implementation, and its embedding is off.
//!
//! `tests/parity/image_reference.py` writes the pictures and what Pillow, `transformers` and torchvision make of them; the
//! folder above its output is named by VW_REFERENCE.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use vw_embed::image::resize::{Filter, Window, resize};
use vw_embed::image::{Limits, Picture, Preprocessor, decode};

#[derive(Deserialize)]
struct Cases {
    decode: Vec<Decode>,
    resize: Vec<Resize>,
    process: Vec<Process>,
}

/// First byte and number of bytes in values.bin.
type Place = (usize, usize);

#[derive(Deserialize)]
struct Decode {
    file: String,
    width: u32,
    height: u32,
    channels: usize,
    samples: Place,
}

#[derive(Deserialize)]
struct Resize {
    source: Place,
    from: (u32, u32),
    to: (u32, u32),
    filter: u64,
    samples: Place,
}

#[derive(Deserialize)]
struct Process {
    processor: String,
    file: String,
    shape: Vec<usize>,
    values: Place,
}

struct Reference {
    folder: PathBuf,
    cases: Cases,
    values: Vec<u8>,
}

impl Reference {
    fn read() -> Reference {
        let folder = std::env::var_os("VW_REFERENCE").expect("VW_REFERENCE names the folder of the reference values");
        let folder = PathBuf::from(folder).join("image");
        let cases = serde_json::from_slice(&std::fs::read(folder.join("cases.json")).unwrap()).unwrap();
        let values = std::fs::read(folder.join("values.bin")).unwrap();
        Reference { folder, cases, values }
    }

    fn file(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.folder.join(name)).unwrap()
    }

    fn bytes(&self, (start, length): Place) -> &[u8] {
        &self.values[start..start + length]
    }
}

#[test]
fn files_are_decoded_as_pillow_decodes_them() {
    let reference = Reference::read();
    assert!(reference.cases.decode.len() > 250, "{}", reference.cases.decode.len());
    let mut wrong = Vec::new();
    let mut worst = BTreeMap::new();
    for case in &reference.cases.decode {
        let picture = match decode(&reference.file(&case.file), &Limits::default()) {
            Ok(picture) => picture,
            Err(failure) => {
                wrong.push(format!("{}: {failure}", case.file));
                continue;
            }
        };
        let found = (picture.width(), picture.height(), picture.channels());
        if found != (case.width, case.height, case.channels) {
            wrong.push(format!("{}: {found:?}, not {:?}", case.file, (case.width, case.height, case.channels)));
            continue;
        }
        let expected = reference.bytes(case.samples);
        let largest =
            picture.samples().iter().zip(expected).map(|(ours, theirs)| ours.abs_diff(*theirs)).max().unwrap();
        let format = case.file.rsplit('.').next().unwrap().to_owned();
        let entry = worst.entry(format).or_insert(0);
        *entry = largest.max(*entry);
        if largest > 0 {
            let count = picture.samples().iter().zip(expected).filter(|(ours, theirs)| ours != theirs).count();
            wrong.push(format!("{}: {count} of {} samples differ, by {largest} at most", case.file, expected.len()));
        }
    }
    println!("{} files; largest differences {worst:?}", reference.cases.decode.len());
    assert!(wrong.is_empty(), "{} files:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn half_a_photograph_is_an_error() {
    let reference = Reference::read();
    let files = reference.cases.decode.iter().filter(|case| case.file.starts_with("jpeg_q"));
    for case in files {
        let file = reference.file(&case.file);
        assert!(decode(&file, &Limits::default()).is_ok());
        assert!(decode(&file[..file.len() / 2], &Limits::default()).is_err(), "{}", case.file);
    }
}

#[test]
fn pictures_are_resized_as_pillow_resizes_them() {
    let reference = Reference::read();
    assert!(reference.cases.resize.len() > 300, "{}", reference.cases.resize.len());
    let mut wrong = Vec::new();
    for case in &reference.cases.resize {
        let source = Picture::new(case.from.0, case.from.1, false, reference.bytes(case.source).to_vec()).unwrap();
        let filter = Filter::from_number(case.filter).unwrap();
        let (width, height) = case.to;
        let resized = resize(&source, width, height, filter, Window::whole(width, height)).unwrap();
        if resized.samples() != reference.bytes(case.samples) {
            wrong.push(format!("{filter:?} from {:?} to {:?}", case.from, case.to));
        }
    }
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn pictures_are_preprocessed_as_the_reference_classes_do() {
    let reference = Reference::read();
    assert!(reference.cases.process.len() > 300, "{}", reference.cases.process.len());
    let mut wrong = Vec::new();
    for case in &reference.cases.process {
        let processor = Preprocessor::read(&reference.folder.join(&case.processor)).unwrap();
        let features = processor.prepare(&reference.file(&case.file)).unwrap();
        assert_eq!(features.shape, case.shape, "{} of {}", case.processor, case.file);
        assert_eq!((features.clips, features.truncated), (1, false));
        let expected = reference.bytes(case.values).as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes));
        let largest =
            features.values.iter().zip(expected).map(|(ours, theirs)| (ours - theirs).abs()).fold(0.0, f32::max);
        if largest > 1e-6 {
            wrong.push(format!("{} of {}: {largest}", case.processor, case.file));
        }
    }
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
}
