//! The running program.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use anyhow::{Context, Result, bail};
use serde_json::json;

use crate::client::TOKEN;

/// The grant service, listening on a port that was free. It is killed when this is dropped.
#[derive(Debug)]
pub struct Service {
    program: Child,
    address: String,
}

impl Service {
    /// Starts the program on a database, with its configuration in this folder. It lets developers request access to `orders` and leads approve it,
    /// and believes this machine's identity headers.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(program: &Path, folder: &Path, database: &str) -> Result<Self> {
        let file = folder.join("grants.json");
        fs::write(&file, configuration(database))?;
        let mut program = Command::new(program)
            .args(["serve", "--config"])
            .arg(&file)
            .env_remove("DATABASE_URL")
            .env("RUST_LOG", "info")
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {}", program.display()))?;
        let stderr = program.stderr.take().context("a pipe from the program")?;
        let mut lines = BufReader::new(stderr);
        let mut said = String::new();
        let address = loop {
            let start = said.len();
            if lines.read_line(&mut said)? == 0 {
                bail!("the service does not start:\n{said}");
            }
            let address = said
                .get(start..)
                .and_then(|line| line.split_once("listening on "));
            if let Some((_, address)) = address {
                break address.trim().to_owned();
            }
        };
        // Whoever writes to a pipe that nobody reads comes to a halt.
        thread::spawn(move || lines.read_to_end(&mut Vec::new()));
        Ok(Self { program, address })
    }

    /// Where it listens, as `http://HOST:PORT`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Kills it in the middle of whatever it does (SIGKILL).
    ///
    /// # Errors
    /// When it has ended before.
    pub fn kill(mut self) -> Result<()> {
        if let Some(status) = self.program.try_wait()? {
            bail!("the service has ended by itself: {status}");
        }
        self.program.kill()?;
        self.program.wait()?;
        Ok(())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

fn configuration(database: &str) -> String {
    let members_of = |group: &str| json!({ "groups": [group] });
    json!({
        "listen": "127.0.0.1:0",
        "public_url": "http://grants.example",
        "database": database,
        "identity_headers": { "trusted_proxies": ["127.0.0.1"] },
        "services": [{ "name": "proxy", "token": TOKEN }],
        "policy": {
            "administrators": members_of("security"),
            "auditors": members_of("audit"),
            "resources": [{
                "resource": "orders",
                "actions": ["read"],
                "title": "Orders",
                "requesters": members_of("dev"),
                "approvers": members_of("lead"),
                "approvals": 1,
                "max_duration": "1h",
                "default_duration": "1h",
                "pending_for": "1h",
            }],
        },
    })
    .to_string()
}
