//! Guards the database against its engine: started by itself, killed under load, slow, and shared by many connections.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use postgres::Client;
use postgres::error::SqlState;
use vw_tests::cluster::Cluster;
use vw_tests::flag::Raise;
use vw_tests::process;

/// Embed a text and give its dimensions; `salt` makes the text another one.
fn embed(client: &mut Client, salt: u32) -> Result<i32, postgres::Error> {
    let text = format!("text number {salt}");
    Ok(client.query_one("SELECT vector_dims(vw_embed_text($1))", &[&text])?.get(0))
}

#[test]
fn the_engine_starts_on_first_use_and_with_the_server() {
    for settings in ["", "shared_preload_libraries = 'vw'"] {
        let cluster = Cluster::start(settings);
        let mut client = cluster.with_vw("app");
        assert_eq!(embed(&mut client, 1).expect("the engine comes up"), 1024);
        let models = client.query("SELECT id, types, dimensions, metric FROM vw_models()", &[]).expect("models");
        let [model] = models.as_slice() else { panic!("one model: {models:?}") };
        assert_eq!(model.get::<_, &str>("id"), "multimodal-embedding-v1");
        assert_eq!(model.get::<_, Vec<String>>("types"), ["text", "image", "audio"]);
        assert_eq!(process::engines(&cluster.data()).len(), 1, "one engine a server");
        cluster.stop("fast");
        assert_eq!(process::engines(&cluster.data()), [0; 0], "the engine ends with its server");
    }
}

#[test]
fn killing_the_engine_costs_no_connection() {
    let cluster = Cluster::start("");
    let mut client = cluster.with_vw("app");
    embed(&mut client, 0).expect("the engine comes up");
    let (over, answered) = (AtomicBool::new(false), AtomicU32::new(0));
    let work = |seed: u32| {
        let mut client = cluster.connect("app");
        let own: i32 = client.query_one("SELECT pg_backend_pid()", &[]).expect("a backend").get(0);
        let mut salt = seed;
        while !over.load(Ordering::Relaxed) {
            salt += 8;
            match embed(&mut client, salt) {
                Ok(_) => drop(answered.fetch_add(1, Ordering::Relaxed)),
                Err(error) => assert_eq!(error.code(), Some(&SqlState::SYSTEM_ERROR), "{error:?}"),
            }
        }
        let now: i32 = client.query_one("SELECT pg_backend_pid()", &[]).expect("the connection lives").get(0);
        assert_eq!(own, now);
    };
    std::thread::scope(|scope| {
        let end = Raise(&over);
        let threads: Vec<_> = (0..8).map(|seed| scope.spawn(move || work(seed))).collect();
        for _ in 0..5 {
            std::thread::sleep(Duration::from_millis(700));
            process::engines(&cluster.data()).into_iter().for_each(process::kill);
        }
        let killed = Instant::now();
        embed(&mut client, u32::MAX).expect("the next call after a kill works");
        println!("back {:?} after the kill", killed.elapsed());
        drop(end);
        threads.into_iter().for_each(|thread| thread.join().expect("no connection is lost"));
    });
    assert!(answered.load(Ordering::Relaxed) > 8);
}

#[test]
fn slow_work_is_cancelled_and_the_connection_goes_on() {
    let cluster = Cluster::start("");
    let mut client = cluster.with_vw("app");
    embed(&mut client, 0).expect("the engine comes up");
    client.batch_execute("SET statement_timeout = '100ms'").expect("a setting");
    let slow =
        "SELECT vw_embed_texts(array_agg(repeat('many words of text ' || i, 40))) FROM generate_series(1, 2000) i";
    let started = Instant::now();
    let error = client.batch_execute(slow).expect_err("a timeout");
    let took = started.elapsed();
    println!("a timeout of 100 ms took {took:?}");
    assert_eq!(error.code(), Some(&SqlState::QUERY_CANCELED));
    assert!(took < Duration::from_secs(2), "{took:?}");
    client.batch_execute("RESET statement_timeout").expect("a setting");
    assert_eq!(embed(&mut client, 1).expect("the connection goes on"), 1024);
}

#[test]
fn connections_that_embed_stay_small() {
    let cluster = Cluster::start("");
    let mut first = cluster.with_vw("app");
    embed(&mut first, 0).expect("the engine comes up");
    let mut clients: Vec<Client> = (0..50).map(|_| cluster.connect("app")).collect();
    let mut growth = Vec::new();
    for (salt, client) in clients.iter_mut().enumerate() {
        let pid: i32 = client.query_one("SELECT pg_backend_pid()", &[]).expect("a backend").get(0);
        let before = process::private_memory(pid);
        embed(client, salt as u32).expect("an embedding");
        growth.push(process::private_memory(pid).saturating_sub(before));
    }
    let most = growth.iter().max().expect("fifty");
    println!("50 connections grew by {} KiB on average, {most} KiB at the most", growth.iter().sum::<u64>() / 50);
    assert!(*most <= 5 * 1024, "{growth:?}");
}

/// Embed `count` texts of 1 to 400 words, long and short ones in turn; `salt` makes them other ones.
fn embed_lengths(client: &mut Client, salt: usize, count: usize) {
    for at in 0..count {
        let length = 1 + (at * 157 + salt * 31) % 400;
        let words: Vec<String> = (0..length).map(|word| format!("w{}", (at * 13 + word * 7 + salt) % 5000)).collect();
        client.query_one("SELECT vw_embed_text($1) IS NOT NULL", &[&words.join(" ")]).expect("an embedding");
    }
}

#[test]
fn the_engines_memory_settles_whatever_lengths_texts_have() {
    let cluster = Cluster::start("");
    let mut first = cluster.with_vw("app");
    embed(&mut first, 0).expect("the engine comes up");
    let mut clients: Vec<Client> = (0..8).map(|_| cluster.connect("app")).collect();
    let mut after = |salt: usize, each: usize| {
        std::thread::scope(|scope| {
            for (at, client) in (0..).zip(&mut clients) {
                scope.spawn(move || embed_lengths(client, 100 * salt + at, each));
            }
        });
        let engines = process::engines(&cluster.data());
        (engines.iter().map(|pid| process::resident_memory(*pid)).sum::<u64>(), engines)
    };
    let (early, engines) = after(1, 13);
    let (late, same) = after(2, 150);
    println!("resident after 104 texts: {early} KiB, after 1304: {late} KiB");
    assert_eq!(engines, same, "no engine was replaced");
    assert!(late * 10 <= early * 13, "{early} KiB became {late} KiB");
}

#[test]
fn a_constant_query_is_embedded_once_a_statement() {
    let cluster = Cluster::start("");
    let mut client = cluster.with_vw("app");
    embed(&mut client, 0).expect("the engine comes up");
    client
        .batch_execute(
            "CREATE TABLE doc AS SELECT i, array_fill(i::real, ARRAY[1024])::vector v FROM generate_series(1, 2000) i",
        )
        .expect("a table");
    // Without the statement's memo this takes 2,000 embeddings, more than the time given.
    client.batch_execute("SET statement_timeout = '3s'").expect("a setting");
    let nearest = "SELECT i FROM doc ORDER BY v <=> vw_embed_text('white running shoes') LIMIT 5";
    assert_eq!(client.query(nearest, &[]).expect("in time").len(), 5);
}

#[test]
fn settings_reach_the_engine() {
    let cluster = Cluster::start("shared_preload_libraries = 'vw'");
    let mut client = cluster.with_vw("app");
    embed(&mut client, 0).expect("the engine comes up");
    let before = process::engines(&cluster.data());
    client.batch_execute("ALTER SYSTEM SET vw.engine_memory = '64MB'").expect("a setting");
    client.batch_execute("SELECT pg_reload_conf()").expect("a reload");
    let limit = Instant::now() + Duration::from_secs(30);
    let words = loop {
        let words = match process::engines(&cluster.data()).as_slice() {
            [pid] if !before.contains(pid) => std::fs::read_to_string(format!("/proc/{pid}/cmdline")),
            _ => Ok(String::new()),
        };
        // A process that has just been made has no words yet.
        match words {
            Ok(words) if words.contains("--socket") => break words,
            _ => assert!(Instant::now() < limit, "the engine is not started anew"),
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    assert!(words.split('\0').any(|word| word == "64MiB"), "{words}");
    assert_eq!(embed(&mut client, 1).expect("a model that is larger is used all the same"), 1024);
}
