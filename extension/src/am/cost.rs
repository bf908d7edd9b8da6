//! `amcostestimate`: what an index scan costs, by what the meta page says and what the search is going to do.
//!
//! The numbers are of what was measured where table and index are in memory, in units of what an exact scan of such a
//! table costs there. The planner does not count what it takes to read values that lie outside of their rows (TOAST),
//! which is most of what an exact scan of them does; there, our cost is taken down as far as it takes down its own.

use super::store::Store;
use super::{options, relation};
use pgrx::{PgTupleDesc, pg_sys};
use vw_ivf::{Coding, Error, Estimate, Forecast, Options};

/// What a search has to be cheaper by than an exact scan before anybody wants it: it may miss a row, and is hardly
/// faster where there are few.
const START: f64 = 50.0;
/// Table pages read in order, that take as long as it takes to read one row by its tuple id, measure it, and read it
/// again to hand it out.
const FETCH: f64 = 7.0;
/// The same, to read a value that lies outside of its row, where it may be anywhere; and where values are read in order, to
/// read a page full of them.
const DETOAST: f64 = 2.0;
const OUTSIDE: f64 = 1.25;
/// The same, to read one row of the index.
const REFINE: f64 = 0.5;
/// Operators' worth of work for a list: its centroid is measured, and it takes its turn among the others.
const LIST: f64 = 10.0;
/// Operators' worth of work for a code, and dimensions of one for which there is another.
const CODE: (f64, f64) = (4.0, 48.0);
/// The same for a vector that is kept as it is.
const RAW: (f64, f64) = (4.0, 4.0);
/// Operators' worth of work to put one row in its place, where the index knows no distances.
const KEEP: f64 = 8.0;
/// Bytes of a page.
const PAGE: f64 = pg_sys::BLCKSZ as f64;
/// Bytes of a value that the server moves out of its row, at least.
const LONG: f64 = 2000.0;

/// Estimate; infinite for scans that do not order by a distance, which the index cannot do, and for an index that
/// cannot be read.
#[pgrx::pg_guard]
#[allow(clippy::too_many_arguments, reason = "the server's signature")]
pub unsafe extern "C-unwind" fn estimate(
    root: *mut pg_sys::PlannerInfo,
    path: *mut pg_sys::IndexPath,
    _loops: f64,
    startup: *mut pg_sys::Cost,
    total: *mut pg_sys::Cost,
    selectivity: *mut pg_sys::Selectivity,
    correlation: *mut f64,
    pages: *mut f64,
) {
    // SAFETY: the server passes a path of one of our indexes and places for the answers.
    unsafe {
        let index = (*path).indexinfo;
        *correlation = 0.0;
        *pages = f64::from((*index).pages);
        let costs = if (*path).indexorderbys.is_null() { None } else { costs(root, &*index) };
        (*startup, *total) = costs.unwrap_or((f64::INFINITY, f64::INFINITY));
        *selectivity = if costs.is_some() { 1.0 } else { 0.0 };
        #[cfg(feature = "pg18")]
        if costs.is_none() {
            (*path).path.disabled_nodes = 2;
        }
    }
}

/// The costs until the first row, and until the last; `None` where the index cannot be used.
///
/// # Safety
/// - `root` and `index` are the planner's.
unsafe fn costs(root: *mut pg_sys::PlannerInfo, index: &pg_sys::IndexOptInfo) -> Option<(f64, f64)> {
    if index.hypothetical {
        return None;
    }
    // SAFETY: the planner has locked the index and its table; the index is closed again at once.
    let (estimate, effort, toasted) = unsafe {
        let relation = pg_sys::index_open(index.indexoid, pg_sys::NoLock as i32);
        let read = Estimate::read(&Store::new(relation));
        let effort = options::effort(relation);
        let toasted = read.as_ref().is_ok_and(|estimate| is_toasted(relation, &estimate.options));
        if let Err(error) = &read {
            warn(relation, error);
        }
        pg_sys::index_close(relation, pg_sys::NoLock as i32);
        (read.ok()?, effort, toasted)
    };
    // SAFETY: by our contract.
    let (prices, scan) = unsafe { (Prices::of(index), Exact::of(root, index)) };
    if estimate.options.coding == Coding::None {
        return Some(prices.everything(index, &scan));
    }
    let rows = index.tuples.max(1.0);
    let detoast = if toasted { DETOAST * prices.page } else { 0.0 };
    let cost = |rows: f64| prices.of_search(&estimate.options, detoast, &Forecast::new(&estimate, &effort, rows));
    // How far a scan goes under a LIMIT: the planner draws a line from the first row to the last, and has to find the
    // right cost there.
    let walked = (scan.limit * rows / scan.wanted).clamp(1.0, rows);
    let outside =
        if toasted { OUTSIDE * prices.page * 4.0 * f64::from(estimate.options.dimensions) / PAGE } else { 0.0 };
    let scale = scan.charged / (scan.charged + scan.wanted * outside);
    let first = cost(0.0);
    let each = (cost(walked) - first) / walked;
    Some((START * prices.page + scale * first, START * prices.page + scale * (first + each * rows)))
}

/// Say why the index is not used.
///
/// # Safety
/// - `index` is an open index.
unsafe fn warn(index: pg_sys::Relation, error: &Error) {
    // SAFETY: open by our contract.
    let name = unsafe { relation::name(index) };
    pgrx::warning!("index {name} is not used: {error}");
}

/// What work costs.
struct Prices {
    /// A page that is read in order, and one that is not.
    page: f64,
    random: f64,
}

impl Prices {
    /// What work costs where an index is.
    ///
    /// # Safety
    /// - `index` is the planner's.
    unsafe fn of(index: &pg_sys::IndexOptInfo) -> Prices {
        let mut prices = Prices { page: 0.0, random: 0.0 };
        // SAFETY: the tablespace is one that there is; the places are ours.
        unsafe { pg_sys::get_tablespace_page_costs(index.reltablespace, &mut prices.random, &mut prices.page) };
        prices
    }

    /// The cost of a search.
    fn of_search(&self, options: &Options, detoast: f64, forecast: &Forecast) -> f64 {
        let (least, dimensions) = if options.coding == Coding::Raw { RAW } else { CODE };
        let code = least + f64::from(options.dimensions) / dimensions;
        // SAFETY: reads settings.
        let (operator, tuple) = unsafe { (pg_sys::cpu_operator_cost, pg_sys::cpu_tuple_cost) };
        (forecast.directory_pages + forecast.pages + REFINE * forecast.refined) * self.page
            + (LIST * forecast.lists + code * forecast.scanned) * operator
            + (FETCH * self.page + detoast + tuple) * forecast.fetched
    }

    /// The costs where the index knows no distances: every row is read, measured and sorted before the first is given,
    /// which no LIMIT makes cheaper than it is for an exact scan.
    fn everything(&self, index: &pg_sys::IndexOptInfo, scan: &Exact) -> (f64, f64) {
        let rows = index.tuples.max(1.0);
        // SAFETY: reads settings.
        let (operator, tuple) = unsafe { (pg_sys::cpu_operator_cost, pg_sys::cpu_tuple_cost) };
        let row = 3.0 * tuple + (1.0 + KEEP) * operator;
        let startup = f64::from(index.pages) * self.page + scan.pages.min(rows) * self.random + rows * row;
        (startup, startup + 2.0 * operator * rows * rows.log2().max(1.0))
    }
}

/// The exact scan that the index competes with, as the planner sees it.
struct Exact {
    pages: f64,
    /// Rows that pass the query's filters, and how many of them are asked for.
    wanted: f64,
    limit: f64,
    charged: f64,
}

impl Exact {
    /// The exact scan of an index's table.
    ///
    /// # Safety
    /// - `root` and `index` are the planner's.
    unsafe fn of(root: *mut pg_sys::PlannerInfo, index: &pg_sys::IndexOptInfo) -> Exact {
        let (mut random, mut sequential) = (0.0, 0.0);
        // SAFETY: by our contract; the table's numbers are estimated before paths are made for it.
        unsafe {
            let (root, table) = (&*root, &*index.rel);
            pg_sys::get_tablespace_page_costs(table.reltablespace, &mut random, &mut sequential);
            let (pages, wanted) = (f64::from(table.pages), table.rows.max(1.0));
            let limit = if root.limit_tuples > 0.0 { root.limit_tuples.min(wanted) } else { wanted };
            let sort = 2.0 * pg_sys::cpu_operator_cost * (2.0 * limit).log2().max(1.0);
            let each = pg_sys::cpu_tuple_cost + table.baserestrictcost.per_tuple;
            let charged = pages * sequential + table.tuples.max(1.0) * each;
            Exact { pages, wanted, limit, charged: charged + wanted * (pg_sys::cpu_operator_cost + sort) }
        }
    }
}

/// Tell whether the values of an index's column lie outside of their rows, as far as anybody knows.
///
/// # Safety
/// - `index` is an open index of ours.
unsafe fn is_toasted(index: pg_sys::Relation, options: &Options) -> bool {
    // SAFETY: open by our contract, and every index has a first column; its number is 0 where it is an expression.
    let (width, storage) = unsafe {
        let declared = &*(*index).rd_index;
        let column = declared.indkey.values.as_slice(1).first().copied().unwrap_or(0);
        let width = if column > 0 { pg_sys::get_attavgwidth(declared.indrelid, column) } else { 0 };
        let shape = PgTupleDesc::from_pg_unchecked((*index).rd_att);
        (width, shape.get(0).map_or(b'p', |column| column.attstorage as u8))
    };
    let dimensions = f64::from(options.dimensions);
    match storage {
        b'p' | b'm' => false,
        // Of a value that lies elsewhere, a row has a pointer of 18 bytes.
        _ if width > 0 => f64::from(width) < dimensions,
        _ => 4.0 * dimensions >= LONG,
    }
}
