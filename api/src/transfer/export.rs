//! A collection as JSON Lines that `import` reads again: an item a line, its media as files beside.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use reqwest::Method;
use serde_json::{Map, Value};

use super::Place;
use super::client::{Client, text};
use super::progress::Progress;

/// Items asked for at a time: the most that the service gives.
const PAGE: u64 = 100;

/// Write a collection's items as JSON Lines, which `import` takes.
///
/// Each line has the item's id, its metadata and its text, or for media the path of a file in the folder of --media.
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

impl Export {
    /// Export all items, the oldest first.
    pub async fn run(self) -> anyhow::Result<()> {
        let client = Client::open(&self.place, false).await?;
        let mut output: BufWriter<Box<dyn Write>> = BufWriter::new(match &self.output {
            Some(path) => {
                Box::new(std::fs::File::create(path).with_context(|| format!("cannot make {}", path.display()))?)
            }
            None => Box::new(std::io::stdout()),
        });
        if let Some(folder) = &self.media {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        let mut progress: Option<Progress> = None;
        let mut tail = format!("items?limit={PAGE}");
        let mut written = 0;
        loop {
            let page = client.of_collection(Method::GET, &tail, None).await?;
            if !page.status.is_success() {
                bail!(page.said());
            }
            let items = page.body.get("items").and_then(Value::as_array).context("the service gave no items")?;
            for item in items {
                serde_json::to_writer(&mut output, &self.line(&client, item).await?)?;
                output.write_all(b"\n")?;
            }
            written += items.len() as u64;
            let total = page.body.get("total").and_then(Value::as_u64).unwrap_or(written);
            progress.get_or_insert_with(|| Progress::new(total, 0)).add(items.len() as u64, 0);
            let Some(cursor) = text(&page.body, "next_cursor") else { break };
            tail = format!("items?limit={PAGE}&cursor={cursor}");
        }
        output.flush()?;
        progress.iter().for_each(Progress::finish);
        Ok(())
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

/// Write a file named after its item, which is an id of the safe characters that the service allows.
fn save(folder: &Path, id: Option<&str>, bytes: &[u8]) -> anyhow::Result<String> {
    let id = id.filter(|id| !id.starts_with('.') && !id.contains('/')).context("an item has no usable id")?;
    let path = folder.join(id);
    std::fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(std::path::absolute(&path)?.to_string_lossy().into_owned())
}
