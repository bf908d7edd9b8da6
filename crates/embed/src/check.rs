//! The self-test of a pack: does it load, and does what it gives look like embeddings?
//!
//! It cannot tell whether the vectors are those of the original model; the parity tests do that for each family.

mod samples;

use std::fmt;
use std::sync::Arc;

use vw_protocol::{Embedding, Modality, Model};

use crate::engine::Engine;
use crate::{Alive, Failure};
use samples::samples;

/// The difference of a component that a batch may make: one rounding of half precision, in which a pack may compute. What
/// this is to find, padding that is taken for words or pixels, moves vectors by far more.
const TOLERANCE: f32 = 1.0 / 2048.0;

/// All that a pack may embed.
const MODALITIES: [Modality; 3] = [Modality::Text, Modality::Image, Modality::Audio];

/// What a check found.
#[derive(Debug)]
pub struct Report {
    pub model: Model,
    pub towers: Vec<Tested>,
}

/// What the towers of one modality gave.
#[derive(Debug, PartialEq)]
pub struct Tested {
    pub modality: Modality,
    /// Cosine of the two inputs that are alike, and the greater one with the third.
    pub alike: f32,
    pub unlike: f32,
    /// Greatest difference of a component between an input alone and in a batch.
    pub batched: f32,
    /// Tokens that the first input counts for.
    pub tokens: u32,
}

/// Check the one pack of `engine`; an error says what is wrong with it.
pub fn check(engine: &Engine) -> Result<Report, Failure> {
    if let Some(failure) = engine.broken().next() {
        return Err(failure.clone());
    }
    let model = engine.models().into_iter().next().ok_or_else(|| Failure::pack("there is no pack"))?;
    let own = MODALITIES.into_iter().filter(|modality| model.embeds(*modality));
    let towers = own.map(|modality| test(engine, &model, modality)).collect::<Result<_, _>>()?;
    Ok(Report { model, towers })
}

fn test(engine: &Engine, model: &Model, modality: Modality) -> Result<Tested, Failure> {
    let place = |failure: Failure| Failure { message: format!("{}: {}", modality.name(), failure.message), ..failure };
    let alive: Alive = Arc::new(|| true);
    // As bulk work throughout: a query's prompt would be another text.
    let embed = |inputs: &[Vec<u8>]| {
        let (_, outcomes) = engine.embed(modality, true, &model.id, inputs, &alive)?;
        let refused = |refusal: vw_protocol::Refusal| Failure::new(refusal.code, refusal.message).hint(refusal.hint);
        outcomes.into_iter().map(|outcome| outcome.map_err(refused)).collect::<Result<Vec<_>, _>>()
    };
    let inputs = samples(modality);
    let alone = inputs.iter().map(|input| embed(std::slice::from_ref(input))).collect::<Result<Vec<_>, _>>();
    let alone: Vec<Embedding> = alone.map_err(place)?.into_iter().flatten().collect();
    let together = embed(&inputs).map_err(place)?;
    judge(model, modality, &alone, &together).map_err(place)
}

fn judge(model: &Model, modality: Modality, alone: &[Embedding], together: &[Embedding]) -> Result<Tested, Failure> {
    for Embedding { vector, .. } in alone.iter().chain(together) {
        if vector.len() != model.dimensions as usize {
            return Err(Failure::pack(format!("a vector has {} dimensions, not {}", vector.len(), model.dimensions)));
        }
        let length = dot(vector, vector).sqrt();
        if !(0.9999..=1.0001).contains(&length) {
            return Err(Failure::pack(format!("a vector has the length {length}, not 1")));
        }
    }
    let [first, second, third] = alone else { return Err(Failure::internal("a self-test input has no result")) };
    let cosine = |a: &Embedding, b: &Embedding| dot(&a.vector, &b.vector);
    let tested = Tested {
        modality,
        alike: cosine(first, second),
        unlike: cosine(first, third).max(cosine(second, third)),
        batched: alone.iter().zip(together).map(|(a, b)| difference(&a.vector, &b.vector)).fold(0.0, f32::max),
        tokens: first.tokens,
    };
    if tested.unlike > 0.999_999 {
        return Err(Failure::pack("inputs that have nothing in common have the same vector"));
    }
    if tested.batched > TOLERANCE {
        let message = format!("an input's vector changes by {:e} with its batch", tested.batched);
        return Err(Failure::pack(message).hint("Say \"batch_invariant\": false for the tower in vw-pack.json."));
    }
    Ok(tested)
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>() as f32
}

fn difference(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max)
}

/// The names of what a model embeds, with commas.
pub fn modalities(model: &Model) -> String {
    MODALITIES.into_iter().filter(|modality| model.embeds(*modality)).map(Modality::name).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Model { id, name, dimensions, metric, max_tokens, sha256, .. } = &self.model;
        writeln!(f, "id          {id}")?;
        writeln!(f, "name        {name}")?;
        writeln!(f, "modalities  {}", modalities(&self.model))?;
        writeln!(f, "dimensions  {dimensions}")?;
        writeln!(f, "metric      {metric}")?;
        if self.model.embeds(Modality::Text) {
            writeln!(f, "max tokens  {max_tokens}")?;
        }
        write!(f, "sha256      {sha256}")?;
        for Tested { modality, alike, unlike, batched, tokens } in &self.towers {
            let name = modality.name();
            write!(f, "\n{name:<12}unit vectors; cosine {alike:.4} of two inputs that are alike,")?;
            write!(f, "\n            at most {unlike:.4} with one that is not; the first counts for {tokens} tokens;")?;
            write!(f, "\n            a batch changes a component by at most {batched:.1e}")?;
            if alike <= unlike {
                write!(
                    f,
                    "\n            NOTE: the inputs that are alike should be nearer to each other than to the third"
                )?;
            }
        }
        Ok(())
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
        let judged = |alone: &[Embedding], together: &[Embedding]| judge(&model(), Modality::Text, alone, together);
        let tested = judged(&good, &good).expect("nothing is wrong");
        assert_eq!((tested.alike, tested.unlike, tested.batched), (0.8, 0.6, 0.0));
        let report = Report { model: model(), towers: vec![tested] }.to_string();
        assert!(report.contains("modalities  text\n") && report.contains("\ntext        unit vectors"), "{report}");
        let says = |alone: &[Embedding], together: &[Embedding]| {
            judged(alone, together).expect_err("something is wrong").message
        };
        let long = items([[2.0, 0.0], [0.8, 0.6], [0.0, 1.0]]);
        assert!(says(&long, &good).contains("length 2"));
        let nan = items([[f32::NAN, 0.0], [0.8, 0.6], [0.0, 1.0]]);
        assert!(says(&good, &nan).contains("NaN"));
        let mixed = items([[1.0, 0.0], [0.0, 1.0], [0.8, 0.6]]);
        let towers = vec![judged(&mixed, &mixed).expect("an odd model is still one")];
        assert!(Report { model: model(), towers }.to_string().contains("NOTE"));
        let same = items([[1.0, 0.0]; 3]);
        assert!(says(&same, &same).contains("the same vector"));
        let moved = items([[0.8, 0.6], [0.8, 0.6], [0.0, 1.0]]);
        assert!(says(&good, &moved).contains("with its batch"));
        let mut short = good.clone();
        short[0].vector.pop();
        assert!(says(&short, &good).contains("1 dimensions"));
    }
}
