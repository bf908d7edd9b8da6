//! The last embeddings of the running statement. PostgreSQL evaluates a STABLE call with constant arguments once a
//! row, so `ORDER BY embedding <=> vw_embed_text('white shoes')` would ask the engine for every row of a table.
//!
//! An entry counts for the statement that made it only: the next one may meet another model.

use crate::pg::clock;
use std::cell::RefCell;
use vw_protocol::Modality;

/// Entries; one for each call in a statement that has a few of them.
const ENTRIES: usize = 4;
/// Larger inputs are not kept, in bytes.
const MAX_INPUT: usize = 1 << 20;

struct Entry {
    statement: i64,
    modality: Modality,
    model: String,
    input: Vec<u8>,
    vector: Vec<f32>,
}

thread_local! {
    static MEMO: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
}

/// Give what `make` makes of the vector that this statement got for the same input.
pub fn find<T>(modality: Modality, model: &str, input: &[u8], make: impl Fn(&[f32]) -> T) -> Option<T> {
    let statement = clock::statement_start();
    MEMO.with_borrow(|entries| {
        let same = |e: &&Entry| {
            e.statement == statement && e.modality == modality && e.model == model && e.input.as_slice() == input
        };
        entries.iter().find(same).map(|entry| make(&entry.vector))
    })
}

/// Keep a vector for the rest of the statement; forget those of earlier statements, then the oldest.
pub fn keep(modality: Modality, model: String, input: &[u8], vector: Vec<f32>) {
    let statement = clock::statement_start();
    MEMO.with_borrow_mut(|entries| {
        entries.retain(|entry| entry.statement == statement);
        if input.len() <= MAX_INPUT {
            if entries.len() >= ENTRIES {
                entries.remove(0);
            }
            entries.push(Entry { statement, modality, model, input: input.to_vec(), vector });
        }
    });
}
