//! Which records of an import are in the collection already, so that one that was interrupted goes on where it was.
//!
//! A text file: a line that says what is imported where, then for each answered request the numbers of its records that
//! were taken, as `first-last`. A line that was cut when the machine stopped counts as not written: its records are
//! imported again, under the same ids.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// The file that says which records are done.
pub struct Journal {
    path: PathBuf,
    file: File,
    done: Done,
}

/// The records that were done when a journal was opened: ranges of numbers, ordered, ends included.
#[derive(Clone)]
pub struct Done(Vec<(u64, u64)>);

impl Done {
    /// How many there are.
    pub fn count(&self) -> u64 {
        self.0.iter().map(|(first, last)| last - first + 1).sum()
    }

    /// Whether a record is among them.
    pub fn has(&self, number: u64) -> bool {
        let before = self.0.partition_point(|(first, _)| *first <= number);
        before.checked_sub(1).and_then(|at| self.0.get(at)).is_some_and(|(_, last)| *last >= number)
    }
}

impl Journal {
    /// Open the journal of an import, or begin one.
    pub fn open(path: &Path, about: &str) -> anyhow::Result<Journal> {
        let broken = || format!("cannot use the journal {}", path.display());
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).with_context(broken)?;
        if file.try_lock().is_err() {
            bail!("another import is at work with the journal {}", path.display());
        }
        let mut text = String::new();
        file.read_to_string(&mut text).with_context(broken)?;
        // What follows the last line break was cut.
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let mut lines = text.get(..whole).unwrap_or_default().lines();
        let mut done: Vec<(u64, u64)> = match lines.next() {
            Some(first) if first == about => lines.filter_map(range).collect(),
            Some(_) => bail!("{} is the journal of another import; delete it, or name another", path.display()),
            None => Vec::new(),
        };
        file.set_len(whole as u64).and_then(|()| file.seek(SeekFrom::End(0)).map(|_| ())).with_context(broken)?;
        done.sort_unstable();
        let mut journal = Journal { path: path.to_owned(), file, done: Done(done) };
        if whole == 0 {
            journal.write(&format!("{about}\n"))?;
        }
        Ok(journal)
    }

    /// What was done when the journal was opened.
    pub fn done(&self) -> &Done {
        &self.done
    }

    /// Note that records are done; `numbers` ascend.
    pub fn note(&mut self, numbers: &[u64]) -> anyhow::Result<()> {
        let lines = ranges(numbers).map(|(first, last)| format!("{first}-{last}\n"));
        self.write(&lines.collect::<String>())
    }

    /// Forget an import that is complete.
    pub fn remove(self) -> anyhow::Result<()> {
        std::fs::remove_file(&self.path).with_context(|| format!("cannot remove {}", self.path.display()))
    }

    fn write(&mut self, text: &str) -> anyhow::Result<()> {
        self.file.write_all(text.as_bytes()).with_context(|| format!("cannot write {}", self.path.display()))
    }
}

fn range(line: &str) -> Option<(u64, u64)> {
    let (first, last) = line.split_once('-')?;
    let range = (first.parse().ok()?, last.parse().ok()?);
    (range.0 <= range.1).then_some(range)
}

/// Join ascending numbers that follow one another.
fn ranges(numbers: &[u64]) -> impl Iterator<Item = (u64, u64)> {
    numbers.chunk_by(|one, next| one + 1 == *next).filter_map(|run| Some((*run.first()?, *run.last()?)))
}

#[cfg(test)]
mod tests {
    //! Guards what a second run leaves out: no more than what was acknowledged.
    use super::*;

    #[test]
    fn what_was_noted_is_known_again_and_a_cut_line_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal");
        let mut journal = Journal::open(&path, "this").expect("a new one");
        assert!(Journal::open(&path, "this").err().expect("it is in use").to_string().contains("another import"));
        journal.note(&[5, 6, 7, 9]).expect("room");
        journal.note(&[0]).expect("room");
        drop(journal);
        let text = std::fs::read_to_string(&path).expect("it is there");
        assert_eq!(text, "this\n5-7\n9-9\n0-0\n");
        std::fs::write(&path, format!("{text}12-3")).expect("room");
        let mut journal = Journal::open(&path, "this").expect("the same");
        let known: Vec<u64> = (0..20).filter(|number| journal.done().has(*number)).collect();
        assert_eq!((known, journal.done().count()), (vec![0, 5, 6, 7, 9], 5));
        journal.note(&[1]).expect("room");
        drop(journal);
        assert!(std::fs::read_to_string(&path).expect("it is there").ends_with("0-0\n1-1\n"));
        assert!(Journal::open(&path, "other").err().expect("another's").to_string().contains("journal of another"));
    }
}
