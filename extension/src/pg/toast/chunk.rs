//! A chunk on a page of a TOAST table, and a value that is put together of its chunks.
//!
//! ```text
//! 0               hoff      hoff+4     hoff+8   hoff+12
//! | tuple header  | number  | sequence | header | bytes ...
//! ```
//! `number` is the value's, `sequence` counts its chunks from 0, and `header` is a bytea's, of one byte or of four. All
//! chunks but a value's last one have the same length (`heaptoast.h`).

use super::page::Page;
use super::{HEADER, Stored, server};
use pgrx::pg_sys;
use pgrx::varlena::{set_varsize_4b, varatt_is_1b, varatt_is_1b_e, varatt_is_4b_u, varsize_1b, varsize_4b};

/// The length of all chunks but the last: four tuples fill a page (TOAST_MAX_CHUNK_SIZE).
const LENGTH: usize = {
    let page = std::mem::offset_of!(pg_sys::PageHeaderData, pd_linp);
    let tuples = pg_sys::BLCKSZ as usize - (page + 4 * size_of::<pg_sys::ItemIdData>()).next_multiple_of(8);
    tuples / 4 / 8 * 8 - 24 - size_of::<u32>() - size_of::<i32>() - HEADER
};

const _: () = assert!(LENGTH == 1996 || pg_sys::BLCKSZ != 8192);
/// The least length of a tuple's header.
const TUPLE: usize = std::mem::offset_of!(pg_sys::HeapTupleHeaderData, t_bits);

/// A value in the making.
pub struct Value {
    number: u32,
    /// The next chunk.
    sequence: i32,
    /// The bytes of the value, and how many of them are there; with the header.
    size: usize,
    filled: usize,
    start: *mut u8,
}

/// What a line pointer had.
#[derive(PartialEq)]
pub enum Line {
    /// The chunk that was next.
    Next,
    /// Nothing of the value.
    Other,
    /// A chunk of the value that is not as it should be.
    Wrong,
}

impl Value {
    /// Begin a value.
    ///
    /// # Safety
    /// - `target` has room for as many bytes as the value has, and is aligned for four-byte numbers. Nobody else uses it
    ///   while this does.
    pub unsafe fn begin(stored: &Stored, target: *mut pg_sys::varlena) -> Value {
        // SAFETY: by our contract; a value's size has 30 bits.
        unsafe { set_varsize_4b(target, stored.size as i32) };
        Value { number: stored.number, sequence: 0, size: stored.size, filled: HEADER, start: target.cast() }
    }

    /// Tell whether all chunks are there.
    #[inline]
    pub fn is_whole(&self) -> bool {
        self.filled == self.size
    }

    /// Look at a line pointer, and take its chunk if it is the next one.
    ///
    /// # Safety
    /// - The page is locked, and `line` is one of its line pointers.
    #[inline]
    pub unsafe fn take(&mut self, page: &Page, line: pg_sys::OffsetNumber) -> Line {
        // SAFETY: by our contract. What is read of the tuple lies within it; tuples begin at a multiple of eight.
        unsafe {
            let Some(tuple) = page.tuple(line).filter(|tuple| tuple.len() >= TUPLE) else { return Line::Other };
            let header = tuple.as_ptr().cast::<pg_sys::HeapTupleHeaderData>();
            let from = usize::from((*header).t_hoff);
            if from < TUPLE || !from.is_multiple_of(8) || from + 2 * size_of::<u32>() + HEADER > tuple.len() {
                return Line::Other;
            }
            let fields = tuple.as_ptr().add(from).cast::<u32>();
            if fields.read() != self.number {
                return Line::Other;
            }
            let Some(bytes) = bytes(fields.add(2).cast(), tuple.len() - from - 2 * size_of::<u32>()) else {
                return Line::Wrong;
            };
            let expected = LENGTH.min(self.size - self.filled);
            let right = fields.add(1).cast::<i32>().read() == self.sequence && bytes.len() == expected;
            if !right || !is_there(&*header) {
                return Line::Wrong;
            }
            self.start.add(self.filled).copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            self.filled += bytes.len();
            self.sequence += 1;
            Line::Next
        }
    }
}

/// The bytes of a bytea of at most `most` bytes with its header; `None` where it is longer, or not as it was written.
///
/// # Safety
/// - So many bytes, at least four of them, may be read for as long as the result lives.
#[inline]
unsafe fn bytes<'a>(value: *const pg_sys::varlena, most: usize) -> Option<&'a [u8]> {
    // SAFETY: by our contract; the header is within the four bytes.
    unsafe {
        let (size, header) = if varatt_is_4b_u(value) {
            (varsize_4b(value), HEADER)
        } else if varatt_is_1b(value) && !varatt_is_1b_e(value) {
            (varsize_1b(value), 1)
        } else {
            return None;
        };
        let whole = size >= header && size <= most;
        whole.then(|| std::slice::from_raw_parts(value.cast::<u8>().add(header), size - header))
    }
}

/// Tell whether a tuple was written by a transaction that committed, or by our own.
///
/// The server takes a chunk from whomever, for it finds by the index only what a pointer was made for. A page has as
/// well what an insertion left behind that was refused for a number in use.
///
/// # Safety
/// - The tuple is on a locked page.
#[inline]
unsafe fn is_there(tuple: &pg_sys::HeapTupleHeaderData) -> bool {
    let mask = u32::from(tuple.t_infomask);
    if mask & (pg_sys::HEAP_HASNULL | pg_sys::HEAP_MOVED) != 0 {
        return false;
    }
    match mask & pg_sys::HEAP_XMIN_FROZEN {
        pg_sys::HEAP_XMIN_COMMITTED | pg_sys::HEAP_XMIN_FROZEN => true,
        pg_sys::HEAP_XMIN_INVALID => false,
        // SAFETY: any number may be asked for; a transaction of a tuple that is not frozen is one the server knows.
        _ => unsafe {
            let by = tuple.t_choice.t_heap.t_xmin;
            server::TransactionIdDidCommit(by) || server::TransactionIdIsCurrentTransactionId(by)
        },
    }
}
