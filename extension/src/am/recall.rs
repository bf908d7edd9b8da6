//! `vw_index_recall`: what share of the nearest rows searches find under the session's settings. Random rows of the table
//! are the queries; which rows are nearest to them is measured on the whole table, so that whatever the index lacks is
//! missed as well.

use super::distance::Distance;
use super::heap::{self, Reader};
use super::inspect::oid;
use super::kind::Kind;
use super::memory::Scratch;
use super::relation::{self, AsOwner, Opened, Snapshot};
use super::store::{Store, interrupt};
use super::{options, tid};
use crate::pg::args::Args;
use crate::pg::datum::{IntoValue, Value};
use crate::pg::error::{Code, Fault, Result};
use crate::pg::function::pg_functions;
use crate::pg::rows::Rows;
use pgrx::pg_sys;
use std::ffi::c_void;
use std::hash::{BuildHasher, RandomState};
use vw_ivf::{Counters, Effort, Index, Tid};

/// Queries and neighbours that may be asked for.
const SAMPLE: i32 = 10_000;
const NEIGHBOURS: i32 = 1_000;

pg_functions! {
    /// vw_index_recall(index regclass, sample integer, k integer): one row (recall, queries, lists_visited,
    /// codes_scanned, rows_fetched), the last three on average.
    fn vw_index_recall(args) {
        let (sample, k) = (number(args, 1, "sample", SAMPLE)?, number(args, 2, "k", NEIGHBOURS)?);
        let opened = Opened::to_query(oid(args)?)?;
        let mut rows = Rows::begin(args, 5)?;
        let sums = measure(&opened, sample as usize, k as usize)?;
        let mean = |sum: u64| (sums.queries > 0).then(|| sum as f64 / sums.queries as f64);
        let Counters { lists, scanned, fetched, .. } = sums.counters;
        rows.put(&[
            (sums.wanted > 0).then(|| sums.found as f64 / sums.wanted as f64).into_value(),
            i32::try_from(sums.queries).unwrap_or(i32::MAX).into_value(),
            mean(lists).into_value(),
            mean(scanned).into_value(),
            mean(fetched).into_value(),
        ])?;
        Ok::<_, Fault>(Value::void())
    }
}

/// Read a number from 1 to `most`.
fn number(args: &Args, at: usize, name: &str, most: i32) -> Result<u64> {
    let value = args.i32(at)?;
    if (1..=most).contains(&value) {
        return Ok(value as u64);
    }
    let message = format!("{name} must be between 1 and {most}, not {value}");
    Err(Fault::new(Code::ERRCODE_INVALID_PARAMETER_VALUE, message))
}

/// What was measured, summed up over all queries.
#[derive(Default)]
struct Sums {
    queries: u64,
    found: u64,
    wanted: u64,
    counters: Counters,
}

/// Measure on so many rows how many of the `k` rows nearest to each are found.
fn measure(opened: &Opened, sample: usize, k: usize) -> Result<Sums> {
    let index = opened.index();
    let snapshot = Snapshot::latest();
    let _owner = AsOwner::of(opened);
    let mut truth = Truth { queries: Vec::new(), sample, k, seen: 0, random: RandomState::new(), row: Scratch::new() };
    truth.queries.try_reserve(sample).map_err(|_| Fault::out_of_memory())?;
    truth.scan(opened, &snapshot, Some(choose))?;
    truth.scan(opened, &snapshot, Some(compare))?;
    // SAFETY: table and index are open, and locked until the transaction ends; the snapshot is registered until we
    // return, which is when the reader is gone.
    let (effort, kind, mut reader) =
        unsafe { (options::effort(index), Kind::of(index), Reader::new(opened.table(), index, snapshot.0)?) };
    let mut sums = Sums::default();
    for query in &truth.queries {
        let (found, counters) = query.search(index, &kind, &effort, &mut reader, k)?;
        sums.queries += 1;
        sums.wanted += query.nearest.len() as u64;
        // Rows as far away as the last of the nearest are as good as that one.
        let last = query.nearest.last().copied().unwrap_or(f64::NEG_INFINITY);
        sums.found += found.iter().filter(|distance| distance.total_cmp(&last).is_le()).count() as u64;
        sums.counters.lists += counters.lists;
        sums.counters.scanned += counters.scanned;
        sums.counters.fetched += counters.fetched;
    }
    Ok(sums)
}

/// A row that is taken as a query.
struct Query {
    own: Tid,
    distance: Distance,
    /// The distances of the rows that are nearest, rising.
    nearest: Vec<f64>,
    /// Holds the row's value.
    _value: Scratch,
}

impl Query {
    /// Search for what is nearest to the row, itself left out; give the distances.
    fn search(
        &self,
        index: pg_sys::Relation,
        kind: &Kind,
        effort: &Effort,
        reader: &mut Reader,
        k: usize,
    ) -> Result<(Vec<f64>, Counters)> {
        let mut vector = Vec::new();
        // SAFETY: the index is open for as long as anything here, and the query is a value of its column.
        let store = unsafe {
            self.distance.query().map_or(Ok(()), |query| kind.vector(query, &mut vector))?;
            Store::new(index)
        };
        let mut search = Index::open(&store)?.search(&vector, effort)?;
        let mut distances = Vec::new();
        while distances.len() < k {
            let found = search.next(&mut |tid| {
                interrupt();
                if tid == self.own { Ok(None) } else { reader.read(tid, |value| self.distance.measure(value)) }
            })?;
            let Some(found) = found else { break };
            distances.push(positive(found.distance));
        }
        Ok((distances, search.counters()))
    }
}

/// Give all that is not a number one sign, so that it comes last.
fn positive(distance: f64) -> f64 {
    if distance.is_nan() { f64::NAN } else { distance }
}

/// Queries, and what is nearest to them.
struct Truth {
    queries: Vec<Query>,
    sample: usize,
    k: usize,
    seen: u64,
    random: RandomState,
    /// Holds the value of one row.
    row: Scratch,
}

impl Truth {
    /// Call `callback` with every row that the index has to hold.
    fn scan(&mut self, opened: &Opened, snapshot: &Snapshot, callback: pg_sys::IndexBuildCallback) -> Result<()> {
        let (table, index) = (opened.table(), opened.index());
        // SAFETY: both are open and locked, the snapshot is registered, and the callback takes a `Truth`, which we leave
        // alone until the call is over.
        unsafe {
            let scan = heap::scan(table, snapshot.0)?;
            let state = std::ptr::from_mut(self).cast::<c_void>();
            heap::all((table, index, relation::description(index)), callback, state, scan, false)?;
        }
        Ok(())
    }

    /// Take a row as a query, each of all rows with the same chance (Vitter's algorithm R).
    ///
    /// # Safety
    /// - `index` is open as long as we live, and `value` is one of its column, not NULL.
    unsafe fn choose(&mut self, index: pg_sys::Relation, own: Tid, value: pg_sys::Datum) {
        self.seen += 1;
        let place = self.random.hash_one(self.seen) % self.seen;
        if self.queries.len() >= self.sample && place >= self.sample as u64 {
            return;
        }
        let copy = Scratch::new();
        // SAFETY: the value is a varlena, as those of all types are that have an operator class here.
        let query = copy.within(|| unsafe { pg_sys::pg_detoast_datum_copy(value.cast_mut_ptr()) });
        // SAFETY: the index is open by our contract, and the copy is kept beside the distance.
        let distance = unsafe { Distance::new(index, Some(pg_sys::Datum::from(query))) };
        let query = Query { own, distance, nearest: Vec::new(), _value: copy };
        match self.queries.get_mut(place as usize).filter(|_| self.seen > self.sample as u64) {
            Some(other) => *other = query,
            None => self.queries.push(query),
        }
    }

    /// Measure a row against all queries.
    ///
    /// # Safety
    /// - `value` is one of the index's column, not NULL.
    unsafe fn compare(&mut self, own: Tid, value: pg_sys::Datum) {
        self.row.reset();
        let k = self.k;
        self.row.within(|| {
            // SAFETY: as in `choose`.
            let value = pg_sys::Datum::from(unsafe { pg_sys::pg_detoast_datum(value.cast_mut_ptr()) });
            for query in self.queries.iter_mut().filter(|query| query.own != own) {
                let distance = positive(query.distance.measure(value));
                let at = query.nearest.partition_point(|nearer| nearer.total_cmp(&distance).is_le());
                if at < k {
                    query.nearest.insert(at, distance);
                    query.nearest.truncate(k);
                }
            }
        });
    }
}

#[pgrx::pg_guard]
unsafe extern "C-unwind" fn choose(
    index: pg_sys::Relation,
    pointer: pg_sys::ItemPointer,
    values: *mut pg_sys::Datum,
    nulls: *mut bool,
    _alive: bool,
    state: *mut c_void,
) {
    // SAFETY: the scan passes a tuple id, a value and a NULL flag for each column, and the state that it was given.
    unsafe {
        if !*nulls {
            (*state.cast::<Truth>()).choose(index, tid::from_server(*pointer), *values);
        }
    }
}

#[pgrx::pg_guard]
unsafe extern "C-unwind" fn compare(
    _index: pg_sys::Relation,
    pointer: pg_sys::ItemPointer,
    values: *mut pg_sys::Datum,
    nulls: *mut bool,
    _alive: bool,
    state: *mut c_void,
) {
    // SAFETY: as for `choose`.
    unsafe {
        if !*nulls {
            (*state.cast::<Truth>()).compare(tid::from_server(*pointer), *values);
        }
    }
}
