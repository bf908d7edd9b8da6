//! The inverted-file index as an algorithm over a page store. Nothing here knows of PostgreSQL's buffers or WAL: the
//! server library adapts them to [`PageStore`], and the tests use [`memory::MemoryStore`].
//!
//! What stands is one list, correct before it is fast: pages, chains, insert, search, deletion, check and bulk build.
//! The page map, the order of locks and what a crash leaves behind are told in README.md beside this crate. Centroids
//! and codes come later; no vector is read here.

#![forbid(unsafe_code)]

mod check;
pub mod codec;
mod cursor;
mod delete;
mod error;
mod free;
mod index;
mod insert;
pub mod kmeans;
mod layout;
mod loader;
pub mod memory;
mod meta;
mod page;
#[cfg(test)]
mod sealed_tests;
mod search;
mod stats;
mod store;
mod tid;

pub use check::{Checked, Problem};
pub use delete::Deleted;
pub use error::Error;
pub use index::{Index, Options, create};
pub use loader::Loader;
pub use page::MEMBERS_PER_PAGE;
pub use search::Search;
pub use stats::{Estimate, Stats};
pub use store::{MAX_PAGES, PAGE_BYTES, PageId, PageStore, StoreError, Transaction};
pub use tid::Tid;
