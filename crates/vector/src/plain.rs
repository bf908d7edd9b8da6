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
    let start = bytes.as_ptr().cast::<T>();
    let fits = start.is_aligned() && bytes.len().is_multiple_of(size_of::<T>());
    // SAFETY: the address is aligned, as many elements as fill the bytes are there, and every pattern of bits is a `T`.
    fits.then(|| unsafe { std::slice::from_raw_parts(start, bytes.len() / size_of::<T>()) })
}

/// The same, to write to.
#[inline]
pub fn view_mut<T: Plain>(bytes: &mut [u8]) -> Option<&mut [T]> {
    let start = bytes.as_mut_ptr().cast::<T>();
    let fits = start.is_aligned() && bytes.len().is_multiple_of(size_of::<T>());
    // SAFETY: as above, and every `T` is a pattern of bits that bytes may have.
    fits.then(|| unsafe { std::slice::from_raw_parts_mut(start, bytes.len() / size_of::<T>()) })
}
