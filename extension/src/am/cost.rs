//! `amcostestimate`: what an index scan costs. The index knows no distances yet, so a scan reads every row of the table
//! by its tuple id and orders them all, and no LIMIT makes that cheaper than it is for an exact scan and sort.

use pgrx::pg_sys;

/// Operators' worth of work to put one row in its place.
const KEEP: f64 = 8.0;
/// Table rows' worth of work to find one row by its tuple id, once to measure it and once to hand it out.
const FETCH: f64 = 2.0;

/// Estimate; infinite for scans that do not order by a distance, which the index cannot do.
#[pgrx::pg_guard]
#[allow(clippy::too_many_arguments, reason = "the server's signature")]
pub unsafe extern "C-unwind" fn estimate(
    _root: *mut pg_sys::PlannerInfo,
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
        if (*path).indexorderbys.is_null() {
            (*startup, *total, *selectivity) = (f64::INFINITY, f64::INFINITY, 0.0);
            #[cfg(feature = "pg18")]
            {
                (*path).path.disabled_nodes = 2;
            }
            return;
        }
        let rows = (*index).tuples.max(1.0);
        let table_pages = f64::from((*(*index).rel).pages).min(rows);
        let (mut random, mut sequential) = (0.0, 0.0);
        pg_sys::get_tablespace_page_costs((*index).reltablespace, &mut random, &mut sequential);
        let row =
            pg_sys::cpu_index_tuple_cost + FETCH * pg_sys::cpu_tuple_cost + (1.0 + KEEP) * pg_sys::cpu_operator_cost;
        *startup = *pages * sequential + table_pages * random + rows * row;
        *total = *startup + 2.0 * pg_sys::cpu_operator_cost * rows * rows.log2().max(1.0);
        *selectivity = 1.0;
    }
}
