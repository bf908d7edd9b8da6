//! Guards import and export: nothing twice, nothing lost, also where an import is cut off and run again; bad records are
//! named and keep the others from nothing.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use vw_tests::cluster::Cluster;
use vw_tests::samples::png;
use vw_tests::service::{Service, key};

struct World {
    service: Service,
    key: String,
    folder: tempfile::TempDir,
    _cluster: Cluster,
}

fn world() -> World {
    let cluster = Cluster::start("");
    drop(cluster.with_vw("app"));
    let key = key(&cluster, "app", &["create", "--project", "default"]);
    let service = Service::start(&cluster, "app");
    World { service, key, folder: tempfile::tempdir().expect("a folder"), _cluster: cluster }
}

impl World {
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(std::env::var("VW_API").expect("VW_API must name the program vw-api"));
        command.args(words).env("VW_URL", self.service.url("")).env("VW_API_KEY", &self.key);
        command.current_dir(self.folder.path());
        command
    }

    fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().expect("vw-api starts")
    }

    /// Run what must succeed.
    fn must(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).expect("own file");
    }

    fn collection(&self, name: &str) -> Value {
        let listed = self.service.send("GET", "/v1/vectors/collections", &self.key, &Value::Null);
        let all = listed.body["collections"].as_array().expect("collections").clone();
        all.into_iter().find(|collection| collection["name"] == name).expect("the collection")
    }

    fn count(&self, name: &str) -> u64 {
        self.collection(name)["item_count"].as_u64().expect("a count")
    }
}

fn lines(count: usize) -> String {
    (0..count).map(|at| format!("{}\n", json!({"text": format!("item {at}"), "metadata": {"n": at}}))).collect()
}

fn objects(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a JSON object a line")).collect()
}

#[test]
fn lines_go_in_once_and_come_out_as_they_went_in() {
    let world = world();
    world.write("items.jsonl", &lines(450));
    assert!(String::from_utf8_lossy(&world.run(&["import", "shop", "items.jsonl"]).stderr).contains("--create"));
    world.must(&["import", "shop", "items.jsonl", "--create"]);
    world.must(&["import", "shop", "items.jsonl"]);
    assert_eq!(world.count("shop"), 450);
    assert!(!Path::exists(&world.folder.path().join("items.jsonl.import")), "a whole import leaves no journal");
    let exported = world.must(&["export", "shop"]);
    let numbers: Vec<Value> = objects(&exported).iter().map(|item| item["metadata"]["n"].clone()).collect();
    let mut sorted: Vec<u64> = numbers.iter().map(|number| number.as_u64().expect("a number")).collect();
    sorted.sort_unstable();
    assert_eq!(sorted, (0..450).collect::<Vec<u64>>());
    world.write("again.jsonl", &exported);
    world.must(&["import", "copy", "again.jsonl", "--create"]);
    let mut texts = [objects(&exported), objects(&world.must(&["export", "copy"]))];
    texts.iter_mut().for_each(|side| side.sort_by_key(|item| item["id"].to_string()));
    assert_eq!(texts[0], texts[1]);
}

#[test]
fn an_import_that_is_cut_off_goes_on() {
    let world = world();
    world.write("items.jsonl", &lines(1500));
    for round in 1..4 {
        let mut child = world.command(&["import", "shop", "items.jsonl", "--create", "--parallel", "3"]);
        let mut child = child.stderr(Stdio::null()).spawn().expect("vw-api starts");
        std::thread::sleep(Duration::from_millis(300 * round));
        child.kill().expect("it can be killed");
        child.wait().expect("it ended");
    }
    world.must(&["import", "shop", "items.jsonl", "--create"]);
    assert_eq!(world.count("shop"), 1500);
}

/// Files of items that are the same again after they went in, came out, went in elsewhere and came out again, though each
/// of the four was killed on its way. VW_TRANSFER_ITEMS sets how many; 240 without it.
#[test]
fn media_make_the_round_trip_whatever_is_killed() {
    let world = world();
    let count: usize = std::env::var("VW_TRANSFER_ITEMS").map_or(240, |text| text.parse().expect("a number"));
    std::fs::create_dir(world.folder.path().join("in")).expect("a folder");
    let colour = |at: usize| [(at % 251) as u8, (at / 251) as u8, 200];
    let line = |at: usize| match at % 4 {
        0 => json!({"id": format!("t{at}"), "text": format!("item {at}"), "metadata": {"n": at}}),
        _ => {
            std::fs::write(world.folder.path().join(format!("in/{at}.png")), png(24, colour(at))).expect("own file");
            json!({"id": format!("p{at}"), "image": format!("in/{at}.png"), "metadata": {"n": at}})
        }
    };
    world.write("items.jsonl", &(0..count).map(|at| format!("{}\n", line(at))).collect::<String>());
    let kills = |words: &[&str]| {
        let mut kills = 0;
        for round in 1..4 {
            let mut child = world.command(words).stderr(Stdio::null()).spawn().expect("vw-api starts");
            std::thread::sleep(Duration::from_millis(60 * round));
            kills += u32::from(child.try_wait().expect("a child").is_none());
            child.kill().expect("it can be killed");
            child.wait().expect("it ended");
        }
        world.must(words);
        kills
    };
    let mut sides = Vec::new();
    for (from, name, media) in [("items.jsonl", "one", "out1"), ("one.jsonl", "two", "out2")] {
        assert!(kills(&["import", name, from, "--create"]) > 0, "no import was killed");
        assert_eq!(world.count(name), count as u64);
        let to = format!("{name}.jsonl");
        kills(&["export", name, "--output", &to, "--media", media]);
        let mut lines = objects(&std::fs::read_to_string(world.folder.path().join(&to)).expect("a whole file"));
        assert_eq!(lines.len(), count, "no line twice, none left out");
        for item in &mut lines {
            let Some(path) = item["image"].as_str().map(str::to_owned) else { continue };
            let at = item["metadata"]["n"].as_u64().expect("a number") as usize;
            assert!(std::fs::read(path).expect("its file") == png(24, colour(at)), "{item}");
            item.as_object_mut().expect("an item").remove("image");
        }
        lines.sort_by_key(|item| item["metadata"]["n"].as_u64());
        sides.push(lines);
    }
    assert_eq!(sides[0], sides[1]);
    assert!((0..count as u64).eq(sides[0].iter().map(|item| item["metadata"]["n"].as_u64().expect("a number"))));
}

#[test]
fn a_parquet_file_goes_in_with_its_types() {
    let world = world();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../api/fixtures/parquet/zstd.parquet");
    std::fs::copy(file, world.folder.path().join("goods.parquet")).expect("own folder");
    world.must(&["import", "goods", "goods.parquet", "--create", "--id", "sku"]);
    world.must(&["import", "goods", "goods.parquet", "--id", "sku"]);
    let mut items = objects(&world.must(&["export", "goods", "--media", "media"]));
    items.sort_by_key(|item| item["id"].to_string());
    let ids: Vec<&Value> = items.iter().map(|item| &item["id"]).collect();
    assert_eq!(ids, [&json!("7"), &json!("8"), &json!("9")]);
    let first = &items[0]["metadata"];
    assert_eq!((&first["price"], &first["maker"]["sites"][0]["staff"]), (&json!(12.5), &json!(12)), "{first}");
    let picture = std::fs::read(items[2]["image"].as_str().expect("a path")).expect("its file");
    assert!(picture.starts_with(b"\x89PNG"));
}

#[test]
fn bad_records_are_named_and_sent_again_when_they_are_mended() {
    let world = world();
    world.write("items.jsonl", "{\"text\":\"good\"}\n{\"text\":\n{\"text\":\"also good\"}\n{\"text\":\"\"}\n");
    let output = world.run(&["import", "shop", "items.jsonl", "--create"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("record 2: line 2") && said.contains("record 4: 400"), "{said}");
    assert_eq!(world.count("shop"), 2);
    world.write(
        "items.jsonl",
        "{\"text\":\"good\"}\n{\"text\":\"mended\"}\n{\"text\":\"also good\"}\n{\"text\":\"x\"}\n",
    );
    world.must(&["import", "shop", "items.jsonl"]);
    assert_eq!(world.count("shop"), 4);
}

#[test]
fn tables_and_folders_are_read_too() {
    let world = world();
    world.write("goods.csv", "sku,title,price\n007,white shoes,12\n008,\"boots, brown\",90\n");
    world.must(&["import", "goods", "goods.csv", "--create", "--id", "sku", "--text", "title"]);
    let items = objects(&world.must(&["export", "goods"]));
    assert_eq!(items[1], json!({"id": "008", "text": "boots, brown", "metadata": {"price": "90"}}));
    std::fs::create_dir_all(world.folder.path().join("notes/old")).expect("a folder");
    world.write("notes/a.txt", "white running shoes");
    world.write("notes/old/b.txt", "a tent for two");
    world.must(&["import", "notes", "notes", "--create"]);
    let items = objects(&world.must(&["export", "notes"]));
    let files: Vec<&Value> = items.iter().map(|item| &item["metadata"]["file"]).collect();
    assert_eq!(files, [&json!("a.txt"), &json!("old/b.txt")]);
    let output = world.run(&["import", "notes", "notes", "--key", "vwk_wrong"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("401"), "the service's words are handed on");
}

/// The demo's media, as `make run` puts them in: each file is one that the default pack embeds.
#[test]
fn the_media_of_the_demo_go_in_whole() {
    let world = world();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sql/demo");
    for folder in ["pictures", "sounds"] {
        let files = std::fs::read_dir(demo.join(folder)).expect("the demo's files").count() as u64;
        let journal = world.folder.path().join("journal");
        let (source, journal) = (demo.join(folder), journal.display().to_string());
        world.must(&["import", folder, &source.display().to_string(), "--create", "--journal", &journal]);
        assert_eq!(world.count(folder), files, "{folder}");
    }
}
