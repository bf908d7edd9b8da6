//! From a file's bytes to one channel of samples: the container is sniffed, its sound track decoded by symphonia packet by
//! packet, encoder delay and padding trimmed, the channels mixed. No resampling.
//!
//! Whatever the bytes are, the answer is a sound or a refusal: limits are checked before the decoder is made and after
//! every packet, packets that symphonia calls broken are passed over, and a panic of a decoder becomes a refusal.

mod edits;
mod sniff;
mod track;

use std::panic::{AssertUnwindSafe, catch_unwind};

use symphonia::core::audio::GenericAudioBufferRef;
use symphonia::core::errors::Error;
use vw_protocol::ErrorCode;

use super::channels::Mix;
use super::limits::Limits;
use super::sound::{Reach, Sound};
use crate::Failure;
use track::Track;

/// Decode one file; [`ErrorCode::BadInput`] where it is too large, too long, broken, or no sound that is read here.
pub fn decode(file: &[u8], limits: &Limits, mix: Mix, reach: Reach) -> Result<Sound, Failure> {
    if file.len() > limits.file_bytes {
        let message = format!("the audio has {} bytes; at most {} are accepted", file.len(), limits.file_bytes);
        return Err(Failure::new(ErrorCode::BadInput, message));
    }
    let decoded = catch_unwind(AssertUnwindSafe(|| read(file, limits, mix, reach)));
    decoded.unwrap_or_else(|_| Err(broken("its decoder gave up")))
}

fn read(file: &[u8], limits: &Limits, mix: Mix, reach: Reach) -> Result<Sound, Failure> {
    let (container, start) = sniff::sniff(file)?;
    let mut track = Track::open(file.get(start..).unwrap_or_default(), container, limits)?;
    let mut mixer = Mixer::new(&track, limits, mix, reach)?;
    let mut broken_packet = None;
    loop {
        let packet = match track.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => break,
            // A file that was cut off ends here: what came before is the sound.
            Err(error) => {
                broken_packet.get_or_insert(error);
                break;
            }
        };
        if mixer.is_full() {
            mixer.count(track.frames_of(&packet))?;
            continue;
        }
        match track.decoder.decode(&packet) {
            Ok(buffer) => mixer.take(&buffer)?,
            Err(error @ (Error::DecodeError(_) | Error::IoError(_) | Error::ResetRequired)) => {
                broken_packet.get_or_insert(error);
            }
            Err(error) => return Err(broken(error)),
        }
    }
    let sound = mixer.finish();
    match broken_packet {
        Some(error) if sound.samples.is_empty() => Err(broken(error)),
        None if sound.samples.is_empty() => Err(Failure::new(ErrorCode::BadInput, "the audio has no samples")),
        _ if sound.samples.iter().any(|sample| !sample.is_finite()) => {
            Err(Failure::new(ErrorCode::BadInput, "the audio has samples that are no finite numbers"))
        }
        _ => Ok(sound),
    }
}

/// Refuse a file whose bytes do not follow its format.
fn broken(why: impl std::fmt::Display) -> Failure {
    Failure::new(ErrorCode::BadInput, format!("the audio cannot be decoded: {why}"))
}

/// Samples for which more room is made at a time.
const STEP: usize = 1 << 20;

/// Gathers the mixed samples of a track, no more than wanted and no more than allowed.
struct Mixer {
    mix: Mix,
    rate: u32,
    channels: usize,
    /// Samples to keep.
    wanted: usize,
    /// Longest sound, in samples.
    longest: u64,
    /// Most samples kept of any sound.
    most: usize,
    planes: Vec<Vec<f32>>,
    samples: Vec<f32>,
    length: u64,
    /// Samples still to be dropped at the beginning.
    delay: usize,
    /// Samples of the sound, after which padding follows.
    end: u64,
}

impl Mixer {
    fn new(track: &Track<'_>, limits: &Limits, mix: Mix, reach: Reach) -> Result<Mixer, Failure> {
        let wanted = match reach {
            Reach::Whole => usize::MAX,
            Reach::First(seconds) => (seconds * f64::from(track.rate)).ceil() as usize,
        };
        let longest = u64::from(limits.seconds) * u64::from(track.rate);
        let mixer = Mixer {
            mix,
            rate: track.rate,
            channels: track.channels,
            wanted,
            longest,
            most: limits.samples,
            planes: Vec::new(),
            samples: Vec::new(),
            length: 0,
            delay: usize::try_from(track.span.delay).unwrap_or(usize::MAX),
            end: track.span.length.unwrap_or(u64::MAX),
        };
        if let Some(frames) = track.frames {
            mixer.check(frames, usize::try_from(frames).unwrap_or(usize::MAX).min(wanted))?;
        }
        Ok(mixer)
    }

    fn is_full(&self) -> bool {
        self.samples.len() >= self.wanted
    }

    /// Refuse a sound of `length` samples, `kept` of them in memory, that is beyond the limits.
    fn check(&self, length: u64, kept: usize) -> Result<(), Failure> {
        if length > self.longest {
            let longest = self.longest / u64::from(self.rate);
            let message = format!("the audio is longer than {longest} seconds");
            return Err(Failure::new(ErrorCode::BadInput, message).hint("cut it into shorter parts"));
        }
        if kept > self.most {
            let message =
                format!("the audio has more than {} samples at {} Hz, which is too many to hold", self.most, self.rate);
            return Err(Failure::new(ErrorCode::BadInput, message).hint("use a lower sample rate or a shorter sound"));
        }
        Ok(())
    }

    /// Add one packet's samples.
    fn take(&mut self, buffer: &GenericAudioBufferRef<'_>) -> Result<(), Failure> {
        let spec = buffer.spec();
        if buffer.frames() > 0 && (spec.rate() != self.rate || spec.channels().count() != self.channels) {
            let message = "the audio changes its sample rate or its channels on the way";
            return Err(Failure::new(ErrorCode::BadInput, message));
        }
        let skip = self.delay.min(buffer.frames());
        self.delay -= skip;
        let left = usize::try_from(self.end.saturating_sub(self.length)).unwrap_or(usize::MAX);
        let fresh = (buffer.frames() - skip).min(left);
        let take = fresh.min(self.wanted.saturating_sub(self.samples.len()));
        self.check(self.length, self.samples.len().saturating_add(take))?;
        buffer.slice(skip..).copy_to_vecs_planar(&mut self.planes);
        if self.samples.capacity() - self.samples.len() < take {
            // Not twice as much, as a vector grows by itself: a long sound would not fit into a decoder's memory.
            let more = take.max(STEP);
            self.samples.try_reserve_exact(more).map_err(|_| broken("it needs more memory than there is"))?;
        }
        self.mix.append(&self.planes, take, &mut self.samples);
        self.count(fresh as u64)
    }

    /// Add samples that are not kept.
    fn count(&mut self, frames: u64) -> Result<(), Failure> {
        self.length = self.length.saturating_add(frames).min(self.end);
        self.check(self.length, self.samples.len())
    }

    fn finish(self) -> Sound {
        Sound { samples: self.samples, rate: self.rate, length: self.length }
    }
}
