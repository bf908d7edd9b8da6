//! The engine as the database sees it: a client in every backend, one supervisor, and the SQL functions.
//! No model runs in a server process; the program itself is `vw-engine`.

mod ask;
mod catalog;
pub mod client;
pub mod connection;
pub mod functions;
mod memo;
mod pinned;
pub mod process;
mod progress;
mod pulse;
mod scalar;
pub mod settings;
pub mod supervisor;
