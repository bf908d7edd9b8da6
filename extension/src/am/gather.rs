//! The distances of a scan: every member of the index is looked up in the table and measured against the query.

use super::heap::Reader;
use super::memory::Scratch;
use super::store::Store;
use crate::pg::error::{Fault, Result};
use pgrx::pg_sys;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use vw_ivf::{Index, Tid};

/// A row and how near it is, as a heap orders it: the nearest is the greatest, and of equals the first in the table.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(Reverse<(u64, Tid)>);

impl Place {
    fn new(distance: f64, tid: Tid) -> Place {
        Place(Reverse((rank(distance), tid)))
    }

    /// The row.
    pub fn tid(&self) -> Tid {
        self.0.0.1
    }
}

/// Turn a distance into a number that orders as float8 does: NaN, the distance of zero vectors by cosine, comes last.
fn rank(distance: f64) -> u64 {
    const SIGN: u64 = 1 << 63;
    if distance.is_nan() {
        return u64::MAX;
    }
    // Adding zero makes the two zeros one.
    let bits = (distance + 0.0).to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

/// How rows are measured: the operator class's distance function, its collation, and the query.
struct Metric {
    function: *mut pg_sys::FmgrInfo,
    collation: pg_sys::Oid,
    /// `None` where the query is NULL, and every distance with it.
    query: Option<pg_sys::Datum>,
}

impl Metric {
    /// The metric of a scan; the query is detoasted once, into the current memory context.
    ///
    /// # Safety
    /// - `scan` is a scan of an open index that orders by one distance.
    unsafe fn of(scan: pg_sys::IndexScanDesc) -> Metric {
        // SAFETY: by our contract there is one ordering, and the index has one column.
        unsafe {
            let (index, ordering) = ((*scan).indexRelation, &*(*scan).orderByData);
            let null = ordering.sk_flags & pg_sys::SK_ISNULL as i32 != 0;
            let varlena = pg_sys::get_typlen(*(*index).rd_opcintype) == -1;
            let query = match ordering.sk_argument {
                _ if null => None,
                query if varlena => Some(pg_sys::Datum::from(pg_sys::pg_detoast_datum(query.cast_mut_ptr()))),
                query => Some(query),
            };
            let function = pg_sys::index_getprocinfo(index, 1, 1);
            Metric { function, collation: *(*index).rd_indcollation, query }
        }
    }

    /// Measure a value of the indexed column. Raises what the operator raises, such as for other dimensions.
    fn measure(&self, value: pg_sys::Datum) -> f64 {
        self.query.map_or(f64::NAN, |query| {
            // SAFETY: the function takes two values of the column's type and gives a float8, as `validate` demands.
            let distance = unsafe { pg_sys::FunctionCall2Coll(self.function, self.collation, value, query) };
            f64::from_bits(distance.value() as u64)
        })
    }
}

/// Measure every row that the scan's snapshot shows.
///
/// # Safety
/// - `scan` is a scan of ours with one ordering, its table open and its snapshot live.
pub unsafe fn all(scan: pg_sys::IndexScanDesc) -> Result<BinaryHeap<Place>> {
    let scratch = Scratch::new();
    // SAFETY: by our contract; the store and the reader are gone before the scan is.
    let (store, metric, mut reader) = unsafe {
        let (index, table) = ((*scan).indexRelation, (*scan).heapRelation);
        let metric = scratch.within(|| Metric::of(scan));
        (Store::new(index), metric, Reader::new(table, index, (*scan).xs_snapshot)?)
    };
    let index = Index::open(&store)?;
    let mut search = index.search()?;
    let mut places = Vec::new();
    for tid in search.members() {
        let tid = tid?;
        pgrx::check_for_interrupts!();
        if let Some(distance) = reader.read(tid, |value| metric.measure(value))? {
            places.try_reserve(1).map_err(|_| Fault::out_of_memory())?;
            places.push(Place::new(distance, tid));
        }
    }
    Ok(BinaryHeap::from(places))
}
