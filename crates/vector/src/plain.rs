//! Numbers in place: a stored value's bytes seen as its elements, without a copy. Not for bytes of another machine.

/// Types without padding for which every pattern of bits is a value.
///
/// # Safety
/// - Implementors keep that promise.
pub unsafe trait Plain: Copy {}

// SAFETY: integers and floats have neither padding nor forbidden patterns.
unsafe impl Plain for u16 {}
// SAFETY: as above.
unsafe impl Plain for i32 {}
// SAFETY: as above.
unsafe impl Plain for f32 {}
// SAFETY: as above.
unsafe impl Plain for f64 {}

/// See bytes as elements; `None` where they are not aligned or end within one.
#[inline]
pub fn view<T: Plain>(bytes: &[u8]) -> Option<&[T]> {
    // SAFETY: every pattern of bits is a `T`; `align_to` cares for the alignment itself.
    let (before, elements, after) = unsafe { bytes.align_to::<T>() };
    (before.is_empty() && after.is_empty()).then_some(elements)
}

/// The same, to write to.
#[inline]
pub fn view_mut<T: Plain>(bytes: &mut [u8]) -> Option<&mut [T]> {
    // SAFETY: as above, and every `T` is a pattern of bits that bytes may have.
    let (before, elements, after) = unsafe { bytes.align_to_mut::<T>() };
    (before.is_empty() && after.is_empty()).then_some(elements)
}
