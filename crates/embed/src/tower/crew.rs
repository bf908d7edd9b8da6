//! Decoding and preprocessing of files, on as many threads at a time as the machine has cores, whoever asks.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use vw_protocol::Modality;

use super::job::Alive;
use crate::media::{Features, Prepare};
use crate::{Failure, lock};

/// Who prepares, and how many may at a time.
pub struct Crew {
    prepare: Arc<dyn Prepare>,
    size: usize,
    busy: Mutex<usize>,
    wake: Condvar,
}

/// A place among those who prepare; given back on drop.
struct Seat<'a>(&'a Crew);

impl Crew {
    /// A crew of `size`, at least one.
    pub fn new(prepare: Arc<dyn Prepare>, size: usize) -> Crew {
        Crew { prepare, size: size.max(1), busy: Mutex::new(0), wake: Condvar::new() }
    }

    /// Prepare files, in the order given; what is wrong with one does not keep the others from being prepared.
    pub fn prepare(
        &self,
        modality: Modality,
        tower: &Path,
        files: &[Vec<u8>],
        alive: &Alive,
    ) -> Vec<Result<Features, Failure>> {
        let next = AtomicUsize::new(0);
        let work = || {
            let mut done = Vec::new();
            while let Some((at, file)) = take(&next, files) {
                let prepared = if alive() {
                    self.one(modality, tower, file, alive)
                } else {
                    Err(Failure::internal("the caller hung up"))
                };
                done.push((at, prepared));
            }
            done
        };
        let mut done = std::thread::scope(|scope| {
            let hands = self.size.min(files.len());
            let spawn = |_| std::thread::Builder::new().name("prepare".to_owned()).spawn_scoped(scope, work).ok();
            let helpers: Vec<_> = (1..hands).filter_map(spawn).collect();
            let own = work();
            helpers.into_iter().filter_map(|helper| helper.join().ok()).flatten().chain(own).collect::<Vec<_>>()
        });
        done.sort_unstable_by_key(|(at, _)| *at);
        done.into_iter().map(|(_, prepared)| prepared).collect()
    }

    fn one(&self, modality: Modality, tower: &Path, file: &[u8], alive: &Alive) -> Result<Features, Failure> {
        let _seat = self.seat();
        let outcome = catch_unwind(AssertUnwindSafe(|| self.prepare.prepare_while(modality, tower, file, &**alive)));
        let features = outcome
            .unwrap_or_else(|_| Err(Failure::internal("preprocessing panicked; the engine's log says where")))?;
        let count =
            features.shape.iter().chain([&features.clips]).try_fold(1usize, |all, extent| all.checked_mul(*extent));
        if features.clips == 0 || count != Some(features.values.len()) {
            let Features { shape, clips, values, .. } = features;
            return Err(Failure::internal(format!(
                "preprocessing gives {} numbers for {clips} times {shape:?}",
                values.len()
            )));
        }
        Ok(features)
    }

    fn seat(&self) -> Seat<'_> {
        let mut busy = lock(&self.busy);
        while *busy >= self.size {
            busy = self.wake.wait(busy).unwrap_or_else(PoisonError::into_inner);
        }
        *busy += 1;
        Seat(self)
    }
}

/// Take the next file that nobody took.
fn take<'a>(next: &AtomicUsize, files: &'a [Vec<u8>]) -> Option<(usize, &'a [u8])> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    files.get(at).map(|file| (at, file.as_slice()))
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        *lock(&self.0.busy) -= 1;
        self.0.wake.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vw_protocol::ErrorCode;

    /// Gives a file's first byte back; 0 panics, an empty file is bad, and 9 gives too few numbers.
    #[derive(Default)]
    struct First {
        at_work: AtomicUsize,
        most: AtomicUsize,
    }

    impl Prepare for First {
        fn prepare(&self, _: Modality, _: &Path, file: &[u8]) -> Result<Features, Failure> {
            let at_work = self.at_work.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(at_work, Ordering::SeqCst);
            std::thread::sleep(std::time::Duration::from_millis(1));
            self.at_work.fetch_sub(1, Ordering::SeqCst);
            let first = *file.first().ok_or_else(|| Failure::new(ErrorCode::BadInput, "empty"))?;
            assert!(first != 0, "an unlucky file");
            let values = if first == 9 { Vec::new() } else { vec![f32::from(first)] };
            Ok(Features { shape: vec![1], clips: 1, values, truncated: false, longer: false })
        }
    }

    #[test]
    fn files_keep_their_order_and_bad_ones_fail_alone() {
        let crew = Crew::new(Arc::new(First::default()), 3);
        let files: Vec<Vec<u8>> = (0..20).map(|at| if at == 5 { Vec::new() } else { vec![at] }).collect();
        let done = crew.prepare(Modality::Image, Path::new("."), &files, &(Arc::new(|| true) as Alive));
        let value = |one: &Result<Features, Failure>| one.as_ref().ok().map(|features| features.values[0] as usize);
        let wanted: Vec<_> = (0..20).map(|at| (![0, 5, 9].contains(&at)).then_some(at)).collect();
        assert_eq!(done.iter().map(value).collect::<Vec<_>>(), wanted);
        let code = |at: usize| done[at].as_ref().err().map(|failure| failure.code);
        assert_eq!((code(0), code(5)), (Some(ErrorCode::Internal), Some(ErrorCode::BadInput)));
    }

    #[test]
    fn no_more_work_at_a_time_than_the_crew_is_large() {
        let prepare = Arc::new(First::default());
        let crew = Crew::new(Arc::clone(&prepare) as Arc<dyn Prepare>, 2);
        let files = vec![vec![1]; 10];
        std::thread::scope(|scope| {
            let ask = || crew.prepare(Modality::Image, Path::new("."), &files, &(Arc::new(|| true) as Alive)).len();
            let asked: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
            asked.into_iter().for_each(|asked| assert_eq!(asked.join().expect("it is answered"), 10));
        });
        assert!(prepare.most.load(Ordering::SeqCst) <= 2);
    }

    #[test]
    fn nothing_is_prepared_for_a_caller_that_hung_up() {
        let prepare = Arc::new(First::default());
        let crew = Crew::new(Arc::clone(&prepare) as Arc<dyn Prepare>, 2);
        let done = crew.prepare(Modality::Image, Path::new("."), &vec![vec![1]; 10], &(Arc::new(|| false) as Alive));
        assert!(done.iter().all(Result::is_err) && prepare.most.load(Ordering::SeqCst) == 0);
    }
}
