//! `vw-engine`: runs the models outside of every PostgreSQL process. The commands are in `cli`, the work is in the library.

mod cli;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: vw_embed::sandbox::Allocator = vw_embed::sandbox::Allocator;

fn main() -> ExitCode {
    match cli::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vw-engine: {error:#}");
            ExitCode::FAILURE
        }
    }
}
