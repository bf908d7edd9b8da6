//! Outside-in tests: throw-away clusters, psql and HTTP. Names none of the project's crates.

pub mod cage;
pub mod cluster;
pub mod files;
pub mod flag;
pub mod pooler;
pub mod process;
pub mod samples;
pub mod service;
pub mod world;
