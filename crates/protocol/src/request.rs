//! What the server library asks of the engine.

use crate::ProtocolError;
use crate::reader::Reader;
use crate::writer::Writer;

/// What kind of input is embedded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Modality {
    Text = 1,
    Image = 2,
    Audio = 3,
}

impl Modality {
    /// The name that SQL and the service use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Image => "image",
            Self::Audio => "audio",
        }
    }

    /// This modality's bit in [`crate::Model::types`]: 1 text, 2 image, 4 audio.
    pub fn bit(self) -> u8 {
        1 << (self as u8 - 1)
    }

    /// Find a modality by its name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Text, Self::Image, Self::Audio].into_iter().find(|modality| modality.name() == name)
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        [Self::Text, Self::Image, Self::Audio].into_iter().find(|modality| *modality as u8 == code)
    }
}

/// One request; the engine answers each with one [`crate::Reply`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Embed `inputs` with `model`; `bulk` work gives way to single queries.
    ///
    /// A model is named by its id, or by `id@sha256` where another pack of that id must not answer; an empty name
    /// is the default.
    Embed { modality: Modality, bulk: bool, model: String, inputs: Vec<Vec<u8>> },
    /// List the models.
    Models,
    /// Tell what the towers did so far.
    Stats,
    /// Answer with [`crate::Reply::Pong`].
    Ping,
}

const EMBED: u8 = 1;
const MODELS: u8 = 2;
const PING: u8 = 3;
const STATS: u8 = 4;

impl Request {
    /// Give the whole frame, length word included.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Embed { modality, bulk, model, inputs } => {
                let mut writer = Writer::new(EMBED);
                writer.u8(*modality as u8);
                writer.u8(u8::from(*bulk));
                writer.bytes(model.as_bytes());
                writer.u32(inputs.len());
                inputs.iter().for_each(|input| writer.bytes(input));
                writer.finish()
            }
            Self::Models => Writer::new(MODELS).finish(),
            Self::Stats => Writer::new(STATS).finish(),
            Self::Ping => Writer::new(PING).finish(),
        }
    }

    /// Read a frame's bytes after its length word.
    pub fn decode(body: &[u8]) -> Result<Self, ProtocolError> {
        let mut reader = Reader::new(body);
        let request = match reader.u8("kind")? {
            EMBED => Self::decode_embed(&mut reader)?,
            MODELS => Self::Models,
            STATS => Self::Stats,
            PING => Self::Ping,
            kind => return Err(ProtocolError::UnknownKind(kind)),
        };
        reader.end()?;
        Ok(request)
    }

    fn decode_embed(reader: &mut Reader<'_>) -> Result<Self, ProtocolError> {
        let modality = Modality::from_code(reader.u8("modality")?).ok_or(ProtocolError::BadField("modality"))?;
        let bulk = match reader.u8("bulk")? {
            0 => false,
            1 => true,
            _ => return Err(ProtocolError::BadField("bulk")),
        };
        let model = reader.str("model")?;
        let count = reader.count(4, "inputs")?;
        let inputs = (0..count).map(|_| reader.bytes("input").map(<[u8]>::to_vec)).collect::<Result<_, _>>()?;
        Ok(Self::Embed { modality, bulk, model, inputs })
    }
}
