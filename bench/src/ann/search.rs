//! Searching: recall, queries a second and latencies of one setting, by one client and by two at a time.

use std::sync::Barrier;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use postgres::{Client, Statement};

use super::Plan;
use super::data::{Data, Set};
use super::kinds::{Kind, Sweep};
use super::report::{Other, Row};
use super::session::{Side, explain};
use super::truth::NEAREST;
use super::wire::Wire;

/// Queries of a new connection that are not measured at the least: they read the catalogs.
const FIRST: usize = 10;
/// Queries of the exact search, which takes long.
const EXACT: usize = 20;
/// The longest time that reading everything once may take before the measurements.
const WARM: Duration = Duration::from_secs(20);

/// What some clients did together.
struct Done {
    recall: f64,
    rate: f64,
    /// Milliseconds of each query, in order.
    times: Vec<f64>,
    /// Milliseconds of processor time that a query takes in the server; none where it cannot be told.
    work: Option<f64>,
}

impl Done {
    fn percentile(&self, share: f64) -> f64 {
        let at = (share * self.times.len() as f64) as usize;
        self.times.get(at.min(self.times.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
    }
}

/// Measure the search without an index. It must give the exact answers: they are what the others are held against.
pub fn exact(side: &Side, data: &Data) -> Result<Row> {
    let set = data.sets.first().ok_or_else(|| anyhow!("there are no queries"))?;
    let count = EXACT.min(set.queries.len());
    let done = clients(side, data, set, &[], 1, count, 0.0)?;
    ensure!(done.recall > 0.999, "the exact search of the server has recall {:.4}; it must have 1", done.recall);
    let (name, ours) = if side.is_ours() { ("exact scan, ours", true) } else { ("exact scan, pgvector", false) };
    Ok(row(name, ours, "no index".to_owned(), &done))
}

/// Read what the last setting of the index reads.
pub fn warm(side: &Side, kind: &Kind, data: &Data) -> Result<()> {
    let begun = Instant::now();
    for sweep in kind.sweeps {
        let settings = settings(kind, sweep, sweep.values.last().unwrap_or(&None));
        let (mut client, statement) = side.search(data.metric, &settings)?;
        for query in data.sets.iter().flat_map(|set| set.queries.rows()) {
            if begun.elapsed() > WARM {
                return Ok(());
            }
            client.query(&statement, &[&Wire::new(query)])?;
        }
    }
    Ok(())
}

/// Measure one value of a sweep.
pub fn measure(
    side: &Side,
    kind: &Kind,
    sweep: &Sweep,
    value: &Option<&'static str>,
    data: &Data,
    plan: &Plan,
) -> Result<Row> {
    let settings = settings(kind, sweep, value);
    let one = |set: &Set| clients(side, data, set, &settings, 1, set.queries.len(), plan.seconds);
    let set = data.sets.first().ok_or_else(|| anyhow!("there are no queries"))?;
    check_plan(side, data, set, &settings)?;
    let alone = one(set)?;
    let together = clients(side, data, set, &settings, 2, 0, plan.seconds)?;
    let name = value.map_or_else(|| "no setting".to_owned(), |value| format!("{} = {value}", sweep.setting));
    let other = data.sets.get(1).map(one).transpose()?;
    Ok(Row {
        two: Some(together.rate),
        other: other.map(|done| Other { recall: done.recall, rate: done.rate, p99: done.percentile(0.99) }),
        ..row(sweep.curve, kind.ours, name, &alone)
    })
}

fn row(curve: &'static str, ours: bool, setting: String, done: &Done) -> Row {
    let (p50, p99) = (done.percentile(0.5), done.percentile(0.99));
    Row { curve, ours, setting, recall: done.recall, one: done.rate, two: None, p50, p99, work: done.work, other: None }
}

fn settings<'a>(kind: &Kind, sweep: &Sweep, value: &Option<&'a str>) -> Vec<(&'a str, &'a str)>
where
    'static: 'a,
{
    let of_sweep = value.map(|value| (sweep.setting, value));
    kind.settings.iter().copied().chain(of_sweep).collect()
}

/// See that the search runs by the index, so that no other plan's figures pass for it.
fn check_plan(side: &Side, data: &Data, set: &Set, settings: &[(&str, &str)]) -> Result<()> {
    let (mut client, _) = side.search(data.metric, settings)?;
    let plan = explain(&mut client, data.metric, set.queries.row(0))?;
    ensure!(plan.contains("Index Scan using ann_index"), "the search does not run by the index:\n{plan}");
    Ok(())
}

/// Search with so many clients for some seconds. The first `count` answers of each tell the recall.
fn clients(
    side: &Side,
    data: &Data,
    set: &Set,
    settings: &[(&str, &str)],
    clients: usize,
    count: usize,
    seconds: f64,
) -> Result<Done> {
    let values: Vec<Wire> = set.queries.rows().map(Wire::new).collect();
    let open = |_| side.search(data.metric, settings);
    let sessions: Vec<(Client, Statement)> = (0..clients).map(open).collect::<Result<_>>()?;
    let barrier = Barrier::new(clients);
    let parts = std::thread::scope(|scope| {
        let work = sessions.into_iter().enumerate().map(|(number, session)| {
            let (values, barrier) = (&values, &barrier);
            scope.spawn(move || client(session, values, number * values.len() / clients, count, seconds, barrier))
        });
        let running: Vec<_> = work.collect();
        let ended = running.into_iter().map(|thread| thread.join().map_err(|_| anyhow!("a client ended early"))?);
        ended.collect::<Result<Vec<Part>>>()
    })?;
    let (mut times, mut rate, mut recall, mut answered) = (Vec::new(), 0.0, 0.0, 0.0);
    let work: Option<f64> = parts.iter().map(|part| part.work).sum();
    for part in parts {
        rate += part.times.len() as f64 / part.seconds;
        times.extend(part.times);
        for (number, answer) in part.answers {
            let query = (number, set.queries.row(number));
            answered += 1.0;
            recall += set.truth.recall(data.metric, (&data.base, &data.norms), query, &answer);
        }
    }
    times.sort_by(f64::total_cmp);
    let work = work.map(|work| work / times.len() as f64);
    Ok(Done { recall: recall / answered, rate, times, work })
}

/// What one client did.
struct Part {
    seconds: f64,
    times: Vec<f64>,
    /// Milliseconds of processor time that its backend took.
    work: Option<f64>,
    /// The first answers, each with its query's number.
    answers: Vec<(usize, Vec<i32>)>,
}

/// Search one query after another from `start` on, round and round.
fn client(
    (mut client, statement): (Client, Statement),
    values: &[Wire],
    start: usize,
    count: usize,
    seconds: f64,
    barrier: &Barrier,
) -> Result<Part> {
    let first = touch(&mut client, &statement, values, seconds);
    // Whatever came of it, the others wait here.
    barrier.wait();
    first?;
    let pid: i32 = client.query_one(include_str!("../../sql/ann_pid.sql"), &[])?.get(0);
    let before = processor_time(pid);
    let (begun, mut times, mut answers) = (Instant::now(), Vec::new(), Vec::new());
    for (number, value) in values.iter().enumerate().cycle().skip(start) {
        let sent = Instant::now();
        let rows = client.query(&statement, &[value])?;
        times.push(1000.0 * sent.elapsed().as_secs_f64());
        if answers.len() < count {
            ensure!(rows.len() <= NEAREST, "the search gave {} rows", rows.len());
            answers.push((number, rows.iter().map(|row| row.get(0)).collect()));
        } else if begun.elapsed().as_secs_f64() >= seconds {
            break;
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    let work = before.zip(processor_time(pid)).map(|(before, after)| after - before);
    Ok(Part { seconds, times, work, answers })
}

/// Search once with every query, as far as the time goes: a new process has none of the shared memory in its page table.
fn touch(client: &mut Client, statement: &Statement, values: &[Wire], seconds: f64) -> Result<()> {
    let begun = Instant::now();
    for (number, value) in values.iter().enumerate() {
        if number >= FIRST && begun.elapsed().as_secs_f64() >= seconds {
            break;
        }
        client.query(statement, &[value])?;
    }
    Ok(())
}

/// Milliseconds that a process of this machine has run, as the kernel counts them; they stay the same when others keep
/// the machine busy.
pub fn processor_time(pid: i32) -> Option<f64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/schedstat")).ok()?;
    let nanoseconds: f64 = text.split_whitespace().next()?.parse().ok()?;
    Some(nanoseconds / 1e6)
}
