//! The program, as an operator runs it.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_hallpass-grants");
/// Sooner than a connection that is open for nothing is closed.
const PATIENCE: Duration = Duration::from_secs(5);

/// A directory with a configuration.
struct Place {
    directory: TempDir,
}

/// A service that runs, and is killed where a test ends before it does.
struct Running {
    child: Child,
    lines: Box<dyn Iterator<Item = String>>,
    url: String,
}

impl Place {
    fn new() -> Self {
        let place = Self {
            directory: TempDir::new().unwrap(),
        };
        place.configure(&place.sound());
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn database(&self, name: &str) -> String {
        format!("sqlite:{}", self.path(name).display())
    }

    fn sound(&self) -> Value {
        json!({
            "listen": "127.0.0.1:0",
            "public_url": "http://127.0.0.1:10003",
            "database": self.database("configured.db"),
            "identity_headers": { "trusted_proxies": ["127.0.0.1"] },
            "services": [{ "name": "edge", "token": "the token of the edge" }],
            "policy": {
                "administrators": { "groups": ["security"] },
                "resources": [{
                    "resource": "orders",
                    "requesters": { "everyone": true },
                    "approvers": { "groups": ["lead"] },
                }],
            },
        })
    }

    fn configure(&self, config: &Value) {
        fs::write(self.path("grants.json"), config.to_string()).unwrap();
    }

    fn command(&self, command: &str) -> Command {
        let mut program = Command::new(PROGRAM);
        program
            .arg(command)
            .arg("--config")
            .arg(self.path("grants.json"))
            .env_remove("DATABASE_URL")
            .env_remove("RUST_LOG");
        program
    }

    fn run(&self, command: &str) -> Output {
        self.command(command).output().unwrap()
    }
}

impl Running {
    fn of(command: &mut Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut lines = lines.map(Result::unwrap);
        let line = lines.find(|line| line.contains("listening on "));
        let line = line.expect("it says where it listens");
        let (_, url) = line.split_once("listening on ").unwrap();
        Self {
            url: url.trim_end_matches(['"', '}']).to_owned(),
            lines: Box::new(lines),
            child,
        }
    }

    /// Tells it to stop; how it ended, and what it said on the way.
    fn stop(mut self, signal: Signal) -> (ExitStatus, Vec<String>) {
        let id = i32::try_from(self.child.id()).unwrap();
        kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
        let said = self.lines.by_ref().collect();
        (self.child.wait().unwrap(), said)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Most have ended by now.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    text.lines().map(str::to_owned).collect()
}

fn exists(path: &Path) -> bool {
    path.try_exists().unwrap()
}

#[test]
fn it_serves_until_it_is_told_to_stop() {
    let place = Place::new();
    for signal in [Signal::TERM, Signal::INT] {
        let running = Running::of(&mut place.command("serve"));
        let answer = ureq::get(format!("{}/nowhere", running.url)).call();
        assert!(
            matches!(answer, Err(ureq::Error::StatusCode(404))),
            "{answer:?}"
        );
        let (status, said) = running.stop(signal);
        assert_eq!(status.code(), Some(0), "{said:?}");
        assert!(said.last().unwrap().ends_with("stopped"), "{said:?}");
    }
    assert!(exists(&place.path("configured.db")));
}

#[test]
fn more_connections_are_served_than_a_program_may_have_open_files_to_begin_with() {
    let place = Place::new();
    let serve = place.command("serve");
    let mut limited = Command::new("sh");
    limited
        .args(["-c", r#"ulimit -S -n 64 && exec "$0" "$@""#])
        .arg(serve.get_program())
        .args(serve.get_args())
        .env_remove("DATABASE_URL")
        .env_remove("RUST_LOG");
    let running = Running::of(&mut limited);
    let address = running.url.strip_prefix("http://").unwrap();
    let ask = |_| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
            .write_all(b"GET /readyz HTTP/1.1\r\nhost: a\r\n\r\n")
            .unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
        stream
    };
    let open: Vec<_> = (0..100).map(ask).collect();
    drop(open);
}

#[test]
fn the_environments_database_counts_and_lines_may_be_json() {
    let place = Place::new();
    let mut command = place.command("serve");
    command
        .args(["--log", "json"])
        .env("DATABASE_URL", place.database("environment.db"));
    let (status, said) = Running::of(&mut command).stop(Signal::TERM);
    assert_eq!(status.code(), Some(0));
    for line in said {
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["level"], "INFO", "{line}");
    }
    assert!(exists(&place.path("environment.db")) && !exists(&place.path("configured.db")));
}

#[test]
fn with_faults_it_tells_them_all_and_does_not_serve() {
    let place = Place::new();
    let mut config = place.sound();
    config["listen"] = json!("here");
    config["policy"]["resources"][0]["approvals"] = json!(0);
    config["policy"]["resources"][0]["odd"] = json!(1);
    place.configure(&config);
    let served = place.run("serve");
    assert_eq!(served.status.code(), Some(1));
    assert_eq!(lines(&served.stderr).len(), 3, "{served:?}");
    assert!(!exists(&place.path("configured.db")));
    let checked = place.run("check");
    assert_eq!(checked.status.code(), Some(1));
    assert_eq!(lines(&checked.stdout), lines(&served.stderr));
}

#[test]
fn what_cannot_be_served_is_told_in_a_line() {
    let place = Place::new();
    let running = Running::of(&mut place.command("serve"));
    let mut taken = place.sound();
    taken["listen"] = json!(running.url.strip_prefix("http://").unwrap());
    place.configure(&taken);
    let served = place.run("serve");
    assert_eq!(served.status.code(), Some(2));
    let said = lines(&served.stderr);
    assert!(
        said.last().unwrap().starts_with("error: cannot listen on "),
        "{said:?}"
    );
    fs::remove_file(place.path("grants.json")).unwrap();
    assert_eq!(place.run("check").status.code(), Some(2));
}

#[test]
fn a_check_tells_what_is_suspicious() {
    let place = Place::new();
    let checked = place.run("check");
    assert_eq!(checked.status.code(), Some(0));
    assert!(lines(&checked.stdout)[0].ends_with("clean"), "{checked:?}");
    let mut config = place.sound();
    config["services"] = json!([]);
    place.configure(&config);
    let checked = place.run("check");
    assert_eq!(checked.status.code(), Some(0));
    assert!(
        lines(&checked.stdout)[0].contains("warning `services`: "),
        "{checked:?}"
    );
}

#[test]
fn the_example_is_clean() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/example.json");
    let checked = Command::new(PROGRAM)
        .args(["check", "--config", example])
        .env("HALLPASS_EDGE_TOKEN", "the token of the edge")
        .output()
        .unwrap();
    assert!(lines(&checked.stdout)[0].ends_with("clean"), "{checked:?}");
}
