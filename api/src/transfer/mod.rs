//! `vw-api import` and `export`: files into a collection and back, through the API of a running service.
//!
//! A client like any other: nothing here asks the database, and nothing in the service depends on it.

mod client;
mod export;
mod import;
mod journal;
mod progress;
mod resume;
mod source;

use clap::Args;

pub use export::Export;
pub use import::Import;

/// Which service, and with which key.
#[derive(Args)]
pub struct Place {
    /// The service's address
    #[arg(long, env = "VW_URL", default_value = "http://127.0.0.1:8080")]
    url: String,
    /// An API key of the project
    #[arg(long, env = "VW_API_KEY", hide_env_values = true)]
    key: String,
    /// The collection's name or id
    collection: String,
}
