//! The second half of `embed`: photographs of 12 megapixels, decoded, resized and embedded, against Pillow and ONNX Runtime.

use std::path::Path;

use anyhow::{Context, Result};
use postgres::Client;

use crate::python::Python;
use crate::rate::{median, rate};
use crate::table::{Row, render};

/// Files of one measurement.
const FILES: usize = 8;
/// Rounds; in each, both ways are measured once.
const ROUNDS: usize = 3;

const PICTURE: &str = include_str!("../sql/embed_picture.sql");

/// Measure files of both kinds that cameras write.
pub fn run(client: &mut Client, python: &Python) -> Result<()> {
    [("halved", "4:2:0"), ("full", "4:4:4")].into_iter().try_for_each(|(chroma, name)| {
        println!("JPEG of 12 megapixels, {name}:");
        of_kind(client, python, chroma)
    })
}

fn of_kind(client: &mut Client, python: &Python, chroma: &str) -> Result<()> {
    let folder = tempfile::tempdir().context("cannot make a folder")?;
    python.make_pictures(folder.path(), FILES, chroma)?;
    let files = read(folder.path())?;
    embed(client, files.get(..1).unwrap_or_default())?;
    let (mut raw, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        raw.push(python.embed_pictures(folder.path())?);
        ours.push(rate(files.len(), || embed(client, &files))?);
    }
    let raw = median(&raw);
    let rows = [
        Row { name: "Pillow and ONNX Runtime from Python", value: raw, reference: None },
        Row { name: "vw_embed_image", value: median(&ours), reference: Some(raw) },
    ];
    print!("{}", render("pictures/s", &rows));
    Ok(())
}

fn read(folder: &Path) -> Result<Vec<Vec<u8>>> {
    let names = (0..FILES).map(|at| folder.join(format!("{at}.jpg")));
    names.map(|path| std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))).collect()
}

fn embed(client: &mut Client, files: &[Vec<u8>]) -> Result<()> {
    let statement = client.prepare(PICTURE)?;
    for file in files {
        client.query_one(&statement, &[file])?;
    }
    Ok(())
}
