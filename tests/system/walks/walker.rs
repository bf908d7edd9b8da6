//! One client of one project: what it stored, how it sends, and what no answer to it may hold.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use vw_tests::service::{Answer, Content, JSON, Service};

use super::board::{Board, Loot, Rng, words};
use super::{PROJECTS, Steps};

/// The keys of a project.
pub struct Keys {
    pub read: String,
    pub write: String,
    pub admin: String,
}

/// An item as it was stored.
#[derive(Clone, Debug)]
pub struct Item {
    /// None for a picture.
    pub text: Option<String>,
    pub metadata: Value,
    /// The bytes of a picture.
    pub file: Option<Vec<u8>>,
}

/// A collection as it was made.
#[derive(Clone, Debug, Default)]
pub struct Collection {
    pub name: String,
    pub description: Value,
    pub items: BTreeMap<String, Item>,
}

pub struct Walker<'a> {
    pub service: &'a Service,
    pub keys: &'a Keys,
    /// Its place in [`PROJECTS`].
    pub side: usize,
    pub number: usize,
    pub board: &'a Board,
    pub rng: Rng,
    pub collections: HashMap<String, Collection>,
    pub steps: Steps,
    /// Counts what it makes, so that no two texts are alike.
    made: usize,
    done: &'a AtomicUsize,
}

/// Headers that differ from answer to answer.
const PASSING: [&str; 3] = ["date", "server-timing", "x-request-id"];

impl<'a> Walker<'a> {
    pub fn new(
        service: &'a Service,
        keys: &'a Keys,
        side: usize,
        number: usize,
        board: &'a Board,
        done: &'a AtomicUsize,
        rng: Rng,
    ) -> Self {
        let (collections, steps) = (HashMap::new(), Steps::new());
        Walker { service, keys, side, number, board, rng, collections, steps, made: 0, done }
    }

    /// Walk until so many requests were sent by all walkers together; give how often each step was taken.
    pub fn walk(&mut self, calls: usize) -> Steps {
        while self.done.load(Ordering::SeqCst) < calls {
            let (name, step) = match self.rng.below(100) {
                0..55 => self.own_step(),
                _ => self.foreign_step(),
            };
            step(self);
            *self.steps.entry(name).or_default() += 1;
        }
        std::mem::take(&mut self.steps)
    }

    /// The word of this project, which the other must never read.
    pub fn word(&self) -> &'static str {
        PROJECTS[self.side].1
    }

    /// The word that this project must never read.
    pub fn other_word(&self) -> &'static str {
        PROJECTS[1 - self.side].1
    }

    /// A text that no other text is equal to.
    pub fn text(&mut self) -> String {
        self.made += 1;
        let subject =
            self.rng.pick(&["hammer", "rose", "violin", "running shoe", "castle"]).copied().unwrap_or_default();
        format!("{} {subject} number {} of walker {}", self.word(), self.made, self.number)
    }

    /// One of its collections.
    pub fn any_collection(&mut self) -> Option<String> {
        let mut ids: Vec<String> = self.collections.keys().cloned().collect();
        ids.sort_unstable();
        self.rng.pick(&ids).cloned()
    }

    pub fn collection(&mut self, id: &str) -> &mut Collection {
        self.collections.get_mut(id).expect("a collection of its own")
    }

    pub fn send(&mut self, method: &str, path: &str, key: &str, body: &Value) -> Answer {
        self.send_with(method, path, key, body, &[])
    }

    /// Send a request, and look through the answer for what is the other project's. What the request itself said may
    /// come back.
    pub fn send_with(&mut self, method: &str, path: &str, key: &str, body: &Value, more: &[(&str, &str)]) -> Answer {
        let bearer = format!("Bearer {key}");
        let headers = [&[("authorization", bearer.as_str()), JSON][..], more].concat();
        let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let answer = self.service.send_raw(method, path, &headers, bytes);
        self.done.fetch_add(1, Ordering::SeqCst);
        let shown = format!("{method} {path} {body}: {answer:?}");
        assert!(answer.status < 500, "{shown}");
        let (own, mut said) = (format!("{path} {body}"), answer.body.to_string());
        for (name, value) in &answer.headers {
            said.push_str(&format!("\n{name}: {}", String::from_utf8_lossy(value.as_bytes())));
        }
        // An id that holds the other's word may come back to whoever sent it.
        for id in words(&own).filter(|id| id.contains(self.other_word()) && id.len() > self.other_word().len()) {
            said = said.replace(id, "");
        }
        assert!(!said.contains(self.other_word()), "a word of the other project: {shown}");
        // An administrator sees the ids of all projects and keys, which are the only ones in answers to that scope.
        if key != self.keys.admin {
            let foreign = self.board.foreign_word(self.side, &said).filter(|word| !own.contains(*word));
            assert_eq!(foreign, None, "an id of the other project: {shown}");
        }
        answer
    }

    /// Read a content URL, under the key for reading, which is not looked at there.
    pub fn fetch(&mut self, url: &str) -> Content {
        self.done.fetch_add(1, Ordering::SeqCst);
        self.service.read("GET", url, &[("authorization", &format!("Bearer {}", self.keys.read))])
    }

    pub fn read(&mut self, method: &str, path: &str, body: &Value) -> Answer {
        let key = self.keys.read.clone();
        self.send(method, path, &key, body)
    }

    pub fn write(&mut self, method: &str, path: &str, body: &Value) -> Answer {
        let key = self.keys.write.clone();
        self.send(method, path, &key, body)
    }

    pub fn administer(&mut self, method: &str, path: &str, body: &Value) -> Answer {
        let key = self.keys.admin.clone();
        self.send(method, path, &key, body)
    }

    /// Something of the other project.
    pub fn loot(&mut self, kind: Loot) -> Option<String> {
        self.board.of_other(self.side, kind, &mut self.rng)
    }
}

/// All that an answer says but what differs from answer to answer, with one word in it taken out.
pub fn face(answer: &Answer, word: &str) -> String {
    let mut body = answer.body.clone();
    body["error"]["request_id"] = Value::Null;
    let mut headers: Vec<String> = Vec::new();
    for (name, value) in answer.headers.iter().filter(|(name, _)| !PASSING.contains(&name.as_str())) {
        let value = if name == "content-length" { "" } else { value.to_str().unwrap_or("?") };
        headers.push(format!("{name}: {value}"));
    }
    headers.sort_unstable();
    format!("{} {body} {headers:?}", answer.status).replace(word, "THE WORD")
}
