//! What happened to a decoder, told to whoever sent the file.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use vw_protocol::{ErrorCode, Modality};

use crate::Failure;
use crate::sandbox::limits::Allowance;
use crate::sandbox::memory::OUT_OF_MEMORY;
use crate::sandbox::process::End;

/// What is to be done about a decoder that gave no answer.
#[derive(Debug)]
pub enum Verdict {
    /// The file is at fault, or its caller does not wait: answer this.
    Answer(Failure),
    /// The file is not at fault: another decoder may do it. The text says what happened.
    Again(String),
}

/// Judge how a decoder ended that was at work on a file.
pub fn judge(end: End, modality: Modality, allowance: Allowance) -> Verdict {
    match end {
        End::Late(time) => Verdict::Answer(late(modality, time)),
        End::Starved(time) => Verdict::Answer(starved(modality, time)),
        End::HungUp => Verdict::Answer(hung_up()),
        End::Stopped => Verdict::Again("it was stopped".to_owned()),
        End::Garbled => Verdict::Answer(crashed(modality)),
        End::Lost(error) => Verdict::Again(format!("it cannot be watched: {error}")),
        End::Died(status) => died(status, modality, allowance),
    }
}

fn died(status: ExitStatus, modality: Modality, allowance: Allowance) -> Verdict {
    match (status.code(), status.signal()) {
        (Some(OUT_OF_MEMORY), _) => Verdict::Answer(large(modality, allowance)),
        (_, Some(libc::SIGXCPU)) => Verdict::Answer(late(modality, allowance.processor)),
        // No decoder sends itself these: the file has no part in it, unless memory ran out on the whole machine.
        (_, Some(libc::SIGKILL | libc::SIGTERM | libc::SIGINT | libc::SIGHUP)) => Verdict::Again(status.to_string()),
        // It ended in order, or could not start to work: a decoder does neither because of a file.
        (Some(_), _) => Verdict::Again(status.to_string()),
        _ => Verdict::Answer(crashed(modality)),
    }
}

fn late(modality: Modality, time: Duration) -> Failure {
    let message = format!("decoding this {} took longer than {} seconds", modality.name(), time.as_secs_f64());
    Failure::new(ErrorCode::BadInput, message).hint(smaller(modality))
}

fn starved(modality: Modality, time: Duration) -> Failure {
    let (name, time) = (modality.name(), time.as_secs_f64());
    let message = format!("decoding this {name} took longer than {time} seconds, since the machine is busy");
    Failure::new(ErrorCode::Overloaded, message).hint("Try again later.")
}

fn large(modality: Modality, allowance: Allowance) -> Failure {
    let (name, limit) = (modality.name(), allowance.memory >> 20);
    let message = format!("decoding this {name} needs more memory than {limit} MiB");
    Failure::new(ErrorCode::BadInput, message).hint(smaller(modality))
}

/// The decoder ended, or stopped in the middle, because of the file.
pub fn crashed(modality: Modality) -> Failure {
    let message = format!("the decoder crashed on this {}", modality.name());
    Failure::new(ErrorCode::BadInput, message).hint("The file is damaged; save it anew with another program.")
}

/// Nobody waits for the answer.
pub fn hung_up() -> Failure {
    Failure::internal("the caller hung up")
}

fn smaller(modality: Modality) -> &'static str {
    match modality {
        Modality::Audio => "Send a shorter recording, or one with a lower sampling rate.",
        _ => "Send a smaller picture.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::Limits;

    fn says(end: End) -> String {
        match judge(end, Modality::Audio, Limits::default().of_file(1000)) {
            Verdict::Answer(failure) => format!("{:?} {} {}", failure.code, failure.message, failure.hint),
            Verdict::Again(cause) => format!("again: {cause}"),
        }
    }

    /// The status of a process that ended with `code`, or by `signal`.
    fn died(code: i32, signal: i32) -> End {
        End::Died(ExitStatus::from_raw(code << 8 | signal))
    }

    #[test]
    fn the_caller_learns_which_limit_its_file_exceeds() {
        for late in [End::Late(Duration::from_millis(1500)), died(0, libc::SIGXCPU)] {
            let said = says(late);
            assert!(said.starts_with("BadInput decoding this audio took longer than 1.5 seconds Send"), "{said}");
        }
        let said = says(died(OUT_OF_MEMORY, 0));
        assert!(said.starts_with("BadInput decoding this audio needs more memory than 256 MiB Send"), "{said}");
        let said = says(End::Starved(Duration::from_secs(10)));
        assert!(said.starts_with("Overloaded decoding this audio took longer than 10 seconds, since"), "{said}");
        for signal in [libc::SIGSEGV, libc::SIGABRT, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGSYS] {
            let said = says(died(0, signal));
            assert!(said.starts_with("BadInput the decoder crashed on this audio"), "{said}");
        }
    }

    #[test]
    fn what_others_do_to_a_decoder_is_not_blamed_on_the_file() {
        for end in [End::Stopped, died(0, libc::SIGKILL), died(0, libc::SIGTERM), died(0, 0), died(1, 0)] {
            let said = says(end);
            assert!(said.starts_with("again: "), "{said}");
        }
    }
}
