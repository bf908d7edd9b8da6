//! The engine's settings, `vw.engine_…`.

use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting};
use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

static ENGINE_ADDRESS: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(c""));
static ENGINE_START_TIMEOUT: GucSetting<i32> = GucSetting::<i32>::new(30_000);
static ENGINE_HANG_TIMEOUT: GucSetting<i32> = GucSetting::<i32>::new(5_000);
static ENGINE_THREADS: GucSetting<i32> = GucSetting::<i32>::new(0);

/// Define them; called once, when the library is loaded.
pub fn define() {
    GucRegistry::define_string_guc(
        c"vw.engine_address",
        c"Path of the Unix socket of an engine that runs elsewhere.",
        c"Empty means the engine that this server starts and watches itself.",
        &ENGINE_ADDRESS,
        GucContext::Suset,
        GucFlags::default(),
    );
    GucRegistry::define_int_guc(
        c"vw.engine_start_timeout",
        c"Longest time to wait for the engine to accept connections.",
        c"",
        &ENGINE_START_TIMEOUT,
        1,
        i32::MAX,
        GucContext::Userset,
        GucFlags::UNIT_MS,
    );
    GucRegistry::define_int_guc(
        c"vw.engine_hang_timeout",
        c"Time without an answer after which the engine is killed and started again.",
        c"Zero means that it is never killed.",
        &ENGINE_HANG_TIMEOUT,
        0,
        i32::MAX,
        GucContext::Sighup,
        GucFlags::UNIT_MS,
    );
    GucRegistry::define_int_guc(
        c"vw.engine_threads",
        c"Number of threads that the engine computes on.",
        c"Zero means one for each processor core.",
        &ENGINE_THREADS,
        0,
        1024,
        GucContext::Sighup,
        GucFlags::default(),
    );
}

/// The foreign engine's socket, or `None` for our own engine.
pub fn address() -> Option<PathBuf> {
    let address = ENGINE_ADDRESS.get().filter(|address| !address.is_empty())?;
    Some(PathBuf::from(OsStr::from_bytes(address.to_bytes())))
}

/// How long to wait for the engine to start.
pub fn start_timeout() -> Duration {
    Duration::from_millis(ENGINE_START_TIMEOUT.get().max(1) as u64)
}

/// How long the engine may owe an answer; `None` for as long as it likes.
pub fn hang_timeout() -> Option<Duration> {
    let millis = u64::try_from(ENGINE_HANG_TIMEOUT.get()).unwrap_or(0);
    (millis > 0).then(|| Duration::from_millis(millis))
}

/// What the engine is started with; another value needs another engine.
#[derive(PartialEq)]
pub struct Launch {
    /// Threads that it computes on; zero for all cores.
    pub threads: i32,
}

/// The settings that the next engine is started with.
pub fn launch() -> Launch {
    Launch { threads: ENGINE_THREADS.get() }
}
