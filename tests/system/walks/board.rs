//! What walkers know of one another: the ids, URLs, cursors and idempotency keys that each project was given. And the
//! random numbers that they walk by.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard};

/// A source of random numbers (SplitMix64).
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Rng {
        Rng(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// One of several.
    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        if all.is_empty() { None } else { all.get(self.below(all.len())) }
    }
}

/// What a project can be asked for under another's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Loot {
    Collection,
    Item,
    Cursor,
    Content,
    IdempotencyKey,
    Key,
}

/// The words of a text that may be ids.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || "_-.:".contains(c)))
}

/// The newest things of each kind; older ones are forgotten.
const KEPT: usize = 64;

#[derive(Default)]
struct State {
    loot: HashMap<(usize, Loot), Vec<String>>,
    /// Whose an id is, for every id that was ever given.
    owners: HashMap<String, usize>,
    /// The idempotency keys of the other that a project has used.
    used: HashSet<(usize, String)>,
}

/// The board on which all walkers write.
#[derive(Default)]
pub struct Board(Mutex<State>);

impl Board {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no walker panics with it")
    }

    /// Write down what a project was given.
    pub fn put(&self, side: usize, kind: Loot, text: &str) {
        let mut state = self.state();
        if matches!(kind, Loot::Collection | Loot::Item | Loot::Key) {
            state.owners.insert(text.to_owned(), side);
        }
        let things = state.loot.entry((side, kind)).or_default();
        things.push(text.to_owned());
        if things.len() > KEPT {
            things.remove(0);
        }
    }

    /// One of the things of the other project.
    pub fn of_other(&self, side: usize, kind: Loot, rng: &mut Rng) -> Option<String> {
        rng.pick(self.state().loot.get(&(1 - side, kind))?).cloned()
    }

    /// Tell whether a project uses an idempotency key of the other for the first time.
    pub fn first_use(&self, side: usize, key: &str) -> bool {
        self.state().used.insert((side, key.to_owned()))
    }

    /// The first word of a text that is an id of the other project.
    pub fn foreign_word<'a>(&self, side: usize, text: &'a str) -> Option<&'a str> {
        let state = self.state();
        words(text).find(|word| state.owners.get(*word).is_some_and(|owner| *owner != side))
    }
}
