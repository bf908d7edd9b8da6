//! Guards the way from a request's bytes to its vectors on the real model: shape, padding, truncation, batches,
//! bounded work, priority, and hanging up.
//!
//! Runs with `--features with-pack` and needs VW_ONNXRUNTIME (the path of libonnxruntime.so) and VW_MODELS (a folder
//! with the default pack); it fails without them.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use vw_embed::engine::{Engine, Options};
use vw_embed::serve::accept;
use vw_protocol::{Embedding, ErrorCode, Modality, Reply, Request, TowerStats, frame_length};

const PACK: &str = "multimodal-embedding-v1";
const WIDTH: usize = 384;

fn place(variable: &str) -> PathBuf {
    std::env::var_os(variable).unwrap_or_else(|| panic!("{variable} is not set; see the top of this file")).into()
}

/// The service that all tests share, one at a time: a process has one runtime, and some tests count what ran.
struct Service {
    engine: Arc<Engine>,
    folder: tempfile::TempDir,
}

static SERVICE: OnceLock<Service> = OnceLock::new();
static TURN: Mutex<()> = Mutex::new(());

/// Wait for a turn with the service.
fn service() -> (&'static Service, MutexGuard<'static, ()>) {
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    (SERVICE.get_or_init(Service::start), turn)
}

impl Service {
    fn start() -> Service {
        let engine = Engine::open(&place("VW_MODELS"), &place("VW_ONNXRUNTIME"), Options::default());
        let engine = Arc::new(engine.expect("the runtime and the pack are there"));
        let folder = tempfile::tempdir().expect("a folder can be made");
        let listener = UnixListener::bind(folder.path().join("socket")).expect("it can be listened on");
        let other = Arc::clone(&engine);
        spawn(move || accept(&other, &listener));
        Service { engine, folder }
    }

    fn connect(&self) -> UnixStream {
        UnixStream::connect(self.folder.path().join("socket")).expect("the service listens")
    }

    fn ask(&self, request: &Request) -> Reply {
        let mut stream = self.connect();
        send(&mut stream, request);
        receive(&mut stream)
    }

    /// Embed texts with the default model.
    fn embed(&self, texts: &[&str], bulk: bool) -> Vec<Embedding> {
        items(self.ask(&request(texts, bulk)))
    }

    /// The texts that were run so far.
    fn finished(&self) -> u64 {
        self.stats().inputs
    }

    /// What the text tower did.
    fn stats(&self) -> TowerStats {
        match self.ask(&Request::Stats) {
            Reply::Stats(towers) => {
                towers.into_iter().find(|tower| tower.modality == Modality::Text).expect("there is a text tower")
            }
            other => panic!("unexpected: {other:?}"),
        }
    }

    /// Wait until `done` with the texts that wait and that were run, for a minute at the most.
    fn until(&self, what: &str, done: impl Fn(u64, u64) -> bool) {
        let limit = Instant::now() + Duration::from_secs(60);
        loop {
            let stats = self.engine.stats();
            let tower = stats.iter().find(|tower| tower.modality == Modality::Text).expect("there is a text tower");
            if done(tower.waiting, tower.inputs) {
                return;
            }
            assert!(Instant::now() < limit, "not yet: {what}");
            sleep(Duration::from_millis(1));
        }
    }
}

fn request(texts: &[&str], bulk: bool) -> Request {
    let inputs = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    Request::Embed { modality: Modality::Text, bulk, model: String::new(), inputs }
}

fn send(stream: &mut UnixStream, request: &Request) {
    stream.write_all(&request.encode()).expect("the service reads");
}

fn receive(stream: &mut UnixStream) -> Reply {
    let mut word = [0; 4];
    stream.read_exact(&mut word).expect("the service answers");
    let mut body = vec![0; frame_length(word).expect("the reply is a frame")];
    stream.read_exact(&mut body).expect("the reply is whole");
    Reply::decode(&body).expect("the reply is in order")
}

fn items(reply: Reply) -> Vec<Embedding> {
    match reply {
        Reply::Embeddings { dimensions: 1024, items } => {
            items.into_iter().map(|item| item.expect("the input is in order")).collect()
        }
        other => panic!("unexpected: {other:?}"),
    }
}

fn code(reply: &Reply) -> ErrorCode {
    match reply {
        Reply::Error(refusal) => refusal.code,
        other => panic!("unexpected: {other:?}"),
    }
}

fn cosine(a: &Embedding, b: &Embedding) -> f32 {
    a.vector.iter().zip(&b.vector).map(|(x, y)| x * y).sum()
}

/// Texts of 4 to about 100 tokens in no order.
fn mixed(count: usize) -> Vec<String> {
    (0..count).map(|at| format!("item {at} {}", "white shoes and red dress ".repeat(at * 7 % 20))).collect()
}

#[test]
fn vectors_are_unit_long_and_zero_beyond_the_models_own_dimensions() {
    let (service, _turn) = service();
    let found = service.embed(&["white shoes", "", "x", "中文 и русский 👟", "\u{1}\u{2}"], false);
    assert_eq!(found.len(), 5);
    for embedding in &found {
        assert_eq!(embedding.vector.len(), 1024);
        assert!((cosine(embedding, embedding) - 1.0).abs() < 1e-5);
        assert!(embedding.vector[WIDTH..].iter().all(|value| *value == 0.0));
        assert!(!embedding.truncated);
    }
    assert_eq!((found[0].tokens, found[1].tokens), (4, 2), "the special tokens count");
}

#[test]
fn a_text_has_the_same_vector_alone_and_in_any_batch_in_the_order_given() {
    let (service, _turn) = service();
    let texts = mixed(150);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let together = service.embed(&texts, true);
    for (at, text) in texts.iter().enumerate().step_by(7) {
        let alone = &service.embed(&[text], false)[0];
        let apart = alone.vector.iter().zip(&together[at].vector).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
        assert!(apart <= 1e-5, "text {at} differs by {apart}");
        assert_eq!((alone.tokens, alone.truncated), (together[at].tokens, together[at].truncated));
    }
}

#[test]
fn long_texts_are_cut_at_the_models_maximum_and_flagged() {
    let shoes = |count: usize| "shoe ".repeat(count);
    let (fits, cut, longer) = (shoes(254), shoes(255), shoes(6_000_000));
    let (service, _turn) = service();
    let found = service.embed(&[&fits, &cut, &longer], false);
    assert_eq!(found.iter().map(|item| item.tokens).collect::<Vec<_>>(), [256, 256, 256]);
    assert_eq!(found.iter().map(|item| item.truncated).collect::<Vec<_>>(), [false, true, true]);
    assert!(cosine(&found[0], &found[2]) > 0.99999, "30 MB count for no more than what is read of them");
}

#[test]
fn texts_that_tokenise_to_little_are_read_further_but_not_without_end() {
    let apart = format!("white{}shoes", " ".repeat(100_000));
    let blank = " ".repeat(30 << 20) + "shoes";
    let (service, _turn) = service();
    let found = service.embed(&["white shoes", &apart, &blank, ""], false);
    assert!(cosine(&found[0], &found[1]) > 0.99999 && !found[1].truncated);
    assert!(cosine(&found[2], &found[3]) > 0.99999 && found[2].truncated);
}

#[test]
fn requests_that_cannot_be_answered_say_why_and_the_connection_lives_on() {
    let (service, _turn) = service();
    let mut stream = service.connect();
    let mut ask = |modality, model: &str, inputs| {
        send(&mut stream, &Request::Embed { modality, bulk: false, model: model.to_owned(), inputs });
        receive(&mut stream)
    };
    let shoes = || vec![b"shoes".to_vec()];
    let unknown = ask(Modality::Text, "no-such-model", shoes());
    assert_eq!(code(&unknown), ErrorCode::UnknownModel);
    assert!(matches!(&unknown, Reply::Error(refusal) if refusal.hint.contains(PACK)), "{unknown:?}");
    match ask(Modality::Text, "", vec![b"shoes".to_vec(), b"\xFF".to_vec(), b"dress".to_vec()]) {
        Reply::Embeddings { items, .. } => {
            let codes: Vec<_> = items.iter().map(|item| item.as_ref().err().map(|refusal| refusal.code)).collect();
            assert_eq!(codes, [None, Some(ErrorCode::BadInput), None], "a bad text fails alone");
        }
        other => panic!("unexpected: {other:?}"),
    }
    assert_eq!(code(&ask(Modality::Text, "", vec![Vec::new(); 17_000])), ErrorCode::BadInput);
    assert_eq!(items(ask(Modality::Text, PACK, shoes())).len(), 1);
    assert_eq!(items(ask(Modality::Text, PACK, Vec::new())).len(), 0);
    let sha256 = service.engine.models()[0].sha256.clone();
    assert_eq!(items(ask(Modality::Text, &format!("{PACK}@{sha256}"), shoes())).len(), 1);
    assert_eq!(code(&ask(Modality::Text, &format!("{PACK}@000000000000"), shoes())), ErrorCode::ChangedPack);
    stream.write_all(&[2, 0, 0, 0, 99, 99]).expect("the service reads");
    assert_eq!(code(&receive(&mut stream)), ErrorCode::BadInput, "an unknown kind of frame");
    stream.write_all(&[0xFF; 4]).expect("the service reads");
    assert_eq!(code(&receive(&mut stream)), ErrorCode::BadInput, "a frame of 4 GiB");
    assert_eq!(service.ask(&Request::Ping), Reply::Pong, "another connection works");
    let models = service.engine.models();
    assert_eq!((models.len(), models[0].id.as_str(), models[0].max_tokens), (1, PACK, 256));
    assert_eq!(service.ask(&Request::Models), Reply::Models(models));
}

#[test]
fn a_query_is_answered_while_bulk_work_runs() {
    let (service, _turn) = service();
    let before = service.finished();
    let (order, answered) = channel();
    let first = order.clone();
    let texts = mixed(2000);
    let worker = spawn(move || {
        let count = service.embed(&texts.iter().map(String::as_str).collect::<Vec<_>>(), true).len();
        first.send("bulk").expect("the test listens");
        count
    });
    service.until("bulk work runs", |waiting, finished| waiting > 1000 && finished > before);
    assert_eq!(service.embed(&["white shoes"], false).len(), 1);
    order.send("query").expect("the test listens");
    assert_eq!(worker.join().expect("the bulk request is answered"), 2000);
    assert_eq!(answered.try_iter().collect::<Vec<_>>(), ["query", "bulk"]);
}

#[test]
fn the_work_of_a_caller_that_hangs_up_is_dropped() {
    let (service, _turn) = service();
    let before = service.finished();
    let texts = mixed(2000);
    let mut stream = service.connect();
    send(&mut stream, &request(&texts.iter().map(String::as_str).collect::<Vec<_>>(), true));
    service.until("bulk work runs", |waiting, finished| waiting > 1000 && finished > before);
    drop(stream);
    service.until("the rest is dropped", |waiting, _| waiting == 0);
    let finished = service.finished() - before;
    assert!(finished < 1500, "{finished} of 2000 texts were run for nobody");
    assert_eq!(service.embed(&["white shoes"], true).len(), 1);
}

#[test]
fn requests_sent_at_once_are_answered_in_their_order() {
    let (service, _turn) = service();
    let texts = mixed(24);
    let wanted: Vec<_> = texts.iter().map(|text| service.embed(&[text], false).remove(0)).collect();
    let ask = |stream: &mut UnixStream| {
        texts.iter().for_each(|text| {
            send(stream, &request(&[text], false));
            send(stream, &Request::Ping);
        });
        wanted.iter().for_each(|wanted| {
            assert!(cosine(&items(receive(stream)).remove(0), wanted) > 0.999_99);
            assert_eq!(receive(stream), Reply::Pong);
        });
    };
    // Several at a time, so that most texts wait for a batch that another connection's thread, or the tower's, runs.
    std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(|| ask(&mut service.connect())))));
}

#[test]
fn a_peer_that_reads_late_gets_every_reply() {
    let (service, _turn) = service();
    let wanted = service.ask(&Request::Models);
    let mut stream = service.connect();
    // Far more replies than a socket's buffer holds.
    stream.write_all(&Request::Models.encode().repeat(5_000)).expect("the service reads");
    sleep(Duration::from_millis(300));
    (0..5_000).for_each(|_| assert_eq!(receive(&mut stream), wanted));
}

#[test]
fn a_ping_is_answered_while_the_runner_is_busy() {
    let (service, _turn) = service();
    let before = service.finished();
    let texts = mixed(2000);
    let mut bulk = service.connect();
    send(&mut bulk, &request(&texts.iter().map(String::as_str).collect::<Vec<_>>(), true));
    service.until("bulk work runs", |waiting, finished| waiting > 1000 && finished > before);
    assert_eq!(service.ask(&Request::Ping), Reply::Pong);
    service.until("bulk work still runs", |waiting, _| waiting > 0);
    drop(bulk);
    service.until("the rest is dropped", |waiting, _| waiting == 0);
}

/// Run the program; give whether it succeeded, what it wrote, and what it complained about.
fn program(words: &[&str], folder: &Path) -> (bool, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vw-engine"));
    let output = command.args(words).arg(folder).arg("--onnxruntime").arg(place("VW_ONNXRUNTIME")).output();
    let output = output.expect("the program can be started");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it writes UTF-8");
    (output.status.success(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_check_passes_the_pack_and_says_what_is_wrong_with_a_broken_one() {
    let pack = place("VW_MODELS").join(PACK);
    let (good, report, complaint) = program(&["check"], &pack);
    assert!(good, "{complaint}");
    for line in ["id          multimodal-embedding-v1", "modalities  text", "dimensions  1024", "max tokens  256"] {
        assert!(report.contains(line), "{report}");
    }
    let broken = tempfile::tempdir().expect("a folder can be made");
    std::fs::copy(pack.join("vw-pack.json"), broken.path().join("vw-pack.json")).expect("it can be copied");
    let (good, _, complaint) = program(&["check"], broken.path());
    assert!(!good && complaint.contains("no graph for "), "{complaint}");
    let (good, lines, complaint) = program(&["list", "--models"], &place("VW_MODELS"));
    assert!(good && lines.starts_with("multimodal-embedding-v1\ttext"), "{lines}{complaint}");
}
