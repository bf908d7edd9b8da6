//! What no item has is deleted: after its item, its collection, its project, or an item that never came to be.

use serde_json::json;
use vw_tests::samples::base64;

use super::Studio;

#[test]
fn files_go_with_their_items() {
    let studio = Studio::open();
    for sample in &studio.kinds().0 {
        let bare = format!("{}_base64", sample.kind);
        let item = |id: &str, bytes: &[u8]| json!({"id": id, &bare: base64(bytes)});
        let path = studio.collection(sample.kind);
        let five =
            json!([item("a", &sample.one), item("b", &sample.one), item("c", &sample.one), item("d", &sample.one)]);
        assert_eq!(studio.index(&path, five).status, 200);
        assert_eq!(studio.stored().len(), 4);
        studio.sweep();
        assert_eq!(studio.stored().len(), 4, "nothing that an item has is swept");
        let old = studio.items(&path);
        let replaced = studio.index(&path, json!([item("a", &sample.other), {"id": "b", "text": "now a text"}]));
        assert_eq!(replaced.body["items"][0]["status"], json!("updated"), "{replaced:?}");
        let gone = studio.send("DELETE", &format!("{path}/items"), json!({"ids": ["c"]}));
        assert_eq!(gone.body["deleted"], json!(1));
        studio.sweep();
        assert_eq!(studio.stored().len(), 2, "a's second file and d's");
        let status =
            |at: usize| studio.service.read("GET", old[at]["content_url"].as_str().expect("a URL"), &[]).status;
        assert_eq!([status(0), status(1), status(2), status(3)], [404, 404, 404, 200]);
        let rolled = "BEGIN; DELETE FROM vw.item; ROLLBACK";
        studio.database().batch_execute(rolled).expect("as the owner");
        studio.sweep();
        assert_eq!(studio.stored().len(), 2, "what was not committed dooms nothing");
        assert_eq!(studio.send("DELETE", &path, serde_json::Value::Null).status, 200);
        studio.sweep();
        assert!(studio.stored().is_empty(), "{:?}", studio.stored());
    }
    let mut client = studio.database();
    client.batch_execute("DELETE FROM vw.project").expect("as the owner");
    studio.sweep();
}

/// A key that was claimed by a sweep can no longer become an item's: the item fails rather than lose its file.
#[test]
fn a_swept_file_becomes_no_item() {
    let studio = Studio::open();
    let mut client = studio.database();
    client.batch_execute("SELECT vw_create_collection('c')").expect("a collection");
    let keys = "SELECT vw.expect_media(project_id, id, ARRAY['text', 'image']) FROM vw.collection";
    let keys: Vec<Option<String>> = client.query_one(keys, &[]).expect("keys").get(0);
    assert!(keys[0].is_none() && keys[1].as_deref().is_some_and(|key| key.starts_with("prj_default/col_")), "{keys:?}");
    let due = client.query("SELECT vw.claim_media(10)", &[]).expect("nothing yet");
    assert!(due.is_empty(), "a new key has an hour");
    client.batch_execute("UPDATE vw.doomed_media SET due_at = now()").expect("as the owner");
    let due = client.query("SELECT vw.claim_media(10)", &[]).expect("one");
    assert_eq!(due.len(), 1);
    let refused = client.query("SELECT vw.keep_media($1, NULL)", &[&vec![keys[1].clone()]]).expect_err("claimed");
    assert!(refused.as_db_error().is_some_and(|error| error.message().contains("swept")), "{refused:?}");
    assert!(client.query("SELECT vw.claim_media(10)", &[]).expect("none").is_empty(), "a claim holds for a while");
}
