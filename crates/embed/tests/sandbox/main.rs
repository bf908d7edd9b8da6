//! Guards the fence around the decoders: no file of a stranger takes much memory or time, ends the engine, or keeps
//! another caller's file from being served; and decoders that are killed, stopped or leaking are replaced.
//!
//! The decoders are processes of the real program.

mod bytes;
mod photographs;
mod pictures;
mod sounds;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use vw_embed::Failure;
use vw_embed::media::{Features, Prepare};
use vw_embed::sandbox::{Limits, Pool};
use vw_protocol::{ErrorCode, Modality};

/// Memory that no file may make a decoder hold, in bytes.
const MOST: u64 = 256 << 20;

/// A folder with a tower for pictures and one for sounds.
struct Towers(tempfile::TempDir);

impl Towers {
    fn new() -> Towers {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let write = |name: &str, text: &str| {
            std::fs::create_dir(folder.path().join(name)).expect("it can be made");
            std::fs::write(folder.path().join(name).join("preprocessor_config.json"), text).expect("it can be written");
        };
        write("image", include_str!("image_processor.json"));
        write("audio", include_str!("audio_processor.json"));
        Towers(folder)
    }

    fn of(&self, modality: Modality) -> PathBuf {
        self.0.path().join(modality.name())
    }
}

fn pool(limits: Limits) -> Pool {
    Pool::of_program(Path::new(env!("CARGO_BIN_EXE_vw-engine")), limits)
}

fn one_at_a_time() -> Limits {
    Limits { decoders: 1, ..Limits::default() }
}

/// Wait for something that must come about, for a minute at the most.
fn until(what: &str, done: impl Fn() -> bool) {
    let limit = Instant::now() + Duration::from_secs(60);
    while !done() {
        assert!(Instant::now() < limit, "not yet: {what}");
        sleep(Duration::from_millis(2));
    }
}

fn hostile() -> Vec<(&'static str, Modality, Vec<u8>)> {
    let all = [
        pictures::pngs(),
        pictures::gifs(),
        pictures::webps(),
        pictures::bmps(),
        photographs::jpegs(),
        photographs::tiffs(),
        pictures::large(),
        photographs::large(),
    ];
    let pictures = all.concat().into_iter().map(|(name, file)| (name, Modality::Image, file));
    let sounds =
        [sounds::sounds(), sounds::large()].concat().into_iter().map(|(name, file)| (name, Modality::Audio, file));
    let neither = neither()
        .into_iter()
        .flat_map(|(name, file)| [Modality::Image, Modality::Audio].map(|modality| (name, modality, file.clone())));
    pictures.chain(sounds).chain(neither).collect()
}

/// Files that are neither pictures nor sounds.
fn neither() -> Vec<(&'static str, Vec<u8>)> {
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><rect width='9' height='9'/></svg>";
    vec![
        ("empty", Vec::new()),
        ("one byte", vec![0xFF]),
        ("zeros", vec![0; 20 << 20]),
        ("noise", bytes::noise(1 << 20, 41)),
        ("text", b"white running shoes\n".repeat(5000)),
        ("html", b"<!DOCTYPE html><html><body><img src=x></body></html>".to_vec()),
        ("svg", svg.to_vec()),
        ("pdf", b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n".to_vec()),
        ("zip", b"PK\x03\x04\x14\0\0\0\x08\0".iter().copied().chain(bytes::noise(5000, 43)).collect()),
        (
            "program",
            std::fs::read(env!("CARGO_BIN_EXE_vw-engine")).map(|file| bytes::cut(file, 1 << 20)).expect("it is there"),
        ),
    ]
}

/// A field of /proc/PID/status in bytes; `None` once the process is gone.
fn status(process: u32, field: &str) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kibibytes| kibibytes << 10)
}

/// A good file of each kind.
fn good(modality: Modality) -> Vec<u8> {
    match modality {
        Modality::Image => pictures::black(640, 480, 3, 1),
        _ => sounds::tone(16_000, 2),
    }
}

/// Whether the file was read, or refused in words that its sender understands.
fn is_answer(outcome: &Result<Features, Failure>) -> bool {
    match outcome {
        Ok(features) => !features.values.is_empty(),
        Err(failure) => failure.code == ErrorCode::BadInput && failure.message.len() > 10,
    }
}

#[test]
fn hostile_files_are_answered_within_their_limits_while_good_ones_are_served() {
    let (towers, pool) = (Towers::new(), pool(Limits { decoders: 2, ..Limits::default() }));
    let (over, served, wrong) = (AtomicBool::new(false), Mutex::new(0), Mutex::new(Vec::new()));
    scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                for modality in [Modality::Image, Modality::Audio] {
                    if let Err(failure) = pool.prepare(modality, &towers.of(modality), &good(modality)) {
                        wrong.lock().expect("nobody panicked").push(format!("a good {}: {failure}", modality.name()));
                    }
                }
                *served.lock().expect("nobody panicked") += 1;
            }
        });
        for (name, modality, file) in hostile() {
            let begun = Instant::now();
            let outcome = pool.prepare(modality, &towers.of(modality), &file);
            let told =
                outcome.as_ref().map_or_else(|failure| failure.message.clone(), |found| format!("{:?}", found.shape));
            println!("{name} ({} bytes, {} ms): {told}", file.len(), begun.elapsed().as_millis());
            if !is_answer(&outcome) {
                wrong.lock().expect("nobody panicked").push(format!("{name}: {outcome:?}"));
            }
        }
        over.store(true, Ordering::Relaxed);
    });
    let wrong = wrong.into_inner().expect("nobody panicked");
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(served.into_inner().expect("nobody panicked") > 10);
}

/// Whether a process is a decoder already: until its program is there, it shows the memory of these tests.
fn is_decoder(process: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{process}/comm")).is_ok_and(|name| name.trim() == "vw-engine")
}

#[test]
fn no_hostile_file_makes_a_decoder_hold_more_than_256_mib() {
    let towers = Towers::new();
    let mut found = Vec::new();
    for (name, modality, file) in hostile() {
        let (pool, over, peak) = (pool(one_at_a_time()), AtomicBool::new(false), AtomicU64::new(0));
        scope(|scope| {
            scope.spawn(|| {
                // A decoder that ends over its file can only be looked at before.
                while !over.load(Ordering::Relaxed) {
                    let begun = pool.processes().into_iter().filter(|process| is_decoder(*process));
                    let held = begun.filter_map(|process| status(process, "VmHWM")).max();
                    peak.fetch_max(held.unwrap_or(0), Ordering::Relaxed);
                    sleep(Duration::from_millis(2));
                }
            });
            let _ = pool.prepare(modality, &towers.of(modality), &file);
            over.store(true, Ordering::Relaxed);
        });
        found.push((peak.into_inner(), name));
    }
    found.sort();
    found.iter().rev().take(8).for_each(|(peak, name)| println!("{} MiB, {name}", peak >> 20));
    let over: Vec<_> = found.iter().filter(|(peak, _)| *peak > MOST).collect();
    assert!(over.is_empty() && found.last().is_some_and(|(peak, _)| *peak > 0), "{over:?}");
}

/// Risk: a sound of the greatest length that is allowed is held twice, and takes more than its decoder has.
#[test]
fn ten_minutes_of_sound_are_read() {
    let (towers, pool) = (Towers::new(), pool(one_at_a_time()));
    pool.prepare(Modality::Audio, &towers.of(Modality::Audio), &sounds::long())
        .unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn the_largest_photographs_are_read_and_what_cannot_be_is_refused_by_its_header() {
    let (towers, pool) = (Towers::new(), pool(one_at_a_time()));
    let read = |file: &[u8]| pool.prepare(Modality::Image, &towers.of(Modality::Image), file);
    for (name, file) in photographs::good() {
        read(&file).unwrap_or_else(|failure| panic!("{name}: {failure}"));
    }
    let failure = read(&photographs::too_much()).expect_err("its coefficients do not fit");
    let told = "the image is 7000 x 7000 pixels, which take 328 MiB to decode; 236 are allowed";
    assert_eq!((failure.code, failure.message.as_str()), (ErrorCode::BadInput, told));
    assert!(failure.hint.contains("progressive"), "{failure}");
}

#[test]
fn a_decoder_is_fenced_in_before_it_reads_a_file() {
    let (towers, pool) = (Towers::new(), pool(one_at_a_time()));
    pool.prepare(Modality::Audio, &towers.of(Modality::Audio), &good(Modality::Audio)).expect("it is served");
    let folder = format!("/proc/{}", pool.processes()[0]);
    let read = |name: &str| std::fs::read_to_string(format!("{folder}/{name}")).expect("it can be read");
    let status = read("status");
    for line in ["NoNewPrivs:\t1", "Seccomp:\t2", "Threads:\t1"] {
        assert!(status.contains(line), "{line} is missing in:\n{status}");
    }
    let limits = read("limits");
    let hard = |name: &str| {
        let line = limits.lines().find_map(|line| line.strip_prefix(name)).expect("it is a limit");
        line.split_whitespace().nth(1).expect("it has two").to_owned()
    };
    let found = ["Max address space", "Max core file size", "Max file size", "Max open files"].map(hard);
    assert_eq!(found, [(256 << 20).to_string().as_str(), "0", "0", "16"]);
    assert_eq!(read("oom_score_adj").trim(), "1000");
    assert!(!read("environ").contains("PATH"), "no variable is handed on");
    assert_eq!(std::fs::read_dir(format!("{folder}/fd")).expect("it can be listed").count(), 3);
}

#[test]
fn a_file_that_takes_long_is_given_up_and_says_so() {
    let towers = Towers::new();
    let pool = pool(Limits { time: Duration::from_millis(40), ..one_at_a_time() });
    let slow = pictures::black(7000, 7000, 3, 1);
    let failure = pool.prepare(Modality::Image, &towers.of(Modality::Image), &slow).expect_err("it takes long");
    assert!(failure.message.starts_with("decoding this image took longer than 0.03 seconds"), "{failure}");
    assert!(!failure.hint.is_empty());
}

#[test]
fn a_file_that_asks_for_memory_is_given_up_and_says_so() {
    let towers = Towers::new();
    let pool = pool(Limits { memory: 96 << 20, ..one_at_a_time() });
    let large = pictures::black(7000, 7000, 3, 1);
    let failure = pool.prepare(Modality::Image, &towers.of(Modality::Image), &large).expect_err("it is large");
    assert_eq!(failure.message, "decoding this image needs more memory than 96 MiB");
    let small = pool.prepare(Modality::Image, &towers.of(Modality::Image), &good(Modality::Image));
    small.expect("the next one is served");
}

#[test]
fn decoders_that_are_killed_or_stopped_at_random_moments_lose_no_file() {
    let towers = Towers::new();
    let serve = |modality| {
        let (pool, at, over) = (pool(one_at_a_time()), AtomicUsize::new(0), AtomicBool::new(false));
        scope(|scope| {
            scope.spawn(|| interfere(&pool, &at, &over));
            let outcomes: Vec<_> = (1..=60)
                .map(|number| {
                    at.store(number, Ordering::SeqCst);
                    pool.prepare(modality, &towers.of(modality), &good(modality))
                })
                .collect();
            over.store(true, Ordering::SeqCst);
            outcomes.into_iter().for_each(|outcome| drop(outcome.expect("every file is served")));
        });
    };
    scope(|scope| {
        scope.spawn(|| serve(Modality::Image));
        serve(Modality::Audio);
    });
}

/// Kill or stop the decoder once for each file at a random moment, which may also be in the next one: never more than
/// twice for one, which is what a file has decoders for.
fn interfere(pool: &Pool, at: &AtomicUsize, over: &AtomicBool) {
    let (mut pauses, mut last) = (bytes::noise(100_000, 47).into_iter(), 0);
    while let Some(pause) = pauses.next().filter(|_| !over.load(Ordering::SeqCst)) {
        sleep(Duration::from_millis(u64::from(pause) / 8));
        let number = at.load(Ordering::SeqCst);
        if let Some(process) = pool.processes().first().filter(|_| number != last) {
            last = number;
            let signal = if pause.is_multiple_of(2) { libc::SIGKILL } else { libc::SIGSTOP };
            // SAFETY: a plain system call; the process is a decoder of ours, or one that just ended.
            unsafe { libc::kill(*process as libc::pid_t, signal) };
        }
    }
}

#[test]
fn a_decoder_that_holds_much_memory_is_replaced_and_others_are_kept() {
    let towers = Towers::new();
    let serve = |pool: &Pool| {
        pool.prepare(Modality::Image, &towers.of(Modality::Image), &good(Modality::Image)).expect("it is served");
        pool.processes()
    };
    let keeping = pool(one_at_a_time());
    let first = serve(&keeping);
    assert_eq!((first.len(), serve(&keeping)), (1, first));
    let leaking = pool(Limits { keep: 1, ..one_at_a_time() });
    assert_eq!((serve(&leaking), serve(&leaking)), (Vec::new(), Vec::new()));
}

#[test]
fn idle_decoders_end_and_so_do_those_of_a_pool_that_is_closed() {
    let towers = Towers::new();
    let short = pool(Limits { idle: Duration::from_millis(200), ..one_at_a_time() });
    let file = good(Modality::Image);
    short.prepare(Modality::Image, &towers.of(Modality::Image), &file).expect("it is served");
    until("the idle decoder ended", || short.processes().is_empty());
    let long = pool(one_at_a_time());
    long.prepare(Modality::Image, &towers.of(Modality::Image), &file).expect("it is served");
    let process = long.processes()[0];
    drop(long);
    until("the decoder of a closed pool ended", || status(process, "VmHWM").is_none());
}

#[test]
fn callers_are_served_in_the_order_they_came_and_leave_the_line_when_they_hang_up() {
    let (towers, pool) = (Towers::new(), pool(one_at_a_time()));
    let (served, gone) = (Mutex::new(Vec::new()), Arc::new(AtomicBool::new(false)));
    let slow = pictures::black(6000, 6000, 3, 1);
    let call = |name: &'static str, file: &[u8], alive: &dyn Fn() -> bool| {
        let outcome = pool.prepare_while(Modality::Image, &towers.of(Modality::Image), file, alive);
        served.lock().expect("nobody panicked").push((name, outcome.is_ok()));
    };
    scope(|scope| {
        scope.spawn(|| call("first", &slow, &|| true));
        until("the first is being served", || pool.waiting() == 0 && !pool.processes().is_empty());
        for (waiting, name) in ["second", "third", "leaves", "fourth"].into_iter().enumerate() {
            let (call, gone, slow) = (&call, Arc::clone(&gone), &slow);
            scope.spawn(move || call(name, slow, &move || name != "leaves" || !gone.load(Ordering::Relaxed)));
            until("it waits", || pool.waiting() == waiting + 1 || !served.lock().expect("nobody panicked").is_empty());
        }
        gone.store(true, Ordering::Relaxed);
    });
    let served = served.into_inner().expect("nobody panicked");
    let stayed: Vec<&str> = served.iter().filter(|(_, good)| *good).map(|(name, _)| *name).collect();
    assert_eq!(stayed, ["first", "second", "third", "fourth"]);
    assert!(served.contains(&("leaves", false)), "{served:?}");
}

#[test]
fn callers_are_told_when_no_decoder_can_be_started_or_the_file_is_too_long() {
    let towers = Towers::new();
    let nowhere = Pool::of_program(Path::new("/nowhere/vw-engine"), one_at_a_time());
    scope(|scope| {
        let ask = || nowhere.prepare(Modality::Image, &towers.of(Modality::Image), &good(Modality::Image));
        let asked: Vec<_> = (0..5).map(|_| scope.spawn(ask)).collect();
        for outcome in asked.into_iter().map(|thread| thread.join().expect("no panic")) {
            let failure = outcome.expect_err("there is no program");
            assert!(failure.message.starts_with("cannot start a decoder"), "{failure}");
        }
    });
    let long = vec![0; (64 << 20) + 1];
    let failure = nowhere.prepare(Modality::Image, &towers.of(Modality::Image), &long).expect_err("it is too long");
    assert_eq!(failure.code, ErrorCode::BadInput);
}

#[test]
fn a_caller_that_hangs_up_in_the_middle_of_its_file_frees_the_decoder() {
    let (towers, pool) = (Towers::new(), pool(one_at_a_time()));
    let begun = Instant::now();
    let alive = || begun.elapsed() < Duration::from_millis(100);
    let slow = photographs::grey(7000, 7000);
    let outcome = pool.prepare_while(Modality::Image, &towers.of(Modality::Image), &slow, &alive);
    if let Err(failure) = outcome {
        assert!(failure.message.contains("hung up"), "{failure}");
    }
    let next = pool.prepare(Modality::Image, &towers.of(Modality::Image), &good(Modality::Image));
    next.expect("the next one is served");
}
