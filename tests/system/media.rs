//! Guards media: that they come in all forms and are read back as they came, that one bad file spoils no other, that no
//! request reaches where it must not, and that rows and files agree whatever is killed when. One file a kind of risk.
//!
//! What the default model embeds decides how far a test goes: of a kind that it does not take, the refusal is tested.

use std::path::{Path, PathBuf};
use std::process::Command;

use postgres::Client;
use serde_json::{Value, json};
use tempfile::TempDir;
use vw_tests::cluster::Cluster;
use vw_tests::files::Files;
use vw_tests::samples;
use vw_tests::service::{Answer, ROLE, Service, key, program};

#[path = "media/bucket.rs"]
mod bucket;
#[path = "media/content.rs"]
mod content;
#[path = "media/fetching.rs"]
mod fetching;
#[path = "media/heard.rs"]
mod heard;
#[path = "media/items.rs"]
mod items;
#[path = "media/kill.rs"]
mod kill;
#[path = "media/ledger.rs"]
mod ledger;
#[path = "media/numbers.rs"]
mod numbers;
#[path = "media/rebinding.rs"]
mod rebinding;
#[path = "media/sweep.rs"]
mod sweep;
#[path = "media/vectors.rs"]
mod vectors;

const COLLECTIONS: &str = "/v1/vectors/collections";

/// A service, its store, and a web server that it may fetch from.
struct Studio {
    service: Service,
    key: String,
    files: Files,
    /// The settings of the service that say where media go, and others.
    settings: Vec<(String, String)>,
    /// Where the files lie.
    objects: PathBuf,
    _store: Option<TempDir>,
    cluster: Cluster,
}

/// One kind of media: its word, its media type, and two files.
struct Sample {
    kind: &'static str,
    media_type: &'static str,
    one: Vec<u8>,
    other: Vec<u8>,
}

fn samples() -> [Sample; 2] {
    let (red, blue) = (samples::png(40, [200, 30, 30]), samples::png(40, [30, 30, 200]));
    let (low, high) = (samples::wav(220.0), samples::wav(1760.0));
    [
        Sample { kind: "image", media_type: "image/png", one: red, other: blue },
        Sample { kind: "audio", media_type: "audio/wav", one: low, other: high },
    ]
}

impl Studio {
    fn open() -> Studio {
        Studio::open_with(&[])
    }

    /// Media go to a folder that ends with the studio.
    fn open_with(settings: &[(&str, &str)]) -> Studio {
        let store = tempfile::tempdir().expect("a folder");
        let place = store.path().to_string_lossy().into_owned();
        let settings = [&[("VW_MEDIA_STORE", place.as_str())], settings].concat();
        Studio {
            objects: store.path().join("objects"),
            _store: Some(store),
            ..Studio::open_in(&settings, PathBuf::new())
        }
    }

    /// Media go to where the settings say; their files are then found in `objects`.
    fn open_in(settings: &[(&str, &str)], objects: PathBuf) -> Studio {
        let cluster = Cluster::start("");
        drop(cluster.with_vw("app"));
        let files = Files::start();
        let key = key(&cluster, "app", &["create", "--project", "default"]);
        let settings: Vec<(String, String)> =
            settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let service = start(&cluster, &files, &settings);
        Studio { service, key, files, settings, objects, _store: None, cluster }
    }

    /// Start the service again, after it ended.
    fn restart(&mut self) {
        self.service = start(&self.cluster, &self.files, &self.settings);
    }

    fn send(&self, method: &str, path: &str, body: Value) -> Answer {
        self.service.send(method, path, &self.key, &body)
    }

    /// A new collection's path.
    fn collection(&self, name: &str) -> String {
        let made = self.send("POST", COLLECTIONS, json!({"name": name}));
        assert_eq!(made.status, 200, "{made:?}");
        format!("{COLLECTIONS}/{}", made.body["id"].as_str().expect("an id"))
    }

    fn index(&self, collection: &str, items: Value) -> Answer {
        self.send("POST", &format!("{collection}/index"), json!({"items": items}))
    }

    /// The items of a collection.
    fn items(&self, collection: &str) -> Vec<Value> {
        let page = self.send("GET", &format!("{collection}/items?limit=100"), Value::Null);
        page.body["items"].as_array().unwrap_or_else(|| panic!("{page:?}")).clone()
    }

    /// The samples of the kinds that the default model embeds, and of those that it does not.
    fn kinds(&self) -> (Vec<Sample>, Vec<Sample>) {
        let models = self.send("GET", "/v1/vectors/models", Value::Null);
        let types = models.body["models"][0]["types"].clone();
        let takes = |sample: &Sample| types.as_array().is_some_and(|types| types.contains(&json!(sample.kind)));
        samples().into_iter().partition(takes)
    }

    fn database(&self) -> Client {
        self.cluster.connect("app")
    }

    /// Let all that waits for its time be due, and sweep.
    fn sweep(&self) {
        self.database().batch_execute("UPDATE vw.doomed_media SET due_at = now()").expect("as the owner");
        let output = self.sweeper().output().expect("vw-api starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let left = self.database().query_one("SELECT count(*) FROM vw.doomed_media", &[]).expect("a count");
        assert_eq!(left.get::<_, i64>(0), 0, "nothing is left to sweep");
    }

    /// The command that sweeps what is due.
    fn sweeper(&self) -> Command {
        let mut command = program();
        command.args(["media", "sweep"]).env("DATABASE_URL", self.cluster.address(ROLE, "app"));
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Where the files of media lie.
    fn objects(&self) -> &Path {
        &self.objects
    }

    /// The files in the store.
    fn stored(&self) -> Vec<PathBuf> {
        files_below(&self.objects)
    }
}

/// A proxy is named that nobody is at: whoever asks it, fails.
fn start(cluster: &Cluster, files: &Files, settings: &[(String, String)]) -> Service {
    let (host, proxy) = (files.host(), "http://127.0.0.1:9");
    let mut all = vec![("VW_FETCH_ALLOW", host.as_str()), ("http_proxy", proxy), ("ALL_PROXY", proxy)];
    all.extend(settings.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    Service::start_set(cluster, "app", &[], &all)
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() { found.extend(files_below(&entry.path())) } else { found.push(entry.path()) }
    }
    found
}
