//! Which PostgreSQL is worked with: the one that VW_PG_CONFIG names, or the newest of those in Debian's place.
//! What is made of it, `server` says.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// Where Debian keeps its servers, each in a folder named after its major version.
const DEBIAN: &str = "/usr/lib/postgresql";
/// The major versions that the extension is made for.
pub const MAJORS: std::ops::RangeInclusive<u32> = 14..=18;

/// A server to work with.
#[derive(Debug, PartialEq)]
pub enum Choice {
    /// Debian's of a major version; it may have yet to be installed.
    Debian(u32),
    /// One elsewhere, by its pg_config.
    Own(PathBuf),
}

impl Choice {
    /// The folder of Debian's server of a major version.
    pub fn folder(major: u32) -> PathBuf {
        Path::new(DEBIAN).join(major.to_string())
    }

    /// Tell whether the programs of the server are there.
    pub fn has_programs(&self) -> bool {
        self.pg_config().is_file() && self.pg_config().with_file_name("initdb").is_file()
    }

    /// Where the server's pg_config is.
    pub fn pg_config(&self) -> PathBuf {
        match self {
            Choice::Debian(major) => Choice::folder(*major).join("bin/pg_config"),
            Choice::Own(pg_config) => pg_config.clone(),
        }
    }
}

/// What VW_PG_CONFIG names, or the newest server that Debian has put on this machine; `None` where neither is there.
pub fn chosen() -> Result<Option<Choice>> {
    match std::env::var_os("VW_PG_CONFIG").filter(|name| !name.is_empty()) {
        Some(name) => named(Path::new(&name)).map(Some),
        None => Ok(newest().map(Choice::Debian)),
    }
}

/// The server whose pg_config is `path`.
fn named(path: &Path) -> Result<Choice> {
    match debian_major(path) {
        Some(major) if MAJORS.contains(&major) => Ok(Choice::Debian(major)),
        Some(major) => bail!("VW_PG_CONFIG names PostgreSQL {major}; 14 to 18 are supported"),
        None if path.is_file() => Ok(Choice::Own(std::path::absolute(path)?)),
        None => bail!("VW_PG_CONFIG must name a server's pg_config; there is no {}", path.display()),
    }
}

/// The major version of Debian's server whose pg_config is `path`.
fn debian_major(path: &Path) -> Option<u32> {
    let folder = path.strip_prefix(DEBIAN).ok()?;
    folder.to_str()?.strip_suffix("/bin/pg_config")?.parse().ok()
}

/// The newest of Debian's servers that has the programs too.
fn newest() -> Option<u32> {
    let entries = std::fs::read_dir(DEBIAN).ok()?.flatten();
    let majors = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    majors.filter(|major| MAJORS.contains(major) && Choice::Debian(*major).has_programs()).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_in_debians_place_is_known_by_its_version() {
        let named = |path: &str| named(Path::new(path));
        assert_eq!(named("/usr/lib/postgresql/17/bin/pg_config").expect("it may yet be installed"), Choice::Debian(17));
        assert!(named("/usr/lib/postgresql/13/bin/pg_config").is_err());
        assert!(named("/usr/lib/postgresql/17/bin/postgres").is_err());
        assert!(named("/no/such/pg_config").is_err());
        let own = std::env::current_exe().expect("a file that is there");
        assert_eq!(super::named(&own).expect("any file may be one"), Choice::Own(own));
    }
}
