//! Asking the service: as the filter does, and as people behind it do.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

/// The filter's own.
pub(crate) const TOKEN: &str = "a-service-token-of-no-use-elsewhere";
const ISSUER: &str = "https://idp.example";
const PATIENCE: Duration = Duration::from_secs(15);

/// One connection to the service, which is kept open.
#[derive(Debug)]
pub struct Client {
    agent: ureq::Agent,
    address: String,
}

/// Someone behind the filter.
#[derive(Debug, Clone, Copy)]
pub struct Person<'a> {
    /// Their name.
    pub name: &'a str,
    /// Their only group.
    pub group: &'a str,
}

impl Client {
    /// To the service at this address.
    pub fn new(address: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .max_idle_connections(1);
        Self {
            agent: config.build().into(),
            address: address.to_owned(),
        }
    }

    /// Whether someone may read the orders, asked by the filter.
    ///
    /// # Errors
    /// When there is no decision.
    pub fn is_allowed(&self, name: &str) -> Result<bool> {
        let question = json!({
            "subject": { "type": "user", "id": name, "properties": { "iss": ISSUER } },
            "action": { "name": "read" },
            "resource": { "type": "http", "id": "orders" },
        });
        let request = self
            .agent
            .post(format!("{}/access/v1/evaluation", self.address))
            .header("authorization", format!("Bearer {TOKEN}"));
        let answer = told(request.send_json(question)?, 200)?;
        answer["decision"].as_bool().context("no decision")
    }

    /// Someone requests to read the orders; says the request's name.
    ///
    /// # Errors
    /// When it is not acknowledged.
    pub fn request(&self, who: Person<'_>) -> Result<String> {
        let wish = json!({
            "resource": { "type": "http", "id": "orders" },
            "action": { "name": "read" },
            "context": { "reason": "to look into it" },
            "requested_access": { "duration": "1h" },
        });
        let answer = self.post(who, "/access/v1/requests", &wish, 202)?;
        text(&answer, "/task/id")
    }

    /// Someone approves a request; says the grant's name.
    ///
    /// # Errors
    /// When it is not acknowledged, or more approvals are needed.
    pub fn approve(&self, who: Person<'_>, request: &str) -> Result<String> {
        let path = format!("/access/v1/requests/{request}/approve");
        let answer = self.post(who, &path, &json!({}), 200)?;
        text(&answer, "/result/approval/id")
    }

    /// Someone takes a grant back.
    ///
    /// # Errors
    /// When it is not acknowledged.
    pub fn revoke(&self, who: Person<'_>, grant: &str) -> Result<()> {
        let wish = json!({ "grant": grant, "why": "it is no longer needed" });
        self.post(who, "/access/v1/revocations", &wish, 200)?;
        Ok(())
    }

    fn post(&self, who: Person<'_>, path: &str, body: &Value, expected: u16) -> Result<Value> {
        let request = self
            .agent
            .post(format!("{}{path}", self.address))
            .header("x-hallpass-subject", who.name)
            .header("x-hallpass-issuer", ISSUER)
            .header("x-hallpass-groups", who.group);
        told(request.send_json(body)?, expected)
    }
}

fn told(mut answer: ureq::http::Response<ureq::Body>, expected: u16) -> Result<Value> {
    let status = answer.status().as_u16();
    let body = answer.body_mut().read_to_string()?;
    ensure!(status == expected, "{status}, not {expected}: {body}");
    Ok(serde_json::from_str(&body)?)
}

fn text(answer: &Value, pointer: &str) -> Result<String> {
    let text = answer.pointer(pointer).and_then(Value::as_str);
    let text = text.with_context(|| format!("no {pointer} in {answer}"))?;
    Ok(text.to_owned())
}
