//! The service that commands talk to.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::time::Duration;

use hallpass_grants::outbound;
use serde_json::Value;
use ureq::http::StatusCode;
use ureq::http::header::{ACCEPT, AUTHORIZATION};
use ureq::{Agent, Body, RequestBuilder};
use url::Url;

use super::failure::{Failure, Outcome};

/// How long to wait for the service to begin its answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// A longer answer is no answer to what we ask.
const MAX_ANSWER_BYTES: u64 = 16 * 1024 * 1024;

/// Which service, and as whom.
#[derive(Debug, clap::Args)]
pub(super) struct Remote {
    /// Where the grant service is
    #[arg(
        long,
        value_name = "URL",
        env = "HALLPASS_GRANTS_URL",
        global = true,
        help_heading = "Service"
    )]
    url: Option<Url>,
    /// Your identity token; others on this machine can see a command line, so better in the variable or in a file
    #[arg(
        long,
        value_name = "TOKEN",
        env = "HALLPASS_GRANTS_TOKEN",
        hide_env_values = true,
        global = true,
        help_heading = "Service"
    )]
    token: Option<String>,
    /// A file that holds your identity token; it goes before --token
    #[arg(long, value_name = "FILE", global = true, help_heading = "Service")]
    token_file: Option<PathBuf>,
}

/// A service to talk to.
#[derive(Debug)]
pub(super) struct Service {
    agent: Agent,
    base: Url,
    authorization: Option<String>,
}

impl Remote {
    /// Whether it is said where the service is.
    pub(super) fn is_given(&self) -> bool {
        self.url.is_some()
    }

    /// The service. Nothing is sent yet.
    pub(super) fn service(&self) -> Outcome<Service> {
        let base = self.url.clone().ok_or_else(|| {
            Failure::usage("where is the grant service? Say --url URL, or set HALLPASS_GRANTS_URL")
        })?;
        if !matches!(base.scheme(), "http" | "https") || base.cannot_be_a_base() {
            let expected = "expected a URL such as https://grants.example";
            return Err(Failure::Usage(format!("`{base}`: {expected}")));
        }
        let token = self.token()?;
        let agent = outbound::agent().map_err(|fault| Failure::Usage(format!("{fault:#}")))?;
        Ok(Service {
            agent,
            base,
            authorization: token.map(|token| format!("Bearer {token}")),
        })
    }

    fn token(&self) -> Outcome<Option<String>> {
        let (text, place) = match (&self.token_file, &self.token) {
            (None, None) => return Ok(None),
            (None, Some(token)) => (
                token.clone(),
                "--token, or HALLPASS_GRANTS_TOKEN,".to_owned(),
            ),
            (Some(path), _) => {
                let file = path.display();
                let text = fs::read_to_string(path).map_err(|fault| {
                    Failure::Usage(format!("cannot read the token in {file}: {fault}"))
                })?;
                (text, format!("the file {file}"))
            }
        };
        let token = text.trim();
        // Sent all the same, it would be no header, and the network would be blamed. What stands there may be another secret: it is not shown.
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Failure::Usage(format!(
                "{place} holds no token: expected one word, the identity token alone"
            )));
        }
        Ok(Some(token.to_owned()))
    }
}

impl Service {
    /// What is at this path.
    pub(super) fn get(&self, path: &[&str], query: &[(&str, &str)]) -> Outcome<Value> {
        let request = self.signed(self.agent.get(self.address(path, query)?.as_str()));
        self.json(request.call())
    }

    /// What comes of sending this there.
    pub(super) fn post(&self, path: &[&str], body: &Value) -> Outcome<Value> {
        let request = self.signed(self.agent.post(self.address(path, &[])?.as_str()));
        self.json(request.send_json(body))
    }

    /// The same, where sending it again under the same key is sending it once.
    pub(super) fn post_once(&self, path: &[&str], body: &Value, key: &str) -> Outcome<Value> {
        let request = self.signed(self.agent.post(self.address(path, &[])?.as_str()));
        self.json(request.header("idempotency-key", key).send_json(body))
    }

    /// The lines of the record.
    pub(super) fn record(&self, query: &[(&str, &str)]) -> Outcome<impl BufRead + use<>> {
        let request = self.signed(self.agent.get(self.address(&["audit"], query)?.as_str()));
        let body = self.answer(request.header(ACCEPT, "application/x-ndjson").call())?;
        Ok(BufReader::new(body.into_reader()))
    }

    /// What to say when an answer breaks off.
    pub(super) fn broken_off(&self, fault: impl std::fmt::Display) -> Failure {
        Failure::Unreachable(format!("the answer of {} breaks off: {fault}", self.base))
    }

    fn address(&self, path: &[&str], query: &[(&str, &str)]) -> Outcome<Url> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| Failure::Usage(format!("`{}`: expected a URL with a host", self.base)))?
            .pop_if_empty()
            .extend(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    fn signed<B>(&self, request: RequestBuilder<B>) -> RequestBuilder<B> {
        let request = request
            .config()
            .timeout_connect(Some(PATIENCE))
            .timeout_recv_response(Some(PATIENCE))
            .build();
        match &self.authorization {
            Some(token) => request.header(AUTHORIZATION, token),
            None => request,
        }
    }

    fn json(&self, answer: Result<ureq::http::Response<Body>, ureq::Error>) -> Outcome<Value> {
        let mut body = self.answer(answer)?;
        let read = body.with_config().limit(MAX_ANSWER_BYTES).read_json();
        read.map_err(|_| {
            Failure::Refused(format!(
                "what answers at {} is no grant service: is --url right?",
                self.base
            ))
        })
    }

    fn answer(&self, answer: Result<ureq::http::Response<Body>, ureq::Error>) -> Outcome<Body> {
        let answer = answer.map_err(|fault| {
            Failure::Unreachable(format!(
                "the grant service at {} cannot be reached: {fault}. Is it running, and is --url right?",
                self.base
            ))
        })?;
        let status = answer.status();
        let mut body = answer.into_body();
        if status.is_success() {
            return Ok(body);
        }
        let problem: Option<Value> = body.with_config().limit(MAX_ANSWER_BYTES).read_json().ok();
        Err(self.failure(status, problem.as_ref()))
    }

    fn failure(&self, status: StatusCode, problem: Option<&Value>) -> Failure {
        let member = |name| problem.and_then(|problem| problem.get(name)?.as_str());
        let detail = member("detail").or_else(|| member("title"));
        let detail = detail.map_or_else(|| format!("it answers {status}"), str::to_owned);
        match status {
            StatusCode::UNAUTHORIZED => Failure::Refused(format!(
                "the grant service does not know you: {}. Give your identity token in a file (--token-file), or in HALLPASS_GRANTS_TOKEN",
                detail.trim_end_matches('.')
            )),
            StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => {
                Failure::Unreachable(format!("{} cannot answer now: {detail}", self.base))
            }
            status if status.is_redirection() => Failure::Refused(format!(
                "{} sends elsewhere ({status}): give the grant service's own address in --url, and a token",
                self.base
            )),
            _ => Failure::Refused(detail),
        }
    }
}
