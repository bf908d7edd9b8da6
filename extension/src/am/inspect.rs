//! `vw_index_check` and `vw_index_stats`: what an index looks like from inside, and whether that is as it should be.

use super::relation::{self, AsOwner, Opened, Snapshot};
use super::store::{Store, interrupt};
use super::{error, heap, tid};
use crate::pg::args::Args;
use crate::pg::datum::{IntoValue, Value};
use crate::pg::error::{Fault, Result};
use crate::pg::function::pg_functions;
use crate::pg::rows::Rows;
use crate::pg::varlena;
use pgrx::pg_sys;
use std::ffi::c_void;
use vw_ivf::{Error, Index, PageId, Problem, Tid};

/// Rows of the table that are reported missing, at most: one is as bad as many.
const MOST: usize = 1000;

pg_functions! {
    /// vw_index_check(index regclass, heapallindexed boolean): a row (page, problem, harmless) for all that is wrong.
    fn vw_index_check(args) {
        let opened = Opened::to_check(oid(args)?)?;
        let mut report = Report { rows: Rows::begin(args, 3)?, harmful: false };
        // Taken before the index is read: what it shows was in the index by then.
        let snapshot = Snapshot::latest();
        // SAFETY: the index stays open and locked until `opened` is dropped.
        let store = unsafe { Store::new(opened.index()) };
        report.pages(&store)?;
        if args.bool(1)? && !report.harmful {
            report.rows(&store, &opened, &snapshot)?;
        }
        Ok::<_, Fault>(Value::void())
    }

    /// vw_index_stats(index regclass): one row (members, deleted, open_members, lists, longest_list, pages, free_pages).
    fn vw_index_stats(args) {
        let opened = Opened::to_read(oid(args)?)?;
        // SAFETY: the index stays open and locked until `opened` is dropped.
        let store = unsafe { Store::new(opened.index()) };
        let stats = Index::open(&store)?.stats(&mut interrupt)?;
        let mut rows = Rows::begin(args, 7)?;
        let counts = [stats.members, stats.deleted, stats.open_members, stats.lists, stats.longest];
        let counts = counts.map(|count| i64::try_from(count).unwrap_or(i64::MAX));
        let pages = [stats.pages, stats.free_pages].map(i64::from);
        let row: Vec<_> = counts.into_iter().chain(pages).map(IntoValue::into_value).collect();
        rows.put(&row)?;
        Ok::<_, Fault>(Value::void())
    }
}

/// The index that a function is called for.
pub fn oid(args: &Args) -> Result<pg_sys::Oid> {
    Ok(pg_sys::Oid::from(args.i32(0)? as u32))
}

/// The rows of an answer.
struct Report {
    rows: Rows,
    /// Whether any of them tells of more than wasted space.
    harmful: bool,
}

impl Report {
    fn put(&mut self, page: Option<PageId>, problem: &str, harmless: bool) -> Result<()> {
        self.harmful |= !harmless;
        let page = page.and_then(|page| i64::from(page.0).into_value());
        self.rows.put(&[page, Some(varlena::from_bytes(problem.as_bytes())?), harmless.into_value()])
    }

    /// Check the pages.
    fn pages(&mut self, store: &Store) -> Result<()> {
        let mut outcome = Ok(());
        let mut put = |problem: Problem| {
            let page = match &problem {
                Problem::Leaked(page) | Problem::Wrong { page, .. } => *page,
            };
            let harmless = matches!(problem, Problem::Leaked(_));
            let put = self.put(Some(page), &problem.to_string(), harmless);
            if outcome.is_ok() {
                outcome = put;
            }
        };
        match Index::open(store) {
            Ok(index) => drop(index.check(&mut put, &mut interrupt)?),
            Err(Error::Corrupt { page, what }) => put(Problem::Wrong { page, what }),
            Err(error) => return Err(error.into()),
        }
        outcome
    }

    /// Compare the members with the table's rows: each row that the snapshot shows is there once.
    fn rows(&mut self, store: &Store, opened: &Opened, snapshot: &Snapshot) -> Result<()> {
        let mut members = Vec::new();
        Index::open(store)?.each(&mut |tid| members.push(tid), &mut interrupt)?;
        members.sort_unstable();
        for pair in members.windows(2) {
            if let [first, second] = pair
                && first == second
            {
                self.put(None, &["row ", &place(*first), " of the table is in the index twice"].concat(), false)?;
            }
        }
        let mut wanted = Wanted { members, missing: Vec::new() };
        let _owner = AsOwner::of(opened);
        let (table, index) = (opened.table(), opened.index());
        // SAFETY: both are open and locked, the snapshot is registered until we return, and `look` takes a `Wanted`,
        // which we leave alone until the call is over.
        unsafe {
            let scan = heap::scan(table, snapshot.0)?;
            let state = (&raw mut wanted).cast::<c_void>();
            heap::all((table, index, relation::description(index)), Some(look), state, scan, false)?;
        }
        for tid in wanted.missing {
            self.put(None, &["row ", &place(tid), " of the table is not in the index"].concat(), false)?;
        }
        Ok(())
    }
}

/// A tuple id as the server writes it.
fn place(tid: Tid) -> String {
    format!("({},{})", tid.block, tid.offset)
}

/// The members of an index, sorted, and rows of its table that are not among them.
struct Wanted {
    members: Vec<Tid>,
    missing: Vec<Tid>,
}

/// Look for one row of the table.
#[pgrx::pg_guard]
unsafe extern "C-unwind" fn look(
    _index: pg_sys::Relation,
    pointer: pg_sys::ItemPointer,
    _values: *mut pg_sys::Datum,
    nulls: *mut bool,
    _alive: bool,
    state: *mut c_void,
) {
    // SAFETY: the scan passes a tuple id, one NULL flag for each column, and the state that it was given.
    let (wanted, null, tid) = unsafe { (&mut *state.cast::<Wanted>(), *nulls, tid::from_server(*pointer)) };
    if !null && wanted.members.binary_search(&tid).is_err() && wanted.missing.len() < MOST {
        error::done(wanted.missing.try_reserve(1).map_err(|_| Fault::out_of_memory()));
        wanted.missing.push(tid);
    }
}
