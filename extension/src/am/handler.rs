//! The access methods' handlers: the callback table, and nothing else. `ivf`, `ivfflat` and `hnsw` are one index.

use super::{build, cost, insert, options, scan, vacuum, validate};
use crate::pg::function::CONVENTION;
use pgrx::pg_sys;

/// Define a handler: its C function, how the index is built, and which options it has.
macro_rules! handler {
    ($name:ident, $finfo:ident, $build:path, $kind:path) => {
        const _: () = {
            #[unsafe(no_mangle)]
            extern "C" fn $finfo() -> &'static pg_sys::Pg_finfo_record {
                &CONVENTION
            }

            #[pgrx::pg_guard]
            unsafe extern "C-unwind" fn parse(options: pg_sys::Datum, validate: bool) -> *mut pg_sys::bytea {
                $kind.parse(options, validate)
            }

            #[unsafe(no_mangle)]
            #[pgrx::pg_guard]
            extern "C-unwind" fn $name(_frame: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
                pg_sys::Datum::from(routine(Some($build), Some(parse)))
            }
        };
    };
}

handler!(ivfhandler, pg_finfo_ivfhandler, build::build, options::IVF);
handler!(ivfflathandler, pg_finfo_ivfflathandler, build::build, options::IVFFLAT);
handler!(hnswhandler, pg_finfo_hnswhandler, build::build_hnsw, options::HNSW);

/// Make the table. What is not named is zero: no order of its own, one column, no NULLs, forward scans only.
fn routine(build: pg_sys::ambuild_function, options: pg_sys::amoptions_function) -> *mut pg_sys::IndexAmRoutine {
    // SAFETY: zero is a valid value of every field, and palloc0 gives room for them all or raises.
    let routine =
        unsafe { &mut *pg_sys::palloc0(size_of::<pg_sys::IndexAmRoutine>()).cast::<pg_sys::IndexAmRoutine>() };
    routine.type_ = pg_sys::NodeTag::T_IndexAmRoutine;
    routine.amstrategies = validate::STRATEGIES;
    routine.amsupport = validate::FUNCTIONS;
    routine.amcanorderbyop = true;
    routine.amoptionalkey = true;
    routine.amparallelvacuumoptions = pg_sys::VACUUM_OPTION_PARALLEL_BULKDEL as u8;
    routine.ambuild = build;
    routine.ambuildphasename = Some(build::phase_name);
    #[cfg(any(feature = "pg17", feature = "pg18"))]
    {
        routine.amcanbuildparallel = true;
    }
    routine.ambuildempty = Some(build::build_empty);
    routine.aminsert = Some(insert::insert);
    routine.ambulkdelete = Some(vacuum::bulk_delete);
    routine.amvacuumcleanup = Some(vacuum::cleanup);
    routine.amcostestimate = Some(cost::estimate);
    routine.amoptions = options;
    routine.amvalidate = Some(validate::validate);
    routine.ambeginscan = Some(scan::begin);
    routine.amrescan = Some(scan::rescan);
    routine.amgettuple = Some(scan::next);
    routine.amendscan = Some(scan::end);
    routine
}

/// Tell whether an open index is ours.
///
/// # Safety
/// - `index` is an open relation.
pub unsafe fn serves(index: pg_sys::Relation) -> bool {
    // SAFETY: open by our contract; the routine is there as long as an index is.
    let routine = unsafe { (*index).rd_indam.as_ref() };
    routine.and_then(|routine| routine.ambuildempty).is_some_and(|theirs| {
        let ours: unsafe extern "C-unwind" fn(pg_sys::Relation) = build::build_empty;
        std::ptr::fn_addr_eq(theirs, ours)
    })
}
