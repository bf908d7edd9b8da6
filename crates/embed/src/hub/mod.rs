//! Fetching a model pack from a hub: the one that HF_ENDPOINT names, or the public one.
//!
//! `listing` asks which files a repository has at a revision, which it pins to a commit; `choose` picks those that a
//! pack is made of; `http` and `fetch` bring each, over cuts and redirects, and hold it to its hash; `stage` keeps what
//! is there so far out of the way, and puts the whole into place at once. What a repository says is checked like any
//! stranger's bytes. Nothing is run here: `vw-engine check` does that.

mod choose;
mod fetch;
mod glob;
mod http;
mod listing;
mod progress;
mod record;
mod stage;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};

pub use choose::VARIANTS;
use choose::{Choice, choose, weights};
use http::Client;
use listing::{Entry, Listing};
use progress::Progress;
use record::Record;
use stage::Stage;

/// The public hub.
const PUBLIC: &str = "https://huggingface.co";

/// Where packs come from.
#[derive(Clone, Debug)]
pub struct Hub {
    /// Scheme, host and port, with no slash at the end.
    pub endpoint: String,
    /// Sent to the endpoint, and to no other host.
    pub token: Option<String>,
    /// The pause before the first repetition of what failed; it doubles with each.
    pub pause: Duration,
}

/// What is to be fetched.
#[derive(Clone, Debug)]
pub struct Order {
    /// The repository, such as `owner/model`.
    pub id: String,
    /// A branch, a tag or a commit.
    pub revision: String,
    /// The folder of packs.
    pub models: PathBuf,
    /// The pack's folder there, and so its id; the model's name in lower case if left out.
    pub name: Option<String>,
    /// Which of several graphs, as in [`VARIANTS`]; the most exact one if left out.
    pub variant: Option<String>,
    /// Patterns of further files.
    pub include: Vec<String>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pulled {
    pub folder: PathBuf,
    pub commit: String,
    /// Whether this very commit was there already, and nothing was fetched.
    pub was_there: bool,
}

impl Hub {
    /// The hub that HF_ENDPOINT names, or the public one; with the token of HF_TOKEN.
    pub fn from_environment() -> Result<Hub> {
        let variable =
            |name| std::env::var(name).ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let endpoint = variable("HF_ENDPOINT").unwrap_or_else(|| PUBLIC.to_owned());
        let endpoint = endpoint.trim_end_matches('/').to_owned();
        if !endpoint.starts_with("https://") && !endpoint.starts_with("http://") {
            bail!("HF_ENDPOINT is \"{endpoint}\"; an address that begins with https:// or http:// is wanted");
        }
        Ok(Hub { endpoint, token: variable("HF_TOKEN"), pause: Duration::from_millis(500) })
    }

    /// Fetch a pack, or go on with one that was begun; `Ok` once all of it is in place.
    pub fn pull(&self, order: &Order) -> Result<Pulled> {
        let name = order.folder_name()?;
        let client = Client::new(self)?;
        let listing = Listing::ask(&client, &order.id, &order.revision)?;
        let choice = choose(&listing, order.variant.as_deref(), &order.include)?;
        let stage = Stage::open(&order.models, &name)?;
        if let Some(record) = stage.placed()? {
            if record.id != order.id {
                let folder = stage.target().display().to_string();
                bail!("{folder} holds {}; say --name for another folder", record.id);
            }
            if record.commit == listing.commit && record.has(&choice) {
                return Ok(Pulled { folder: stage.target().to_owned(), commit: listing.commit, was_there: true });
            }
        }
        stage.begin(&listing)?;
        let record = self.fetch(&client, &listing, choice, &stage)?;
        stage.finish(&record)?;
        Ok(Pulled { folder: stage.target().to_owned(), commit: listing.commit, was_there: false })
    }

    /// Fetch the chosen files, then the weights that the graphs among them name.
    fn fetch(&self, client: &Client, listing: &Listing, choice: Choice, stage: &Stage) -> Result<Record> {
        let mut record = Record::new(listing);
        let mut progress = Progress::new(choice.files.iter().filter_map(|entry| entry.size).sum());
        for entry in &choice.files {
            record.add(entry, fetch::fetch(client, listing, entry, stage, &mut progress)?);
        }
        for entry in weights(listing, &choice.files, stage.whole())? {
            progress.more(entry.size.unwrap_or(0));
            record.add(entry, fetch::fetch(client, listing, entry, stage, &mut progress)?);
        }
        progress.end();
        Ok(record)
    }
}

impl Order {
    /// The pack's folder: as the order says, or the last part of the id.
    fn folder_name(&self) -> Result<String> {
        check_id(&self.id)?;
        if self.revision.is_empty() || !self.revision.bytes().all(|byte| byte.is_ascii_graphic()) {
            bail!("\"{}\" is not a revision: say a branch, a tag or a commit", self.revision.escape_debug());
        }
        let last = self.id.rsplit('/').next().unwrap_or_default().to_lowercase();
        let name = self.name.clone().unwrap_or(last);
        if !is_name(&name) {
            bail!("\"{}\" is not a folder's name: letters, digits, -, _ and . are allowed", name.escape_debug());
        }
        Ok(name)
    }
}

/// Refuse what is not a repository's id: one or two names.
fn check_id(id: &str) -> Result<()> {
    let parts: Vec<&str> = id.split('/').collect();
    if parts.len() > 2 || !parts.iter().all(|part| is_name(part)) {
        bail!("\"{}\" is not a model of a hub; say owner/model", id.escape_debug());
    }
    Ok(())
}

/// Whether this is a plain name, of an owner, a model or a folder.
fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=96).contains(&text.len()) && text.chars().all(plain) && !text.starts_with(['.', '-']) && !text.contains("..")
}

/// Add to an error which file it is about.
fn about<T>(result: Result<T>, entry: &Entry) -> Result<T> {
    result.with_context(|| entry.path.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(id: &str, name: Option<&str>) -> Order {
        let (revision, models) = ("main".to_owned(), PathBuf::from("models"));
        Order { id: id.to_owned(), revision, models, name: name.map(str::to_owned), variant: None, include: Vec::new() }
    }

    #[test]
    fn a_folder_is_named_after_the_model() {
        assert_eq!(order("Owner/CLIP-vit", None).folder_name().expect("it is in order"), "clip-vit");
        assert_eq!(order("gpt2", None).folder_name().expect("it is in order"), "gpt2");
        assert_eq!(order("Owner/CLIP-vit", Some("mine")).folder_name().expect("it is in order"), "mine");
    }

    #[test]
    fn ids_and_names_that_lead_elsewhere_are_refused() {
        for id in ["", "/", "a/", "/a", "a/b/c", "../a", "a/..", "a/b?x=1", "a b", "a/.b", "a\\b", "https://a/b"] {
            assert!(order(id, None).folder_name().is_err(), "{id}");
        }
        for name in ["", ".", "..", "a/b", ".pull", "-x", "a\0"] {
            assert!(order("a/b", Some(name)).folder_name().is_err(), "{name}");
        }
    }
}
