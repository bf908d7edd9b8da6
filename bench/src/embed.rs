//! `embed`: what SQL and the socket cost over the bare runtime. Both sides embed the same texts, and then pictures, with the
//! same model.

use anyhow::{Result, anyhow};
use postgres::Client;

use crate::connect;
use crate::pictures;
use crate::python::Python;
use crate::random::descriptions;
use crate::rate::{median, rate};
use crate::table::{Row, render};

/// Texts of one measurement.
const TEXTS: usize = 384;
/// Rounds; in each, every way is measured once, so that a slow moment of the machine meets all of them.
const ROUNDS: usize = 3;
const BATCH: usize = 32;
const CONNECTIONS: usize = 8;

const ONE: &str = include_str!("../sql/embed_one.sql");
const MANY: &str = include_str!("../sql/embed_many.sql");

pub fn run() -> Result<()> {
    let python = Python::ensure()?;
    let mut client = connect()?;
    one_by_one(&mut client, &descriptions(8, 0))?;
    let mut rates: [Vec<f64>; 6] = Default::default();
    for round in 0..ROUNDS {
        let texts = descriptions(TEXTS, round as u64 + 1);
        let measured = [
            python.embed(&texts, 1)?,
            rate(TEXTS, || one_by_one(&mut client, &texts))?,
            rate(TEXTS, || at_once(&texts, one_by_one))?,
            python.embed(&texts, BATCH)?,
            rate(TEXTS, || in_arrays(&mut client, &texts))?,
            rate(TEXTS, || at_once(&texts, in_arrays))?,
        ];
        rates.iter_mut().zip(measured).for_each(|(rates, rate)| rates.push(rate));
    }
    let [raw_one, one, ones, raw_many, many, manys] = rates.map(|rates| median(&rates));
    let rows = [
        Row { name: "ONNX Runtime from Python, one by one", value: raw_one, reference: None },
        Row { name: "vw_embed_text, one by one", value: one, reference: Some(raw_one) },
        Row { name: "vw_embed_text, 8 connections", value: ones, reference: Some(raw_one) },
        Row { name: "ONNX Runtime from Python, batches of 32", value: raw_many, reference: None },
        Row { name: "vw_embed_texts, arrays of 32", value: many, reference: Some(raw_many) },
        Row { name: "vw_embed_texts, arrays of 32, 8 connections", value: manys, reference: Some(raw_many) },
    ];
    print!("{}", render("texts/s", &rows));
    pictures::run(&mut client, &python)
}

fn one_by_one(client: &mut Client, texts: &[String]) -> Result<()> {
    let statement = client.prepare(ONE)?;
    for text in texts {
        client.query_one(&statement, &[text])?;
    }
    Ok(())
}

fn in_arrays(client: &mut Client, texts: &[String]) -> Result<()> {
    let statement = client.prepare(MANY)?;
    for texts in texts.chunks(BATCH) {
        client.query_one(&statement, &[&texts])?;
    }
    Ok(())
}

/// Share the texts among connections that work at the same time.
fn at_once(texts: &[String], work: fn(&mut Client, &[String]) -> Result<()>) -> Result<()> {
    let clients = (0..CONNECTIONS).map(|_| connect()).collect::<Result<Vec<_>>>()?;
    let share = texts.len().div_ceil(CONNECTIONS);
    std::thread::scope(|scope| {
        let shares = clients.into_iter().zip(texts.chunks(share));
        let threads: Vec<_> = shares.map(|(mut client, texts)| scope.spawn(move || work(&mut client, texts))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| anyhow!("a connection's thread failed"))?)
    })
}
