//! Columns that keep themselves embedded: the background worker's life. What it does in a step is SQL, in
//! `sql/vw/57_autoembed_worker.sql`.

mod marker;
pub mod settings;
pub mod sweep;
mod wake;
pub mod worker;
