//! A service that runs as a process on a free port, with a database of its own, and people who use the command line.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use hallpass_tokens::{SigningKey, TokenBuilder, jwks};
use serde_json::{Value, json};
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_hallpass-grants");
const ISSUER: &str = "https://idp.example";

/// A running service.
pub(crate) struct Service {
    child: Child,
    url: String,
    directory: TempDir,
}

/// What a command printed, and its exit status.
#[derive(Debug)]
pub(crate) struct Printed {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Service {
    pub(crate) fn start() -> Self {
        Self::with(&json!([]))
    }

    /// One that tells these webhooks what happens.
    pub(crate) fn with(webhooks: &Value) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("grants.json");
        let database = format!("sqlite:{}", directory.path().join("grants.db").display());
        fs::write(&config, configuration(&database, webhooks).to_string()).unwrap();
        let mut child = bare(&["serve", "--log", "json", "--config"])
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut seen = String::new();
        let url = loop {
            let mut line = String::new();
            let length = log.read_line(&mut line).unwrap();
            assert!(length > 0, "it ended: {seen}");
            seen.push_str(&line);
            if let Some((_, rest)) = line.split_once("listening on ") {
                break rest.split(['"', ' ']).next().unwrap().to_owned();
            }
        };
        // Whoever stops reading a log stops the one who writes it.
        thread::spawn(move || log.lines().for_each(drop));
        Self {
            child,
            url,
            directory,
        }
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.directory.path().join("grants.json")
    }

    pub(crate) fn database(&self) -> String {
        format!("sqlite:{}", self.file("grants.db").display())
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The command that someone of these groups gives.
    pub(crate) fn command(&self, name: &str, groups: &[&str], arguments: &[&str]) -> Command {
        let mut command = bare(arguments);
        command
            .env("HALLPASS_GRANTS_URL", &self.url)
            .env("HALLPASS_GRANTS_TOKEN", token(name, groups));
        command
    }

    /// What a developer's command comes to.
    pub(crate) fn alice(&self, arguments: &[&str]) -> Printed {
        printed(self.command("alice", &["dev"], arguments))
    }

    /// What an approver's command comes to.
    pub(crate) fn lena(&self, arguments: &[&str]) -> Printed {
        printed(self.command("lena", &["lead"], arguments))
    }

    /// What an administrator's command comes to.
    pub(crate) fn ada(&self, arguments: &[&str]) -> Printed {
        printed(self.command("ada", &["security"], arguments))
    }

    /// Alice asks for something, which waits. Its name.
    pub(crate) fn asked(&self, action: &str) -> String {
        let printed = self.alice(&[
            "request",
            "orders",
            action,
            "--for",
            "1h",
            "--reason",
            "OPS-7 look",
            "--json",
        ]);
        printed.json()["task"]["id"].as_str().unwrap().to_owned()
    }

    /// Alice is granted something. The grant's name.
    pub(crate) fn granted(&self, action: &str) -> String {
        let request = self.asked(action);
        let approved = self.lena(&["approve", &request, "--json"]).json();
        let grant = &approved["result"]["approval"]["id"];
        grant.as_str().unwrap().to_owned()
    }

    /// Ends the process as a lost machine does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Printed {
    /// The output as JSON, of a command that has done it.
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.status, 0, "{self:?}");
        serde_json::from_str(&self.out).unwrap()
    }
}

/// The program with these arguments, and nothing in its environment.
pub(crate) fn bare(arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).env_clear().stdin(Stdio::null());
    command
}

pub(crate) fn printed(mut command: Command) -> Printed {
    let output = command.output().unwrap();
    Printed {
        status: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The same, where nobody reads what it prints: both pipes are closed before it begins.
pub(crate) fn unread(mut command: Command) -> Printed {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    command.stdout(writer.try_clone().unwrap()).stderr(writer);
    printed(command)
}

fn token(name: &str, groups: &[&str]) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    TokenBuilder::for_user(name)
        .issuer(ISSUER)
        .audience("grants")
        .issued_at(now.as_secs().try_into().unwrap())
        .expires_in(3_600)
        .claim("groups", json!(groups))
        .signed_by(&key())
}

fn key() -> SigningKey {
    SigningKey::ed25519("k1")
}

/// Developers may ask for the orders, leads approve.
fn configuration(database: &str, webhooks: &Value) -> Value {
    json!({
        "listen": "127.0.0.1:0",
        "public_url": "https://grants.example",
        "database": database,
        "providers": [{
            "name": "corp",
            "issuer": ISSUER,
            "audiences": ["grants"],
            "jwks": { "inline": jwks(&[&key()]) },
        }],
        "services": [{ "name": "edge", "token": "a token of the edge" }],
        "policy": {
            "administrators": { "groups": ["security"] },
            "auditors": { "groups": ["audit"] },
            "resources": [{
                "resource": "orders",
                "title": "Orders",
                "requesters": { "groups": ["dev"] },
                "approvers": { "groups": ["lead"] },
                "max_duration": "8h",
                "reason_pattern": "^OPS-[0-9]+",
                "reason_hint": "a ticket, such as OPS-7: why",
            }],
        },
        "webhooks": webhooks,
    })
}
