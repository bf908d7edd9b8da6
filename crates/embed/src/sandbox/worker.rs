//! The decoder's side of the pipe: fence in, then read a job, do it, answer it, until the pipe ends.

use std::cell::RefCell;
use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::{Context, Result};

use crate::Failure;
use crate::media::{Features, Inline, Prepare};
use crate::sandbox::frame::{Answer, Job, MAX_ANSWER, read_job};
use crate::sandbox::{fence, memory};

thread_local! {
    /// What the last panic of this thread said.
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Run the command `vw-engine decoder`: jobs on standard input, answers on standard output, `limit` bytes of memory.
pub fn decode(limit: u64) -> Result<()> {
    fence::close(limit).context("cannot fence the decoder in")?;
    memory::end_when_refused();
    std::panic::set_hook(Box::new(|panic| PANIC.set(panic.to_string())));
    work(&mut std::io::stdin().lock(), &mut std::io::stdout().lock(), &Inline, fence::allow)
}

/// Answer jobs until there are no more; `allow` is called with the memory and the seconds of each.
fn work(
    jobs: &mut impl Read,
    answers: &mut impl Write,
    decoders: &impl Prepare,
    allow: impl Fn(u64, u64) -> std::io::Result<()>,
) -> Result<()> {
    while let Some(job) = read_job(jobs)? {
        allow(job.memory, job.seconds)?;
        let answer = answer(decoders, &job);
        answers.write_all(&answer.encode())?;
        answers.flush()?;
    }
    Ok(())
}

/// Do one job, whatever happens on the way.
fn answer(decoders: &impl Prepare, job: &Job) -> Answer {
    match catch_unwind(AssertUnwindSafe(|| decoders.prepare(job.modality, &job.tower, &job.file))) {
        Ok(Ok(features)) if !fits(&features) => {
            let message = format!("the features of one {} have {} values", job.modality.name(), features.values.len());
            Answer::Refusal(Failure::pack(message).into())
        }
        Ok(Ok(features)) => Answer::Features(features),
        Ok(Err(failure)) => Answer::Refusal(failure.into()),
        Err(_) => Answer::Panic(PANIC.take()),
    }
}

fn fits(features: &Features) -> bool {
    features.values.len() < MAX_ANSWER / 4 - 64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::frame::head;
    use std::path::Path;
    use vw_protocol::{ErrorCode, Modality};

    fn features(values: Vec<f32>) -> Features {
        Features { shape: vec![values.len()], clips: 1, values, truncated: false, longer: false }
    }

    /// Does as the file says.
    struct Obedient;

    impl Prepare for Obedient {
        fn prepare(&self, _: Modality, _: &Path, file: &[u8]) -> Result<Features, Failure> {
            match file {
                b"panic" => panic!("as the file says"),
                b"refuse" => Err(Failure::new(ErrorCode::BadInput, "no")),
                b"grow" => Ok(features(vec![0.0; MAX_ANSWER / 4])),
                _ => Ok(features(vec![0.5])),
            }
        }
    }

    #[test]
    fn a_panic_is_an_answer_and_the_next_job_is_done() {
        let mut jobs = Vec::new();
        for file in [b"panic".as_slice(), b"refuse", b"grow", b"embed"] {
            jobs.extend(head(Modality::Image, 1, 1, Path::new("x"), file.len()).expect("the path is short"));
            jobs.extend(file);
        }
        let mut answers = Vec::new();
        work(&mut jobs.as_slice(), &mut answers, &Obedient, |_, _| Ok(())).expect("all jobs are in order");
        let mut found = Vec::new();
        let mut rest = answers.as_slice();
        while let Some((word, left)) = rest.split_first_chunk::<4>() {
            let (body, left) = left.split_at(u32::from_le_bytes(*word) as usize);
            found.push(Answer::decode(body).expect("it is an answer"));
            rest = left;
        }
        let [panic, refuse, grow, embed] = found.as_slice() else { panic!("{found:?}") };
        assert!(matches!(panic, Answer::Panic(_)), "{panic:?}");
        assert!(matches!(refuse, Answer::Refusal(refusal) if refusal.message == "no"), "{refuse:?}");
        assert!(matches!(grow, Answer::Refusal(refusal) if refusal.code == ErrorCode::BrokenPack), "{grow:?}");
        assert!(matches!(embed, Answer::Features(features) if features.values == [0.5]), "{embed:?}");
    }
}
