//! `vw-api`: the Vectors API as HTTP over SQL calls. Embedding and search happen in the database.

mod app;
mod auth;
mod body;
mod checks;
mod cli;
mod commands;
mod console;
mod db;
mod docs;
mod error;
mod fetch;
mod guesses;
mod guests;
mod handlers;
mod idempotency;
mod indexing;
mod json;
mod key;
mod limits;
mod media;
mod metrics;
mod openapi;
mod outer;
mod peer;
mod requests;
mod routes;
mod server;
mod settings;
mod sqlstate;
mod statement;
mod timing;
mod transfer;
mod types;
mod window;

use std::process::ExitCode;

use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match cli::run(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vw-api: {error:#}");
            ExitCode::FAILURE
        }
    }
}
