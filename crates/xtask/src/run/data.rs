//! What is in the cluster: the extensions, the demo collection, and a key of the project `default`.

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result};

use super::service::{MEDIA, Service};
use crate::cluster::Cluster;
use crate::install;
use crate::paths::{home, root};
use crate::shell::say;

/// Make the database and the extensions, or bring them up to date; give the id of the demo collection.
pub fn fill(cluster: &Cluster) -> Result<String> {
    cluster.script("postgres", include_str!("../../sql/database.sql"))?;
    cluster.script("vw", include_str!("../../sql/setup.sql"))?;
    warn_of_unversioned_change(&home())?;
    say("looking after the demo collection");
    let demo = root().join("sql/demo/demo.sql");
    cluster
        .script("vw", &std::fs::read_to_string(&demo).with_context(|| format!("cannot read {}", demo.display()))?)?;
    cluster.script("vw", include_str!("../../sql/demo_id.sql"))
}

/// Say so where the SQL of a version differs from what the cluster got under the same version.
///
/// That happens between releases only, to those who work on the extensions.
fn warn_of_unversioned_change(home: &Path) -> Result<()> {
    let path = home.join("extensions.stamp");
    let (controls, scripts) = install::sources()?;
    let wanted = Stamp { versions: sign(&controls), sql: sign(&scripts) };
    let found = std::fs::read_to_string(&path).ok().and_then(|text| Stamp::parse(&text));
    if found.is_some_and(|found| found.versions == wanted.versions && found.sql != wanted.sql) {
        let data = home.join("data");
        say(&format!(
            "the extensions' SQL changed and their version did not: the cluster keeps the old SQL; remove {} for the new",
            data.display()
        ));
        return Ok(());
    }
    let text = format!("{} {}\n", wanted.versions, wanted.sql);
    std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// Signs of the versions and of the SQL that a cluster has.
struct Stamp {
    versions: u64,
    sql: u64,
}

impl Stamp {
    fn parse(text: &str) -> Option<Stamp> {
        let (versions, sql) = text.trim().split_once(' ')?;
        Some(Stamp { versions: versions.parse().ok()?, sql: sql.parse().ok()? })
    }
}

/// A short sign of a text.
fn sign(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// The key in `home`; made the first time.
pub fn key(home: &Path, service: &Service) -> Result<String> {
    let path = home.join("api-key");
    if let Ok(key) = std::fs::read_to_string(&path) {
        return Ok(key.trim().to_owned());
    }
    say("making an API key");
    let key = service.create_key()?;
    let opened = File::options().create(true).write(true).truncate(true).mode(0o600).open(&path);
    let mut file = opened.with_context(|| format!("cannot write {}", path.display()))?;
    writeln!(file, "{key}")?;
    Ok(key)
}

/// Remove what belongs to a cluster that is gone: its key, the sign of its SQL, and that its demo has pictures and sounds.
pub fn forget(home: &Path) -> Result<()> {
    let media = MEDIA.map(|folder| format!("demo-{folder}"));
    for name in ["api-key", "extensions.stamp"].into_iter().chain(media.iter().map(String::as_str)) {
        match std::fs::remove_file(home.join(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot remove {name} in {}", home.display()));
            }
            _ => {}
        }
    }
    Ok(())
}
