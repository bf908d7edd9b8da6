//! What each input of a graph is fed with: found by its name and type, so that every export of a family is served.

use ort::session::{Session, SessionInputValue};
use ort::value::{Tensor, TensorElementType, ValueType};
use vw_protocol::Modality;

use crate::Failure;
use crate::pack::Facts;

/// What an input of the graph is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Ids,
    Mask,
    Types,
    Positions,
    Features,
    /// The flag of CLAP's feature fusion.
    Longer,
    /// An input of the graph's other modality, fed with as little as it takes.
    Idle,
}

/// The type of an input's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    I64,
    I32,
    F32,
    F16,
    Bool,
}

/// One input of a graph.
#[derive(Clone, Debug)]
pub struct Binding {
    pub name: String,
    pub role: Role,
    pub kind: Kind,
    /// Extents; -1 where the graph takes any.
    pub shape: Vec<i64>,
}

/// Find what each input of a session is for, when it embeds `modality`.
pub fn bind(session: &Session, modality: Modality) -> Result<Vec<Binding>, Failure> {
    let mut found = Vec::new();
    for input in session.inputs() {
        let ValueType::Tensor { ty, shape, .. } = input.dtype() else {
            return Err(Failure::pack(format!("the graph's input {} is not a tensor", input.name())));
        };
        let kind = match ty {
            TensorElementType::Int64 => Kind::I64,
            TensorElementType::Int32 => Kind::I32,
            TensorElementType::Float32 => Kind::F32,
            TensorElementType::Float16 => Kind::F16,
            TensorElementType::Bool => Kind::Bool,
            other => return Err(Failure::pack(format!("the graph's input {} has the type {other}", input.name()))),
        };
        found.push((input.name().to_owned(), kind, shape.to_vec()));
    }
    let names: Vec<(&str, Kind)> = found.iter().map(|(name, kind, _)| (name.as_str(), *kind)).collect();
    let roles = roles(&names, modality)?;
    let bindings = found.into_iter().zip(roles);
    Ok(bindings.map(|((name, kind, shape), role)| Binding { name, role, kind, shape }).collect())
}

/// The roles of inputs, by their names and types.
fn roles(inputs: &[(&str, Kind)], modality: Modality) -> Result<Vec<Role>, Failure> {
    let has = |name: &str| inputs.iter().any(|(input, _)| *input == name);
    let (text, float) = (modality == Modality::Text, |kind: Kind| matches!(kind, Kind::F32 | Kind::F16));
    let named = ["pixel_values", "input_features", "input_values"].iter().any(|name| has(name));
    let role = |(name, kind): &(&str, Kind)| match *name {
        "input_ids" => Some(if text { Role::Ids } else { Role::Idle }),
        "attention_mask" if text => Some(Role::Mask),
        "token_type_ids" if text => Some(Role::Types),
        "position_ids" if text => Some(Role::Positions),
        "attention_mask" | "token_type_ids" | "position_ids" => has("input_ids").then_some(Role::Idle),
        "pixel_values" => Some(if modality == Modality::Image { Role::Features } else { Role::Idle }),
        "input_features" | "input_values" => {
            Some(if modality == Modality::Audio { Role::Features } else { Role::Idle })
        }
        "is_longer" => Some(if modality == Modality::Audio { Role::Longer } else { Role::Idle }),
        // Exports outside the hub name their one input as they like.
        _ if text && !has("input_ids") && matches!(kind, Kind::I64 | Kind::I32) => Some(Role::Ids),
        _ if !text && !named && float(*kind) => Some(Role::Features),
        _ => None,
    };
    let mut roles = Vec::with_capacity(inputs.len());
    for input in inputs {
        let unknown = || Failure::pack(format!("the graph wants an input {}, which is not known", input.0));
        roles.push(role(input).ok_or_else(unknown)?);
    }
    let own = if text { Role::Ids } else { Role::Features };
    match roles.iter().filter(|role| **role == own).count() {
        1 => Ok(roles),
        count => Err(Failure::pack(format!("the graph has {count} inputs for {}; one is wanted", modality.name()))),
    }
}

impl Binding {
    /// The extent of an axis, where the graph fixes it.
    pub fn fixed(&self, axis: usize) -> Option<usize> {
        self.shape.get(axis).and_then(|extent| usize::try_from(*extent).ok()).filter(|extent| *extent > 0)
    }

    /// Make a tensor of whole numbers.
    pub fn whole(&self, shape: &[usize], values: Vec<i64>) -> Result<SessionInputValue<'static>, Failure> {
        let narrow = |values: Vec<i64>| values.into_iter().map(|value| value as i32).collect::<Vec<_>>();
        match self.kind {
            Kind::I64 => tensor(shape, values),
            Kind::I32 => tensor(shape, narrow(values)),
            Kind::Bool => tensor(shape, values.into_iter().map(|value| value != 0).collect::<Vec<_>>()),
            Kind::F32 | Kind::F16 => self.real(shape, values.into_iter().map(|value| value as f32).collect()),
        }
    }

    /// Make a tensor of real numbers.
    pub fn real(&self, shape: &[usize], values: Vec<f32>) -> Result<SessionInputValue<'static>, Failure> {
        match self.kind {
            Kind::F32 => tensor(shape, values),
            Kind::F16 => tensor(shape, values.into_iter().map(half::f16::from_f32).collect::<Vec<_>>()),
            _ => Err(Failure::pack(format!("the graph's input {} is not of real numbers", self.name))),
        }
    }

    /// Feed an input of the other modality: `rows` texts of one token, or pictures of zeros.
    pub fn idle(&self, rows: usize, facts: &Facts) -> Result<SessionInputValue<'static>, Failure> {
        if !matches!(self.kind, Kind::F32 | Kind::F16) {
            return self
                .whole(&[rows, 1], vec![i64::from(self.name == "input_ids" || self.name == "attention_mask"); rows]);
        }
        let side = facts.extent("vision_config", "image_size").unwrap_or(224);
        let extent = |axis: usize| match axis {
            0 => rows,
            1 => self.fixed(1).unwrap_or(3),
            axis => self.fixed(axis).unwrap_or(side),
        };
        let shape: Vec<usize> = (0..self.shape.len()).map(extent).collect();
        let count = shape.iter().try_fold(1usize, |product, extent| product.checked_mul(*extent));
        let count = count
            .filter(|count| *count <= 1 << 26)
            .ok_or_else(|| Failure::pack("the graph's pictures are too large"))?;
        self.real(&shape, vec![0.0; count])
    }
}

fn tensor<T>(shape: &[usize], values: Vec<T>) -> Result<SessionInputValue<'static>, Failure>
where
    T: ort::value::PrimitiveTensorElementType + std::fmt::Debug + Clone + 'static,
{
    Ok(Tensor::from_array((shape.to_vec(), values)).map_err(Failure::internal)?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_told_apart_by_name_and_else_by_type() {
        let of = |inputs: &[(&str, Kind)], modality| roles(inputs, modality).ok();
        let bert = [("input_ids", Kind::I64), ("attention_mask", Kind::I64), ("token_type_ids", Kind::I64)];
        assert_eq!(of(&bert, Modality::Text), Some(vec![Role::Ids, Role::Mask, Role::Types]));
        assert_eq!(of(&bert, Modality::Image), None);
        let clip = [("input_ids", Kind::I64), ("pixel_values", Kind::F32), ("attention_mask", Kind::I64)];
        assert_eq!(of(&clip, Modality::Text), Some(vec![Role::Ids, Role::Idle, Role::Mask]));
        assert_eq!(of(&clip, Modality::Image), Some(vec![Role::Idle, Role::Features, Role::Idle]));
        let fused = [("input_features", Kind::F32), ("is_longer", Kind::Bool)];
        assert_eq!(of(&fused, Modality::Audio), Some(vec![Role::Features, Role::Longer]));
        assert_eq!(of(&[("x", Kind::I32)], Modality::Text), Some(vec![Role::Ids]));
        assert_eq!(of(&[("x", Kind::F16)], Modality::Audio), Some(vec![Role::Features]));
        assert_eq!(of(&[("x", Kind::F32), ("y", Kind::F32)], Modality::Image), None);
        assert_eq!(of(&[("input_ids", Kind::I64), ("past_key_values", Kind::F32)], Modality::Text), None);
    }
}
