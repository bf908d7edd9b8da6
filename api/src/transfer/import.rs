//! Many records into a collection: read by one thread, sent by several tasks, noted in a journal when acknowledged.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::{Mutex, mpsc};

use super::Place;
use super::client::{Answer, Client, text};
use super::journal::{Done, Journal};
use super::progress::Progress;
use super::source::{self, Columns, Source};

/// Items of one request, and about how many bytes of JSON.
const MOST_ITEMS: usize = 100;
const MOST_BYTES: usize = 16 << 20;

/// Put a folder of files or a JSON Lines, CSV or Parquet file into a collection.
///
/// A folder gives an item a file: pictures, sounds and texts, told by their content. A .jsonl file has an item a line, as
/// the API takes it; image and audio may be paths, too. A .csv file has a header; columns that are not id, text, image
/// or audio become metadata. A .parquet file is read likewise; there, images and sounds may be bytes, too, metadata
/// keep their types, and a struct or JSON called metadata is all of them. An import that was interrupted goes on where it
/// was when it is run again; running it twice makes nothing twice.
#[derive(Args)]
pub struct Import {
    #[command(flatten)]
    place: Place,
    /// The folder or file to import
    source: PathBuf,
    /// Make the collection if it is missing
    #[arg(long)]
    create: bool,
    /// Requests at a time
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
    parallel: u16,
    /// Where to keep what is done; if left out, beside the source, with the ending .import
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
    #[command(flatten)]
    columns: Columns,
}

/// Records of one request, each with its number.
type Batch = Vec<(u64, Value)>;

/// What came of some records; an error ends the import.
type Report = anyhow::Result<Outcome>;

#[derive(Default)]
struct Outcome {
    done: Vec<u64>,
    failed: Vec<(u64, String)>,
}

impl Import {
    /// Import, and fail at the end if a record was not taken.
    pub async fn run(self) -> anyhow::Result<()> {
        let client = Client::open(&self.place, self.create).await?;
        let source = source::open(&self.source, &self.columns)?;
        let whole = std::path::absolute(&self.source)?;
        let about = format!("{} into {} at {}", whole.display(), self.place.collection, self.place.url);
        let beside = || {
            let mut path = whole.clone();
            path.as_mut_os_string().push(".import");
            path
        };
        let journal = Journal::open(&self.journal.unwrap_or_else(beside), &about)?;
        let progress = Progress::new(source.count, journal.done().count());
        let (reports, outcomes) = mpsc::channel(64);
        let (batches, queue) = mpsc::channel(usize::from(self.parallel));
        let (reader, known) = (reports.clone(), journal.done().clone());
        tokio::task::spawn_blocking(move || read(source, &known, &batches, &reader));
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..self.parallel {
            tokio::spawn(work(client.clone(), Arc::clone(&queue), reports.clone()));
        }
        drop(reports);
        collect(outcomes, journal, progress).await
    }
}

/// Read the records that are not done, and group them into requests; ends when nobody takes them any more.
fn read(source: Source, known: &Done, batches: &mpsc::Sender<Batch>, reports: &mpsc::Sender<Report>) {
    let (mut batch, mut bytes) = (Batch::new(), 0);
    for (number, record) in (0..).zip(source.records).filter(|(number, _)| !known.has(*number)) {
        let sent = match record {
            Ok(item) => {
                let length = item.to_string().len();
                let full = batch.len() == MOST_ITEMS || bytes + length > MOST_BYTES;
                let sent = !full || batch.is_empty() || batches.blocking_send(std::mem::take(&mut batch)).is_ok();
                bytes = if batch.is_empty() { length } else { bytes + length };
                batch.push((number, item));
                sent
            }
            Err(error) => {
                let failed = vec![(number, format!("{error:#}"))];
                reports.blocking_send(Ok(Outcome { failed, ..Outcome::default() })).is_ok()
            }
        };
        if !sent {
            return;
        }
    }
    if !batch.is_empty() {
        // Nobody takes it where the import failed meanwhile.
        let _ = batches.blocking_send(batch);
    }
}

/// Send batch after batch until there are no more, or until one cannot be sent.
async fn work(client: Client, queue: Arc<Mutex<mpsc::Receiver<Batch>>>, reports: mpsc::Sender<Report>) {
    loop {
        let batch = queue.lock().await.recv().await;
        let Some(batch) = batch else { return };
        let report = deliver(&client, batch).await;
        let ends = report.is_err();
        if reports.send(report).await.is_err() || ends {
            return;
        }
    }
}

/// Send one batch; where the service refuses it for one record, send it again without that one.
async fn deliver(client: &Client, mut batch: Batch) -> Report {
    let mut outcome = Outcome::default();
    while !batch.is_empty() {
        let items: Vec<&Value> = batch.iter().map(|(_, item)| item).collect();
        let answer = client.of_collection(Method::POST, "index", Some(&json!({ "items": items }))).await?;
        match answer.refused_item() {
            Some(at) if at < batch.len() => outcome.failed.push((batch.remove(at).0, answer.said())),
            _ => {
                let failed = failures(&answer, &batch)?;
                let good = batch.iter().map(|(number, _)| *number);
                outcome.done = good.filter(|number| !failed.iter().any(|(bad, _)| bad == number)).collect();
                outcome.failed.extend(failed);
                break;
            }
        }
    }
    Ok(outcome)
}

/// Tell which records of an answered request were not taken.
fn failures(answer: &Answer, batch: &Batch) -> anyhow::Result<Vec<(u64, String)>> {
    let failure = |error: &Value| {
        let index = error.get("index").and_then(Value::as_u64).and_then(|index| usize::try_from(index).ok());
        let (number, _) = index.and_then(|index| batch.get(index)).context("an error names no item")?;
        Ok((*number, text(error, "message").unwrap_or_default().to_owned()))
    };
    match answer.body.get("errors").and_then(Value::as_array) {
        Some(errors) => errors.iter().map(failure).collect(),
        None if answer.status.is_success() => Ok(Vec::new()),
        None => bail!(answer.said()),
    }
}

/// Note what is done and say what failed, until all records were answered.
async fn collect(
    mut outcomes: mpsc::Receiver<Report>,
    mut journal: Journal,
    mut progress: Progress,
) -> anyhow::Result<()> {
    let mut failed = 0;
    while let Some(report) = outcomes.recv().await {
        let Outcome { done, failed: bad } = report?;
        journal.note(&done)?;
        bad.iter().for_each(|(number, message)| progress.say(&format!("record {}: {message}", number + 1)));
        failed += bad.len();
        progress.add(done.len() as u64, bad.len() as u64);
    }
    progress.finish();
    if failed > 0 {
        bail!("{failed} records were not taken; mend them and run this again: only they are sent then");
    }
    journal.remove()
}
