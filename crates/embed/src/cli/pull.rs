//! `vw-engine pull`: a model pack from a hub.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use clap::builder::PossibleValuesParser;
use vw_embed::hub::{Hub, Order, Pulled, VARIANTS};

/// Fetch a model pack from the hub.
///
/// Of all that a model's repository holds, the files are fetched that a pack is made of: one ONNX graph for each
/// modality with its weights, the tokenizer, and how inputs are prepared. The revision is pinned to a commit, every
/// file is held to the hash that the hub lists, and the pack is put into place when all of it is there. A pull that
/// was interrupted goes on where it was. vw-pull.json in the pack's folder tells where it came from.
///
/// HF_ENDPOINT names another hub, HF_TOKEN is sent to the hub and to no other host, and SSL_CERT_FILE names the
/// authorities that are trusted.
#[derive(Args)]
pub struct Pull {
    /// The model on the hub, such as Xenova/clip-vit-base-patch32.
    id: String,
    /// A branch, a tag or a commit.
    #[arg(long, default_value = "main")]
    revision: String,
    /// Folder of model packs; the pack gets a folder of its own there.
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    models: PathBuf,
    /// The folder's name, which is the model's id in SQL; the last part of the id in lower case if left out.
    #[arg(long)]
    name: Option<String>,
    /// Which graph, where there are several; the most exact one if left out.
    #[arg(long, value_parser = PossibleValuesParser::new(VARIANTS.iter().map(|(name, _)| *name)))]
    variant: Option<String>,
    /// Fetch these files, too; * stands for any characters. May be given several times.
    #[arg(long, value_name = "PATTERN")]
    include: Vec<String>,
}

impl Pull {
    pub fn run(self) -> Result<()> {
        let Pull { id, revision, models, name, variant, include } = self;
        let Pulled { folder, commit, was_there } =
            Hub::from_environment()?.pull(&Order { id: id.clone(), revision, models, name, variant, include })?;
        let verb = if was_there { "is there already in" } else { "is now in" };
        let folder = folder.display();
        let mut output = std::io::stdout();
        writeln!(output, "{id} at {commit} {verb} {folder}")?;
        Ok(writeln!(output, "Test it with: vw-engine check {folder}")?)
    }
}
