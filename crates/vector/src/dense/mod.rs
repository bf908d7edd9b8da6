//! `vector` and `halfvec`: one list of elements, which are `f32` or the bits of an IEEE half (`u16`).
//!
//! What differs between the two is in [`Element`]; all the rest is written once, over slices of any element.

pub mod aggregate;
pub mod arith;
pub mod distance;
mod element;
pub mod order;
pub mod stored;
pub mod text;
pub mod wire;

pub use element::{Element, all_finite, check_elements, convert};
