//! Where values were found one after the other, and whether the next one may be told from that.

use super::chunk::Value;
use super::walk::walk;
use super::{Place, Stored};
use pgrx::pg_sys;

/// Pages that are looked through for the next value: the values of other columns lie between.
const REACH: u32 = 4;

/// The trail of whoever reads values of one table. All zeros, it begins.
#[derive(Clone, Copy, Default)]
pub struct Trail {
    /// Behind the last value.
    place: Place,
    /// Whether that one lay a little behind the one before it. Where values are asked for by chance, they are not looked
    /// for in vain.
    ahead: bool,
}

impl Trail {
    /// Read a value into `target`, where it most likely is; else `search` has to, which gives the block of the first chunk and
    /// the place behind the last one.
    ///
    /// # Safety
    /// - `table` is an open and locked TOAST table.
    /// - `target` has room for as many bytes as the value has, and is aligned for four-byte numbers.
    pub unsafe fn read(
        &mut self,
        table: pg_sys::Relation,
        stored: &Stored,
        target: *mut pg_sys::varlena,
        search: impl FnOnce(&mut Value) -> Option<(pg_sys::BlockNumber, Place)>,
    ) -> bool {
        // SAFETY: by our contract.
        unsafe {
            if self.ahead && walk(table, &mut self.place, &mut Value::begin(stored, target), REACH) {
                return true;
            }
            let found = search(&mut Value::begin(stored, target));
            let first = found.map(|(first, _)| first);
            self.ahead = first.and_then(|first| first.checked_sub(self.place.block)).is_some_and(|step| step <= REACH);
            self.place = found.map_or(Place::default(), |(_, place)| Place { step: self.place.step, ..place });
            found.is_some()
        }
    }
}
