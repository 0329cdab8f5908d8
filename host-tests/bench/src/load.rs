//! The load: [wrk](https://github.com/wg/wrk) with a script that walks through a file of tokens.

use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use hallpass_demo::process::OwnedChild;
use serde::Deserialize;

use crate::tokens::TokenFile;

/// How many connections send requests, each the next one as soon as the last is answered.
pub(crate) const CONNECTIONS: u32 = 16;

/// The program that makes load, and its script.
#[derive(Debug)]
pub(crate) struct Load {
    program: PathBuf,
    script: PathBuf,
}

/// How a run went.
#[derive(Debug, Deserialize)]
pub(crate) struct Answered {
    /// How many requests were answered.
    pub(crate) requests: u32,
    /// How long the run took.
    pub(crate) microseconds: u32,
    /// The median of the time to an answer, in microseconds.
    pub(crate) p50_us: u32,
    /// The time to an answer that one in a hundred exceeds, in microseconds.
    pub(crate) p99_us: u32,
    /// How many answers had a status of 400 or more.
    pub(crate) refused: u32,
    /// How often a connection broke, or an answer did not come in time.
    pub(crate) broken: u32,
    /// The index of the token with which the next run goes on.
    pub(crate) next: usize,
}

/// Where a run begins in a file of tokens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walk<'a> {
    /// The tokens.
    pub(crate) tokens: &'a TokenFile,
    /// The index of the first; beyond the last it starts over.
    pub(crate) first: usize,
    /// How many of the tokens are walked through, from the first of the file.
    pub(crate) count: usize,
    /// How many further headers of a kilobyte each request has.
    pub(crate) headers: usize,
    /// What is asked for, unless the file says otherwise. One that ends with `{n}` is another path for each request.
    pub(crate) path: &'a str,
}

impl Load {
    /// Load by `program`, which is wrk; its script is put into `directory`.
    pub(crate) fn new(program: &Path, directory: &Path) -> Result<Self> {
        let script = directory.join("load.lua");
        std::fs::write(&script, include_str!("load.lua"))
            .with_context(|| format!("cannot write {}", script.display()))?;
        Ok(Self {
            program: program.to_owned(),
            script,
        })
    }

    /// Users who send as fast as they are answered, for some seconds.
    pub(crate) fn users(&self, to: SocketAddr, walk: Walk<'_>, seconds: u32) -> Result<Answered> {
        let mut wrk = self.start(to, walk, seconds, None)?;
        let mut output = String::new();
        wrk.take_stdout()
            .context("wrk's output is not piped")?
            .read_to_string(&mut output)?;
        let Some(line) = output.lines().rfind(|line| line.starts_with('{')) else {
            bail!("wrk ended without figures: {output}");
        };
        serde_json::from_str(line).with_context(|| format!("wrk's figures are odd: {line}"))
    }

    /// Strangers who send at most `a_second` requests a second, until the value is dropped.
    pub(crate) fn strangers(
        &self,
        to: SocketAddr,
        walk: Walk<'_>,
        a_second: u32,
    ) -> Result<OwnedChild> {
        const LONGER_THAN_ANY_RUN: u32 = 3_600;
        let pause = CONNECTIONS * 1_000 / a_second.max(1);
        self.start(to, walk, LONGER_THAN_ANY_RUN, Some(pause))
    }

    fn start(
        &self,
        to: SocketAddr,
        walk: Walk<'_>,
        seconds: u32,
        pause_ms: Option<u32>,
    ) -> Result<OwnedChild> {
        let mut command = Command::new(&self.program);
        command
            .arg("--threads=1")
            .arg(format!("--connections={CONNECTIONS}"))
            .arg(format!("--duration={seconds}"))
            .arg("--script")
            .arg(&self.script)
            .arg(format!("http://{to}{}", walk.path))
            .arg("--")
            .arg(walk.tokens.path())
            .arg(walk.first.to_string())
            .arg(walk.count.to_string())
            .arg(walk.headers.to_string())
            .args(pause_ms.map(|pause| pause.to_string()));
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        OwnedChild::spawn(command)
            .with_context(|| format!("cannot start {}", self.program.display()))
    }
}
