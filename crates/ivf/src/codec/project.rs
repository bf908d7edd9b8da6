//! The codec of an index, and the way of a vector into the space that codes are made in.

use vw_vector::kernel::kernels;

use super::rotation::Rotation;
use super::space::{Coding, Metric, Space};

/// Everything that encoding needs, made once from the space of an index. Making it costs about as much as rotating a
/// few vectors.
#[derive(Clone, Debug)]
pub struct Codec {
    pub(super) metric: Metric,
    pub(super) dimensions: usize,
    pub(super) coding: Coding,
    pub(super) width: usize,
    pub(super) centre: Vec<f32>,
    rotation: Rotation,
}

/// A vector after the metric's transformation.
pub(super) enum Transformed {
    Vector,
    /// It has no direction, and cosine asks for one.
    Zero,
    /// Its norm or one of its numbers is out of range, or it has other dimensions.
    Unfit,
}

impl Codec {
    /// Make the codec of a space. A centre of other dimensions than the space's is taken for zeros.
    pub fn new(space: &Space) -> Self {
        let coding = space.coding.known();
        let width = coding.width(space.dimensions);
        let rotated = if matches!(coding, Coding::Bits(_)) { width } else { 0 };
        Self {
            metric: space.metric,
            dimensions: space.dimensions,
            coding,
            width,
            centre: if space.centre.len() == space.dimensions { space.centre.clone() } else { Vec::new() },
            rotation: Rotation::new(rotated, space.seed),
        }
    }

    /// The dimensions of projected vectors: a multiple of 64 for codes, the vector's own for raw rows, else none.
    pub fn padded(&self) -> usize {
        self.width
    }

    /// The bytes of every row.
    pub fn row_bytes(&self) -> usize {
        self.coding.row_bytes(self.width)
    }

    /// The bytes of every block, or 0 where there are no blocks.
    pub fn block_bytes(&self) -> usize {
        match self.coding {
            Coding::Bits(_) => super::block::HEAD + 4 * self.width,
            Coding::None | Coding::Raw => 0,
        }
    }

    /// Write the projected vector to `out`, in place of what was there: `padded()` numbers.
    ///
    /// They are all infinite for a vector that comes last (zero under cosine), and none is a number for one that has
    /// no place (not finite, of other dimensions, or out of range). Encoding knows both.
    pub fn project(&self, vector: &[f32], out: &mut Vec<f32>) {
        out.clear();
        if self.width == 0 {
            return;
        }
        match self.transform(vector, out) {
            Transformed::Vector => self.turn(out, matches!(self.coding, Coding::Bits(_))),
            Transformed::Zero => fill(out, self.width, f32::INFINITY),
            Transformed::Unfit => fill(out, self.width, f32::NAN),
        }
    }

    /// Write the vector as the metric sees it to `out`: for cosine the normalised one.
    pub(super) fn transform(&self, vector: &[f32], out: &mut Vec<f32>) -> Transformed {
        out.clear();
        let norm_sq = (kernels().f32_inner_product)(vector, vector);
        if vector.len() != self.dimensions || norm_sq.is_nan() {
            return Transformed::Unfit;
        }
        if self.metric != Metric::Cosine {
            out.extend_from_slice(vector);
            // An infinite norm may come of finite numbers, which raw rows hold well.
            let fit = norm_sq < f32::INFINITY || vector.iter().all(|value| value.is_finite());
            return if fit { Transformed::Vector } else { Transformed::Unfit };
        }
        if norm_sq == 0.0 && vector.iter().all(|value| *value == 0.0) {
            return Transformed::Zero;
        }
        if !norm_sq.is_normal() {
            return Transformed::Unfit;
        }
        let scale = 1.0 / f64::from(norm_sq).sqrt();
        out.extend(vector.iter().map(|value| (f64::from(*value) * scale) as f32));
        Transformed::Vector
    }

    /// Take the centre off (where `centred`), fill up with zeros and rotate. Raw vectors stay as they are.
    pub(super) fn turn(&self, values: &mut Vec<f32>, centred: bool) {
        if !matches!(self.coding, Coding::Bits(_)) {
            return;
        }
        if centred {
            values.iter_mut().zip(&self.centre).for_each(|(value, centre)| *value -= centre);
        }
        values.resize(self.width, 0.0);
        let norm_sq = (kernels().f32_inner_product)(values, values);
        if norm_sq < f32::MIN_POSITIVE && values.iter().any(|value| *value != 0.0) {
            // Too small to be rotated: it would become zero, which it is not.
            return fill(values, self.width, f32::NAN);
        }
        self.rotation.apply(values);
    }
}

/// Make a slice of one number.
fn fill(out: &mut Vec<f32>, width: usize, value: f32) {
    out.clear();
    out.resize(width, value);
}
