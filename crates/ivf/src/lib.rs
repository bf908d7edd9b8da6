//! The inverted-file index as an algorithm over a page store. Nothing here knows of PostgreSQL's buffers or WAL: the
//! server library adapts them to [`PageStore`], and the tests use [`memory::MemoryStore`].
//!
//! What stands is the ground that the index is built on: pages, transactions over a few of them, and a store that
//! checks the order of locks and can crash at any commit.

#![forbid(unsafe_code)]

pub mod memory;
mod store;

pub use store::{MAX_PAGES, PAGE_BYTES, PageId, PageStore, StoreError, Transaction};
