//! One IEEE binary16 (half) number to and from `f32`, as bits; what the CPU's own instructions give, NaN payloads too.
//!
//! No arithmetic on halves: every level widens them first.

/// The bits of a half without the sign.
const MAGNITUDE: u16 = 0x7fff;
/// The half that is infinite; greater magnitudes are NaN.
const INFINITY: u16 = 0x7c00;
/// The smallest normal half, 2^-14; below it the unit is 2^-24.
const NORMAL: u16 = 0x0400;
/// What the exponent of `f32` is biased by beyond that of a half (127 - 15), in place.
const BIAS: u32 = 112 << 23;
/// How many more bits of fraction `f32` has.
const FRACTION: u32 = 13;

/// Widen a half; exact, and a NaN comes out quiet with its payload.
#[inline(always)]
pub fn to_f32(half: u16) -> f32 {
    let magnitude = u32::from(half & MAGNITUDE);
    let bits = if magnitude < u32::from(NORMAL) {
        // 0.5 has the unit 2^-24: the fraction put below it counts just those.
        (f32::from_bits(0.5f32.to_bits() | magnitude) - 0.5).to_bits()
    } else if magnitude < u32::from(INFINITY) {
        (magnitude << FRACTION) + BIAS
    } else {
        let quiet = u32::from(magnitude > u32::from(INFINITY)) << 22;
        f32::INFINITY.to_bits() | (magnitude << FRACTION) | quiet
    };
    f32::from_bits(bits | (u32::from(half & !MAGNITUDE) << 16))
}

/// Round to the nearest half, ties to even: infinite from 65520 on, zero up to 2^-25; a NaN comes out quiet.
#[inline(always)]
pub fn from_f32(value: f32) -> u16 {
    let magnitude = value.abs().to_bits();
    let half = if magnitude > f32::INFINITY.to_bits() {
        0x7e00 | ((magnitude >> FRACTION) & 0x3ff)
    } else if magnitude >= 65520f32.to_bits() {
        u32::from(INFINITY)
    } else if magnitude >= u32::from(NORMAL) << FRACTION | BIAS {
        // Add just under half a unit, and the rest of it where the fraction is odd: a tie then goes to the even one.
        let odd = (magnitude >> FRACTION) & 1;
        (magnitude - BIAS + 0xfff + odd) >> FRACTION
    } else {
        // Adding 0.5, whose unit is 2^-24, makes the CPU round to that unit.
        (value.abs() + 0.5).to_bits() - 0.5f32.to_bits()
    };
    (half | ((value.to_bits() >> 16) & u32::from(!MAGNITUDE))) as u16
}
