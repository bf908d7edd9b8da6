//! A background worker with a database: its start, its signals, its transactions. What it does there is not its matter.

use pgrx::bgworkers::BackgroundWorkerBuilder;
use pgrx::{PgXactCallbackEvent, pg_sys};
use std::cell::Cell;
use std::ffi::{CString, c_int};

unsafe extern "C-unwind" {
    /// The server's handlers, without the guards of pgrx's bindings.
    fn die(signal: c_int);
    fn SignalHandlerForConfigReload(signal: c_int);
}

/// The database of this process, as a number; 0 where it has none.
pub fn database() -> u32 {
    // SAFETY: reads a variable of this single-threaded process.
    unsafe { pg_sys::MyDatabaseId.to_u32() }
}

/// Start a worker whose entry point is `function`, with the number of its database; false when no slot is free.
pub fn start(name: &str, function: &str, database: u32) -> bool {
    let argument = Some(pg_sys::Datum::from(database));
    let builder = BackgroundWorkerBuilder::new(name).set_library("vw").set_function(function).set_argument(argument);
    builder.enable_spi_access().load_dynamic().is_ok()
}

/// Take the worker's signals and connect to its database as the superuser that the cluster was made with. Ends the
/// process where that cannot be done.
pub fn connect(database: u32) {
    // SAFETY: called once, at the start of a background worker, in this order. The handlers are the server's own: they
    // have the process end, or read its settings again, where it serves interrupts.
    unsafe {
        #[cfg(not(feature = "pg18"))]
        use pg_sys::pqsignal;
        #[cfg(feature = "pg18")]
        use pg_sys::pqsignal_be as pqsignal;
        pqsignal(libc::SIGTERM, Some(die));
        pqsignal(libc::SIGHUP, Some(SignalHandlerForConfigReload));
        pg_sys::BackgroundWorkerUnblockSignals();
        let (any, flags) = (pg_sys::InvalidOid, pg_sys::BGWORKER_BYPASS_ALLOWCONN);
        pg_sys::BackgroundWorkerInitializeConnectionByOid(pg_sys::Oid::from(database), any, flags);
    }
}

/// Read the settings again if the server was told to.
pub fn follow_settings() {
    // SAFETY: called between transactions of a background worker.
    unsafe {
        if std::ptr::read_volatile(&raw const pg_sys::ConfigReloadPending) != 0 {
            std::ptr::write_volatile(&raw mut pg_sys::ConfigReloadPending, 0);
            pg_sys::ProcessConfigFile(pg_sys::GucContext::PGC_SIGHUP);
        }
    }
}

/// Run a statement that gives one `double precision` in a transaction of its own; `None` for NULL and for no row. An
/// ERROR ends the process.
pub fn transaction(statement: &str) -> Option<f64> {
    let statement = CString::new(statement).ok()?;
    // SAFETY: called in a background worker that is connected, outside of any transaction; the value is read before what
    // it lies in is given back.
    unsafe {
        pg_sys::SetCurrentStatementStartTimestamp();
        pg_sys::StartTransactionCommand();
        pg_sys::SPI_connect();
        pg_sys::PushActiveSnapshot(pg_sys::GetTransactionSnapshot());
        pg_sys::pgstat_report_activity(pg_sys::BackendState::STATE_RUNNING, statement.as_ptr());
        pg_sys::SPI_execute(statement.as_ptr(), false, 1);
        let mut null = pg_sys::SPI_processed == 0 || pg_sys::SPI_tuptable.is_null();
        let mut answer = None;
        if !null {
            let found = &*pg_sys::SPI_tuptable;
            let value = pg_sys::SPI_getbinval(*found.vals, found.tupdesc, 1, &mut null);
            answer = (!null).then(|| f64::from_bits(value.value() as u64));
        }
        pg_sys::SPI_finish();
        pg_sys::PopActiveSnapshot();
        pg_sys::CommitTransactionCommand();
        pg_sys::pgstat_report_stat(false);
        pg_sys::pgstat_report_activity(pg_sys::BackendState::STATE_IDLE, std::ptr::null());
        answer
    }
}

/// Tell whether this server only repeats what another one does, and takes no changes.
pub fn is_standby() -> bool {
    // SAFETY: reads shared memory that every server process has.
    unsafe { pg_sys::RecoveryInProgress() }
}

thread_local! {
    static ASKED: Cell<bool> = const { Cell::new(false) };
}

/// Have `then` called after the running transaction has committed, once however often this is asked. It must not fail.
pub fn after_commit(then: fn()) {
    if ASKED.replace(true) {
        return;
    }
    let forget = || ASKED.set(false);
    pgrx::register_xact_callback(PgXactCallbackEvent::Abort, forget);
    pgrx::register_xact_callback(PgXactCallbackEvent::Prepare, forget);
    pgrx::register_xact_callback(PgXactCallbackEvent::Commit, move || {
        ASKED.set(false);
        then();
    });
}

/// The entry point of the worker that keeps columns embedded, by the name it is registered under.
#[unsafe(no_mangle)]
#[pgrx::pg_guard]
pub extern "C-unwind" fn vw_autoembed_main(argument: pg_sys::Datum) {
    crate::autoembed::worker::run(argument.value() as u32);
}
