//! `embed`: what SQL and the socket cost over the bare runtime. Both sides embed the same texts, and then pictures, with the
//! same model.
//!
//! Connections that embed one text after the other are held to static batches of the bare runtime, each padded to its longest text
//! as texts come. Eight connections have eight texts under way at the most, so the sizes up to eight are what they
//! could be batched to; larger ones are shown beside them.

use std::time::Instant;

use anyhow::{Result, anyhow};
use postgres::Client;

use crate::connect;
use crate::pictures;
use crate::python::{Python, Raw};
use crate::random::{descriptions, equals};
use crate::rate::{median, rate};
use crate::table::{Row, render};

/// Texts of one measurement.
const TEXTS: usize = 768;
/// Rounds; in each, every way is measured once, so that a slow moment of the machine meets all of them.
const ROUNDS: usize = 5;
/// Texts of an array.
const ARRAY: usize = 32;
const CONNECTIONS: usize = 8;
/// The sizes of static batches; the first ones, up to the number of connections, are what those are held to.
const SIZES: [usize; 6] = [1, 2, 4, 8, 16, 32];

const ONE: &str = include_str!("../sql/embed_one.sql");
const MANY: &str = include_str!("../sql/embed_many.sql");

/// Make so many texts from a seed.
type Texts = fn(usize, u64) -> Vec<String>;

pub fn run() -> Result<()> {
    let python = Python::ensure()?;
    let mut clients = (0..=CONNECTIONS).map(|_| connect()).collect::<Result<Vec<_>>>()?;
    clients.iter_mut().try_for_each(|client| one_by_one(client, &descriptions(8, 0)).map(drop))?;
    let sets: [(&str, Texts); 2] = [("texts of 14 tokens", equals), ("texts of 6 to 60 words", descriptions)];
    for (name, texts) in sets {
        println!("{name}:");
        of_set(&python, &mut clients, texts)?;
    }
    let mut client = connect()?;
    pictures::run(&mut client, &python)
}

/// What was measured in one round.
struct Round {
    raw: Raw,
    one: f64,
    one_millis: f64,
    ones: f64,
    many: f64,
    manys: f64,
}

/// Measure one set of texts and print its tables.
fn of_set(python: &Python, clients: &mut [Client], texts: Texts) -> Result<()> {
    let rounds =
        (1..=ROUNDS).map(|seed| round(python, clients, &texts(TEXTS, seed as u64))).collect::<Result<Vec<_>>>()?;
    let middle = |of: &dyn Fn(&Round) -> f64| median(&rounds.iter().map(of).collect::<Vec<_>>());
    let raw = SIZES.map(|size| {
        let at = SIZES.iter().position(|other| *other == size).unwrap_or_default();
        middle(&|round| round.raw.rates.get(at).copied().unwrap_or(f64::NAN))
    });
    let best = |most: usize| {
        SIZES.iter().zip(raw).filter(|(size, _)| **size <= most).map(|(_, rate)| rate).fold(0.0, f64::max)
    };
    let (alone, ones) = (raw[0], middle(&|round| round.ones));
    let names = SIZES.map(|size| format!("ONNX Runtime from Python, batches of {size}"));
    let mut rows: Vec<Row> = names
        .iter()
        .zip(raw)
        .map(|(name, value)| Row { name, value, reference: (value != alone).then_some(alone) })
        .collect();
    rows.extend([
        Row { name: "vw_embed_text, one by one", value: middle(&|round| round.one), reference: Some(alone) },
        Row { name: "vw_embed_text, 8 connections, to batches of 1", value: ones, reference: Some(alone) },
        Row { name: "  to the best of 1 to 8", value: ones, reference: Some(best(CONNECTIONS)) },
        Row { name: "  to the best of 1 to 32", value: ones, reference: Some(best(ARRAY)) },
        Row { name: "vw_embed_texts, arrays of 32", value: middle(&|round| round.many), reference: Some(best(ARRAY)) },
        Row { name: "  8 connections", value: middle(&|round| round.manys), reference: Some(best(ARRAY)) },
    ]);
    print!("{}", render("texts/s", &rows));
    let run = middle(&|round| round.raw.run_millis);
    let times = [
        Row { name: "session.run from Python, one text", value: run, reference: None },
        Row {
            name: "  with its tokens and pooling",
            value: middle(&|round| round.raw.one_millis),
            reference: Some(run),
        },
        Row { name: "vw_embed_text, one text", value: middle(&|round| round.one_millis), reference: Some(run) },
    ];
    print!("{}", render("ms (median)", &times));
    Ok(())
}

/// Measure every way once.
fn round(python: &Python, clients: &mut [Client], texts: &[String]) -> Result<Round> {
    let raw = python.embed(texts, &SIZES)?;
    let (first, others) = clients.split_first_mut().ok_or_else(|| anyhow!("there are connections"))?;
    let begun = Instant::now();
    let times = one_by_one(first, texts)?;
    let one = TEXTS as f64 / begun.elapsed().as_secs_f64();
    let ones = rate(TEXTS, || at_once(others, texts, |client, texts| one_by_one(client, texts).map(drop)))?;
    let many = rate(TEXTS, || in_arrays(first, texts))?;
    let manys = rate(TEXTS, || at_once(others, texts, in_arrays))?;
    Ok(Round { raw, one, one_millis: median(&times), ones, many, manys })
}

/// Embed texts one after the other; give the milliseconds that each took.
fn one_by_one(client: &mut Client, texts: &[String]) -> Result<Vec<f64>> {
    let statement = client.prepare(ONE)?;
    let mut times = Vec::with_capacity(texts.len());
    for text in texts {
        let begun = Instant::now();
        client.query_one(&statement, &[text])?;
        times.push(1000.0 * begun.elapsed().as_secs_f64());
    }
    Ok(times)
}

fn in_arrays(client: &mut Client, texts: &[String]) -> Result<()> {
    let statement = client.prepare(MANY)?;
    for texts in texts.chunks(ARRAY) {
        client.query_one(&statement, &[&texts])?;
    }
    Ok(())
}

/// Share the texts among connections that work at the same time.
fn at_once(clients: &mut [Client], texts: &[String], work: fn(&mut Client, &[String]) -> Result<()>) -> Result<()> {
    let share = texts.len().div_ceil(clients.len().max(1));
    std::thread::scope(|scope| {
        let shares = clients.iter_mut().zip(texts.chunks(share.max(1)));
        let threads: Vec<_> = shares.map(|(client, texts)| scope.spawn(move || work(client, texts))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| anyhow!("a connection's thread failed"))?)
    })
}
