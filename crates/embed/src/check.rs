//! The self-test of a pack: does it load, and does what it gives look like embeddings?
//!
//! It cannot tell whether the vectors are those of the original model; tests/parity does that for the default pack.

use std::fmt;
use std::sync::Arc;

use vw_protocol::{Embedding, Modality, Model};

use crate::Failure;
use crate::engine::Engine;
use crate::runner::Alive;

/// The first two say the same in other words; the third is about something else.
const TEXTS: [&str; 3] = [
    "A man is playing a guitar on stage.",
    "Someone performs a song with his guitar in front of an audience.",
    "The tax return is due at the end of March.",
];

/// The difference of a component that a batch may make.
const TOLERANCE: f32 = 1e-5;

/// What a check found.
#[derive(Debug)]
pub struct Report {
    pub model: Model,
    /// Cosine of the two texts that say the same, and the greater one with the third.
    pub alike: f32,
    pub unlike: f32,
    /// Greatest difference of a component between a text alone and in a batch.
    pub batched: f32,
}

/// Check the one pack of `engine`; an error says what is wrong with it.
pub fn check(engine: &Engine) -> Result<Report, Failure> {
    if let Some(failure) = engine.broken().next() {
        return Err(failure.clone());
    }
    let model = engine.models().into_iter().next().ok_or_else(|| Failure::pack("there is no pack"))?;
    let tower = engine.text_tower(&model.id)?;
    let alive: Alive = Arc::new(|| true);
    let texts = TEXTS.map(|text| text.as_bytes().to_vec());
    let alone = texts.iter().map(|text| one(&tower.embed(std::slice::from_ref(text), false, &alive)?));
    let alone = alone.collect::<Result<Vec<_>, _>>()?;
    let together = tower.embed(&texts, true, &alive)?;
    judge(model, &alone, &together)
}

fn one(embeddings: &[Embedding]) -> Result<Embedding, Failure> {
    embeddings.first().cloned().ok_or_else(|| Failure::internal("no result for a text"))
}

fn judge(model: Model, alone: &[Embedding], together: &[Embedding]) -> Result<Report, Failure> {
    for Embedding { vector, .. } in alone.iter().chain(together) {
        if vector.len() != model.dimensions as usize {
            return Err(Failure::pack(format!("a vector has {} dimensions, not {}", vector.len(), model.dimensions)));
        }
        let length = dot(vector, vector).sqrt();
        if !(0.9999..=1.0001).contains(&length) {
            return Err(Failure::pack(format!("a vector has the length {length}, not 1")));
        }
    }
    let [first, second, third] = alone else { return Err(Failure::internal("a self-test text has no result")) };
    let cosine = |a: &Embedding, b: &Embedding| dot(&a.vector, &b.vector);
    let report = Report {
        model,
        alike: cosine(first, second),
        unlike: cosine(first, third).max(cosine(second, third)),
        batched: alone.iter().zip(together).map(|(a, b)| difference(&a.vector, &b.vector)).fold(0.0, f32::max),
    };
    if report.alike <= report.unlike {
        return Err(Failure::pack(format!(
            "two texts that say the same have cosine {:.4}, less than {:.4} with one about something else",
            report.alike, report.unlike
        )));
    }
    if report.batched > TOLERANCE {
        return Err(Failure::pack(format!("a text's vector changes by {:e} with its batch", report.batched)));
    }
    Ok(report)
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>() as f32
}

fn difference(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max)
}

/// The names of what a model embeds, with commas.
pub fn modalities(model: &Model) -> String {
    let all = [Modality::Text, Modality::Image, Modality::Audio];
    all.into_iter().filter(|modality| model.embeds(*modality)).map(Modality::name).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Model { id, name, dimensions, metric, max_tokens, sha256, .. } = &self.model;
        writeln!(f, "id          {id}")?;
        writeln!(f, "name        {name}")?;
        writeln!(f, "modalities  {}", modalities(&self.model))?;
        writeln!(f, "dimensions  {dimensions}")?;
        writeln!(f, "metric      {metric}")?;
        writeln!(f, "max tokens  {max_tokens}")?;
        writeln!(f, "sha256      {sha256}")?;
        writeln!(f, "self-test   unit vectors; cosine {:.4} of two texts that say the same,", self.alike)?;
        writeln!(f, "            at most {:.4} with one about something else;", self.unlike)?;
        write!(f, "            a batch changes a component by at most {:.1e}", self.batched)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model() -> Model {
        let text = || "m".to_owned();
        let (types, dimensions, max_tokens) = (Modality::Text.bit(), 2, 256);
        Model { id: text(), name: text(), types, dimensions, metric: text(), max_tokens, sha256: text() }
    }

    fn items(vectors: [[f32; 2]; 3]) -> Vec<Embedding> {
        vectors.map(|vector| Embedding { tokens: 3, truncated: false, vector: vector.to_vec() }).to_vec()
    }

    #[test]
    fn good_vectors_pass_and_each_kind_of_bad_ones_fails() {
        let good = items([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]]);
        let report = judge(model(), &good, &good).expect("nothing is wrong");
        assert_eq!((report.alike, report.unlike, report.batched), (0.8, 0.6, 0.0));
        assert!(report.to_string().contains("modalities  text\n"));
        let says = |alone: &[Embedding], together: &[Embedding]| {
            judge(model(), alone, together).expect_err("something is wrong").message
        };
        let long = items([[2.0, 0.0], [0.8, 0.6], [0.0, 1.0]]);
        assert!(says(&long, &good).contains("length 2"));
        let nan = items([[f32::NAN, 0.0], [0.8, 0.6], [0.0, 1.0]]);
        assert!(says(&good, &nan).contains("NaN"));
        let mixed = items([[1.0, 0.0], [0.0, 1.0], [0.8, 0.6]]);
        assert!(says(&mixed, &mixed).contains("something else"));
        let moved = items([[0.8, 0.6], [0.8, 0.6], [0.0, 1.0]]);
        assert!(says(&good, &moved).contains("with its batch"));
        let mut short = good.clone();
        short[0].vector.pop();
        assert!(says(&short, &good).contains("1 dimensions"));
    }
}
