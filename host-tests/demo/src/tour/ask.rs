//! One request, both as the `curl` line that a person can paste and as the tour sends it.

use std::fmt;

use anyhow::{Context, Result};
use serde_json::Value;
use ureq::http::{HeaderMap, Request, StatusCode};

/// A request in the making.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    method: &'static str,
    url: String,
    token_url: Option<String>,
    headers: Vec<(&'static str, &'static str)>,
    body: Option<Value>,
}

impl Ask {
    pub(super) fn get(url: String) -> Self {
        Self {
            method: "GET",
            url,
            token_url: None,
            headers: Vec::new(),
            body: None,
        }
    }

    pub(super) fn post(url: String, body: Option<Value>) -> Self {
        Self {
            method: "POST",
            body,
            ..Self::get(url)
        }
    }

    /// Carries a token that is fetched from `token_url` first.
    pub(super) fn with_token_from(self, token_url: String) -> Self {
        Self {
            token_url: Some(token_url),
            ..self
        }
    }

    pub(super) fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(super) fn send(&self) -> Result<Answer> {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build()
            .into();
        let mut request = Request::builder().method(self.method).uri(&self.url);
        if let Some(url) = &self.token_url {
            let token = agent
                .get(url)
                .call()
                .and_then(|mut answer| answer.body_mut().read_to_string());
            request = request.header(
                "authorization",
                format!(
                    "Bearer {}",
                    token.context("the identity provider gave no token")?
                ),
            );
        }
        for (name, value) in &self.headers {
            request = request.header(*name, *value);
        }
        if self.body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = self.body.as_ref().map(Value::to_string).unwrap_or_default();
        let mut answer = agent
            .run(request.body(body)?)
            .with_context(|| format!("no answer from {}", self.url))?;
        let text = answer.body_mut().read_to_string()?;
        Ok(Answer {
            status: answer.status(),
            headers: answer.headers().clone(),
            body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
        })
    }
}

/// As a `curl` line.
impl fmt::Display for Ask {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "curl -i '{}'", self.url)?;
        if let Some(url) = &self.token_url {
            write!(out, " -H \"authorization: Bearer $(curl -s '{url}')\"")?;
        }
        for (name, value) in &self.headers {
            write!(out, " -H '{name}: {value}'")?;
        }
        match &self.body {
            Some(body) => write!(out, " --json '{body}'"),
            None if self.method == "POST" => write!(out, " -X POST"),
            None => Ok(()),
        }
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    /// A text in the JSON body, by its JSON pointer.
    pub(super) fn member(&self, pointer: &str) -> Option<&str> {
        self.body.pointer(pointer)?.as_str()
    }

    /// A list in the JSON body, by its JSON pointer; empty if there is none.
    pub(super) fn list(&self, pointer: &str) -> &[Value] {
        let list = self.body.pointer(pointer).and_then(Value::as_array);
        list.map_or(&[], Vec::as_slice)
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// A header as the upstream received it, if the upstream answered.
    pub(super) fn received(&self, name: &str) -> Option<&str> {
        self.body.get("headers")?.get(name)?.as_str()
    }
}
