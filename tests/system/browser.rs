//! Guards the console: in a real Chromium, with the real service and engine, by mouse and by keyboard.
//!
//! VW_BROWSER is a folder with playwright-core; screenshots are left there, to be looked at.

use std::path::PathBuf;
use std::process::Command;

use vw_tests::cluster::Cluster;
use vw_tests::service::{Service, key};

/// A collection with an index, and one that was made with a pack that is not there any more.
const COLLECTIONS: &str = "
    SELECT vw_create_collection('large'), vw_create_collection('elsewhere');
    INSERT INTO vw.item (collection_id, id, content_type, content, embedding, tokens)
        SELECT c.id, 'n' || n, 'text', 'number ' || n,
                (SELECT array_agg(random() - 0.5 + 0 * n * g) FROM generate_series(1, 1024) g)::vector, 1
            FROM vw.collection c, generate_series(1, 3000) n WHERE c.name = 'large';
    UPDATE vw.collection SET item_count = 3000 WHERE name = 'large';
    INSERT INTO vw.model SELECT m.id, repeat('0', 64), m.name, m.types, m.dimensions, m.metric FROM vw.model m;
    UPDATE vw.collection SET model_sha256 = repeat('0', 64) WHERE name = 'elsewhere'";

/// The browser's program, by its whole path.
fn chromium() -> String {
    let found = Command::new("sh").args(["-c", "command -v chromium"]).output().expect("a shell");
    String::from_utf8_lossy(&found.stdout).trim().to_owned()
}

#[test]
fn the_console_works_in_a_browser() {
    let home =
        PathBuf::from(std::env::var_os("VW_BROWSER").expect("VW_BROWSER must name a folder with playwright-core"));
    let screenshots = home.join("screenshots");
    std::fs::create_dir_all(&screenshots).expect("a folder for screenshots");
    let cluster = Cluster::start("");
    let mut client = cluster.with_vw("app");
    client.batch_execute(COLLECTIONS).expect("two collections");
    client.batch_execute("VACUUM ANALYZE vw.item").expect("a vacuum");
    drop(client);
    let key = key(&cluster, "app", &["create", "--project", "default"]);
    let service = Service::start(&cluster, "app");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/browser/console.mjs");
    let mut node = Command::new("node");
    node.arg(script).arg(service.url("/")).arg(&key).arg(screenshots).arg(chromium()).current_dir(&home);
    let output = node.output().expect("node starts");
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "{said}");
    println!("{said}");
}
