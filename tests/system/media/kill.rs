//! kill -9 in the middle of indexing: what was acknowledged is there with its files, what was not is absent or whole, and
//! after a sweep every file has an item. VW_KILL_ROUNDS sets how often; 4 times without it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use vw_tests::process::kill;
use vw_tests::samples::base64;

use super::{Sample, Studio, start};

const WRITERS: usize = 3;
const BATCH: usize = 5;

/// Index batches until the service is gone; give the ids that were acknowledged.
fn write(
    studio: &Studio,
    path: &str,
    sample: Option<&Sample>,
    round: usize,
    writer: usize,
    stop: &AtomicBool,
) -> Vec<String> {
    let mut acknowledged = Vec::new();
    for batch in 0.. {
        let ids: Vec<String> = (0..BATCH).map(|item| format!("{round}-{writer}-{batch}-{item}")).collect();
        let item = |id: &String| match sample {
            Some(sample) => json!({"id": id, format!("{}_base64", sample.kind): base64(&sample.one)}),
            None => json!({"id": id, "text": "a text"}),
        };
        let items: Vec<Value> = ids.iter().map(item).collect();
        let index = format!("{path}/index");
        match studio.service.try_send("POST", &index, &studio.key, &json!({"items": items})) {
            Some(report) if report["indexed"] == json!(BATCH) => acknowledged.extend(ids),
            Some(report) => panic!("{report}"),
            None if stop.load(Ordering::SeqCst) => break,
            None => panic!("a batch failed before the service was killed"),
        }
    }
    acknowledged
}

#[test]
fn acknowledged_items_outlive_the_service_and_no_file_is_left_over() {
    let rounds: usize = std::env::var("VW_KILL_ROUNDS").map_or(4, |text| text.parse().expect("a number"));
    let mut studio = Studio::open();
    let sample = studio.kinds().0.into_iter().next();
    let path = studio.collection("c");
    let mut acknowledged = BTreeSet::new();
    for round in 0..rounds {
        let (stop, pid) = (AtomicBool::new(false), studio.service.pid());
        thread::scope(|scope| {
            let writers: Vec<_> = (0..WRITERS)
                .map(|writer| {
                    scope.spawn({
                        let (studio, path, sample, stop) = (&studio, &path, sample.as_ref(), &stop);
                        move || write(studio, path, sample, round, writer, stop)
                    })
                })
                .collect();
            // Some other place of the work each time: 97 has no common factor with the length of a batch.
            thread::sleep(Duration::from_millis(150 + (round as u64 * 97) % 400));
            stop.store(true, Ordering::SeqCst);
            kill(pid);
            for writer in writers {
                acknowledged.extend(writer.join().expect("a writer"));
            }
        });
        studio.service.kill();
        studio.service = start(&studio.cluster, &studio.files, studio.store.path(), &[]);
        // A statement that was under way ends before its rows are counted.
        let idle = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'vw-api' AND state = 'active'";
        let mut client = studio.database();
        while client.query_one(idle, &[]).expect("a count").get::<_, i64>(0) > 0 {
            thread::sleep(Duration::from_millis(20));
        }
        studio.sweep();
        let rows = client.query("SELECT id, media_key FROM vw.item", &[]).expect("items");
        let items: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
        let keys: BTreeSet<String> = rows.iter().filter_map(|row| row.get(1)).collect();
        let lost: Vec<_> = acknowledged.difference(&items).collect();
        assert!(lost.is_empty(), "round {round}: lost {lost:?}");
        assert_eq!(items.len() % BATCH, 0, "round {round}: a batch is whole or absent");
        let objects = studio.store.path().join("objects");
        let name =
            |file: &std::path::PathBuf| file.strip_prefix(&objects).expect("below").to_string_lossy().into_owned();
        let stored: BTreeSet<String> = studio.stored().iter().map(name).collect();
        assert_eq!(stored, keys, "round {round}: every file has an item, and every item its file");
        assert_eq!(keys.len(), if sample.is_some() { items.len() } else { 0 });
    }
    assert!(!acknowledged.is_empty(), "nothing was written between the kills");
    let page = studio.send("GET", &path, Value::Null);
    assert!(page.body["item_count"].as_u64().is_some_and(|count| count >= acknowledged.len() as u64), "{page:?}");
    for item in studio.items(&path).iter().filter(|_| sample.is_some()) {
        let content = studio.service.read("GET", item["content_url"].as_str().expect("a URL"), &[]);
        assert!(content.status == 200 && Some(&content.bytes) == sample.as_ref().map(|sample| &sample.one));
    }
}
