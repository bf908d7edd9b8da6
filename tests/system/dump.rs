//! Guards what is stored: collections come back from pg_dump whole, in any schemas, and survive a crash and an update.

use postgres::Client;
use vw_tests::cluster::Cluster;
use vw_tests::service;

/// A database with two projects' collections, and what a search in each finds.
fn fill(client: &mut Client) {
    client
        .batch_execute(
            "SELECT vw.create_key('acme', 'k', 'abcdefgh', sha256('secret'));
             SELECT vw_create_collection('tools'), vw_create_collection('tools', 'theirs', project => 'acme');
             SELECT vw_index_items('tools', ARRAY['a hammer', 'a rose'], ids => ARRAY['hammer', 'rose'],
                 metadata => ARRAY['{\"price\": 3}', '{\"price\": 5}']::jsonb[]);
             SELECT vw_index_items('tools', ARRAY['a violet'], ids => ARRAY['violet'], project => 'acme')",
        )
        .expect("collections and items");
}

/// What was filled in is all there and can be worked with.
fn check(client: &mut Client) {
    let search =
        "SELECT id, score > 0, metadata->>'price' FROM vw_search('tools', 'flower', top_k => 1, project => $1)";
    let own = client.query_one(search, &[&None::<&str>]).expect("a search");
    assert_eq!((own.get(0), own.get(1), own.get(2)), ("rose", true, Some("5")));
    let theirs = client.query_one(search, &[&"acme"]).expect("a search");
    assert_eq!(theirs.get::<_, &str>(0), "violet");
    let key =
        client.query_one("SELECT project FROM vw.authenticate('abcdefgh', sha256('secret'))", &[]).expect("a key");
    assert!(key.get::<_, Option<&str>>(0).is_some());
    let counts = client.query_one("SELECT item_count, description FROM vw_collection('tools', 'acme')", &[]);
    assert_eq!(counts.expect("a collection").get::<_, i64>(0), 1);
    client.batch_execute("SELECT vw_index_items('tools', ARRAY['a tulip'], ids => ARRAY['tulip'])").expect("an item");
    client.batch_execute("SELECT vw_delete_items('tools', ARRAY['tulip'])").expect("no item");
    client.batch_execute("SELECT vw_create_collection('new'); SELECT vw_delete_collection('new')").expect("and away");
}

fn partitions(client: &mut Client) -> i64 {
    let count = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'vw.item'::regclass";
    client.query_one(count, &[]).expect("a count").get(0)
}

#[test]
fn a_dump_restores_into_a_new_database() {
    let cluster = Cluster::start("");
    fill(&mut cluster.with_vw("app"));
    service::grant(&cluster, "app");
    let dump = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(dump.path(), cluster.client_program("pg_dump", &[], "app")).expect("own file");
    cluster.connect("postgres").batch_execute("CREATE DATABASE copy").expect("a database");
    let output = cluster.psql("copy", &["-q", "-v", "ON_ERROR_STOP=1"], dump.path());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let mut copy = cluster.connect("copy");
    check(&mut copy);
    let mut service = cluster.connect_as(service::ROLE, "copy");
    let found = service.query("SELECT FROM vw_search('tools', 'flower', project => 'acme')", &[]);
    assert_eq!(found.expect("the service's rights come along").len(), 1);
    copy.batch_execute("SELECT vw_delete_collection('tools'), vw_delete_collection('tools', 'acme')").expect("deleted");
    assert_eq!(partitions(&mut copy), 0, "deleting a restored collection drops its table");
}

#[test]
fn a_dump_restores_where_the_extensions_have_their_own_schemas() {
    let cluster = Cluster::start("");
    cluster.connect("postgres").batch_execute("CREATE DATABASE app").expect("a database");
    cluster.connect("postgres").batch_execute("CREATE DATABASE copy").expect("a database");
    let mut app = cluster.connect("app");
    app.batch_execute(
        "CREATE SCHEMA types; CREATE SCHEMA face; CREATE EXTENSION vector SCHEMA types; CREATE EXTENSION vw SCHEMA face;
         SET search_path = face",
    )
    .expect("extensions in schemas");
    fill(&mut app);
    let dump = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(dump.path(), cluster.client_program("pg_dump", &[], "app")).expect("own file");
    let output = cluster.psql("copy", &["-q", "-v", "ON_ERROR_STOP=1"], dump.path());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let mut copy = cluster.connect("copy");
    copy.batch_execute("SET search_path = face").expect("a setting");
    check(&mut copy);
}

#[test]
fn a_crash_loses_nothing_that_was_committed() {
    let cluster = Cluster::start("fsync = on\nshared_preload_libraries = 'vw'");
    fill(&mut cluster.with_vw("app"));
    cluster.stop("immediate");
    cluster.resume();
    check(&mut cluster.connect("app"));
}

/// An update script of a made-up next version, taken away again at the end.
struct NextVersion(std::path::PathBuf);

impl Drop for NextVersion {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn updating_the_extension_keeps_the_rows() {
    let cluster = Cluster::start("");
    let mut client = cluster.with_vw("app");
    fill(&mut client);
    let version: String = client
        .query_one("SELECT extversion FROM pg_extension WHERE extname = 'vw'", &[])
        .expect("the extension")
        .get(0);
    let script = format!("extension/vw--{version}--{version}.test.sql");
    let script = NextVersion(cluster.server_folder("--sharedir").join(script));
    std::fs::write(&script.0, "ALTER TABLE vw.collection ADD COLUMN note text;\n").expect("the server is our own copy");
    client.batch_execute(&["ALTER EXTENSION vw UPDATE TO '", &version, ".test'"].concat()).expect("an update");
    let note = client.query_one("SELECT count(*) FROM vw.collection WHERE note IS NULL", &[]).expect("the new column");
    assert_eq!(note.get::<_, i64>(0), 2);
    check(&mut cluster.connect("app"));
}
