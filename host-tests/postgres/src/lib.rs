//! A `PostgreSQL` server for tests, in a folder of its own and reached through a socket in it.
//!
//! The programs are those that Debian's package `postgresql` installs, or those in the folder that `HALLPASS_POSTGRES` names. The server refuses to
//! run as root, so under root it runs as nobody. A shell keeps it: it stops the server and removes the folder when the test program's end of a pipe
//! closes, which also happens when that program is killed.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs};

use anyhow::{Context, Result, bail, ensure};

const KEEPER: &str = include_str!("keep.sh");
const DEBIAN: &str = "/usr/lib/postgresql";
/// The user and the group `nobody`, of whom every system knows.
const NOBODY: u32 = 65_534;
/// For tests in which no machine loses its power.
const FORGETFUL: [&str; 2] = ["fsync = off", "full_page_writes = off"];

/// A server that runs until this is dropped, or the program is gone.
#[derive(Debug)]
pub struct Server {
    programs: PathBuf,
    folder: PathBuf,
    databases: AtomicU32,
    _lives_while_open: ChildStdin,
}

/// The server that all tests of this program share. It writes to the disk when it pleases.
///
/// # Panics
/// When there is no `PostgreSQL` on this machine, or it does not start.
#[expect(
    clippy::expect_used,
    reason = "without it, no test has anything to tell"
)]
pub fn shared() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| Server::start(&FORGETFUL).expect("a PostgreSQL server for the tests"))
}

impl Server {
    /// Starts one with these settings, as lines of `postgresql.conf`.
    ///
    /// # Errors
    /// When there is no `PostgreSQL` on this machine, or it does not start.
    pub fn start(settings: &[&str]) -> Result<Self> {
        let programs = programs()?;
        let folder = tempfile::Builder::new()
            .prefix("hallpass-postgres-")
            .tempdir()?
            .keep();
        let mut shell = Command::new("sh");
        if runs_as_root(&folder)? {
            chown(&folder, Some(NOBODY), Some(NOBODY))?;
            shell = Command::new("setpriv");
            shell.args([
                "--reuid",
                "65534",
                "--regid",
                "65534",
                "--clear-groups",
                "sh",
            ]);
        }
        let mut keeper = shell
            .args(["-c", KEEPER, "keep.sh"])
            .args([&programs, &folder])
            .args(settings)
            // Ctrl-C is for the tests: the server ends after them.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot run a shell")?;
        let stdin = keeper.stdin.take().context("a pipe to the shell")?;
        let stdout = keeper.stdout.take().context("a pipe from the shell")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        if line != "ready\n" {
            let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
            bail!(
                "PostgreSQL does not start, see {}:\n{log}",
                folder.display()
            );
        }
        Ok(Self {
            programs,
            folder,
            databases: AtomicU32::new(0),
            _lives_while_open: stdin,
        })
    }

    /// Makes an empty database, and says at which address it is.
    ///
    /// # Errors
    /// When the server does not make one.
    pub fn new_database(&self) -> Result<String> {
        let name = format!(
            "hallpass_{}",
            self.databases.fetch_add(1, Ordering::Relaxed)
        );
        let made = Command::new(self.programs.join("createdb"))
            .args(["--username", "hallpass", "--host"])
            .arg(&self.folder)
            .arg(&name)
            .output()?;
        let said = String::from_utf8_lossy(&made.stderr);
        ensure!(made.status.success(), "cannot make a database: {said}");
        let socket = self.folder.display();
        Ok(format!(
            "postgres://hallpass@localhost/{name}?host={socket}"
        ))
    }
}

fn programs() -> Result<PathBuf> {
    if let Some(folder) = env::var_os("HALLPASS_POSTGRES") {
        return Ok(fs::canonicalize(folder)?);
    }
    let version = |folder: &Path| -> u32 {
        let name = folder.file_name().and_then(|name| name.to_str());
        name.and_then(|name| name.parse().ok()).unwrap_or_default()
    };
    let versions = fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    versions
        .map(|entry| entry.path())
        .max_by_key(|folder| version(folder))
        .map(|folder| folder.join("bin"))
        .context("there is no PostgreSQL: HALLPASS_POSTGRES names the folder of its programs; `make test-grants` installs it and sets that")
}

fn runs_as_root(own_folder: &Path) -> Result<bool> {
    use std::os::unix::fs::MetadataExt;
    Ok(fs::metadata(own_folder)?.uid() == 0)
}
