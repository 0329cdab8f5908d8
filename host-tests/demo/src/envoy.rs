//! Real Envoy as a child process.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::config::EnvoyConfig;
use crate::log::Log;
use crate::process::OwnedChild;

/// The name of the log's file.
const LOG_FILE: &str = "envoy.log";
/// The name of the file in which Envoy says where its administrator listens.
const ADMIN_FILE: &str = "admin-address";

/// Envoy's command, apart from where its log goes. Its configuration is written, and nothing is left of an Envoy of before.
fn command(
    program: &Path,
    config: &EnvoyConfig,
    concurrency: u32,
    directory: &Path,
) -> Result<Command> {
    std::fs::create_dir_all(directory)
        .with_context(|| format!("cannot make {}", directory.display()))?;
    let config_file = directory.join("envoy.json");
    let admin_file = directory.join(ADMIN_FILE);
    std::fs::write(&config_file, config.to_json())
        .with_context(|| format!("cannot write {}", config_file.display()))?;
    std::fs::write(&admin_file, "")
        .with_context(|| format!("cannot write {}", admin_file.display()))?;

    let mut command = Command::new(program);
    command
        .arg("--config-path")
        .arg(&config_file)
        .arg("--admin-address-path")
        .arg(&admin_file);
    // Without hot restart several Envoys need no base ids to live side by side, and leave no shared memory behind.
    command
        .arg("--disable-hot-restart")
        .args(["--concurrency", &concurrency.to_string()]);
    command.args([
        "--log-level",
        "warning",
        "--component-log-level",
        "wasm:info",
    ]);
    // A configuration that was replaced is gone soon after, and not after the usual ten minutes.
    command.args(["--drain-time-s", "10"]);
    // An access log, where a configuration has one, is read while Envoy runs.
    command.args(["--file-flush-interval-msec", "100"]);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    Ok(command)
}

/// A running Envoy. Dropping it ends the process.
#[derive(Debug)]
pub struct Envoy {
    child: OwnedChild,
    log: Arc<Log>,
    log_file: PathBuf,
    admin_file: PathBuf,
}

/// Where a ready Envoy listens.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// For clients.
    pub proxy: SocketAddr,
    /// For the administrator.
    pub admin: SocketAddr,
}

impl Addresses {
    /// A counter or a gauge of the proxy's stats, by its full name.
    ///
    /// # Errors
    /// When the administrator is not answered, or there is no such stat.
    pub fn stat(&self, name: &str) -> Result<u64> {
        let mut answer = ureq::get(format!("http://{}/stats", self.admin))
            .query("filter", format!("^{}$", name.replace('.', "\\.")))
            .call()
            .context("Envoy's administrator is not answered")?;
        let stats = answer.body_mut().read_to_string()?;
        let value = stats
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let value = value.with_context(|| format!("no stat `{name}`"))?;
        value
            .parse()
            .with_context(|| format!("the stat `{name}` is no number"))
    }
}

impl Envoy {
    /// Starts `program` with `config` and `concurrency` workers. Its configuration and its log lie in `directory`, as `envoy.json` and
    /// `envoy.log`.
    ///
    /// # Errors
    /// When the files cannot be written or the program cannot be started. What Envoy thinks of the configuration comes later.
    pub fn start(
        program: &Path,
        config: &EnvoyConfig,
        concurrency: u32,
        directory: &Path,
    ) -> Result<Self> {
        let mut command = command(program, config, concurrency, directory)?;
        command.stderr(Stdio::piped());
        let mut envoy = Self::spawn(command, directory)?;
        let stderr = envoy.child.take_stderr();
        let stderr = stderr.context("Envoy's log is not piped")?;
        envoy.log = Log::follow(stderr, &envoy.log_file)?;
        Ok(envoy)
    }

    /// The same, but nobody reads along: Envoy writes its log into the file by itself, many lines at once and every 100 ms at the latest,
    /// so that a great many cost what they cost Envoy. [`log`](Self::log) stays empty.
    ///
    /// # Errors
    /// As for [`start`](Self::start).
    pub fn start_unfollowed(
        program: &Path,
        config: &EnvoyConfig,
        concurrency: u32,
        directory: &Path,
    ) -> Result<Self> {
        let mut command = command(program, config, concurrency, directory)?;
        let log_file = directory.join(LOG_FILE);
        let cannot = || format!("cannot write {}", log_file.display());
        File::create(&log_file).with_context(cannot)?;
        // What it says before it has opened its log.
        let stderr = File::options().append(true).open(&log_file);
        command.arg("--log-path").arg(&log_file);
        command.stderr(stderr.with_context(cannot)?);
        Self::spawn(command, directory)
    }

    fn spawn(command: Command, directory: &Path) -> Result<Self> {
        let program = command.get_program().to_owned();
        let child = OwnedChild::spawn(command)
            .with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Self {
            child,
            log: Arc::new(Log::ended()),
            log_file: directory.join(LOG_FILE),
            admin_file: directory.join(ADMIN_FILE),
        })
    }

    /// Waits until it serves.
    ///
    /// # Errors
    /// When it ends first, with its log in the message, or is not ready after `patience`.
    pub fn await_ready(&mut self, patience: Duration) -> Result<Addresses> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(status) = self.child.exited()? {
                bail!(
                    "Envoy did not start ({status}); its log:\n{}",
                    self.written()
                );
            }
            if let Some(addresses) = self.addresses_when_ready() {
                return Ok(addresses);
            }
            if Instant::now() > deadline {
                bail!(
                    "Envoy is not ready after {patience:?}; its log:\n{}",
                    self.written()
                );
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// What is in the log's file; of an Envoy that has ended and is followed, all of it.
    fn written(&self) -> String {
        self.log.to_the_end(Duration::from_secs(1));
        std::fs::read_to_string(&self.log_file).unwrap_or_default()
    }

    fn addresses_when_ready(&self) -> Option<Addresses> {
        let admin: SocketAddr = std::fs::read_to_string(&self.admin_file)
            .ok()?
            .trim()
            .parse()
            .ok()?;
        ureq::get(format!("http://{admin}/ready")).call().ok()?;
        let mut listeners = ureq::get(format!("http://{admin}/listeners?format=json"))
            .call()
            .ok()?;
        let listeners: Value = listeners.body_mut().read_json().ok()?;
        let socket = listeners.pointer("/listener_statuses/0/local_address/socket_address")?;
        let ip = socket["address"].as_str()?.parse().ok()?;
        let port = socket["port_value"].as_u64()?.try_into().ok()?;
        Some(Addresses {
            proxy: SocketAddr::new(ip, port),
            admin,
        })
    }

    /// Waits until it ends by itself; `None` when it still runs after `patience`.
    ///
    /// # Errors
    /// When the operating system cannot say.
    pub fn await_exit(&mut self, patience: Duration) -> Result<Option<ExitStatus>> {
        Ok(self.child.wait(patience)?)
    }

    /// Whether the process still runs.
    ///
    /// # Errors
    /// When the operating system cannot say.
    pub fn runs(&mut self) -> Result<bool> {
        Ok(self.child.exited()?.is_none())
    }

    /// Where its log lies.
    pub fn log_file(&self) -> &Path {
        &self.log_file
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it wrote.
    pub fn log(&self) -> &Log {
        &self.log
    }
}

/// `path` made absolute, if there is a file.
///
/// # Errors
/// When there is none; the message says that `make build` makes `what`.
pub fn built(what: &str, path: &Path) -> Result<PathBuf> {
    if !path.is_file() {
        bail!("there is no {what} at {}: run `make build`", path.display());
    }
    std::path::absolute(path).with_context(|| format!("cannot resolve {}", path.display()))
}
