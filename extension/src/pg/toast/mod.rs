//! Values of a TOAST table, read from its pages; the server's own way of fetching them is what all of this equals.
//!
//! The server opens the table and its index for every value, and searches the index: ten times the work of a distance.
//! But values lie in a TOAST table in the order of their rows, so whoever reads them row after row finds the next one
//! right behind the last (`walk`). Where it is not, the index tells where it is (`probe`), and the walk goes on from
//! there.
//!
//! What is guessed is only ever a place. A chunk is taken from there if it says itself that it is the one that was asked
//! for (`chunk`); numbers of values are not given again while a chunk that bears them is there. Whatever is not as
//! expected, and values that are compressed, are left to `pg_detoast_datum`.

mod chunk;
mod hint;
mod kept;
mod page;
mod probe;
mod server;
mod trail;
mod walk;

use pgrx::pg_sys;
use pgrx::varlena::varatt_is_1b_e;

pub use hint::{Hint, fetch};
pub use kept::Kept;

/// The length of a pointer into a TOAST table with its header and tag.
pub const POINTER: usize = 2 + size_of::<pg_sys::varatt_external>();
/// The tag of such a pointer; others point into memory.
const ON_DISK: u8 = pg_sys::vartag_external::VARTAG_ONDISK as u8;
/// Length of the ordinary header, in bytes.
const HEADER: usize = 4;

/// Tell whether a value is in a TOAST table, compressed or not; its first [`POINTER`] bytes then say where.
///
/// # Safety
/// - `value` is of a variable-length type.
#[inline]
pub unsafe fn is_stored(value: *const pg_sys::varlena) -> bool {
    // SAFETY: by our contract; a header of this kind is followed by a tag.
    unsafe { varatt_is_1b_e(value) && value.cast::<u8>().add(1).read() == ON_DISK }
}

/// Where a value is that is stored as it is.
#[derive(Clone, Copy)]
pub struct Stored {
    /// The bytes of the value, header included.
    pub size: usize,
    /// Its number in the table.
    number: u32,
    table: pg_sys::Oid,
}

impl Stored {
    /// Read a pointer; `None` where the value is compressed.
    pub fn new(pointer: &[u8; POINTER]) -> Option<Stored> {
        // SAFETY: so many bytes lie behind header and tag, and any of them make a pointer.
        let pointer = unsafe { pointer.as_ptr().add(2).cast::<pg_sys::varatt_external>().read_unaligned() };
        let size = usize::try_from(pointer.va_rawsize).ok()?;
        // The two highest bits are of compression; they say nothing where the sizes are equal.
        let stored = (pointer.va_extinfo & pg_sys::VARLENA_EXTSIZE_MASK) as usize;
        let plain = size > HEADER && stored == size - HEADER;
        plain.then_some(Stored { size, number: pointer.va_valueid.to_u32(), table: pointer.va_toastrelid })
    }
}

/// Where a chunk may be, and in which buffer.
#[derive(Clone, Copy, Default)]
struct Place {
    block: pg_sys::BlockNumber,
    offset: pg_sys::OffsetNumber,
    /// The buffer of the page that was read last: the block's own, or that of the one before it where the place is the
    /// beginning of a block.
    buffer: pg_sys::Buffer,
    /// How far apart the buffers of the last two pages were, and whether those before were as far apart: a table that was
    /// filled at once is often in buffers in a row, upwards or downwards.
    step: i32,
    steady: bool,
}

impl Place {
    fn is_before(&self, other: &Place) -> bool {
        (self.block, self.offset) < (other.block, other.offset)
    }

    fn is_beginning(&self) -> bool {
        self.offset <= 1
    }

    /// The buffer that the block may be in; 0 where that is anyone's guess.
    fn guess(&self) -> pg_sys::Buffer {
        match (self.is_beginning(), self.steady) {
            (false, _) => self.buffer,
            (true, true) => self.buffer.wrapping_add(self.step),
            (true, false) => 0,
        }
    }

    /// Note the buffer that the block is in.
    fn found(&mut self, buffer: pg_sys::Buffer) {
        if self.is_beginning() {
            let step = buffer.wrapping_sub(self.buffer);
            self.steady = step == self.step;
            self.step = step;
        }
        self.buffer = buffer;
    }
}

/// Tell whether values may be read as they lie: the server complains where nothing keeps them from being vacuumed, and
/// that is left to it.
fn is_allowed() -> bool {
    // SAFETY: reads the state of this process.
    unsafe {
        #[cfg(any(feature = "pg14", feature = "pg15", feature = "pg16"))]
        if pg_sys::old_snapshot_threshold >= 0 {
            return false;
        }
        pg_sys::ActiveSnapshotSet()
    }
}

/// Tell whether a table is one that this can read: a heap of the three columns that TOAST tables have.
///
/// # Safety
/// - `table` is open.
unsafe fn is_plain(table: pg_sys::Relation) -> bool {
    // SAFETY: by our contract.
    unsafe {
        let description = &*(*table).rd_rel;
        description.relam == pg_sys::HEAP_TABLE_AM_OID
            && description.relkind as u8 == pg_sys::RELKIND_TOASTVALUE
            && description.relnatts == 3
    }
}
