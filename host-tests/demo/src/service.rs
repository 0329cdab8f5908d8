//! The grant service, as people run it: the program `hallpass-grants` as a child process, on a configuration of its own.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::log::Log;
use crate::process::OwnedChild;

/// It opens its database before it serves.
const START: Duration = Duration::from_secs(20);
/// The files of an `SQLite` database.
const DATABASE: [&str; 3] = ["grants.db", "grants.db-wal", "grants.db-shm"];

/// A configuration of the grant service as `envoy-config/grants.json` lays it out.
#[derive(Clone, Debug)]
pub struct ServiceConfig(Value);

impl ServiceConfig {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read or is not JSON.
    pub fn read(path: &Path) -> Result<Self> {
        let text =
            fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let value = serde_json::from_str(&text)
            .with_context(|| format!("{} is not JSON", path.display()))?;
        Ok(Self(value))
    }

    /// Has people sign in at the identity provider at `address`, and takes its keys from there.
    pub fn trust(&mut self, address: SocketAddr) {
        self.0["providers"][0]["jwks"]["remote"]["url"] =
            json!(format!("http://{address}/jwks.json"));
        self.0["sign_in_url"] = json!(format!("http://{address}/sign-in?return_to={{return_to}}"));
    }

    /// Listens on a port that is free now.
    ///
    /// # Errors
    /// When there is none.
    pub fn listen_anywhere(&mut self) -> Result<()> {
        // The service must know its own port before it starts, since its pages name it.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        self.0["listen"] = json!(address.to_string());
        self.0["public_url"] = json!(format!("http://{address}"));
        Ok(())
    }

    /// Changes what else is in it.
    pub fn edit(&mut self, edit: impl FnOnce(&mut Value)) {
        edit(&mut self.0);
    }

    fn listens_on(&self) -> Result<SocketAddr> {
        let address = self.0["listen"].as_str().and_then(|text| text.parse().ok());
        address.context("`listen` is no address")
    }
}

/// A running grant service. Dropping it ends the process.
#[derive(Debug)]
pub struct Service {
    child: OwnedChild,
    program: PathBuf,
    log: Arc<Log>,
    address: SocketAddr,
    config_file: PathBuf,
}

/// What came of a command of the program.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its exit status.
    pub status: i32,
    /// What it said.
    pub said: String,
}

impl Service {
    /// Starts `program` with `config`, and waits until it serves. Its final configuration, its log and its database, a new one, lie in
    /// `directory`, as `grants.json`, `grants.log` and `grants.db`.
    ///
    /// # Errors
    /// When the files cannot be written, or the program does not serve; then its log is in the message.
    pub fn start(program: &Path, mut config: ServiceConfig, directory: &Path) -> Result<Self> {
        fs::create_dir_all(directory)
            .with_context(|| format!("cannot make {}", directory.display()))?;
        let directory = fs::canonicalize(directory)?;
        for name in DATABASE {
            remove(&directory.join(name))?;
        }
        let address = config.listens_on()?;
        config.edit(|config| {
            config["database"] = json!(format!("sqlite:{}", directory.join(DATABASE[0]).display()));
        });
        let config_file = directory.join("grants.json");
        fs::write(&config_file, format!("{:#}", config.0))
            .with_context(|| format!("cannot write {}", config_file.display()))?;

        let mut command = Command::new(program);
        command
            .arg("serve")
            .arg("--config")
            .arg(&config_file)
            // It would come before the one in the configuration.
            .env_remove("DATABASE_URL")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = OwnedChild::spawn(command)
            .with_context(|| format!("cannot start {}", program.display()))?;
        let stderr = child.take_stderr().context("its log is not piped")?;
        let log = Log::follow(stderr, &directory.join("grants.log"))?;
        let mut service = Self {
            child,
            program: program.to_owned(),
            log,
            address,
            config_file,
        };
        service.await_ready()?;
        Ok(service)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Has the program verify that its record is whole. Returns the command too, to be pasted.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn verify_record(&self) -> Result<(String, Outcome)> {
        let mut command = Command::new(&self.program);
        command
            .args(["audit", "verify", "--config"])
            .arg(&self.config_file)
            .env_remove("DATABASE_URL");
        let output = command.output()?;
        let said = [output.stdout, output.stderr].concat();
        let outcome = Outcome {
            status: output.status.code().unwrap_or(-1),
            said: String::from_utf8_lossy(&said).into_owned(),
        };
        let pasted = format!(
            "{} audit verify --config {}",
            shortest(&self.program),
            shortest(&self.config_file)
        );
        Ok((pasted, outcome))
    }

    /// What it wrote.
    pub fn log(&self) -> &Log {
        &self.log
    }

    fn await_ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + START;
        let url = format!("http://{}/healthz", self.address);
        while ureq::get(&url).call().is_err() {
            if let Some(status) = self.child.exited()? {
                let lines = self.log.to_the_end(Duration::from_secs(1));
                bail!(
                    "the grant service did not start ({status}); its log:\n{}",
                    lines.join("\n")
                );
            }
            if Instant::now() > deadline {
                let lines = self.log.so_far();
                bail!(
                    "the grant service is not ready after {START:?}; its log:\n{}",
                    lines.join("\n")
                );
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}

/// The path as one types it here.
fn shortest(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here)
        .unwrap_or(path)
        .display()
        .to_string()
}
