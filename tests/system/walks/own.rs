//! What a walker does with what is its own, each answer held to what it stored.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use vw_tests::samples::{base64, png};

use super::board::Loot;
use super::walker::{Collection, Item, Walker};

const COLLECTIONS: &str = "/v1/vectors/collections";

/// The most collections that one walker keeps, and items in one of them.
const MOST: usize = 5;
const MOST_ITEMS: usize = 150;

/// A name for the counts, and what to do.
pub type Step<'a> = (&'static str, fn(&mut Walker<'a>));

impl<'a> Walker<'a> {
    /// Choose what to do next.
    pub fn own_step(&mut self) -> Step<'a> {
        if self.collections.len() < 2 {
            return ("create", Walker::create);
        }
        match self.rng.below(100) {
            0..4 if self.collections.len() < MOST => ("create", Walker::create),
            4..6 if self.collections.len() == MOST => ("delete collection", Walker::delete_collection),
            6..14 => ("show", Walker::show),
            14..19 => ("list collections", Walker::list_collections),
            19..44 => ("index", Walker::index),
            44..60 => ("list items", Walker::list_items),
            60..66 => ("delete items", Walker::delete_items),
            66..90 => ("search", Walker::search),
            90..97 => ("read content", Walker::read_content),
            _ => ("rotate a key", Walker::rotate_key),
        }
    }

    /// Names are unique in a project only: half of them both projects have.
    fn create(&mut self) {
        let unique = self.text();
        let name = if self.rng.below(2) == 0 { unique.clone() } else { format!("shared {}", self.number / 2) };
        let description = if self.rng.below(2) == 0 { json!(unique) } else { Value::Null };
        let (key, once) = (self.keys.write.clone(), format!("make {unique}"));
        // Both projects use the same word for some idempotency keys.
        let once = if self.rng.below(2) == 0 { once } else { format!("make {}", self.number / 2) };
        let body = json!({"name": name, "description": description});
        let made = self.send_with("POST", COLLECTIONS, &key, &body, &[("idempotency-key", &once)]);
        let taken = self.collections.values().any(|own| own.name == name);
        match made.status {
            422 => assert_eq!(made.code(), "idempotency_mismatch", "only a request of its own is remembered: {made:?}"),
            409 => assert_eq!((made.code(), taken), ("conflict", true), "{body}: {made:?}"),
            200 => assert_eq!((&made.body["name"], &made.body["description"]), (&json!(name), &description)),
            _ => panic!("{body}: {made:?}"),
        }
        // An answer of before: whose it is, the ids in it tell.
        if made.status != 200 || made.header("idempotency-replayed").is_some() {
            return;
        }
        assert!(!taken, "{body}: {made:?}");
        let id = made.body["id"].as_str().expect("an id").to_owned();
        self.board.put(self.side, Loot::Collection, &id);
        if once.contains(self.word()) {
            self.board.put(self.side, Loot::IdempotencyKey, &once);
        }
        self.collections.insert(id, Collection { name, description, ..Collection::default() });
    }

    fn delete_collection(&mut self) {
        let Some(id) = self.any_collection() else { return };
        let gone = self.write("DELETE", &format!("{COLLECTIONS}/{id}"), &Value::Null);
        assert_eq!((gone.status, &gone.body["deleted"]), (200, &json!(true)), "{gone:?}");
        self.collections.remove(&id);
    }

    fn show(&mut self) {
        let Some(id) = self.any_collection() else { return };
        let shown = self.read("GET", &format!("{COLLECTIONS}/{id}"), &Value::Null);
        self.is_as_stored(&id, &shown.body);
    }

    fn is_as_stored(&mut self, id: &str, shown: &Value) {
        let own = self.collection(id);
        let stored = (json!(own.name), &own.description, json!(own.items.len()));
        assert_eq!((shown["name"].clone(), &shown["description"], shown["item_count"].clone()), stored, "{shown}");
    }

    fn list_collections(&mut self) {
        let listed = self.read("GET", COLLECTIONS, &Value::Null);
        let all = listed.body["collections"].as_array().expect("collections").clone();
        let mut seen = BTreeSet::new();
        for shown in &all {
            let id = shown["id"].as_str().expect("an id");
            if self.collections.contains_key(id) {
                self.is_as_stored(id, shown);
                seen.insert(id.to_owned());
            }
        }
        assert_eq!(seen.len(), self.collections.len(), "all of its own are listed: {listed:?}");
    }

    /// One to five texts, some of which replace others, and now and then a picture.
    fn index(&mut self) {
        let Some(id) = self.any_collection().filter(|id| self.collections[id].items.len() < MOST_ITEMS) else { return };
        let (mut wanted, mut bodies): (Vec<(Option<String>, Item)>, Vec<Value>) = (Vec::new(), Vec::new());
        for _ in 0..=self.rng.below(5) {
            let own = match self.rng.below(4) {
                0 => Some(format!("{}:own.{}", self.word(), self.rng.below(20))),
                1 => Some(format!("shared-{}", self.rng.below(20))),
                _ => None,
            };
            if own.is_some() && wanted.iter().any(|(id, _)| *id == own) {
                continue;
            }
            let (text, number) = (self.text(), self.rng.below(100));
            let metadata = json!({"secret": text, "n": number, "of": self.word()});
            let picture = self.rng.below(12) == 0;
            let shade = [(self.side * 200) as u8, number as u8, self.rng.below(256) as u8];
            let file = picture.then(|| png(8 + self.rng.below(8) as u32, shade));
            let mut body = match &file {
                Some(file) => json!({"image_base64": base64(file), "metadata": metadata}),
                None => json!({"text": text, "metadata": metadata}),
            };
            if let Some(own) = &own {
                body["id"] = json!(own);
            }
            bodies.push(body);
            wanted.push((own, Item { text: file.is_none().then_some(text), metadata, file }));
        }
        let path = format!("{COLLECTIONS}/{id}/index");
        let report = self.write("POST", &path, &json!({"items": bodies}));
        assert_eq!((report.status, &report.body["indexed"]), (200, &json!(wanted.len())), "{report:?}");
        for (at, (own, item)) in wanted.into_iter().enumerate() {
            let told = &report.body["items"][at];
            let given = told["id"].as_str().expect("an id").to_owned();
            assert!(own.as_ref().is_none_or(|own| *own == given), "{told}");
            let known = self.collection(&id).items.insert(given.clone(), item).is_some();
            assert_eq!(told["status"], json!(if known { "updated" } else { "created" }), "{told}");
            if !given.starts_with("shared") {
                self.board.put(self.side, Loot::Item, &given);
            }
        }
    }

    /// Hold an item or a hit to what was stored; put its URL on the board.
    pub fn is_own_item(&mut self, collection: &str, shown: &Value) {
        let id = shown["id"].as_str().expect("an id");
        let stored = self.collection(collection).items.get(id).unwrap_or_else(|| panic!("{shown} was never stored"));
        let kind = if stored.file.is_some() { "image" } else { "text" };
        assert_eq!((&shown["metadata"], &shown["content_type"]), (&stored.metadata, &json!(kind)), "{shown}");
        assert_eq!((shown["text"].as_str(), shown["content_url"].is_null()), (stored.text.as_deref(), kind == "text"));
        if let Some(url) = shown["content_url"].as_str() {
            self.board.put(self.side, Loot::Content, url);
        }
    }

    fn list_items(&mut self) {
        let Some(id) = self.any_collection() else { return };
        let total = self.collection(&id).items.len();
        let (limit, offset) = (1 + self.rng.below(100), self.rng.below(total + 3));
        let page = self.read("GET", &format!("{COLLECTIONS}/{id}/items?limit={limit}&offset={offset}"), &Value::Null);
        let items = page.body["items"].as_array().expect("items").clone();
        assert_eq!((page.body["total"].clone(), items.len()), (json!(total), limit.min(total.saturating_sub(offset))));
        items.iter().for_each(|item| self.is_own_item(&id, item));
        let Some(cursor) = page.body["next_cursor"].as_str() else {
            assert!(offset + items.len() >= total, "{page:?}");
            return;
        };
        self.board.put(self.side, Loot::Cursor, cursor);
        let next = self.read("GET", &format!("{COLLECTIONS}/{id}/items?limit=100&cursor={cursor}"), &Value::Null);
        let rest = next.body["items"].as_array().expect("items").clone();
        assert_eq!(rest.len(), 100.min(total - offset - items.len()), "{next:?}");
        rest.iter().for_each(|item| self.is_own_item(&id, item));
        assert!(!rest.iter().any(|item| items.contains(item)), "an item twice");
    }

    /// Its own items go; those of the other project, of whom only the id is known, do not count.
    fn delete_items(&mut self) {
        let Some(id) = self.any_collection() else { return };
        let all: Vec<String> = self.collection(&id).items.keys().cloned().collect();
        let mut ids: BTreeSet<String> = (0..self.rng.below(6)).filter_map(|_| self.rng.pick(&all).cloned()).collect();
        let own = ids.len();
        ids.insert("item_00000000000000000000000000".to_owned());
        ids.extend(self.loot(Loot::Item));
        let gone = self.write("DELETE", &format!("{COLLECTIONS}/{id}/items"), &json!({"ids": ids}));
        assert_eq!((gone.status, &gone.body["deleted"]), (200, &json!(own)), "{gone:?}");
        ids.iter().for_each(|gone| drop(self.collection(&id).items.remove(gone)));
    }

    fn search(&mut self) {
        let Some(id) = self.any_collection() else { return };
        let (top_k, below) = (1 + self.rng.below(100), self.rng.below(100));
        let texts: Vec<String> = self.collection(&id).items.values().filter_map(|item| item.text.clone()).collect();
        let known = self.rng.pick(&texts).cloned();
        let query = known.clone().unwrap_or_else(|| self.text());
        let narrow = self.rng.below(2) == 0;
        let filter = if narrow { json!({"n": {"$lt": below}}) } else { Value::Null };
        let body = json!({"text": query, "top_k": top_k, "filter": filter});
        let found = self.read("POST", &format!("{COLLECTIONS}/{id}/search"), &body);
        let results = found.body["results"].as_array().unwrap_or_else(|| panic!("{found:?}")).clone();
        let fits = |item: &&Item| !narrow || item.metadata["n"].as_u64().is_some_and(|n| n < below as u64);
        let fitting = self.collection(&id).items.values().filter(fits).count();
        assert_eq!(results.len(), top_k.min(fitting), "{body}: {found:?}");
        results.iter().for_each(|hit| self.is_own_item(&id, hit));
        if let (Some(text), false) = (known, narrow) {
            assert_eq!(results[0]["text"], json!(text), "a text is nearest to itself");
            assert!(results[0]["score"].as_f64().is_some_and(|score| score > 0.999), "{found:?}");
        }
    }

    fn read_content(&mut self) {
        let Some(id) = self.any_collection() else { return };
        let page = self.read("GET", &format!("{COLLECTIONS}/{id}/items?limit=100"), &Value::Null);
        for item in page.body["items"].as_array().expect("items").clone() {
            let Some(url) = item["content_url"].as_str() else { continue };
            let content = self.fetch(url);
            let stored = self.collection(&id).items[item["id"].as_str().expect("an id")].file.clone();
            assert!(content.status == 200 && Some(content.bytes) == stored, "{url}: {}", content.status);
        }
    }

    /// A key is made, replaced and revoked; what it opens is this project, as far as its scope goes.
    fn rotate_key(&mut self) {
        let project = super::PROJECTS[self.side].0;
        let made = self.administer("POST", "/v1/admin/keys", &json!({"project": project, "scopes": ["read"]}));
        let (first, id) = (made.body["key"].as_str().expect("a key").to_owned(), made.body["id"].clone());
        let path = format!("/v1/admin/keys/{}", id.as_str().expect("an id"));
        self.board.put(self.side, Loot::Key, id.as_str().expect("an id"));
        assert_eq!(self.send("GET", COLLECTIONS, &first, &Value::Null).status, 200);
        let next = self.administer("POST", &format!("{path}/rotate"), &json!({"grace_seconds": 0}));
        let second = next.body["key"].as_str().expect("a key").to_owned();
        assert_eq!(self.send("GET", COLLECTIONS, &first, &Value::Null).status, 401);
        let listed = self.send("GET", COLLECTIONS, &second, &Value::Null);
        let own = listed.body["collections"].as_array().expect("collections").len();
        assert!(own >= self.collections.len(), "{listed:?}");
        assert_eq!(self.send("POST", COLLECTIONS, &second, &json!({"name": "x"})).status, 403);
        let path = format!("/v1/admin/keys/{}", next.body["id"].as_str().expect("an id"));
        assert!(self.administer("DELETE", &path, &Value::Null).body["revoked_at"].is_string());
        assert_eq!(self.send("GET", COLLECTIONS, &second, &Value::Null).status, 401);
        let keys = self.administer("GET", "/v1/admin/keys", &Value::Null).body.to_string();
        assert!(![&first, &second].iter().any(|key| keys.contains(&key[13..])), "a secret is listed");
    }
}
