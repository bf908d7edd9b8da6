//! A collection as JSON Lines that `import` reads again: an item a line, its media as files beside. How far it is, `resume`
//! keeps.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::Method;
use serde_json::{Map, Value};

use super::Place;
use super::client::{Client, text};
use super::progress::Progress;
use super::resume::Draft;

/// Items asked for at a time: the most that the service gives.
const PAGE: u64 = 100;

/// Files read at one time.
const AT_ONCE: usize = 8;

/// Write a collection's items as JSON Lines, which `import` takes.
///
/// Each line has the item's id, its metadata and its text, or for media the path of a file in the folder of --media. The
/// file has its name once it is complete; an export that was interrupted goes on where it was when it is run again.
#[derive(Args)]
pub struct Export {
    #[command(flatten)]
    place: Place,
    /// The file to write; standard output if left out
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The folder for pictures and sounds; without it such items have only their id and metadata
    #[arg(long, value_name = "FOLDER")]
    media: Option<PathBuf>,
}

/// Where lines go.
enum Output {
    File(Draft),
    Standard(std::io::Stdout),
}

impl Export {
    /// Export all items, the oldest first.
    pub async fn run(self) -> anyhow::Result<()> {
        let client = Client::open(&self.place, false).await?;
        if let Some(folder) = &self.media {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        let mut output = self.open()?;
        let (mut cursor, before) = match &output {
            Output::File(draft) => (draft.cursor().map(str::to_owned), draft.items()),
            Output::Standard(_) => (None, 0),
        };
        let (mut progress, mut written): (Option<Progress>, u64) = (None, before);
        loop {
            let after = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
            let page = client.of_collection(Method::GET, &format!("items?limit={PAGE}{after}"), None).await?;
            if !page.status.is_success() {
                bail!(page.said());
            }
            let items = page.body.get("items").and_then(Value::as_array).context("the service gave no items")?;
            let lines = stream::iter(items.iter().map(|item| self.line(&client, item))).buffered(AT_ONCE);
            let lines: Vec<Value> = lines.try_collect().await?;
            let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
            written += items.len() as u64;
            cursor = text_of(&page.body, "next_cursor");
            output.write(&text, cursor.as_deref(), written)?;
            let total = page.body.get("total").and_then(Value::as_u64).unwrap_or(written);
            progress.get_or_insert_with(|| Progress::new(total, before)).add(items.len() as u64, 0);
            if cursor.is_none() {
                break;
            }
        }
        progress.iter().for_each(Progress::finish);
        output.finish()
    }

    fn open(&self) -> anyhow::Result<Output> {
        let Some(path) = &self.output else { return Ok(Output::Standard(std::io::stdout())) };
        let media = self.media.as_deref().map(std::path::absolute).transpose()?;
        let media = media.map(|folder| format!(" with {}", folder.display())).unwrap_or_default();
        let about = format!("{} at {}{media}", self.place.collection, self.place.url);
        Ok(Output::File(Draft::open(path, &about)?))
    }

    /// An item as `import` takes it.
    async fn line(&self, client: &Client, item: &Value) -> anyhow::Result<Value> {
        let mut line = Map::new();
        let fields = ["id", "text", "metadata"].iter().filter_map(|field| Some((*field, item.get(*field)?)));
        line.extend(
            fields.filter(|(_, value)| !value.is_null()).map(|(field, value)| (field.to_owned(), value.clone())),
        );
        if let (Some(folder), Some(url)) = (&self.media, text(item, "content_url")) {
            let kind = text(item, "content_type").context("an item has no content_type")?;
            let path = save(folder, text(item, "id"), &client.download(url).await?)?;
            line.insert(kind.to_owned(), Value::String(path));
        }
        Ok(Value::Object(line))
    }
}

impl Output {
    /// Write a page, behind which `cursor` goes on.
    fn write(&mut self, text: &str, cursor: Option<&str>, items: u64) -> anyhow::Result<()> {
        match self {
            Output::File(draft) => draft.write(text, cursor, items),
            Output::Standard(output) => output.write_all(text.as_bytes()).context("cannot write"),
        }
    }

    fn finish(self) -> anyhow::Result<()> {
        match self {
            Output::File(draft) => draft.finish(),
            Output::Standard(mut output) => output.flush().context("cannot write"),
        }
    }
}

fn text_of(value: &Value, field: &str) -> Option<String> {
    text(value, field).map(str::to_owned)
}

/// Write a file named after its item, which is an id of the safe characters that the service allows.
fn save(folder: &Path, id: Option<&str>, bytes: &[u8]) -> anyhow::Result<String> {
    let id = id.filter(|id| !id.starts_with('.') && !id.contains('/')).context("an item has no usable id")?;
    let path = folder.join(id);
    std::fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(std::path::absolute(&path)?.to_string_lossy().into_owned())
}
