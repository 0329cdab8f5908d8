//! Runs the program as a person would.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::ffi::OsStr;
use std::io::{Write, pipe};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// What a run left.
#[derive(Debug)]
pub(crate) struct Run {
    /// The exit status.
    pub(crate) status: i32,
    /// Its output.
    pub(crate) out: String,
    /// What it complained of.
    pub(crate) err: String,
}

/// Runs a command of the program.
pub(crate) fn run(command: &str, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Run {
    run_with_input(command, arguments, "")
}

/// The same with something to read.
pub(crate) fn run_with_input(
    command: &str,
    arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    input: &str,
) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_hallpass"))
        .arg(command)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("an input");
    // A program that reads nothing may have ended by now.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    ran(child.wait_with_output().expect("the program ends"))
}

/// Runs a command whose output nobody reads: the reader has gone away before it starts.
pub(crate) fn run_unread(
    command: &str,
    arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
) -> Run {
    let (reader, unread) = pipe().expect("a pipe");
    drop(reader);
    let output = Command::new(env!("CARGO_BIN_EXE_hallpass"))
        .arg(command)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(unread)
        .output()
        .expect("the program runs");
    ran(output)
}

fn ran(output: Output) -> Run {
    Run {
        status: output.status.code().expect("an exit status"),
        out: String::from_utf8(output.stdout).expect("text"),
        err: String::from_utf8(output.stderr).expect("text"),
    }
}

/// Writes a file and returns its path.
pub(crate) fn file(folder: &TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, text).expect("the folder is ours");
    path.to_str().expect("text").to_owned()
}
