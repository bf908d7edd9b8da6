//! The library behind the extensions `vector` and `vw`: PostgreSQL glue only.
//! The values' logic is in vw-vector, the engine is a program of its own, and all SQL is hand-written in `sql/`.

mod am;
mod autoembed;
mod engine;
mod flock;
mod pg;
mod project;
mod types;

pgrx::pg_module_magic!(name, version);

#[global_allocator]
static ALLOCATOR: pg::reserve::Allocator = pg::reserve::Allocator;

/// Define settings, and register the supervisor when the library is preloaded.
#[pgrx::pg_guard]
pub extern "C-unwind" fn _PG_init() {
    // Keeps Rust backtraces out of the DETAIL that clients see, whatever environment the server was started in.
    // SAFETY: server processes are single-threaded while libraries load.
    unsafe { std::env::set_var("RUST_LIB_BACKTRACE", "0") };
    engine::settings::define();
    autoembed::settings::define();
    project::define();
    am::define();
    pg::install::reserve_settings(c"vw");
    if pg::install::preloading() {
        engine::supervisor::register();
    }
}
