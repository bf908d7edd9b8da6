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
    /// The pack of this id is another than the one that was asked for.
    ChangedPack = 7,
}

impl ErrorCode {
    /// Read a code; one of a later engine counts as internal.
    fn from_code(code: u8) -> Self {
        let known = [
            Self::UnknownModel,
            Self::UnsupportedModality,
            Self::BadInput,
            Self::Overloaded,
            Self::BrokenPack,
            Self::ChangedPack,
        ];
        known.into_iter().find(|known| *known as u8 == code).unwrap_or(Self::Internal)
    }
}

/// Why a request, or one input of it, was not done, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub code: ErrorCode,
    pub message: String,
    pub hint: String,
}

/// What came of one input.
pub type Outcome = Result<Embedding, Refusal>;

/// What one tower did since the engine started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TowerStats {
    /// The model's id.
    pub model: String,
    pub modality: Modality,
    /// Whether its graph is in memory now.
    pub loaded: bool,
    /// Inputs that wait for their batch.
    pub waiting: u64,
    /// Inputs that were embedded.
    pub inputs: u64,
    /// Inputs that were refused or failed.
    pub failed: u64,
    /// Runs of the graph.
    pub batches: u64,
    /// Tokens of the inputs, special ones included; of a picture or a sound, its patches.
    pub tokens: u64,
    /// Tokens of padding that were run beside them.
    pub padding: u64,
    /// Time in the graph, in microseconds.
    pub run_micros: u64,
    /// Time that inputs waited for their batch, in microseconds, summed over the inputs.
    pub wait_micros: u64,
}

/// One reply.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// What came of the inputs, in their order; every vector has `dimensions` components.
    Embeddings {
        dimensions: u32,
        items: Vec<Outcome>,
    },
    Models(Vec<Model>),
    Stats(Vec<TowerStats>),
    Pong,
    /// The request as a whole was not done.
    Error(Refusal),
}

const EMBEDDINGS: u8 = 0x81;
const MODELS: u8 = 0x82;
const PONG: u8 = 0x83;
const STATS: u8 = 0x84;
const ERROR: u8 = 0xFF;

impl Reply {
    /// Give the whole frame, length word included.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Embeddings { dimensions, items } => {
                let mut writer = Writer::new(EMBEDDINGS);
                writer.u32(*dimensions as usize);
                writer.u32(items.len());
                items.iter().for_each(|item| encode_outcome(&mut writer, item));
                writer.finish()
            }
            Self::Models(models) => encode_models(models),
            Self::Stats(towers) => encode_stats(towers),
            Self::Pong => Writer::new(PONG).finish(),
            Self::Error(refusal) => {
                let mut writer = Writer::new(ERROR);
                encode_refusal(&mut writer, refusal);
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
            STATS => decode_stats(&mut reader)?,
            PONG => Self::Pong,
            ERROR => Self::Error(decode_refusal(&mut reader)?),
            kind => return Err(ProtocolError::UnknownKind(kind)),
        };
        reader.end()?;
        Ok(reply)
    }
}

const EMBEDDED: u8 = 0;
const REFUSED: u8 = 1;

fn encode_outcome(writer: &mut Writer, outcome: &Outcome) {
    match outcome {
        Ok(embedding) => {
            writer.u8(EMBEDDED);
            writer.u32(embedding.tokens as usize);
            writer.u8(u8::from(embedding.truncated));
            writer.f32s(&embedding.vector);
        }
        Err(refusal) => {
            writer.u8(REFUSED);
            encode_refusal(writer, refusal);
        }
    }
}

fn decode_outcome(reader: &mut Reader<'_>, dimensions: usize) -> Result<Outcome, ProtocolError> {
    match reader.u8("outcome")? {
        EMBEDDED => Ok(Ok(Embedding {
            tokens: reader.u32("tokens")?,
            truncated: reader.u8("truncated")? != 0,
            vector: reader.f32s(dimensions, "vector")?,
        })),
        REFUSED => decode_refusal(reader).map(Err),
        _ => Err(ProtocolError::BadField("outcome")),
    }
}

fn encode_refusal(writer: &mut Writer, refusal: &Refusal) {
    writer.u8(refusal.code as u8);
    writer.bytes(refusal.message.as_bytes());
    writer.bytes(refusal.hint.as_bytes());
}

fn decode_refusal(reader: &mut Reader<'_>) -> Result<Refusal, ProtocolError> {
    let code = ErrorCode::from_code(reader.u8("code")?);
    Ok(Refusal { code, message: reader.str("message")?, hint: reader.str("hint")? })
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

fn encode_stats(towers: &[TowerStats]) -> Vec<u8> {
    let mut writer = Writer::new(STATS);
    writer.u32(towers.len());
    for tower in towers {
        writer.bytes(tower.model.as_bytes());
        writer.u8(tower.modality as u8);
        writer.u8(u8::from(tower.loaded));
        let counts = [tower.waiting, tower.inputs, tower.failed, tower.batches];
        let sums = [tower.tokens, tower.padding, tower.run_micros, tower.wait_micros];
        counts.into_iter().chain(sums).for_each(|value| writer.u64(value));
    }
    writer.finish()
}

fn decode_stats(reader: &mut Reader<'_>) -> Result<Reply, ProtocolError> {
    let count = reader.count(70, "towers")?;
    let tower = |reader: &mut Reader<'_>| {
        Ok(TowerStats {
            model: reader.str("model")?,
            modality: Modality::from_code(reader.u8("modality")?).ok_or(ProtocolError::BadField("modality"))?,
            loaded: reader.u8("loaded")? != 0,
            waiting: reader.u64("waiting")?,
            inputs: reader.u64("inputs")?,
            failed: reader.u64("failed")?,
            batches: reader.u64("batches")?,
            tokens: reader.u64("tokens")?,
            padding: reader.u64("padding")?,
            run_micros: reader.u64("run_micros")?,
            wait_micros: reader.u64("wait_micros")?,
        })
    };
    (0..count).map(|_| tower(reader)).collect::<Result<_, _>>().map(Reply::Stats)
}

fn decode_embeddings(reader: &mut Reader<'_>) -> Result<Reply, ProtocolError> {
    let dimensions = reader.u32("dimensions")?;
    // A refusal is ten bytes at least, whatever the dimensions.
    let count = reader.count(10, "embeddings")?;
    let items = (0..count).map(|_| decode_outcome(reader, dimensions as usize)).collect::<Result<_, _>>()?;
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
