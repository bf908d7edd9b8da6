//! EXPLAIN (ANALYZE): what the scans of our indexes did while a statement ran, told below its plan.
//!
//! Before version 18 the server lets nobody add to a plan's nodes, and what it lets add there is written before scans
//! end; so the numbers are the statement's as a whole, with those of functions that it called. EXPLAIN EXECUTE asks
//! nobody.

use super::statistics::{self, Done};
use pgrx::pg_sys;
use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;
use std::ffi::{CStr, c_char, c_int};
use std::ptr::null;
use std::sync::OnceLock;

/// Whoever explained statements before us.
static PREVIOUS: OnceLock<pg_sys::ExplainOneQuery_hook_type> = OnceLock::new();

/// One explanation, as the server hands it on.
#[derive(Clone, Copy)]
struct Request {
    query: *mut pg_sys::Query,
    options: c_int,
    into: *mut pg_sys::IntoClause,
    state: *mut pg_sys::ExplainState,
    text: *const c_char,
    parameters: pg_sys::ParamListInfo,
    environment: *mut pg_sys::QueryEnvironment,
}

/// Have the server ask us; called once, when the library is loaded.
pub fn define() {
    // SAFETY: server processes are single-threaded while libraries load, and after.
    unsafe {
        PREVIOUS.get_or_init(|| pg_sys::ExplainOneQuery_hook);
        pg_sys::ExplainOneQuery_hook = Some(explain);
    }
}

/// Explain a statement, and add what was counted.
#[pgrx::pg_guard]
unsafe extern "C-unwind" fn explain(
    query: *mut pg_sys::Query,
    options: c_int,
    into: *mut pg_sys::IntoClause,
    state: *mut pg_sys::ExplainState,
    text: *const c_char,
    parameters: pg_sys::ParamListInfo,
    environment: *mut pg_sys::QueryEnvironment,
) {
    let request = Request { query, options, into, state, text, parameters, environment };
    let before = statistics::done();
    // SAFETY: the server passes what it would explain itself; a previous hook takes the same, and holds nothing of ours.
    unsafe {
        match PREVIOUS.get().copied().flatten() {
            Some(previous) => pg_guard_ffi_boundary(|| {
                previous(query, options, into, state, text, parameters, environment);
            }),
            None => standard(request),
        }
        let done = statistics::done().since(&before);
        if (*state).analyze && done.scans > 0 {
            print(state, &done);
        }
    }
}

/// Do what the server does where nobody asked to do it.
///
/// # Safety
/// - `request` is the server's.
#[cfg(any(feature = "pg17", feature = "pg18"))]
unsafe fn standard(request: Request) {
    let Request { query, options, into, state, text, parameters, environment } = request;
    // SAFETY: by our contract.
    unsafe { pg_sys::standard_ExplainOneQuery(query, options, into, state, text, parameters, environment) };
}

/// Do what the server does where nobody asked to do it: plan, and explain the plan. It has no function for that before
/// version 17.
///
/// # Safety
/// - `request` is the server's.
#[cfg(not(any(feature = "pg17", feature = "pg18")))]
unsafe fn standard(request: Request) {
    let Request { query, options, into, state, text, parameters, environment } = request;
    // SAFETY: by our contract; the numbers outlive the call that reads them.
    unsafe {
        let buffers = pg_sys::pgBufferUsage;
        let began = std::time::Instant::now();
        let plan = pg_sys::pg_plan_query(query, text, options, parameters);
        let duration = instr_time(began.elapsed());
        let mut usage = pg_sys::BufferUsage::default();
        pg_sys::BufferUsageAccumDiff(&mut usage, &raw const pg_sys::pgBufferUsage, &buffers);
        let usage = if (*state).buffers { &raw const usage } else { null() };
        pg_sys::ExplainOnePlan(plan, into, state, text, parameters, environment, &duration, usage);
    }
}

/// A duration in the server's form.
#[cfg(any(feature = "pg14", feature = "pg15"))]
fn instr_time(duration: std::time::Duration) -> pg_sys::instr_time {
    pg_sys::instr_time { tv_sec: duration.as_secs() as _, tv_nsec: duration.subsec_nanos().into() }
}

/// A duration in the server's form.
#[cfg(feature = "pg16")]
fn instr_time(duration: std::time::Duration) -> pg_sys::instr_time {
    pg_sys::instr_time { ticks: i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX) }
}

/// Print what was done: a line of text, or a group of its own behind that of the query.
///
/// # Safety
/// - `state` is that of an explanation under way.
unsafe fn print(state: *mut pg_sys::ExplainState, done: &Done) {
    const GROUP: &CStr = c"Inverted File";
    let numbers = [
        (c"Scans", done.scans),
        (c"Lists Visited", done.counters.lists),
        (c"Codes Scanned", done.counters.scanned),
        (c"Rows Refined", done.counters.refined),
        (c"Rows Fetched", done.counters.fetched),
    ];
    // SAFETY: by our contract; all strings are terminated.
    unsafe {
        if (*state).format == pg_sys::ExplainFormat::EXPLAIN_FORMAT_TEXT {
            let numbers = numbers.map(|(label, number)| format!("{}: {number}", label.to_string_lossy()));
            let line = format!("Inverted File: {}\n", numbers.join("  "));
            pg_sys::appendBinaryStringInfo((*state).str_, line.as_ptr().cast(), line.len() as c_int);
            return;
        }
        pg_sys::ExplainOpenGroup(c"Query".as_ptr(), null(), true, state);
        pg_sys::ExplainOpenGroup(GROUP.as_ptr(), GROUP.as_ptr(), true, state);
        for (label, number) in numbers {
            let number = i64::try_from(number).unwrap_or(i64::MAX);
            pg_sys::ExplainPropertyInteger(label.as_ptr(), null(), number, state);
        }
        pg_sys::ExplainCloseGroup(GROUP.as_ptr(), GROUP.as_ptr(), true, state);
        pg_sys::ExplainCloseGroup(c"Query".as_ptr(), null(), true, state);
    }
}
