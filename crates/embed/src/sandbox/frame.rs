//! What goes over the pipes between the engine and a decoder. Both read it without trust in the other.
//!
//! ```text
//! job     u8 modality, u64 memory, u64 seconds, u32 length of the path, u64 length of the file, path, file
//! answer  u32 length of the rest, u8 kind, body
//!   features  u8 truncated, u8 longer, u32 clips, u32 extents, u64 each extent, float32 values
//!   refusal   a frame of vw-protocol, without its length word
//!   panic     what the decoder complained about
//! ```
//! Integers and floats are little endian.

use std::io::{ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use vw_protocol::{MAX_FRAME, Modality, Refusal, Reply};

use crate::media::Features;

/// The longest answer after its length word.
pub const MAX_ANSWER: usize = 64 << 20;
/// The longest path of a tower's folder: the system's own limit.
const MAX_PATH: usize = 4096;
/// The most extents of a clip.
const MAX_EXTENTS: usize = 8;

const FEATURES: u8 = 1;
const REFUSAL: u8 = 2;
const PANIC: u8 = 3;

/// What a decoder is asked to do.
#[derive(Debug, PartialEq)]
pub struct Job {
    pub modality: Modality,
    /// Bytes of address space.
    pub memory: u64,
    /// Seconds of the processor, after which the system ends the process, should the engine not.
    pub seconds: u64,
    /// The folder with the preprocessor_config.json.
    pub tower: PathBuf,
    pub file: Vec<u8>,
}

/// What a decoder answers.
#[derive(Debug, PartialEq)]
pub enum Answer {
    Features(Features),
    Refusal(Refusal),
    Panic(String),
}

/// Lay out everything of a job but the file itself, which follows; `None` for a path that is too long.
pub fn head(modality: Modality, memory: u64, seconds: u64, tower: &Path, file: usize) -> Option<Vec<u8>> {
    let path = tower.as_os_str().as_bytes();
    let mut head = vec![modality as u8];
    head.extend(memory.to_le_bytes());
    head.extend(seconds.to_le_bytes());
    head.extend(u32::try_from(path.len()).ok().filter(|length| *length <= MAX_PATH as u32)?.to_le_bytes());
    head.extend((file as u64).to_le_bytes());
    head.extend(path);
    Some(head)
}

/// Read the next job; `None` at the end of the pipe.
pub fn read_job(pipe: &mut impl Read) -> std::io::Result<Option<Job>> {
    let bad = |what: &str| std::io::Error::new(ErrorKind::InvalidData, format!("a job with no {what}"));
    let mut code = [0];
    if pipe.read(&mut code)? == 0 {
        return Ok(None);
    }
    let known = [Modality::Image, Modality::Audio];
    let modality = known.into_iter().find(|known| [*known as u8] == code).ok_or_else(|| bad("modality"))?;
    let mut head = [0; 28];
    pipe.read_exact(&mut head)?;
    let mut rest = head.as_slice();
    let memory = take(&mut rest).map(u64::from_le_bytes).ok_or_else(|| bad("memory"))?;
    let seconds = take(&mut rest).map(u64::from_le_bytes).ok_or_else(|| bad("seconds"))?;
    let path = take(&mut rest).map(u32::from_le_bytes).ok_or_else(|| bad("path"))? as usize;
    let length = take(&mut rest).map(u64::from_le_bytes).ok_or_else(|| bad("length"))?;
    let length = usize::try_from(length).ok().filter(|length| *length <= MAX_FRAME).ok_or_else(|| bad("length"))?;
    let mut name = vec![0; path.min(MAX_PATH)];
    pipe.read_exact(&mut name)?;
    let tower = PathBuf::from(std::ffi::OsStr::from_bytes(&name));
    let mut file = Vec::new();
    file.try_reserve_exact(length)?;
    pipe.take(length as u64).read_to_end(&mut file)?;
    if file.len() < length {
        return Err(bad("end"));
    }
    Ok(Some(Job { modality, memory, seconds, tower, file }))
}

impl Answer {
    /// Give the whole answer, length word included.
    pub fn encode(&self) -> Vec<u8> {
        let mut frame = vec![0; 4];
        match self {
            Answer::Features(features) => encode_features(&mut frame, features),
            Answer::Refusal(refusal) => {
                frame.push(REFUSAL);
                frame.extend(Reply::Error(refusal.clone()).encode().get(4..).unwrap_or_default());
            }
            Answer::Panic(message) => {
                frame.push(PANIC);
                frame.extend(message.as_bytes());
            }
        }
        let length = u32::try_from(frame.len() - 4).unwrap_or(u32::MAX).to_le_bytes();
        frame.iter_mut().zip(length).for_each(|(place, byte)| *place = byte);
        frame
    }

    /// Read an answer's bytes after its length word; `None` where they are not one.
    pub fn decode(body: &[u8]) -> Option<Answer> {
        match body.split_first()? {
            (&FEATURES, rest) => decode_features(rest).map(Answer::Features),
            (&REFUSAL, rest) => match Reply::decode(rest).ok()? {
                Reply::Error(refusal) => Some(Answer::Refusal(refusal)),
                _ => None,
            },
            (&PANIC, rest) => Some(Answer::Panic(String::from_utf8_lossy(rest).into_owned())),
            _ => None,
        }
    }
}

fn encode_features(frame: &mut Vec<u8>, features: &Features) {
    let Features { shape, clips, values, truncated, longer } = features;
    frame.reserve(64 + 4 * values.len());
    frame.extend([FEATURES, u8::from(*truncated), u8::from(*longer)]);
    frame.extend(u32::try_from(*clips).unwrap_or(u32::MAX).to_le_bytes());
    frame.extend(u32::try_from(shape.len()).unwrap_or(u32::MAX).to_le_bytes());
    shape.iter().for_each(|extent| frame.extend((*extent as u64).to_le_bytes()));
    values.iter().for_each(|value| frame.extend(value.to_le_bytes()));
}

fn decode_features(mut rest: &[u8]) -> Option<Features> {
    let (truncated, longer) = (flag(&mut rest)?, flag(&mut rest)?);
    let clips = take(&mut rest).map(u32::from_le_bytes)? as usize;
    let extents = take(&mut rest).map(u32::from_le_bytes)? as usize;
    if extents > MAX_EXTENTS {
        return None;
    }
    let extent = |_| usize::try_from(take(&mut rest).map(u64::from_le_bytes)?).ok();
    let shape = (0..extents).map(extent).collect::<Option<Vec<usize>>>()?;
    let count = shape.iter().try_fold(clips, |product, extent| product.checked_mul(*extent))?;
    let (numbers, left) = rest.as_chunks::<4>();
    if numbers.len() != count || !left.is_empty() {
        return None;
    }
    let mut values = Vec::new();
    values.try_reserve_exact(count).ok()?;
    values.extend(numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)));
    Some(Features { shape, clips, values, truncated, longer })
}

fn flag(rest: &mut &[u8]) -> Option<bool> {
    match take(rest)? {
        [0] => Some(false),
        [1] => Some(true),
        _ => None,
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, left) = rest.split_first_chunk()?;
    *rest = left;
    Some(*first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vw_protocol::ErrorCode;

    fn features() -> Features {
        let values = (0..24).map(|at| at as f32 - 0.5).collect();
        Features { shape: vec![2, 3, 2], clips: 2, values, truncated: true, longer: false }
    }

    fn job() -> Vec<u8> {
        let mut bytes = head(Modality::Audio, 7 << 20, 3, Path::new("packs/x"), 5).expect("the path is short");
        bytes.extend(b"RIFF.");
        bytes
    }

    #[test]
    fn jobs_are_read_one_after_the_other_until_the_pipe_ends() {
        let both = [job(), job()].concat();
        let mut pipe = both.as_slice();
        let one = || Job {
            modality: Modality::Audio,
            memory: 7 << 20,
            seconds: 3,
            tower: PathBuf::from("packs/x"),
            file: b"RIFF.".to_vec(),
        };
        assert_eq!(read_job(&mut pipe).expect("it is in order"), Some(one()));
        assert_eq!(read_job(&mut pipe).expect("it is in order"), Some(one()));
        assert_eq!(read_job(&mut pipe).expect("it is the end"), None);
    }

    #[test]
    fn a_job_that_is_cut_or_names_a_huge_file_is_an_error() {
        let whole = job();
        for length in 1..whole.len() {
            assert!(read_job(&mut &whole[..length]).is_err(), "{length} bytes");
        }
        let huge = head(Modality::Image, 1, 1, Path::new("x"), usize::MAX).expect("the path is short");
        assert!(read_job(&mut huge.as_slice()).is_err());
        assert!(head(Modality::Image, 1, 1, Path::new(&"x".repeat(5000)), 1).is_none());
    }

    #[test]
    fn answers_come_back_as_they_were() {
        let refusal = Refusal { code: ErrorCode::BadInput, message: "not a picture".into(), hint: "Send one.".into() };
        let empty = Features { shape: vec![0], clips: 1, values: Vec::new(), truncated: false, longer: true };
        let answers = [
            Answer::Features(features()),
            Answer::Features(empty),
            Answer::Refusal(refusal),
            Answer::Panic("index out of bounds".into()),
        ];
        for answer in answers {
            let frame = answer.encode();
            let (word, body) = frame.split_first_chunk::<4>().expect("there is a length");
            assert_eq!(u32::from_le_bytes(*word) as usize, body.len());
            assert_eq!(Answer::decode(body), Some(answer));
        }
    }

    #[test]
    fn bytes_that_are_no_answer_are_refused() {
        let body = Answer::Features(features()).encode().split_off(4);
        for length in 0..body.len() {
            assert_eq!(Answer::decode(&body[..length]), None, "{length} bytes");
        }
        for (at, value) in [(0, 9), (1, 2), (2, 2), (3, 3), (7, 200), (11, 3), (18, 255)] {
            let mut bad = body.clone();
            bad[at] = value;
            assert_eq!(Answer::decode(&bad), None, "byte {at} is {value}");
        }
    }
}
