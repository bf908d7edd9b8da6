//! A value whose chunks lie one behind the other, read from the place where the first of them may be.

use super::chunk::{Line, Value};
use super::{Place, page};
use pgrx::pg_sys;

/// Read a value from `place` on, looking through at most `reach` pages in vain. Leaves the place behind the last chunk.
///
/// # Safety
/// - `table` is an open and locked TOAST table.
pub unsafe fn walk(table: pg_sys::Relation, place: &mut Place, value: &mut Value, mut reach: u32) -> bool {
    let mut at = *place;
    loop {
        // SAFETY: by our contract; the page is let go of before the next one is read.
        let (found, next) = unsafe {
            let Some(page) = page::read(table, at.block, at.buffer) else { return false };
            let lines = page.lines();
            let mut found = Line::Other;
            while at.offset <= lines && !value.is_whole() {
                match value.take(&page, at.offset) {
                    Line::Other => {}
                    line => found = line,
                }
                if found == Line::Wrong {
                    break;
                }
                at.offset += 1;
            }
            let next = if at.offset <= lines {
                Place { buffer: page.buffer, ..at }
            } else {
                Place { block: at.block.wrapping_add(1), offset: 1, buffer: page.buffer.wrapping_add(1) }
            };
            page::release(page);
            (found, next)
        };
        if value.is_whole() {
            *place = next;
            return true;
        }
        match found {
            Line::Wrong => return false,
            Line::Next => {}
            Line::Other if reach == 0 => return false,
            Line::Other => reach -= 1,
        }
        at = next;
    }
}
