//! What must be there after processes were killed: of a batch that was acknowledged exactly that, of a request without
//! an answer either what was before or what it asked for; whole in both cases, every item with its own file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};
use vw_tests::samples::{base64, png};

use super::Studio;

/// Items of one request.
pub const BATCH: usize = 5;

/// Which batch: its round, its writer and its number.
pub type Batch = (usize, usize, usize);

/// A batch as it is stored: never indexed or deleted, or as its n-th request had it.
pub type Version = Option<u32>;

/// What each batch may be.
#[derive(Default)]
pub struct Ledger(BTreeMap<Batch, Vec<Version>>);

/// How many batches of a round there were, by what came of them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub acknowledged: usize,
    /// Without an answer, and as if they had never been sent.
    pub undone: usize,
    /// Without an answer, and done all the same.
    pub done: usize,
}

impl std::ops::Add for Tally {
    type Output = Tally;

    fn add(self, other: Tally) -> Tally {
        Tally {
            acknowledged: self.acknowledged + other.acknowledged,
            undone: self.undone + other.undone,
            done: self.done + other.done,
        }
    }
}

/// The ids of a batch.
pub fn ids((round, writer, number): Batch) -> Vec<String> {
    (0..BATCH).map(|item| format!("{round}-{writer}-{number}-{item}")).collect()
}

/// The file of an item: no two items and no two versions have the same. The last one of a batch is a text and has none.
fn file(batch: Batch, item: usize, version: u32) -> Option<Vec<u8>> {
    let (round, writer, number) = batch;
    let mix = (((round * 31 + writer) * 1009 + number) * BATCH + item) * 7 + version as usize;
    let [blue, green, red, ..] = (mix as u64).to_le_bytes();
    (item + 1 < BATCH).then(|| png(24, [red, green, blue]))
}

fn text((round, writer, number): Batch, version: u32) -> String {
    format!("text of {round}-{writer}-{number} as of {version}")
}

/// The items of a batch as a request has them.
pub fn items(batch: Batch, version: u32) -> Vec<Value> {
    let item = |(at, id): (usize, String)| match file(batch, at, version) {
        Some(bytes) => json!({"id": id, "image_base64": base64(&bytes)}),
        None => json!({"id": id, "text": text(batch, version)}),
    };
    ids(batch).into_iter().enumerate().map(item).collect()
}

/// What the store and the database have of one item.
struct Found {
    key: Option<String>,
    text: Option<String>,
}

impl Ledger {
    /// Note what a batch may be from now on.
    pub fn note(&mut self, batch: Batch, versions: Vec<Version>) {
        self.0.insert(batch, versions);
    }

    /// Take over what a writer noted.
    pub fn extend(&mut self, other: Ledger) {
        self.0.extend(other.0);
    }

    /// Hold database and store to it while nobody writes; from then on each batch is what it was found to be.
    /// Counts those of one round.
    pub fn settle(&mut self, studio: &Studio, round: usize) -> Tally {
        let mut client = studio.database();
        let rows = client.query("SELECT id, content, media_key FROM vw.item", &[]).expect("items");
        let found: BTreeMap<String, Found> =
            rows.iter().map(|row| (row.get(0), Found { text: row.get(1), key: row.get(2) })).collect();
        assert_eq!(found.len(), rows.len(), "an id is there once");
        let count: i64 = client.query_one("SELECT item_count FROM vw.collection", &[]).expect("one").get(0);
        assert_eq!(count, rows.len() as i64, "the collection counts its items");
        let keys: BTreeSet<String> = found.values().filter_map(|item| item.key.clone()).collect();
        assert_eq!(stored(studio), keys, "every file has an item, and every item its file");
        let mut tally = Tally::default();
        let mut expected = 0;
        for (batch, versions) in &mut self.0 {
            let is = |version: &Version| matches(*batch, *version, &found, studio);
            let Some(real) = versions.iter().copied().find(is) else {
                let there: Vec<_> = ids(*batch).into_iter().filter(|id| found.contains_key(id)).collect();
                panic!("batch {batch:?} may be {versions:?}; of it {there:?} are there, and not as any of these");
            };
            match versions.len() {
                _ if batch.0 != round => {}
                1 => tally.acknowledged += 1,
                _ if versions.first() == Some(&real) => tally.undone += 1,
                _ => tally.done += 1,
            }
            expected += if real.is_some() { BATCH } else { 0 };
            *versions = vec![real];
        }
        assert_eq!(expected, found.len(), "there is nothing that nobody sent");
        tally
    }
}

/// The keys of all files in the store.
fn stored(studio: &Studio) -> BTreeSet<String> {
    let name = |file: std::path::PathBuf| {
        file.strip_prefix(studio.objects()).expect("a file below").to_string_lossy().into_owned()
    };
    studio.stored().into_iter().map(name).collect()
}

/// Whether a batch is there as this version, to the last byte.
fn matches(batch: Batch, version: Version, found: &BTreeMap<String, Found>, studio: &Studio) -> bool {
    let Some(version) = version else { return ids(batch).iter().all(|id| !found.contains_key(id)) };
    ids(batch).iter().enumerate().all(|(at, id)| {
        let Some(item) = found.get(id) else { return false };
        match (file(batch, at, version), &item.key) {
            (Some(bytes), Some(key)) => std::fs::read(Path::new(studio.objects()).join(key)).ok() == Some(bytes),
            (None, None) => item.text == Some(text(batch, version)),
            _ => false,
        }
    })
}
