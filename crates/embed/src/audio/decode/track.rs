//! A file's sound track: its reader, its decoder, and what its headers claim, checked before anything is reserved for it.

use std::io::Cursor;

use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::well_known as codec;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::packet::Packet;
use symphonia::core::units::TimeBase;
use symphonia::default::formats::{AdtsReader, AiffReader, FlacReader, IsoMp4Reader, MpaReader, OggReader, WavReader};
use vw_protocol::ErrorCode;

use super::broken;
use super::edits::{self, Span};
use super::sniff::{ACCEPTED, Container};
use crate::Failure;
use crate::audio::limits::Limits;

/// Most samples of one channel in a packet. Real ones have 1,024 to 8,192, of PCM and FLAC up to 65,535; a decoder reserves this
/// many times the channels when it is made.
const PACKET: u64 = 1 << 17;

/// The first sound track of a file.
pub struct Track<'a> {
    reader: Box<dyn FormatReader + 'a>,
    pub decoder: Box<dyn AudioDecoder>,
    id: u32,
    time_base: Option<TimeBase>,
    pub rate: u32,
    pub channels: usize,
    /// Samples in each channel, where the headers say it.
    pub frames: Option<u64>,
    /// What of its samples is the sound, where symphonia leaves delay and padding in.
    pub span: Span,
}

impl<'a> Track<'a> {
    /// Read a file's headers and make its decoder, within `limits`.
    pub fn open(file: &'a [u8], container: Container, limits: &Limits) -> Result<Track<'a>, Failure> {
        let reader = reader(file, container).map_err(broken)?;
        let track = reader
            .default_track(TrackType::Audio)
            .or_else(|| reader.first_track(TrackType::Audio))
            .ok_or_else(|| Failure::new(ErrorCode::BadInput, "the audio has no sound track").hint(ACCEPTED))?;
        let Some(CodecParameters::Audio(parameters)) = &track.codec_params else {
            return Err(Failure::new(ErrorCode::BadInput, "the audio's codec is not known").hint(ACCEPTED));
        };
        let (rate, channels) = check(parameters, limits)?;
        let decoder = symphonia::default::get_codecs()
            .make_audio_decoder(parameters, &AudioDecoderOptions::default())
            .map_err(|error| match error {
                Error::Unsupported(_) => foreign(parameters),
                error => broken(error),
            })?;
        let (id, time_base) = (track.id, track.time_base);
        // A WAVE file that was written into a pipe says the greatest length there is; its end is the file's.
        let frames = track.num_frames.or_else(|| in_frames(track.duration?.get(), time_base, rate));
        let frames = frames.filter(|_| container != Container::Wave);
        let span = if container == Container::Mp4 { edits::span(file, id, rate) } else { Span::default() };
        Ok(Track { reader, decoder, id, time_base, rate, channels, frames, span })
    }

    /// The track's next packet, `None` at the end.
    pub fn next_packet(&mut self) -> Result<Option<Packet>, Error> {
        while let Some(packet) = self.reader.next_packet()? {
            if packet.track_id == self.id {
                return Ok(Some(packet));
            }
        }
        Ok(None)
    }

    /// Samples of one channel in a packet that is not decoded.
    pub fn frames_of(&self, packet: &Packet) -> u64 {
        in_frames(packet.dur.get(), self.time_base, self.rate).unwrap_or(0)
    }
}

/// A reader of the container that was sniffed; no other is tried.
fn reader<'a>(file: &'a [u8], container: Container) -> Result<Box<dyn FormatReader + 'a>, Error> {
    let stream = MediaSourceStream::new(Box::new(Cursor::new(file)), Default::default());
    let options = FormatOptions::default();
    Ok(match container {
        Container::Wave => Box::new(WavReader::try_new(stream, options)?),
        Container::Aiff => Box::new(AiffReader::try_new(stream, options)?),
        Container::Flac => Box::new(FlacReader::try_new(stream, options)?),
        Container::Ogg => Box::new(OggReader::try_new(stream, options)?),
        Container::Mp4 => Box::new(IsoMp4Reader::try_new(stream, options)?),
        Container::Mpeg => Box::new(MpaReader::try_new(stream, options)?),
        Container::Adts => Box::new(AdtsReader::try_new(stream, options)?),
    })
}

/// A duration in samples.
fn in_frames(duration: u64, time_base: Option<TimeBase>, rate: u32) -> Option<u64> {
    let base = time_base?;
    let frames = u128::from(duration) * u128::from(base.numer.get()) * u128::from(rate) / u128::from(base.denom.get());
    Some(u64::try_from(frames).unwrap_or(u64::MAX))
}

/// Check what the headers claim, so that no decoder reserves memory for what is not allowed.
fn check(parameters: &AudioCodecParameters, limits: &Limits) -> Result<(u32, usize), Failure> {
    let (lowest, highest) = limits.rates;
    let bad = |message: String| Err(Failure::new(ErrorCode::BadInput, message));
    if parameters.codec == codec::CODEC_ID_OPUS {
        return Err(foreign(parameters));
    }
    let Some(rate) = parameters.sample_rate else { return bad("the audio does not say its sample rate".into()) };
    if rate < lowest || rate > highest {
        return bad(format!("the audio has {rate} samples a second; accepted are {lowest} to {highest}"));
    }
    let channels = parameters.channels.as_ref().map_or(0, |channels| channels.count());
    if channels == 0 || channels > limits.channels {
        return bad(format!("the audio has {channels} channels; accepted are 1 to {}", limits.channels));
    }
    let claimed = [parameters.max_frames_per_packet, parameters.frames_per_block, alac_frames(parameters)];
    if claimed.into_iter().flatten().any(|frames| frames > PACKET) {
        return bad("the audio claims packets that are too large to be real".into());
    }
    Ok((rate, channels))
}

/// Samples in a packet of ALAC, from the first field of its magic cookie.
fn alac_frames(parameters: &AudioCodecParameters) -> Option<u64> {
    let cookie = parameters.extra_data.as_deref().filter(|_| parameters.codec == codec::CODEC_ID_ALAC)?;
    cookie.first_chunk().map(|frames| u64::from(u32::from_be_bytes(*frames)))
}

/// Refuse a codec that is not read here, by its name.
fn foreign(parameters: &AudioCodecParameters) -> Failure {
    let name = match parameters.codec {
        codec::CODEC_ID_OPUS => "Opus",
        codec::CODEC_ID_SPEEX => "Speex",
        codec::CODEC_ID_AC3 => "AC-3",
        codec::CODEC_ID_EAC3 => "E-AC-3",
        codec::CODEC_ID_AAC => "AAC of a profile other than LC",
        _ => "a codec that is not read here",
    };
    Failure::new(ErrorCode::BadInput, format!("the audio is coded in {name}")).hint(ACCEPTED)
}
