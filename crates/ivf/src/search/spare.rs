//! Memory that a search leaves to the next one of its thread: a search asks for a few hundred kilobytes, and to give them back and
//! ask for them again costs as much as many a list.

use std::cell::RefCell;

use super::visit::Visit;

/// Visits that are kept: of some kilobytes each.
const MOST: usize = 96;

thread_local! {
    static SPARE: RefCell<Vec<Visit>> = const { RefCell::new(Vec::new()) };
}

/// Give an empty visit, with memory if there is one to spare.
pub fn take() -> Visit {
    SPARE.with_borrow_mut(Vec::pop).unwrap_or_default()
}

/// Keep visits that are needed no more, as many as may be kept.
pub fn keep(visits: &mut Vec<Visit>) {
    // A thread that ends has nothing to keep them for.
    let _ = SPARE.try_with(|spare| {
        let mut spare = spare.borrow_mut();
        let room = MOST.saturating_sub(spare.len()).min(visits.len());
        if spare.try_reserve(room).is_ok() {
            spare.extend(visits.drain(..room).map(|mut visit| {
                visit.clear();
                visit
            }));
        }
    });
}
