//! What a walker tries with what is the other project's. Where an id is asked for that is not its own, the answer is the one
//! that a missing id gets, to the letter.

use serde_json::{Value, json};

use super::board::Loot;
use super::own::Step;
use super::walker::{Item, Walker, face};

const COLLECTIONS: &str = "/v1/vectors/collections";

/// The ids of things that never were.
const MISSING: &str = "col_00000000000000000000000000";
const MISSING_KEY: &str = "00000000";

impl<'a> Walker<'a> {
    /// Choose what to try next.
    pub fn foreign_step(&mut self) -> Step<'a> {
        match self.rng.below(100) {
            0..50 => ("foreign collection", Walker::foreign_collection),
            50..60 => ("foreign cursor", Walker::foreign_cursor),
            60..70 => ("foreign content URL", Walker::foreign_content),
            70..78 => ("foreign idempotency key", Walker::foreign_idempotency_key),
            78..86 => ("foreign item id", Walker::foreign_item),
            86..92 => ("foreign words in a filter", Walker::foreign_filter),
            92..97 => ("beyond the scope", Walker::beyond_scope),
            _ => ("no key", Walker::no_key),
        }
    }

    /// Every route under a collection's id, with the other's id and with one that never was.
    fn foreign_collection(&mut self) {
        let Some(foreign) = self.loot(Loot::Collection) else { return };
        let item = self.loot(Loot::Item).unwrap_or_else(|| "item_x".to_owned());
        let cursor = self.loot(Loot::Cursor).map_or(String::new(), |cursor| format!("&cursor={cursor}"));
        let picture = vw_tests::samples::base64(&vw_tests::samples::png(4, [1, 2, 3]));
        let routes = [
            ("GET", String::new(), Value::Null),
            ("DELETE", String::new(), Value::Null),
            ("GET", format!("/items?limit=5{cursor}"), Value::Null),
            ("DELETE", "/items".to_owned(), json!({"ids": [item]})),
            ("POST", "/search".to_owned(), json!({"text": "a hammer", "top_k": 100})),
            ("POST", "/search".to_owned(), json!({"image_base64": picture})),
            ("POST", "/search".to_owned(), json!({"image": "http://127.0.0.1/x.png"})),
            ("POST", "/index".to_owned(), json!({"items": [{"id": item, "text": "intruder"}]})),
            ("POST", "/index".to_owned(), json!({"items": [{"image_base64": picture}, {"text": "intruder"}]})),
            ("POST", "/index?atomic=true".to_owned(), json!({"items": [{"image": "http://127.0.0.1/x.png"}]})),
        ];
        let (method, tail, body) = self.rng.pick(&routes).cloned().expect("a route");
        let writes = matches!(method, "DELETE") || tail.starts_with("/index");
        let key = if writes { self.keys.write.clone() } else { self.keys.read.clone() };
        let [there, nowhere] =
            [foreign.as_str(), MISSING].map(|id| self.send(method, &format!("{COLLECTIONS}/{id}{tail}"), &key, &body));
        assert_eq!((there.status, there.code()), (404, "not_found"), "{method} {foreign}{tail}: {there:?}");
        assert_eq!(face(&there, &foreign), face(&nowhere, MISSING), "{method} {tail}");
    }

    /// A cursor is a place in an order and no more: in a collection of its own it leads to its own items.
    fn foreign_cursor(&mut self) {
        let (Some(cursor), Some(id)) = (self.loot(Loot::Cursor), self.any_collection()) else { return };
        let page = self.read("GET", &format!("{COLLECTIONS}/{id}/items?limit=100&cursor={cursor}"), &Value::Null);
        assert_eq!(page.status, 200, "{page:?}");
        for item in page.body["items"].as_array().expect("items").clone() {
            self.is_own_item(&id, &item);
        }
    }

    /// A content URL opens its file for whoever has it. Parts of two URLs open nothing, nor does a path alone.
    fn foreign_content(&mut self) {
        let Some(theirs) = self.loot(Loot::Content) else { return };
        let (path, query) = theirs.split_once('?').expect("a signed URL");
        let path = &path[path.find("/v1/").expect("a path of the service")..];
        let mut forged = vec![path.to_owned(), format!("{path}?exp=99999999999&kid=x&sig=x")];
        let mine = self.board.of_other(1 - self.side, Loot::Content, &mut self.rng);
        if let Some((mine, own)) = mine.as_deref().and_then(|mine| mine.split_once('?')) {
            let mine = &mine[mine.find("/v1/").expect("a path of the service")..];
            forged.extend([format!("{path}?{own}"), format!("{mine}?{query}")]);
        }
        let mut refusal = |url: &str| {
            let content = self.fetch(url);
            let mut body: Value = serde_json::from_slice(&content.bytes).unwrap_or_else(|_| panic!("{url} was served"));
            body["error"]["request_id"] = Value::Null;
            (content.status, body)
        };
        for url in &forged {
            assert_eq!(refusal(url).0, 403, "{url}");
        }
        let missing = refusal("/v1/vectors/content/prj_x/col_x/med_x");
        assert_eq!(refusal(path), missing, "whether a file is there is not told");
        let whole = self.fetch(&theirs).status;
        assert!(matches!(whole, 200 | 404), "the URL itself is good for as long as the file is there: {whole}");
    }

    /// Keys of this kind belong to their project: what the other did under one is unknown here.
    fn foreign_idempotency_key(&mut self) {
        let (Some(once), Some(id)) = (self.loot(Loot::IdempotencyKey), self.any_collection()) else { return };
        let first = self.board.first_use(self.side, &once);
        let (key, path, text) = (self.keys.write.clone(), format!("{COLLECTIONS}/{id}/index"), self.text());
        let body = json!({"items": [{"id": "under a key", "text": text}]});
        let refused = self.send_with("POST", &path, &key, &body, &[("idempotency-key", &once)]);
        assert_eq!(
            (refused.status, refused.param()),
            (400, Some("items[0].id")),
            "a refusal uses no key up: {refused:?}"
        );
        let body = json!({"items": [{"id": "under-a-key", "text": text, "metadata": {"n": 7}}]});
        let done = self.send_with("POST", &path, &key, &body, &[("idempotency-key", &once)]);
        assert_eq!(done.header("idempotency-replayed"), None, "{done:?}");
        if !first {
            assert!(matches!(done.status, 409 | 422), "its own request of before is remembered: {done:?}");
            return;
        }
        assert_eq!(done.status, 200, "{done:?}");
        let item = Item { text: Some(text), metadata: json!({"n": 7}), file: None };
        self.collection(&id).items.insert("under-a-key".to_owned(), item);
    }

    /// The id of the other's item, in a collection of its own: as good as any other id.
    fn foreign_item(&mut self) {
        let (Some(item), Some(id)) = (self.loot(Loot::Item), self.any_collection()) else { return };
        let text = self.text();
        let body = json!({"items": [{"id": item, "text": text}]});
        let made = self.write("POST", &format!("{COLLECTIONS}/{id}/index"), &body);
        assert_eq!((made.status, &made.body["items"][0]["status"]), (200, &json!("created")), "{made:?}");
        let gone = self.write("DELETE", &format!("{COLLECTIONS}/{id}/items"), &json!({"ids": [item, item]}));
        assert_eq!((gone.status, &gone.body["deleted"]), (200, &json!(1)), "{gone:?}");
        let found = self.read("POST", &format!("{COLLECTIONS}/{id}/search"), &json!({"text": item, "top_k": 3}));
        for hit in found.body["results"].as_array().expect("results").clone() {
            self.is_own_item(&id, &hit);
        }
    }

    /// Whoever knows the other's words finds nothing by them.
    fn foreign_filter(&mut self) {
        let Some(id) = self.any_collection() else { return };
        let word = self.other_word();
        let filter = json!({"$or": [{"of": word}, {"secret": {"$gte": word, "$lt": format!("{word}~")}}]});
        let body = json!({"text": word, "filter": filter, "top_k": 100});
        let found = self.read("POST", &format!("{COLLECTIONS}/{id}/search"), &body);
        assert_eq!((found.status, &found.body["results"]), (200, &json!([])), "{found:?}");
    }

    /// Keys without the scope admin learn nothing of keys, and an administrator's opens no collection.
    fn beyond_scope(&mut self) {
        let theirs = self.loot(Loot::Key).unwrap_or_else(|| MISSING_KEY.to_owned());
        let routes = [
            ("GET", "/v1/admin/keys".to_owned(), Value::Null),
            ("GET", "/v1/admin/projects".to_owned(), Value::Null),
            ("GET", "/v1/admin/keys?project=default".to_owned(), Value::Null),
            ("POST", "/v1/admin/keys".to_owned(), json!({"project": super::PROJECTS[1 - self.side].0})),
            ("POST", "/v1/admin/projects".to_owned(), json!({"name": "mine"})),
            ("POST", format!("/v1/admin/keys/{theirs}/rotate"), json!({})),
            ("DELETE", format!("/v1/admin/keys/{theirs}"), Value::Null),
        ];
        let (method, path, body) = self.rng.pick(&routes).cloned().expect("a route");
        for key in [self.keys.read.clone(), self.keys.write.clone()] {
            let answer = self.send(method, &path, &key, &body);
            assert_eq!((answer.status, answer.code()), (403, "forbidden"), "{method} {path}: {answer:?}");
        }
        let Some(foreign) = self.loot(Loot::Collection) else { return };
        for path in
            [COLLECTIONS.to_owned(), format!("{COLLECTIONS}/{foreign}"), format!("{COLLECTIONS}/{foreign}/items")]
        {
            let answer = self.administer("GET", &path, &Value::Null);
            assert_eq!((answer.status, answer.code()), (403, "forbidden"), "{path}: {answer:?}");
        }
    }

    /// Without a key in force all ids are alike.
    fn no_key(&mut self) {
        let Some(foreign) = self.loot(Loot::Collection) else { return };
        let secret = "A".repeat(43);
        let stranger = self.loot(Loot::Key).map_or(String::new(), |id| format!("vwk_{id}_{secret}"));
        for key in ["", "vwk_00000000_", &format!("vwk_{MISSING_KEY}_{secret}"), &stranger] {
            let there = self.send("GET", &format!("{COLLECTIONS}/{foreign}/items"), key, &Value::Null);
            let nowhere = self.send("GET", &format!("{COLLECTIONS}/{MISSING}/items"), key, &Value::Null);
            assert_eq!((there.status, face(&there, &foreign)), (401, face(&nowhere, MISSING)), "{key}");
        }
    }
}
