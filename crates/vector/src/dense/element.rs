//! What the functions of this folder need of an element: its type's name, its number, its distances.

use crate::kernel::{Sums, half, kernels};
use crate::{Error, Kind, Message, Plain};

/// An element of a dense vector: `f32`, or `u16` for the bits of a half.
pub trait Element: Plain {
    /// The type that is made of these.
    const KIND: Kind;

    /// The number.
    fn to_f32(self) -> f32;

    /// Round to the nearest element; what is too great becomes infinite.
    fn round(value: f32) -> Self;

    /// Round, but refuse a number that becomes infinite only by that.
    fn fit(value: f32) -> Result<Self, Error> {
        let element = Self::round(value);
        if element.to_f32().is_infinite() && !value.is_infinite() {
            return Err(Error::NumberOutOfRange(Self::KIND, value));
        }
        Ok(element)
    }

    /// Append the element in network byte order.
    fn put(self, out: &mut Vec<u8>);

    /// Take an element out of a message.
    fn take(message: &mut Message) -> Result<Self, Error>;

    /// Squared Euclidean distance of slices of equal length.
    fn l2_squared(sums: impl Sums, left: &[Self], right: &[Self]) -> f32;

    /// Inner product.
    fn inner_product(sums: impl Sums, left: &[Self], right: &[Self]) -> f32;

    /// Taxicab distance.
    fn l1(sums: impl Sums, left: &[Self], right: &[Self]) -> f32;

    /// Inner product and both squared norms.
    fn cosine(sums: impl Sums, left: &[Self], right: &[Self]) -> (f32, f32, f32);

    /// Widen all elements into `out`, which is as long.
    fn widen(values: &[Self], out: &mut [f32]);

    /// Round numbers into `out`, which is as long.
    fn narrow(values: &[f32], out: &mut [Self]);

    /// Give all elements' numbers to `read`, block by block.
    fn read_blocks(values: &[Self], read: impl FnMut(&[f32]));

    /// Let `change` put numbers in place of those of `left`, block by block, out of both.
    fn change_blocks(left: &mut [Self], right: &[Self], change: impl FnMut(&mut [f32], &[f32]));
}

/// Halves that are widened at a time: a block's numbers stay in the first cache.
const BLOCK: usize = 256;

macro_rules! measured {
    ($l2_squared:ident, $inner_product:ident, $l1:ident, $cosine:ident) => {
        #[inline(always)]
        fn l2_squared(sums: impl Sums, left: &[Self], right: &[Self]) -> f32 {
            sums.$l2_squared(left, right)
        }

        #[inline(always)]
        fn inner_product(sums: impl Sums, left: &[Self], right: &[Self]) -> f32 {
            sums.$inner_product(left, right)
        }

        #[inline(always)]
        fn l1(sums: impl Sums, left: &[Self], right: &[Self]) -> f32 {
            sums.$l1(left, right)
        }

        #[inline(always)]
        fn cosine(sums: impl Sums, left: &[Self], right: &[Self]) -> (f32, f32, f32) {
            sums.$cosine(left, right)
        }
    };
}

impl Element for f32 {
    const KIND: Kind = Kind::Vector;

    #[inline]
    fn to_f32(self) -> f32 {
        self
    }

    #[inline]
    fn round(value: f32) -> Self {
        value
    }

    fn put(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_be_bytes());
    }

    #[inline]
    fn take(message: &mut Message) -> Result<Self, Error> {
        message.f32()
    }

    fn widen(values: &[Self], out: &mut [f32]) {
        out.iter_mut().zip(values).for_each(|(out, value)| *out = *value);
    }

    fn narrow(values: &[f32], out: &mut [Self]) {
        Self::widen(values, out);
    }

    #[inline]
    fn read_blocks(values: &[Self], mut read: impl FnMut(&[f32])) {
        read(values);
    }

    #[inline]
    fn change_blocks(left: &mut [Self], right: &[Self], mut change: impl FnMut(&mut [f32], &[f32])) {
        change(left, right);
    }

    measured!(f32_l2_squared, f32_inner_product, f32_l1, f32_cosine);
}

impl Element for u16 {
    const KIND: Kind = Kind::Halfvec;

    #[inline]
    fn to_f32(self) -> f32 {
        half::to_f32(self)
    }

    #[inline]
    fn round(value: f32) -> Self {
        half::from_f32(value)
    }

    fn put(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_be_bytes());
    }

    #[inline]
    fn take(message: &mut Message) -> Result<Self, Error> {
        message.u16()
    }

    fn widen(values: &[Self], out: &mut [f32]) {
        (kernels().f16_to_f32)(values, out);
    }

    fn narrow(values: &[f32], out: &mut [Self]) {
        (kernels().f32_to_f16)(values, out);
    }

    fn read_blocks(values: &[Self], mut read: impl FnMut(&[f32])) {
        let mut buffer = [0.0; BLOCK];
        for block in values.chunks(BLOCK) {
            let numbers = buffer.get_mut(..block.len()).unwrap_or_default();
            Self::widen(block, numbers);
            read(numbers);
        }
    }

    fn change_blocks(left: &mut [Self], right: &[Self], mut change: impl FnMut(&mut [f32], &[f32])) {
        let mut buffers = [[0.0; BLOCK]; 2];
        for (left, right) in left.chunks_mut(BLOCK).zip(right.chunks(BLOCK)) {
            let [l, r] = &mut buffers;
            let (l, r) = (l.get_mut(..left.len()).unwrap_or_default(), r.get_mut(..right.len()).unwrap_or_default());
            Self::widen(left, l);
            Self::widen(right, r);
            change(l, r);
            Self::narrow(l, left);
        }
    }

    measured!(f16_l2_squared, f16_inner_product, f16_l1, f16_cosine);
}

/// Refuse NaN and infinities.
pub fn check_elements<E: Element>(values: &[E]) -> Result<(), Error> {
    if all_finite(values) {
        return Ok(());
    }
    values.iter().try_for_each(|value| E::KIND.check_element(value.to_f32()))
}

/// Round numbers into elements of `out`, which is as long; one that does not fit is an error.
pub fn convert<E: Element>(values: &[f32], out: &mut [E]) -> Result<(), Error> {
    E::narrow(values, out);
    if all_finite(out) {
        return Ok(());
    }
    // Infinities of the input are the caller's to refuse.
    values.iter().try_for_each(|value| E::fit(*value).map(drop))
}

/// Tell whether no element is infinite or NaN.
pub fn all_finite<E: Element>(values: &[E]) -> bool {
    let mut finite = true;
    E::read_blocks(values, |numbers| finite &= numbers.iter().fold(true, |finite, number| finite & number.is_finite()));
    finite
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_end_at_65520() {
        assert_eq!(u16::fit(65519.0), Ok(0x7bff));
        assert_eq!(u16::fit(65520.0), Err(Error::NumberOutOfRange(Kind::Halfvec, 65520.0)));
        let text = u16::fit(-1e10).expect_err("too great").to_string();
        assert_eq!(text, "\"-1e+10\" is out of range for type halfvec");
        assert_eq!(u16::fit(f32::INFINITY), Ok(0x7c00));
        assert_eq!(u16::fit(1e-8), Ok(0));
        assert_eq!(f32::fit(f32::MAX), Ok(f32::MAX));
    }

    #[test]
    fn the_first_bad_element_is_named() {
        assert_eq!(check_elements(&[1.0, f32::INFINITY, f32::NAN]), Err(Error::Infinite(Kind::Vector)));
        assert_eq!(check_elements(&[0x7e00u16]), Err(Error::Nan(Kind::Halfvec)));
        assert_eq!(check_elements(&[f32::MAX, -0.0]), Ok(()));
    }
}
