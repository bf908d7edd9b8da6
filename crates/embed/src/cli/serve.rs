//! `vw-engine serve`: the service behind PostgreSQL's vw extension.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;
use vw_embed::engine::Options;
use vw_embed::sandbox::Limits;

use super::Place;

/// Answer requests on a unix socket until standard input ends.
///
/// The socket is open to the own user only. PostgreSQL's vw extension starts this command by itself; start it
/// by hand to serve vw.engine_address, for instance: sleep infinity | vw-engine serve --models ... --socket ...
#[derive(Args)]
pub struct Serve {
    #[command(flatten)]
    place: Place,
    /// Path of the socket; one that no engine answers on is replaced.
    #[arg(long)]
    socket: PathBuf,
    /// Memory for the graphs that are kept loaded, such as 900MiB or 3GiB; 0 keeps all that were used.
    ///
    /// The one that was used longest ago is unloaded first; the one in use may be larger.
    #[arg(long, value_name = "SIZE", default_value = "0", value_parser = size)]
    memory: u64,
    /// Memory that the decoder of one picture or sound may take, such as 256MiB.
    ///
    /// A small file gets 256 MiB of it, and 16 bytes more for each of its own.
    #[arg(long, value_name = "SIZE", default_value = "256MiB", value_parser = size)]
    decoder_memory: u64,
    /// Seconds of the processor within which one picture or sound is answered; raise it on a slow machine.
    ///
    /// A small file gets three quarters of it. On the wall it may be five times as long.
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=600))]
    decoder_seconds: u64,
}

impl Serve {
    pub fn run(self) -> Result<()> {
        let limits = Limits {
            memory: self.decoder_memory,
            time: Duration::from_secs(self.decoder_seconds),
            ..Limits::default()
        };
        if limits.memory < Limits::LEAST_MEMORY {
            bail!("--decoder-memory: a decoder does not start with less than {} MiB", Limits::LEAST_MEMORY >> 20);
        }
        let options = Options { memory_bytes: self.memory, ..self.place.runtime.options(limits) };
        vw_embed::serve::serve(Arc::new(self.place.open(options)?), &self.socket)
    }
}

/// Read a size: bytes, or a number and one of KiB, MiB, GiB, TiB.
fn size(text: &str) -> Result<u64, String> {
    let wrong = || format!("\"{text}\" is not a size: say bytes, or a whole number with KiB, MiB, GiB or TiB");
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let shift = match unit.trim() {
        "" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        "TiB" => 40,
        _ => return Err(wrong()),
    };
    number.parse::<u64>().ok().and_then(|number| number.checked_mul(1 << shift)).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_bytes_or_have_a_unit() {
        let read = |text: &str| size(text).ok();
        assert_eq!(
            (read("0"), read("512MiB"), read("3 GiB"), read("7KiB")),
            (Some(0), Some(512 << 20), Some(3 << 30), Some(7 << 10))
        );
        for bad in ["", "MiB", "12MB", "-1", "1.5GiB", "99999999999TiB"] {
            assert!(size(bad).is_err_and(|error| error.contains("KiB, MiB")), "{bad}");
        }
    }
}
