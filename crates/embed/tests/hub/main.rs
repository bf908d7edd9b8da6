//! Guards what comes from a hub: whole or not at all, the bytes that were listed, over cuts and limits; and that the
//! token reaches nobody but the hub.

mod server;

use std::path::{Path, PathBuf};
use std::time::Duration;

use server::{COMMIT, Server, State, TOKEN};
use vw_embed::hub::{Hub, Order, Pulled};

/// A graph with one output, whose weights lie in the file `location`, as ONNX writes it in protocol buffers.
fn graph(location: &str) -> Vec<u8> {
    let field = |number: u8, bytes: &[u8]| [&[number << 3 | 2, bytes.len() as u8], bytes].concat();
    let pair = [field(1, b"location"), field(2, location.as_bytes())].concat();
    // A TensorProto: its external data, and that this is where its values are.
    let tensor =
        [field(8, b"w"), [&[13 << 3 | 2, pair.len() as u8], pair.as_slice()].concat(), vec![14 << 3, 1]].concat();
    let output = field(12, &field(1, b"last_hidden_state"));
    let graph = if location.is_empty() { output } else { [field(5, &tensor), output].concat() };
    field(7, &graph)
}

fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    (0..length).map(|_| next()).collect()
}

/// A repository with two graphs, one of them with weights of its own file, and much that no pack needs.
fn repository() -> State {
    let text = graph("text model.onnx_data");
    let files = [
        (".gitattributes", b"*.onnx filter=lfs".to_vec()),
        ("README.md", b"# A model".to_vec()),
        ("config.json", br#"{"model_type":"clip"}"#.to_vec()),
        ("onnx/text_model.onnx", text),
        ("onnx/text model.onnx_data", noise(700_000, 3)),
        ("onnx/text_model_fp16.onnx", graph("")),
        ("onnx/vision_model.onnx", graph("")),
        ("pytorch_model.bin", noise(5000, 5)),
        ("tokenizer.json", noise(3000, 7)),
    ];
    let files = files.map(|(name, bytes)| (name.to_owned(), bytes)).into();
    let large =
        ["onnx/text model.onnx_data", "onnx/text_model.onnx", "onnx/vision_model.onnx"].map(str::to_owned).to_vec();
    State { files, large, commit: COMMIT.to_owned(), ..State::default() }
}

struct Place {
    server: Server,
    models: tempfile::TempDir,
}

impl Place {
    fn new(state: State) -> Place {
        Place { server: Server::start(state), models: tempfile::tempdir().expect("a folder can be made") }
    }

    fn order(&self) -> Order {
        let (id, revision) = ("owner/model".to_owned(), "main".to_owned());
        Order { id, revision, models: self.models.path().to_owned(), name: None, variant: None, include: Vec::new() }
    }

    fn hub(&self) -> Hub {
        Hub { endpoint: self.server.endpoint.clone(), token: None, pause: Duration::from_millis(1) }
    }

    fn pull(&self) -> Result<Pulled, String> {
        self.hub().pull(&self.order()).map_err(|error| format!("{error:#}"))
    }

    fn fails(&self) -> String {
        let error = self.pull().expect_err("it cannot be pulled");
        assert!(!self.pack().exists(), "nothing is in place after: {error}");
        error
    }

    fn pack(&self) -> PathBuf {
        self.models.path().join("model")
    }

    /// The files that were asked for since the last time, in order.
    fn asked(&self) -> Vec<String> {
        self.server.seen().iter().filter_map(|seen| Some(seen.file()?.split('?').next()?.to_owned())).collect()
    }
}

/// The files below a folder, by their paths from it, in order.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).expect("it can be listed").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(folder).expect("it is below").display().to_string());
            }
        }
    }
    found.sort();
    found
}

const WHOLE: [&str; 6] = [
    "config.json",
    "onnx/text model.onnx_data",
    "onnx/text_model.onnx",
    "onnx/vision_model.onnx",
    "tokenizer.json",
    "vw-pull.json",
];

#[test]
fn a_pack_comes_with_its_weights_and_settings_and_nothing_else() {
    let place = Place::new(repository());
    let pulled = place.pull().expect("it is there");
    assert_eq!(pulled, Pulled { folder: place.pack(), commit: COMMIT.to_owned(), was_there: false });
    assert_eq!(files(&place.pack()), WHOLE);
    for name in &WHOLE[..5] {
        let bytes = std::fs::read(place.pack().join(name)).expect("it is there");
        assert!(place.server.state.lock().expect("nobody panicked").files[*name] == bytes, "{name}");
    }
    let record: serde_json::Value =
        serde_json::from_slice(&std::fs::read(place.pack().join("vw-pull.json")).expect("it is there"))
            .expect("it is JSON");
    assert_eq!((&record["id"], &record["commit"]), (&"owner/model".into(), &COMMIT.into()));
    assert_eq!(record["files"]["onnx/text model.onnx_data"]["size"], 700_000);
    assert_eq!(files(&place.models.path().join(".pull")), ["model.lock"], "nothing is left over");
}

#[test]
fn what_is_there_is_not_fetched_again_and_a_new_commit_replaces_it() {
    let place = Place::new(repository());
    place.pull().expect("it is there");
    place.asked();
    assert!(place.pull().expect("it is there").was_there);
    assert_eq!(place.asked(), Vec::<String>::new());
    place.server.change(|state| {
        state.commit = "f".repeat(40);
        state.files.insert("config.json".to_owned(), b"{}".to_vec());
        state.files.remove("tokenizer.json");
    });
    let pulled = place.pull().expect("it is there");
    assert_eq!((pulled.commit, pulled.was_there), ("f".repeat(40), false));
    assert_eq!(std::fs::read(place.pack().join("config.json")).expect("it is there"), b"{}");
    assert!(!place.pack().join("tokenizer.json").exists());
    let other = Order { variant: Some("fp16".to_owned()), ..place.order() };
    place.hub().pull(&other).expect("it is there");
    assert!(place.pack().join("onnx/text_model_fp16.onnx").exists());
}

#[test]
fn a_folder_that_was_not_pulled_is_left_alone() {
    let place = Place::new(repository());
    std::fs::create_dir(place.pack()).expect("it can be made");
    std::fs::write(place.pack().join("mine"), "x").expect("it can be written");
    let error = place.pull().expect_err("it is somebody's");
    assert!(error.contains("was not pulled") && error.contains("--name"), "{error}");
    assert_eq!(files(&place.pack()), ["mine"]);
    let named = Order { name: Some("other".to_owned()), ..place.order() };
    assert!(place.hub().pull(&named).is_ok());
}

#[test]
fn cuts_at_random_places_are_gone_on_with() {
    let place = Place::new(repository());
    let cuts = noise(40, 11).into_iter().map(|byte| usize::from(byte) * 97 + 1).collect::<Vec<_>>();
    place.server.change(|state| state.cuts = cuts);
    place.pull().expect("every cut is gone on with");
    assert_eq!(files(&place.pack()), WHOLE);
    let seen = place.server.seen();
    assert!(seen.iter().filter(|seen| seen.headers.contains_key("range")).count() > 20, "{} requests", seen.len());
}

#[test]
fn a_server_without_ranges_is_asked_for_the_whole_again() {
    let place = Place::new(repository());
    place.server.change(|state| {
        state.no_ranges = true;
        state.cuts = vec![650_000, 20_000, 400_000];
    });
    place.pull().expect("it is there");
    assert_eq!(files(&place.pack()), WHOLE);
}

#[test]
fn an_interrupted_pull_goes_on_in_the_next() {
    let place = Place::new(repository());
    place.server.change(|state| state.cuts = [vec![0; 20], vec![300_000], vec![usize::MAX; 4]].concat());
    let error = place.fails();
    assert!(error.contains("start again to go on") && error.contains("onnx_data"), "{error}");
    place.asked();
    place.server.change(|state| state.cuts.clear());
    place.pull().expect("it is there");
    let seen = place.server.seen();
    let ranges: Vec<_> =
        seen.iter().filter_map(|seen| Some((seen.file()?, seen.headers.get("range")?.clone()))).collect();
    assert!(ranges.iter().all(|(file, range)| file.contains("onnx_data") && range == "bytes=300000-"), "{ranges:?}");
    assert!(!ranges.is_empty() && !seen.iter().any(|seen| seen.file() == Some("tokenizer.json")), "{seen:?}");
}

#[test]
fn bytes_that_were_not_listed_are_thrown_away() {
    for (name, says) in [("onnx/vision_model.onnx", "sha256"), ("tokenizer.json", "git hash")] {
        let place = Place::new(repository());
        place.server.change(|state| state.spoilt.push(name.to_owned()));
        let error = place.fails();
        assert!(error.contains(name) && error.contains(says), "{error}");
        assert!(!files(&place.models.path().join(".pull")).iter().any(|file| file.ends_with(name)));
        place.server.change(|state| state.spoilt.clear());
        place.pull().expect("it is there now");
    }
}

#[test]
fn a_pointer_in_place_of_a_large_file_is_refused() {
    let place = Place::new(repository());
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n".to_vec();
    place.server.change(|state| state.pointers.push("onnx/vision_model.onnx".to_owned()));
    assert!(place.fails().contains("onnx/vision_model.onnx"));
    // A hub without large file storage lists the pointer itself, so that length and hash are right.
    place.server.change(|state| {
        state.large.retain(|name| name != "onnx/vision_model.onnx");
        state.files.insert("onnx/vision_model.onnx".to_owned(), pointer);
    });
    assert!(place.fails().contains("large file storage"));
}

#[test]
fn refusals_are_told_in_words_and_passing_ones_are_waited_out() {
    let place = Place::new(repository());
    let refused = |status, header| {
        place.server.change(|state| state.refusals = vec![(status, header)]);
        place.fails()
    };
    assert!(refused(401, "").contains("set HF_TOKEN"));
    assert!(refused(403, "X-Error-Code: GatedRepo\r\n").contains("terms have to be accepted"));
    assert!(refused(404, "X-Error-Code: RevisionNotFound\r\n").contains("no such revision"));
    assert!(refused(404, "").contains("cannot list owner/model at main"));
    assert!(refused(302, "").contains("leads nowhere"));
    place.server.change(|state| state.refusals = vec![(503, ""); 100]);
    assert!(place.fails().contains("status 503"));
    place.server.change(|state| state.refusals = vec![(429, "Retry-After: 0\r\n"), (500, ""), (502, ""), (429, "")]);
    place.pull().expect("the hub answers after a while");
}

#[test]
fn the_token_goes_to_the_hub_and_to_nobody_else() {
    let place = Place::new(repository());
    place.server.change(|state| state.private = true);
    assert!(place.fails().contains("set HF_TOKEN"));
    let hub = Hub { token: Some("wrong".to_owned()), ..place.hub() };
    assert!(format!("{:#}", hub.pull(&place.order()).expect_err("it is private")).contains("not accepted"));
    place.server.seen();
    let hub = Hub { token: Some(TOKEN.to_owned()), ..place.hub() };
    hub.pull(&place.order()).expect("it may be read");
    let seen = place.server.seen();
    let (other, own): (Vec<_>, Vec<_>) = seen.into_iter().partition(|seen| seen.other);
    assert!(other.len() >= 3 && other.iter().all(|seen| !format!("{:?}", seen.headers).contains(TOKEN)), "{other:?}");
    assert!(own.iter().all(|seen| seen.headers["authorization"] == format!("Bearer {TOKEN}")));
}

#[test]
fn redirects_that_go_round_or_leave_the_web_end_the_pull() {
    let place = Place::new(repository());
    place.server.change(|state| state.round = true);
    assert!(place.fails().contains("more than 5 redirects"));
    place.server.change(|state| (state.round, state.scheme) = (false, Some("file")));
    assert!(place.fails().contains("is not followed"));
}

#[test]
fn names_in_a_listing_do_not_lead_out_of_the_pack() {
    let place = Place::new(repository());
    for name in ["../evil", "/etc/evil", "onnx/../../evil"] {
        let text =
            serde_json::json!({ "sha": COMMIT, "siblings": [{ "rfilename": name }, { "rfilename": "config.json" }] });
        place.server.change(|state| state.listing = Some(text.to_string()));
        assert!(place.fails().contains("no name for one"), "{name}");
    }
    place.server.change(|state| state.listing = None);
    for location in ["../evil", "/etc/passwd", "elsewhere"] {
        place.server.change(|state| {
            state.files.insert("onnx/text_model.onnx".to_owned(), graph(location));
        });
        assert!(place.fails().contains("weights"), "{location}");
    }
}

#[test]
fn a_hub_that_sends_more_than_it_listed_is_not_believed() {
    let place = Place::new(repository());
    let text = serde_json::json!({ "sha": COMMIT, "siblings": [
        { "rfilename": "config.json", "size": 3 }, { "rfilename": "model.onnx", "size": 1 }
    ]});
    place.server.change(|state| {
        state.listing = Some(text.to_string());
        state.files.insert("model.onnx".to_owned(), graph(""));
    });
    assert!(place.fails().contains("more than the"));
}

#[test]
fn two_pulls_at_once_take_turns_and_both_end_well() {
    let place = Place::new(repository());
    let pulled = std::thread::scope(|scope| {
        let pulls: Vec<_> = (0..4).map(|_| scope.spawn(|| place.pull())).collect();
        pulls.into_iter().map(|pull| pull.join().expect("no panic").expect("it is there").was_there).collect::<Vec<_>>()
    });
    assert_eq!(pulled.iter().filter(|was_there| !**was_there).count(), 1, "{pulled:?}");
    assert_eq!(files(&place.pack()), WHOLE);
}

#[test]
fn the_command_says_where_the_pack_is_and_how_to_test_it() {
    let place = Place::new(repository());
    let run = |words: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_vw-engine"));
        command.args(["pull", "owner/model", "--models"]).arg(place.models.path()).args(words);
        command.env("HF_ENDPOINT", &place.server.endpoint).env_remove("HF_TOKEN");
        let output = command.output().expect("the program can be started");
        let text = |bytes| String::from_utf8(bytes).expect("it writes UTF-8");
        (output.status.success(), text(output.stdout), text(output.stderr))
    };
    let (good, said, complaint) = run(&[]);
    let folder = place.pack().display().to_string();
    assert!(good, "{complaint}");
    assert_eq!(said, format!("owner/model at {COMMIT} is now in {folder}\nTest it with: vw-engine check {folder}\n"));
    assert!(complaint.contains("onnx/vision_model.onnx"), "{complaint}");
    let (good, said, _) = run(&["--revision", "v1.0"]);
    assert!(good && said.contains("is there already"), "{said}");
    let (good, _, complaint) = run(&["--variant", "q4"]);
    assert!(!good && complaint.contains("no q4 graph"), "{complaint}");
}
