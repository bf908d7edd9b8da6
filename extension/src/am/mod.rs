//! The access methods `ivf`, `ivfflat` and `hnsw`: the server's callbacks over the index of vw-ivf.
//! Not the index itself. One file for each of the server's verbs; `handler` is the table of them.

mod build;
mod cost;
mod distance;
mod error;
mod explain;
mod handler;
mod heap;
mod insert;
mod inspect;
mod kept;
mod kind;
mod memory;
mod options;
mod page;
mod patch;
mod recall;
mod recent;
mod relation;
mod scan;
mod statistics;
mod store;
mod tid;
mod vacuum;
mod validate;

/// Define options and settings, and have EXPLAIN ask us; called once, when the library is loaded.
pub fn define() {
    options::define();
    explain::define();
}
