//! The three vector types by name, and the limits that every value of one keeps. What a value holds is in
//! [`crate::dense`] and [`crate::sparse`].

use crate::Error;

/// Which type a value or an error is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Vector,
    Halfvec,
    Sparsevec,
}

impl Kind {
    /// The type's name in SQL.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vector => "vector",
            Self::Halfvec => "halfvec",
            Self::Sparsevec => "sparsevec",
        }
    }

    /// The most dimensions that a value may have.
    pub const fn max_dim(self) -> usize {
        match self {
            Self::Vector | Self::Halfvec => crate::MAX_DIM,
            Self::Sparsevec => crate::MAX_SPARSE_DIM,
        }
    }

    /// Check a number of dimensions against the type's limits.
    pub fn check_dim(self, dim: usize) -> Result<(), Error> {
        match dim {
            0 => Err(Error::NoDimensions(self)),
            dim if dim > self.max_dim() => Err(Error::TooManyDimensions(self)),
            _ => Ok(()),
        }
    }

    /// Check that two values can be taken element by element.
    #[inline]
    pub fn check_same_dim(self, left: usize, right: usize) -> Result<(), Error> {
        if left == right { Ok(()) } else { Err(Error::DifferentDimensions(self, left, right)) }
    }

    /// Refuse NaN and infinities, which no value may hold.
    #[inline]
    pub fn check_element(self, value: f32) -> Result<(), Error> {
        match value {
            value if value.is_finite() => Ok(()),
            value if value.is_nan() => Err(Error::Nan(self)),
            _ => Err(Error::Infinite(self)),
        }
    }

    /// Read the type modifiers of a declaration such as `vector(3)`: one number of dimensions within the limits.
    pub fn check_typmod(self, modifiers: &[i32]) -> Result<i32, Error> {
        let [dimensions] = modifiers else { return Err(Error::TypmodCount) };
        match usize::try_from(*dimensions) {
            Ok(1..) if *dimensions as usize > self.max_dim() => Err(Error::TypmodTooLarge(self)),
            Ok(1..) => Ok(*dimensions),
            _ => Err(Error::TypmodTooSmall(self)),
        }
    }
}

/// Check a value's dimensions against the column's (`-1`: any).
pub fn check_expected_dim(typmod: i32, dim: usize) -> Result<(), Error> {
    if typmod == -1 || usize::try_from(typmod) == Ok(dim) {
        return Ok(());
    }
    Err(Error::ExpectedDimensions { expected: typmod, actual: dim })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_the_types_own() {
        assert_eq!(Kind::Vector.check_dim(16_000), Ok(()));
        assert_eq!(Kind::Halfvec.check_dim(16_001), Err(Error::TooManyDimensions(Kind::Halfvec)));
        assert_eq!(Kind::Sparsevec.check_dim(1_000_000_000), Ok(()));
        assert_eq!(Kind::Sparsevec.check_dim(1_000_000_001), Err(Error::TooManyDimensions(Kind::Sparsevec)));
        assert_eq!(Kind::Vector.check_dim(0), Err(Error::NoDimensions(Kind::Vector)));
    }

    #[test]
    fn declarations_are_checked() {
        assert_eq!(Kind::Vector.check_typmod(&[3]), Ok(3));
        assert_eq!(Kind::Vector.check_typmod(&[3, 4]), Err(Error::TypmodCount));
        assert_eq!(Kind::Vector.check_typmod(&[0]), Err(Error::TypmodTooSmall(Kind::Vector)));
        assert_eq!(Kind::Halfvec.check_typmod(&[16_001]), Err(Error::TypmodTooLarge(Kind::Halfvec)));
        assert_eq!(Kind::Sparsevec.check_typmod(&[-1]), Err(Error::TypmodTooSmall(Kind::Sparsevec)));
    }
}
