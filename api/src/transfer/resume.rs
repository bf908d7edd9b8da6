//! A file that is written page by page and can be gone on with: under a name of its own until it is complete, and beside it
//! a note of how far it is. A page that was cut when the machine stopped is cut off, and written again.

use std::fs::{self, File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde_json::{Value, json};

/// A file that is not complete yet.
pub struct Draft {
    target: PathBuf,
    file: File,
    about: String,
    note: Note,
}

/// How far the file is.
#[derive(Default)]
struct Note {
    bytes: u64,
    items: u64,
    /// What comes next; None at the beginning.
    cursor: Option<String>,
}

impl Draft {
    /// Begin a file, or go on with it where the note beside it is of the same export.
    pub fn open(target: &Path, about: &str) -> anyhow::Result<Draft> {
        let path = beside(target, ".part");
        let broken = || format!("cannot write {}", path.display());
        let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(&path).with_context(broken)?;
        if file.try_lock().is_err() {
            bail!("another export is at work on {}", target.display());
        }
        let note = match fs::read(beside(target, ".export")) {
            Ok(text) => Note::read(&text, about).with_context(|| {
                let note = beside(target, ".export");
                format!("{} is of another export; delete it, or name another file", note.display())
            })?,
            Err(_) => Note::default(),
        };
        let length = file.metadata().with_context(broken)?.len();
        let note = if note.bytes <= length { note } else { Note::default() };
        file.set_len(note.bytes).and_then(|()| file.seek(SeekFrom::End(0))).with_context(broken)?;
        Ok(Draft { target: target.to_owned(), file, about: about.to_owned(), note })
    }

    /// What comes next.
    pub fn cursor(&self) -> Option<&str> {
        self.note.cursor.as_deref()
    }

    /// How many items there are already.
    pub fn items(&self) -> u64 {
        self.note.items
    }

    /// Write a page; what was written counts once the note says so.
    pub fn write(&mut self, text: &str, cursor: Option<&str>, items: u64) -> anyhow::Result<()> {
        let broken = || format!("cannot write {}", self.target.display());
        self.file.write_all(text.as_bytes()).with_context(broken)?;
        if cursor.is_some() {
            let bytes = self.note.bytes + text.len() as u64;
            self.note = Note { bytes, items, cursor: cursor.map(str::to_owned) };
            let (next, note) = (beside(&self.target, ".export.next"), beside(&self.target, ".export"));
            fs::write(&next, self.note.text(&self.about)).with_context(broken)?;
            fs::rename(next, note).with_context(broken)?;
        }
        Ok(())
    }

    /// Give the complete file its name.
    pub fn finish(self) -> anyhow::Result<()> {
        let broken = || format!("cannot write {}", self.target.display());
        self.file.sync_all().with_context(broken)?;
        fs::rename(beside(&self.target, ".part"), &self.target).with_context(broken)?;
        // There is none where one page was all.
        let _ = fs::remove_file(beside(&self.target, ".export"));
        Ok(())
    }
}

impl Note {
    fn text(&self, about: &str) -> String {
        json!({"export": about, "bytes": self.bytes, "items": self.items, "cursor": self.cursor}).to_string()
    }

    /// Read a note; None where it is of another export.
    fn read(text: &[u8], about: &str) -> Option<Note> {
        let value: Value = serde_json::from_slice(text).ok()?;
        let number = |field: &str| value.get(field).and_then(Value::as_u64);
        let same = value.get("export").and_then(Value::as_str) == Some(about);
        let cursor = value.get("cursor").and_then(Value::as_str).map(str::to_owned);
        same.then_some(Note { bytes: number("bytes")?, items: number("items")?, cursor: Some(cursor?) })
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut path = path.to_owned();
    path.as_mut_os_string().push(ending);
    path
}

#[cfg(test)]
mod tests {
    //! Guards that what is cut off anywhere goes on without a gap, and that a file has its name only when it is complete.
    use super::*;

    #[test]
    fn pages_follow_one_another_whatever_was_cut() {
        let folder = tempfile::tempdir().expect("a folder");
        let target = folder.path().join("items.jsonl");
        let mut draft = Draft::open(&target, "this").expect("a new one");
        assert!(Draft::open(&target, "this").err().expect("in use").to_string().contains("another export"));
        assert_eq!((draft.cursor(), draft.items()), (None, 0));
        draft.write("1\n2\n", Some("c2"), 2).expect("room");
        drop(draft);
        let part = beside(&target, ".part");
        fs::write(&part, "1\n2\n3").expect("a page that was cut");
        assert!(Draft::open(&target, "that").err().expect("another").to_string().contains("of another export"));
        let mut draft = Draft::open(&target, "this").expect("the same");
        assert_eq!((draft.cursor(), draft.items()), (Some("c2"), 2));
        draft.write("3\n", None, 3).expect("room");
        assert!(!target.exists());
        draft.finish().expect("a name");
        assert_eq!(fs::read_to_string(&target).expect("it is there"), "1\n2\n3\n");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing is left beside it");
        fs::write(beside(&target, ".export"), Note { bytes: 9, items: 9, cursor: Some("c9".into()) }.text("this"))
            .expect("a note without its file");
        assert_eq!(Draft::open(&target, "this").expect("anew").cursor(), None);
    }
}
