//! Who runs the server's programs: the user himself, or `postgres` where root is at work, since PostgreSQL refuses root.
//!
//! Where `postgres` cannot reach the folders (a checkout in a private one), root runs the programs in a user namespace
//! in which it carries that user's number and keeps its own access to files.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::shell::{on_path, run};

/// A way to run programs that is not root's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Account {
    /// As whoever we are.
    Own,
    /// As another user.
    Other { uid: u32, gid: u32 },
    /// As root under another user's number.
    Mapped { uid: u32, gid: u32 },
}

impl Account {
    /// Choose the account for programs and data below `folder`, which must exist.
    pub fn for_folder(folder: &Path) -> Result<Account> {
        if !is_root()? {
            return Ok(Account::Own);
        }
        let users = std::fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
        let (uid, gid) = numbers(&users, "postgres").context("root needs a user `postgres` to run PostgreSQL as")?;
        let folder = folder.canonicalize().with_context(|| format!("no folder {}", folder.display()))?;
        let open = |folder: &Path| std::fs::metadata(folder).is_ok_and(|data| data.permissions().mode() & 0o001 != 0);
        Ok(if folder.ancestors().all(open) { Account::Other { uid, gid } } else { Account::Mapped { uid, gid } })
    }

    /// The number of the user that files must belong to.
    pub fn owner(self) -> Result<u32> {
        match self {
            Account::Own | Account::Mapped { .. } => Ok(std::fs::metadata("/proc/self")?.uid()),
            Account::Other { uid, .. } => Ok(uid),
        }
    }

    /// A command that runs `program` under this account.
    pub fn command(self, program: &Path) -> Command {
        self.wrapped(&[], program)
    }

    /// The same, for a child that gets the signal `end` when we die, however we die.
    pub fn child(self, program: &Path, end: &str) -> Command {
        let wrapper: &[&str] = if on_path("setpriv") { &["setpriv", "--pdeathsig", end] } else { &[] };
        self.wrapped(wrapper, program)
    }

    fn wrapped(self, wrapper: &[&str], program: &Path) -> Command {
        let mut words: Vec<String> = Vec::new();
        if let Account::Mapped { uid, gid } = self {
            words.extend(["unshare".to_owned(), "--user".to_owned()]);
            words.extend([format!("--map-user={uid}"), format!("--map-group={gid}")]);
        }
        words.extend(wrapper.iter().map(|word| (*word).to_owned()));
        words.push(program.to_string_lossy().into_owned());
        let mut words = words.into_iter();
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words).current_dir("/");
        if let Account::Other { uid, gid } = self {
            command.gid(gid).uid(uid);
        }
        // What the caller's shell says about servers does not concern ours.
        for name in ["PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGDATA", "PGSERVICE", "PGOPTIONS", "PGPASSFILE"] {
            command.env_remove(name);
        }
        command
    }

    /// Make a folder that only this account can enter, and give it what is there already.
    pub fn private_folder(self, folder: &Path) -> Result<()> {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))
            .with_context(|| format!("cannot close {} to others", folder.display()))?;
        let owner = self.owner()?;
        if std::fs::metadata(folder)?.uid() != owner {
            run(Command::new("chown").arg("-R").arg(owner.to_string()).arg(folder))?;
        }
        Ok(())
    }
}

/// Tell whether root runs us.
pub fn is_root() -> Result<bool> {
    Ok(std::fs::metadata("/proc/self").context("/proc must be mounted")?.uid() == 0)
}

/// The user's and group's numbers of `name`, from the text of /etc/passwd.
fn numbers(users: &str, name: &str) -> Option<(u32, u32)> {
    let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut words = line.split(':').skip(2).map(str::parse);
    Some((words.next()?.ok()?, words.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_a_user_are_read() {
        let users = "root:x:0:0:root:/x:/bin/sh\npostgres:x:101:104:,,,:/x:/bin/sh\n";
        assert_eq!(numbers(users, "postgres"), Some((101, 104)));
        assert_eq!(numbers(users, "post"), None);
    }

    #[test]
    fn programs_do_not_run_as_root() {
        let mapped = Account::Mapped { uid: 101, gid: 104 }.command(Path::new("/x/initdb"));
        let words: Vec<_> = mapped.get_args().map(|word| word.to_string_lossy().into_owned()).collect();
        assert_eq!(words, ["--user", "--map-user=101", "--map-group=104", "/x/initdb"]);
        assert_eq!(Account::Own.command(Path::new("/x/initdb")).get_program(), "/x/initdb");
    }
}
