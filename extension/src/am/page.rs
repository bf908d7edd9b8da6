//! One server page as the index sees it. Not what the index keeps in it: that is vw-ivf's.
//!
//! ```text
//! 0        24                                                     8176       8192
//! | header | contents, PAGE_BYTES, zeros behind `pd_lower`         | marker   |
//! ```
//! The header's `pd_upper` is at the marker. Generic WAL zeroes what lies between it and `pd_lower`, and neither compares
//! nor logs that, so whoever writes a page says first where its zeros begin.
//! A page of zeros is one that a crash left behind before anything was written to it; its contents are zeros.

use crate::pg::error::{Code, Fault, Result};
use pgrx::pg_sys;
use vw_ivf::PAGE_BYTES;

/// Where the contents begin.
const START: usize = std::mem::offset_of!(pg_sys::PageHeaderData, pd_linp);
/// Where the marker begins.
const END: usize = START + PAGE_BYTES;

/// The special area: tells our pages from all others.
#[repr(C)]
#[derive(Clone, Copy, PartialEq)]
struct Marker {
    magic: u32,
    /// Of this file's layout; that of the contents is in the meta page.
    format: u16,
    reserved: [u16; 5],
}

const MARKER: Marker = Marker { magic: u32::from_le_bytes(*b"vwiv"), format: 1, reserved: [0; 5] };

const _: () = assert!(START == 24 && START.is_multiple_of(8));
const _: () = assert!(END + size_of::<Marker>() == pg_sys::BLCKSZ as usize && END.is_multiple_of(8));

/// Make an empty page of ours.
///
/// # Safety
/// - `page` points to a whole page that nobody else reads or writes.
pub unsafe fn init(page: pg_sys::Page) {
    // SAFETY: the page is ours to write, by our contract; PageInit makes room for the marker at its end.
    unsafe {
        pg_sys::PageInit(page, pg_sys::BLCKSZ as usize, size_of::<Marker>());
        let header = page.cast::<pg_sys::PageHeaderData>();
        (*header).pd_lower = (*header).pd_upper;
        page.add(END).cast::<Marker>().write(MARKER);
    }
}

/// Find the end of what is not zeros on a page of ours, from the page's beginning.
///
/// # Safety
/// - `page` points to a whole page that nobody else writes.
unsafe fn end(page: pg_sys::Page) -> usize {
    // SAFETY: by our contract.
    let (start, chunks) = unsafe { contents(page) }.as_rchunks::<64>();
    let used = chunks.iter().rposition(|chunk| *chunk != [0; 64]).map_or(0, |last| 64 * (last + 1));
    START + start.len() + used
}

/// Let the header say where the zeros at the end of the contents begin, within 64 bytes.
///
/// # Safety
/// - `page` points to a whole page of ours that nobody else reads or writes.
pub unsafe fn trim(page: pg_sys::Page) {
    // SAFETY: the page is ours to write, by our contract; a page's offsets fit 16 bits.
    unsafe { (*page.cast::<pg_sys::PageHeaderData>()).pd_lower = end(page) as u16 };
}

/// Let the header say that contents up to `end` are in use, where it does not yet. Gives the bytes of the header that this
/// changes, and their place on the page.
///
/// # Safety
/// - `page` points to a whole page of ours that nobody else reads or writes.
pub unsafe fn reach(page: pg_sys::Page, end: usize) -> Option<(usize, [u8; 2])> {
    let lower = START + end.min(PAGE_BYTES);
    // SAFETY: the page is ours to write, by our contract; a page's offsets fit 16 bits.
    let known = unsafe { &mut (*page.cast::<pg_sys::PageHeaderData>()).pd_lower };
    if usize::from(*known) >= lower {
        return None;
    }
    *known = lower as u16;
    Some((std::mem::offset_of!(pg_sys::PageHeaderData, pd_lower), (lower as u16).to_ne_bytes()))
}

/// Tell whether nothing was ever written to a page (`PageIsNew`, which is a macro or an inline function of the server's).
///
/// # Safety
/// - `page` points to a whole page that nobody else writes.
pub unsafe fn is_new(page: pg_sys::Page) -> bool {
    // SAFETY: by our contract; every page begins with this header.
    unsafe { (*page.cast::<pg_sys::PageHeaderData>()).pd_upper == 0 }
}

/// Check that a page is ours or new.
///
/// # Safety
/// - `page` points to a whole page that nobody else writes.
pub unsafe fn check(page: pg_sys::Page, number: u32) -> Result<()> {
    // SAFETY: a whole page, by our contract; the marker's place is aligned, as asserted above.
    let ours = unsafe {
        let header = page.cast::<pg_sys::PageHeaderData>();
        is_new(page) || (usize::from((*header).pd_special) == END && page.add(END).cast::<Marker>().read() == MARKER)
    };
    if ours {
        return Ok(());
    }
    let message = format!("page {number} is not a page of an inverted-file index");
    Err(Fault::new(Code::ERRCODE_INDEX_CORRUPTED, message).hint("REINDEX the index."))
}

/// The contents.
///
/// # Safety
/// - `page` points to a whole page that nobody writes for as long as the result lives.
pub unsafe fn contents<'a>(page: pg_sys::Page) -> &'a [u8] {
    // SAFETY: the contents lie within the page, as asserted above.
    unsafe { std::slice::from_raw_parts(page.add(START).cast(), PAGE_BYTES) }
}

/// The contents, to be changed.
///
/// # Safety
/// - `page` points to a whole page that nobody else reads or writes for as long as the result lives.
pub unsafe fn contents_mut<'a>(page: pg_sys::Page) -> &'a mut [u8] {
    // SAFETY: the contents lie within the page, as asserted above.
    unsafe { std::slice::from_raw_parts_mut(page.add(START).cast(), PAGE_BYTES) }
}

/// Where the contents begin on the page.
pub const CONTENTS: usize = START;
