//! Rows on their way from the table to the lists: sorted by list, and within a list by tuple id, by the server's own
//! sort, which spills to temporary files and can be shared by several processes.

use crate::am::memory::Scratch;
use pgrx::pg_sys;
use pgrx::varlena::{set_varsize_4b, vardata_any, varsize_any_exhdr};
use std::ptr::null_mut;
use vw_ivf::Tid;

/// Columns of a sorted tuple: list and block, offset, row.
const COLUMNS: usize = 3;
/// Columns that are sorted by.
const KEYS: usize = 2;
/// Bytes of a varlena's header.
const HEADER: usize = 4;

/// Which part of a sort this is.
#[derive(Clone, Copy)]
pub enum Part {
    /// All of it.
    Alone,
    /// One process's share.
    Share(*mut pg_sys::Sharedsort),
    /// The shares of so many processes, which are sorted by now, together.
    Whole(*mut pg_sys::Sharedsort, i32),
}

/// Rows being sorted.
pub struct Spool {
    sort: *mut pg_sys::Tuplesortstate,
    /// For rows that are put in.
    input: *mut pg_sys::TupleTableSlot,
    /// For rows that come out.
    output: *mut pg_sys::TupleTableSlot,
    /// Room for one row behind a header.
    bytes: *mut u8,
    row_bytes: usize,
    /// Holds what is above, and goes last.
    scratch: Scratch,
}

impl Spool {
    /// Begin to sort rows of so many bytes, in so many kilobytes of memory.
    ///
    /// # Safety
    /// - A shared sort that `part` names is attached to, and lives longer than the spool.
    pub unsafe fn new(row_bytes: usize, kilobytes: i32, part: Part) -> Spool {
        let scratch = Scratch::new();
        // SAFETY: all that is made here is in our own memory context; the slot has room for as many values as its
        // description has columns, and its last one points to `bytes`, which has room for a row.
        let (sort, input, output, bytes) = scratch.within(|| unsafe {
            let shape = shape();
            let bytes = pg_sys::palloc0(HEADER + row_bytes).cast::<u8>();
            set_varsize_4b(bytes.cast(), (HEADER + row_bytes) as i32);
            let input = pg_sys::MakeSingleTupleTableSlot(shape, &raw const pg_sys::TTSOpsVirtual);
            for column in 0..COLUMNS {
                *(*input).tts_values.add(column) = pg_sys::Datum::from(bytes);
                *(*input).tts_isnull.add(column) = false;
            }
            pg_sys::ExecStoreVirtualTuple(input);
            let output = pg_sys::MakeSingleTupleTableSlot(shape, &raw const pg_sys::TTSOpsMinimalTuple);
            (begin(shape, kilobytes, part), input, output, bytes)
        });
        Spool { sort, input, output, bytes, row_bytes, scratch }
    }

    /// Add a row; one of another length than was said is cut or filled with zeros.
    pub fn put(&mut self, list: u32, tid: Tid, row: &[u8]) {
        let place = (u64::from(list) << 32) | u64::from(tid.block);
        // SAFETY: `bytes` has room for `row_bytes` behind its header, which nobody else refers to; the slot's values are
        // as `new` says, and a slot of this kind may have them changed in place. The sort copies them.
        unsafe {
            let target = std::slice::from_raw_parts_mut(self.bytes.add(HEADER), self.row_bytes);
            target.iter_mut().zip(row).for_each(|(to, from)| *to = *from);
            *(*self.input).tts_values = pg_sys::Datum::from(place);
            *(*self.input).tts_values.add(1) = pg_sys::Datum::from(u64::from(tid.offset));
            pg_sys::tuplesort_puttupleslot(self.sort, self.input);
        }
    }

    /// Sort what was put in; of a share, that is all there is to do.
    pub fn sort(&mut self) {
        // SAFETY: the sort was begun by `new`, and this is called once, by the contract of the callers here.
        self.scratch.within(|| unsafe { pg_sys::tuplesort_performsort(self.sort) });
    }

    /// Take the next row, after [`Spool::sort`]: its list, its tuple id, and its bytes.
    pub fn next(&mut self) -> Option<(u32, Tid, &[u8])> {
        // SAFETY: the sort is done. The slot's tuple stays where it is until the next one is asked for, which takes
        // `self`; its columns are ours, of which the last is a flat value of a variable length.
        unsafe {
            if !pg_sys::tuplesort_gettupleslot(self.sort, true, false, self.output, null_mut()) {
                return None;
            }
            pg_sys::slot_getsomeattrs_int(self.output, COLUMNS as i32);
            let values = std::slice::from_raw_parts((*self.output).tts_values, COLUMNS);
            let [place, offset, row] = values else { return None };
            let place = place.value() as u64;
            let tid = Tid { block: place as u32, offset: offset.value() as u16 };
            let row = row.cast_mut_ptr::<pg_sys::varlena>();
            let row = std::slice::from_raw_parts(vardata_any(row).cast::<u8>(), varsize_any_exhdr(row));
            Some(((place >> 32) as u32, tid, row))
        }
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            // SAFETY: all of this was made by `new`, and the slots may hold tuples of the sort's, so they go first.
            unsafe {
                pg_sys::ExecDropSingleTupleTableSlot(self.output);
                pg_sys::ExecDropSingleTupleTableSlot(self.input);
                pg_sys::tuplesort_end(self.sort);
            }
        }
    }
}

/// Describe the tuples.
///
/// # Safety
/// - The current memory context is the spool's own.
unsafe fn shape() -> pg_sys::TupleDesc {
    // SAFETY: as many columns as the description is made for, of types that every server has.
    unsafe {
        let shape = pg_sys::CreateTemplateTupleDesc(COLUMNS as i32);
        let columns = [(c"place", pg_sys::INT8OID), (c"offset", pg_sys::INT8OID), (c"row", pg_sys::BYTEAOID)];
        for (number, (name, kind)) in (1..).zip(columns) {
            pg_sys::TupleDescInitEntry(shape, number, name.as_ptr(), kind, -1, 0);
        }
        shape
    }
}

/// Begin the server's sort.
///
/// # Safety
/// - As for [`Spool::new`]; the current memory context is the spool's own.
unsafe fn begin(shape: pg_sys::TupleDesc, kilobytes: i32, part: Part) -> *mut pg_sys::Tuplesortstate {
    let mut columns: [pg_sys::AttrNumber; KEYS] = [1, 2];
    let mut operators = [pg_sys::Oid::from(pg_sys::Int8LessOperator); KEYS];
    let mut collations = [pg_sys::InvalidOid; KEYS];
    let mut nulls_first = [false; KEYS];
    // SAFETY: the coordinate outlives the spool, in its memory context; the arrays have as many entries as keys are
    // counted, and the sort copies what it needs of them.
    unsafe {
        let coordinate = pg_sys::palloc0(size_of::<pg_sys::SortCoordinateData>()).cast();
        let coordinate: pg_sys::SortCoordinate = match part {
            Part::Alone => null_mut(),
            Part::Share(sharedsort) => {
                *coordinate = pg_sys::SortCoordinateData { isWorker: true, nParticipants: -1, sharedsort };
                coordinate
            }
            Part::Whole(sharedsort, participants) => {
                *coordinate = pg_sys::SortCoordinateData { isWorker: false, nParticipants: participants, sharedsort };
                coordinate
            }
        };
        #[cfg(feature = "pg14")]
        let options = false;
        #[cfg(not(feature = "pg14"))]
        let options = pg_sys::TUPLESORT_NONE as i32;
        pg_sys::tuplesort_begin_heap(
            shape,
            KEYS as i32,
            columns.as_mut_ptr(),
            operators.as_mut_ptr(),
            collations.as_mut_ptr(),
            nulls_first.as_mut_ptr(),
            kilobytes,
            coordinate,
            options,
        )
    }
}
