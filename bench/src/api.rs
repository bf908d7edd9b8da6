//! `api`: what the service costs over SQL, in searches beside `vw_search` and in indexing beside the engine's own rate.

use std::time::Instant;

use anyhow::{Result, anyhow, bail};
use postgres::Client;

use crate::connect;
use crate::crowd::Crowd;
use crate::random::descriptions;
use crate::rate::{median, percentile, rate};
use crate::service::Service;
use crate::table::{Row, render};

const ITEMS: i64 = 100_000;
/// Texts that are embedded for real; their sums make the other items.
const SEEDS: usize = 500;
/// Connections at one time, and searches of all of them in one round.
const CLIENTS: &[usize] = &[1, 8, 64];
const SEARCHES: usize = 256;
/// Clients that search beside slow ones, and slow ones: a third each sends headers, sends a body, reads an answer slowly.
const SEARCHERS: usize = 8;
const CROWD: usize = 1000;
/// Rounds; in each, both ways are measured once.
const ROUNDS: usize = 3;
/// Texts of one request.
const BATCH: usize = 100;
const COLLECTION: &str = "bench-api";

const SEARCH: &str = include_str!("../sql/api_search.sql");

pub fn run() -> Result<()> {
    let mut client = connect()?;
    fill(&mut client)?;
    let service = Service::start()?;
    println!("  {:<10} {:>14} {:>14} {:>10}", "clients", "vw_search ms", "service ms", "allowed ms");
    for clients in CLIENTS {
        let (mut sql, mut http) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            let texts = descriptions(SEARCHES, 100 + round as u64);
            sql.extend(at_once(&texts, *clients, || connect().map(by_sql))?);
            http.extend(at_once(&texts, *clients, || Ok(by_http(&service)))?);
        }
        let (sql, http) = (median(&sql), median(&http));
        println!("  {clients:<10} {sql:>14.2} {http:>14.2} {:>10.2}", 1.2 * sql + 1.0);
    }
    beside_slow_clients(&service)?;
    index(&mut client, &service)
}

/// Search with and without slow clients beside, in turns.
fn beside_slow_clients(service: &Service) -> Result<()> {
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let texts = descriptions(2 * SEARCHES, 300 + round as u64);
        alone.extend(at_once(&texts, SEARCHERS, || Ok(by_http(service)))?);
        let crowd = Crowd::gather(service.slow_script(COLLECTION)?, CROWD)?;
        beside.extend(at_once(&texts, SEARCHERS, || Ok(by_http(service)))?);
        if crowd.there() < CROWD {
            bail!("only {} of {CROWD} slow clients were there to the end", crowd.there());
        }
    }
    println!("\n  {:<44} {:>8} {:>8} {:>8}", format!("{SEARCHERS} clients search"), "p50 ms", "p99 ms", "ratio");
    let reference = percentile(&alone, 99);
    for (name, times) in [("alone".to_owned(), alone), (format!("beside {CROWD} slow connections"), beside)] {
        let (middle, most) = (median(&times), percentile(&times, 99));
        println!("  {name:<44} {middle:>8.2} {most:>8.2} {:>8.2}", most / reference);
    }
    println!();
    Ok(())
}

/// Make a collection of 100,000 items with its index.
fn fill(client: &mut Client) -> Result<()> {
    let id: String = client.query_one(include_str!("../sql/api_collection.sql"), &[&COLLECTION])?.get(0);
    client.execute(include_str!("../sql/api_seed.sql"), &[&COLLECTION, &descriptions(SEEDS, 1)])?;
    client.batch_execute(include_str!("../sql/api_base.sql"))?;
    client.execute(include_str!("../sql/api_fill.sql"), &[&id, &(ITEMS - SEEDS as i64)])?;
    client.execute(include_str!("../sql/api_settle.sql"), &[&id, &ITEMS])?;
    client.batch_execute(include_str!("../sql/api_vacuum.sql"))?;
    Ok(())
}

/// Share texts among clients that work at the same time; gives how long each search took, in milliseconds.
fn at_once<W, M>(texts: &[String], clients: usize, make: M) -> Result<Vec<f64>>
where
    W: FnMut(&str) -> Result<()> + Send,
    M: Fn() -> Result<W>,
{
    let workers = (0..clients).map(|_| make()).collect::<Result<Vec<_>>>()?;
    let share = texts.len().div_ceil(clients);
    let work = |mut search: W, texts: &[String]| -> Result<Vec<f64>> {
        let timed = texts.iter().map(|text| {
            let begun = Instant::now();
            search(text)?;
            Ok(begun.elapsed().as_secs_f64() * 1e3)
        });
        timed.collect()
    };
    std::thread::scope(|scope| {
        let shares = workers.into_iter().zip(texts.chunks(share));
        let threads: Vec<_> = shares.map(|(worker, texts)| scope.spawn(move || work(worker, texts))).collect();
        let joined =
            threads.into_iter().map(|thread| thread.join().map_err(|_| anyhow!("a client's thread failed"))?);
        Ok(joined.collect::<Result<Vec<_>>>()?.concat())
    })
}

/// A client of the database, with its statement prepared at the first search.
fn by_sql(mut client: Client) -> impl FnMut(&str) -> Result<()> + Send {
    let mut statement = None;
    move |text| {
        let prepared = match &statement {
            Some(prepared) => prepared,
            None => statement.insert(client.prepare(SEARCH)?),
        };
        client.query(prepared, &[&COLLECTION, &text])?;
        Ok(())
    }
}

/// A client of the service, which keeps its connection.
fn by_http(service: &Service) -> impl FnMut(&str) -> Result<()> + Send {
    let line = service.line();
    move |text| line.search(COLLECTION, text)
}

fn index(client: &mut Client, service: &Service) -> Result<()> {
    let line = service.line();
    let many = client.prepare(include_str!("../sql/embed_many.sql"))?;
    let (mut engine, mut http) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let texts = descriptions(4 * BATCH, 200 + round as u64);
        engine.push(rate(texts.len(), || {
            texts.chunks(BATCH).try_for_each(|texts| Ok(client.query_one(&many, &[&texts]).map(drop)?))
        })?);
        http.push(rate(texts.len(), || texts.chunks(BATCH).try_for_each(|texts| line.index(COLLECTION, texts)))?);
    }
    let engine = median(&engine);
    let rows = [
        Row { name: "vw_embed_texts, arrays of 100", value: engine, reference: None },
        Row { name: "index requests of 100 texts", value: median(&http), reference: Some(engine) },
    ];
    print!("{}", render("texts/s", &rows));
    Ok(())
}
