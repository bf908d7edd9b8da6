//! What the engine answers.

use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Modality, ProtocolError};

/// One embedded input.
#[derive(Clone, Debug, PartialEq)]
pub struct Embedding {
    /// Tokens that the model read, special ones included.
    pub tokens: u32,
    /// Whether the input was longer than the model's maximum and was cut.
    pub truncated: bool,
    /// The unit vector, of the model's dimensions.
    pub vector: Vec<f32>,
}

/// One model that the engine can run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    pub id: String,
    pub name: String,
    /// The modalities with a tower, as the sum of their [`Modality::bit`]s.
    pub types: u8,
    pub dimensions: u32,
    pub metric: String,
    /// The longest text that is read whole, in tokens.
    pub max_tokens: u32,
    /// Hash over the pack's files, in lower-case hexadecimal digits.
    pub sha256: String,
}

impl Model {
    /// Tell whether the model has a tower for `modality`.
    pub fn embeds(&self, modality: Modality) -> bool {
        self.types & modality.bit() != 0
    }
}

/// Why a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ErrorCode {
    UnknownModel = 1,
    UnsupportedModality = 2,
    BadInput = 3,
    Overloaded = 4,
    Internal = 5,
    BrokenPack = 6,
}

impl ErrorCode {
    /// Read a code; one of a later engine counts as internal.
    fn from_code(code: u8) -> Self {
        [Self::UnknownModel, Self::UnsupportedModality, Self::BadInput, Self::Overloaded, Self::BrokenPack]
            .into_iter()
            .find(|known| *known as u8 == code)
            .unwrap_or(Self::Internal)
    }
}

/// One reply.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// The embeddings, in the order of the inputs; every vector has `dimensions` components.
    Embeddings {
        dimensions: u32,
        items: Vec<Embedding>,
    },
    Models(Vec<Model>),
    Pong,
    Error {
        code: ErrorCode,
        message: String,
        hint: String,
    },
}

const EMBEDDINGS: u8 = 0x81;
const MODELS: u8 = 0x82;
const PONG: u8 = 0x83;
const ERROR: u8 = 0xFF;

impl Reply {
    /// Give the whole frame, length word included.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Embeddings { dimensions, items } => {
                let mut writer = Writer::new(EMBEDDINGS);
                writer.u32(*dimensions as usize);
                writer.u32(items.len());
                for item in items {
                    writer.u32(item.tokens as usize);
                    writer.u8(u8::from(item.truncated));
                    writer.f32s(&item.vector);
                }
                writer.finish()
            }
            Self::Models(models) => encode_models(models),
            Self::Pong => Writer::new(PONG).finish(),
            Self::Error { code, message, hint } => {
                let mut writer = Writer::new(ERROR);
                writer.u8(*code as u8);
                writer.bytes(message.as_bytes());
                writer.bytes(hint.as_bytes());
                writer.finish()
            }
        }
    }

    /// Read a frame's bytes after its length word.
    pub fn decode(body: &[u8]) -> Result<Self, ProtocolError> {
        let mut reader = Reader::new(body);
        let reply = match reader.u8("kind")? {
            EMBEDDINGS => decode_embeddings(&mut reader)?,
            MODELS => decode_models(&mut reader)?,
            PONG => Self::Pong,
            ERROR => Self::Error {
                code: ErrorCode::from_code(reader.u8("code")?),
                message: reader.str("message")?,
                hint: reader.str("hint")?,
            },
            kind => return Err(ProtocolError::UnknownKind(kind)),
        };
        reader.end()?;
        Ok(reply)
    }
}

fn encode_models(models: &[Model]) -> Vec<u8> {
    let mut writer = Writer::new(MODELS);
    writer.u32(models.len());
    for model in models {
        writer.bytes(model.id.as_bytes());
        writer.bytes(model.name.as_bytes());
        writer.u8(model.types);
        writer.u32(model.dimensions as usize);
        writer.bytes(model.metric.as_bytes());
        writer.u32(model.max_tokens as usize);
        writer.bytes(model.sha256.as_bytes());
    }
    writer.finish()
}

fn decode_embeddings(reader: &mut Reader<'_>) -> Result<Reply, ProtocolError> {
    let dimensions = reader.u32("dimensions")?;
    let least = (dimensions as usize).checked_mul(4).and_then(|n| n.checked_add(5));
    let count = reader.count(least.ok_or(ProtocolError::BadField("dimensions"))?, "embeddings")?;
    let items = (0..count)
        .map(|_| {
            Ok(Embedding {
                tokens: reader.u32("tokens")?,
                truncated: reader.u8("truncated")? != 0,
                vector: reader.f32s(dimensions as usize, "vector")?,
            })
        })
        .collect::<Result<_, ProtocolError>>()?;
    Ok(Reply::Embeddings { dimensions, items })
}

fn decode_models(reader: &mut Reader<'_>) -> Result<Reply, ProtocolError> {
    let count = reader.count(25, "models")?;
    let models = (0..count)
        .map(|_| {
            Ok(Model {
                id: reader.str("id")?,
                name: reader.str("name")?,
                types: reader.u8("types")?,
                dimensions: reader.u32("dimensions")?,
                metric: reader.str("metric")?,
                max_tokens: reader.u32("max_tokens")?,
                sha256: reader.str("sha256")?,
            })
        })
        .collect::<Result<_, ProtocolError>>()?;
    Ok(Reply::Models(models))
}
