//! `vw-api`: the Vectors API as HTTP over SQL calls. Embedding and search happen in the database.

mod app;
mod auth;
mod body;
mod checks;
mod cli;
mod console;
mod db;
mod error;
mod handlers;
mod idempotency;
mod json;
mod key;
mod media;
mod outer;
mod requests;
mod routes;
mod server;
mod sqlstate;
mod statement;
mod types;

use std::process::ExitCode;

use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).with_target(false).init();
    match cli::run(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vw-api: {error:#}");
            ExitCode::FAILURE
        }
    }
}
