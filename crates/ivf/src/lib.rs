//! The inverted-file index as an algorithm over a page store. Nothing here knows of PostgreSQL's buffers or WAL: the
//! server library adapts them to [`PageStore`], and the tests use [`memory::MemoryStore`].
//!
//! What the files hold: [`codec`] and [`kmeans`] the mathematics of codes and centroids; `layout` to `packed` the pages;
//! `insert`, `delete` and `search` the operations; `replace`, `reshape` and `spread` how lists and the directory change
//! their shape; `plan`, `placer` and `loader` the build. The page map, the order of locks and what a crash leaves behind are told in
//! README.md beside this crate.

#![forbid(unsafe_code)]

mod allocate;
mod centre;
mod check;
pub mod codec;
mod delete;
mod draft;
mod error;
mod index;
mod insert;
pub mod kmeans;
mod layout;
mod list;
mod loader;
mod members;
pub mod memory;
mod meta;
mod open;
mod packed;
mod page;
mod placer;
mod plan;
mod regroup;
mod replace;
mod reshape;
mod route;
mod search;
mod spread;
mod stats;
mod store;
mod table;
mod tid;

pub use check::{Checked, Problem};
pub use codec::{Coding, Metric};
pub use delete::Deleted;
pub use error::Error;
use error::reserve;
pub use index::{Index, Kept, Options, create};
pub use loader::Loader;
pub use placer::Placer;
pub use plan::{Plan, Sample, lists};
pub use search::{Calibration, Counters, Effort, Forecast, Found, Search};
pub use stats::{Estimate, Stats};
pub use store::{MAX_PAGES, PAGE_BYTES, PageId, PageStore, Patched, StoreError, Transaction};
pub use tid::Tid;
