//! What an index is made for, and what follows from it for the sizes of codes.

/// How distances are measured. The scores of codes have the scale of the operator class's support function 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// The squared Euclidean distance.
    L2,
    /// The negative inner product.
    InnerProduct,
    /// One less the cosine.
    Cosine,
}

/// What is kept of a vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// Nothing: the heap alone knows distances.
    None,
    /// The floats themselves.
    Raw,
    /// So many bits a dimension: 1, 2, 4 or 8. Any other number is taken for [`Coding::None`].
    Bits(u8),
}

/// The space of one index, which never changes while the index lives.
#[derive(Clone, Debug, PartialEq)]
pub struct Space {
    pub metric: Metric,
    pub dimensions: usize,
    pub coding: Coding,
    /// What the rotation is made from.
    pub seed: u64,
    /// What is taken off every vector (for cosine, off the normalised one): empty for zeros, or of all dimensions.
    pub centre: Vec<f32>,
}

/// Dimensions of codes are a multiple of this.
const MULTIPLE: usize = 64;

/// The bytes of a row before the code: three floats.
pub(super) const HEAD: usize = 12;

impl Coding {
    /// The same, with what is no coding taken for none.
    pub(super) fn known(self) -> Self {
        match self {
            Coding::Bits(1 | 2 | 4 | 8) | Coding::None | Coding::Raw => self,
            Coding::Bits(_) => Coding::None,
        }
    }

    /// The dimensions of a projected vector.
    pub(super) fn width(self, dimensions: usize) -> usize {
        match self {
            Coding::None => 0,
            Coding::Raw => dimensions,
            Coding::Bits(_) => dimensions.next_multiple_of(MULTIPLE),
        }
    }

    /// The bytes of a row of a projected vector of so many dimensions.
    pub(super) fn row_bytes(self, width: usize) -> usize {
        match self {
            Coding::None => 0,
            Coding::Raw => 4 * width,
            Coding::Bits(bits) => HEAD + width * usize::from(bits) / 8,
        }
    }
}
