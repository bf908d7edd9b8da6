//! Guards the edges of what is read: values that end where memory ends, and values that begin where it begins.

use std::ffi::{c_int, c_void};
use std::ptr::null_mut;

use super::levels;
use crate::sparse::Sparse;

unsafe extern "C" {
    fn mmap(address: *mut c_void, length: usize, access: c_int, flags: c_int, file: c_int, offset: i64) -> *mut c_void;
    fn munmap(address: *mut c_void, length: usize) -> c_int;
}

/// More than a page of any system.
const PAGE: usize = 65_536;
const NONE: c_int = 0;
const READ_AND_WRITE: c_int = 3;
const PRIVATE_AND_ANONYMOUS: c_int = 0x22;
const AT_THE_ADDRESS: c_int = 0x10;

/// Zeros between two stretches of memory that must not be touched.
struct Fenced(*mut u8);

impl Fenced {
    fn new() -> Self {
        let map = |at: *mut u8, length, access, flags| {
            // SAFETY: new memory, or memory of the first call, which nothing refers to.
            unsafe { mmap(at.cast(), length, access, PRIVATE_AND_ANONYMOUS | flags, -1, 0) }
        };
        let start: *mut u8 = map(null_mut(), 3 * PAGE, NONE, 0).cast();
        assert!(start.addr() != usize::MAX, "memory is mapped");
        let middle = start.wrapping_add(PAGE);
        assert_eq!(map(middle, PAGE, READ_AND_WRITE, AT_THE_ADDRESS).cast(), middle);
        Fenced(middle)
    }

    /// Elements at the end, or at the beginning.
    fn elements<E>(&self, count: usize, at_the_end: bool) -> &[E] {
        let offset = if at_the_end { PAGE - count * size_of::<E>() } else { 0 };
        // SAFETY: it is in the memory that is there, aligned, and zeros are elements of the numbers that are asked for.
        unsafe { std::slice::from_raw_parts(self.0.add(offset).cast(), count) }
    }
}

impl Drop for Fenced {
    fn drop(&mut self) {
        // SAFETY: it was mapped by `new`, and nothing refers to it.
        unsafe { munmap(self.0.wrapping_sub(PAGE).cast(), 3 * PAGE) };
    }
}

/// A read beyond either end would be a fault.
#[test]
fn nothing_beyond_the_values_is_read() {
    let (left, right) = (Fenced::new(), Fenced::new());
    for count in (0..=300).chain([384, 1023, 1536, 4096]) {
        for (l, r) in [(false, false), (false, true), (true, false), (true, true)] {
            for level in levels() {
                let (floats, others) = (left.elements::<f32>(count, l), right.elements::<f32>(count, r));
                let all = [level.f32_l2_squared, level.f32_inner_product, level.f32_l1];
                assert!(
                    all.iter().all(|sum| sum(floats, others) == 0.0) && (level.f32_cosine)(floats, others).0 == 0.0
                );
                let (halves, other_halves) = (left.elements::<u16>(count, l), right.elements::<u16>(count, r));
                let all = [level.f16_l2_squared, level.f16_inner_product, level.f16_l1];
                assert!(all.iter().all(|sum| sum(halves, other_halves) == 0.0));
                assert_eq!((level.f16_cosine)(halves, other_halves).0, 0.0);
                let (bytes, other_bytes) = (left.elements::<u8>(count, l), right.elements::<u8>(count, r));
                assert_eq!((level.bits_hamming)(bytes, other_bytes), 0);
                assert_eq!((level.bits_jaccard)(bytes, other_bytes), (0, 0));
            }
        }
    }
}

/// The same for lists of elements, of which the indices and the values end apart.
#[test]
fn nothing_beyond_the_lists_is_read() {
    let (indices, values) = (Fenced::new(), Fenced::new());
    for (left, right) in [(1, 1), (3, 40), (16, 16), (17, 33), (40, 3), (300, 17), (400, 400)] {
        for at_the_end in [false, true] {
            let list = |count| {
                // Zeros are no ascending indices, and are read all the same.
                let (indices, values) = (indices.elements(count, at_the_end), values.elements(count, at_the_end));
                Sparse { dim: 1000, indices, values }
            };
            for level in levels() {
                let all = [level.sparse_l2_squared, level.sparse_inner_product, level.sparse_l1];
                assert!(all.iter().all(|sum| sum(list(left), list(right)) == 0.0), "{}", level.name);
                assert_eq!((level.sparse_cosine)(list(left), list(right)), (0.0, 0.0, 0.0), "{}", level.name);
            }
        }
    }
}
