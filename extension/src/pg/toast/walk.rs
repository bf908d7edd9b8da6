//! A value whose chunks lie one behind the other, read from the place where the first of them may be.

use super::Place;
use super::chunk::{Line, Value};
use super::page::{self, BLOCK, Page};
use pgrx::pg_sys;
use vw_vector::kernel::ahead;

/// Bytes that a chunk takes at the end of a page, about.
const TUPLE: usize = 2048;

/// Read a value from `place` on, looking through at most `reach` pages in vain. Leaves the place behind the last chunk.
///
/// # Safety
/// - `table` is an open and locked TOAST table.
pub unsafe fn walk(table: pg_sys::Relation, place: &mut Place, value: &mut Value, mut reach: u32) -> bool {
    let mut at = *place;
    loop {
        // SAFETY: by our contract; the page is let go of before the next one is read.
        let found = unsafe {
            let Some(page) = page::read(table, at.block, at.guess()) else { return false };
            at.found(page.buffer);
            let found = look(&page, &mut at, value);
            if value.is_whole() {
                ask(&page, &at);
            }
            page::release(page);
            found
        };
        if value.is_whole() {
            *place = at;
            return true;
        }
        match found {
            Line::Wrong => return false,
            Line::Next => {}
            Line::Other if reach == 0 => return false,
            Line::Other => reach -= 1,
        }
    }
}

/// Look at the line pointers of a page from `at` on, until the value is whole or a chunk of it is wrong. Leaves the place
/// behind what was looked at: on the page, or where the next one begins.
///
/// # Safety
/// - `page` is locked.
unsafe fn look(page: &Page, at: &mut Place, value: &mut Value) -> Line {
    let lines = page.lines();
    let mut found = Line::Other;
    while at.offset <= lines && !value.is_whole() {
        // SAFETY: by our contract, and as the line pointer is one of the page's.
        match unsafe { value.take(page, at.offset) } {
            Line::Other => {}
            Line::Next => found = Line::Next,
            Line::Wrong => return Line::Wrong,
        }
        at.offset += 1;
    }
    if at.offset > lines {
        at.block = at.block.wrapping_add(1);
        at.offset = 1;
    }
    found
}

/// Ask for the memory of the chunk that follows, which the executor's work on this row gives time to arrive.
///
/// # Safety
/// - `page` is locked.
unsafe fn ask(page: &Page, next: &Place) {
    // SAFETY: by our contract; asking reads nothing.
    unsafe {
        if !next.is_beginning() {
            if let Some(tuple) = page.tuple(next.offset) {
                ahead::ask(tuple.as_ptr(), tuple.as_ptr().wrapping_add(tuple.len()));
            }
        } else if let Some(image) = page::guess(next.guess()) {
            ahead::ask(image, image);
            let end = image.wrapping_add(BLOCK);
            ahead::ask(end.wrapping_sub(TUPLE), end);
        }
    }
}
