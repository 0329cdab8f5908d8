//! The decision: the request goes through the filter's own exchange, and what that would wait for is taken from the inputs.

use std::collections::BTreeMap;

use hallpass_core::denial::{Answer, Reason};
use hallpass_core::edits::Edits;
use hallpass_core::flow::{Exchange, Gate, Need, Passage, Refusal, Step as Flow};
use hallpass_core::grant::service::RawReply;
use hallpass_core::grant::{Failure, GrantOutcome, Query};
use hallpass_core::revocation::FeedReply;
use hallpass_core::time::UnixMillis;
use hallpass_core::token::signature::PureRust;
use serde_json::Value;

use super::inputs::{Inputs, Service};
use super::{ClientAnswer, Decision, Explanation, Step, Upstream};

/// A request waits a few times at most; the filter itself sees to that.
const MAX_WAITS: usize = 8;

/// What has been found out beside the decision.
#[derive(Default)]
struct Found {
    steps: Vec<Step>,
    question: Option<Value>,
}

pub(super) fn decide(inputs: &Inputs) -> Explanation {
    let mut gate = Gate::new(inputs.config.clone(), Box::new(PureRust));
    // A worker fetches keys before traffic needs them.
    if !inputs.keys_are_unreachable {
        for provider in gate.due_keys(inputs.now) {
            gate.fetch_started(provider, inputs.now);
        }
    }
    let mut exchange = Exchange::new(inputs.head.clone());
    let mut found = Found::default();
    let mut step = exchange.start(&mut gate, inputs.now);
    for _ in 0..MAX_WAITS {
        step = match step {
            Flow::Continue(passage) => return passing(&passage, &mut gate, found),
            Flow::Respond(refusal) => return answered(&refusal, &mut gate, found),
            Flow::Wait(Need::Keys(_) | Need::NewKey(_)) if inputs.keys_are_unreachable => {
                exchange.without_keys(&mut gate, inputs.now)
            }
            Flow::Wait(Need::Keys(provider) | Need::NewKey(provider)) => {
                let provider = inputs.config.providers.get(provider);
                let name = provider.map_or("", |provider| provider.name.as_str());
                let missing = format!(
                    "The keys of the provider `{name}` are fetched by the filter: give them with --jwks, or say --unreachable keys."
                );
                return undecided(missing, found);
            }
            Flow::Wait(Need::Revocations) => {
                follow_feed(inputs, &mut gate, &mut found);
                exchange.on_revocations(&mut gate, inputs.now)
            }
            Flow::Wait(Need::Grant(query)) => {
                found.question = serde_json::from_slice(&query.to_body()).ok();
                let Some(outcome) = answer(&query, inputs, &mut gate, &mut found) else {
                    let missing = "The grant service is asked: give its answer with --grant-reply, or say --unreachable grants.";
                    return undecided(missing.to_owned(), found);
                };
                exchange.on_grant(&mut gate, &outcome, inputs.now)
            }
        };
    }
    undecided("The request waits without end.".to_owned(), found)
}

/// What the service takes back is not an input: what it does not, counts.
fn follow_feed(inputs: &Inputs, gate: &mut Gate, found: &mut Found) {
    const ABOUT: &str = "revocations";
    gate.feed_asked(inputs.now);
    if matches!(inputs.service, Service::Unreachable) {
        let why = "the service cannot be reached, so nobody knows what it has taken back";
        found.steps.push(Step::no(ABOUT, why));
        gate.feed_failed(why);
        return;
    }
    let nothing = br#"{"cursor":"0","complete":true,"revocations":[]}"#;
    let reply = FeedReply {
        status: 200,
        tag: None,
        body: nothing,
    };
    gate.on_feed_reply(reply, inputs.now);
    found.steps.push(Step::note(
        ABOUT,
        "the filter asks for what was taken back; here it is nothing",
    ));
}

/// What the grant service makes of a question, if that is known.
fn answer(
    query: &Query,
    inputs: &Inputs,
    gate: &mut Gate,
    found: &mut Found,
) -> Option<GrantOutcome> {
    const ABOUT: &str = "service";
    let body = match &inputs.service {
        Service::Unknown => return None,
        Service::Unreachable => {
            found
                .steps
                .push(Step::no(ABOUT, "the service cannot be reached"));
            return Some(GrantOutcome::Failed(Failure::Service));
        }
        Service::Replies(body) => body,
    };
    let reply = RawReply::json(body);
    let asked = gate.asking(inputs.now);
    match gate.on_grant_reply(query.key(), reply, asked, inputs.now) {
        Ok(word) => {
            found.steps.push(super::grants::ruling(&word.ruling));
            Some(GrantOutcome::Decided(word))
        }
        Err(fault) => {
            let text = format!("the reply is no decision: {fault}");
            found.steps.push(Step::no(ABOUT, text));
            Some(GrantOutcome::Failed(fault.failure()))
        }
    }
}

/// What passes; in monitor mode that may be what would be refused.
fn passing(passage: &Passage, gate: &mut Gate, found: Found) -> Explanation {
    Explanation {
        until: passage.until.map(UnixMillis::to_rfc3339),
        upstream: Some(upstream(&passage.edits)),
        enforced: passage.enforced,
        ..decided(passage.reason, gate, found)
    }
}

/// What the filter answers in place of the upstream: a refusal, or what everybody may know.
fn answered(refusal: &Refusal, gate: &mut Gate, found: Found) -> Explanation {
    Explanation {
        status: Some(refusal.answer.status),
        answer: Some(client_answer(&refusal.answer)),
        ..decided(refusal.reason, gate, found)
    }
}

fn decided(reason: Reason, gate: &mut Gate, mut found: Found) -> Explanation {
    let notices = gate.take_notices().into_iter();
    found
        .steps
        .extend(notices.map(|notice| Step::note("log", notice)));
    Explanation {
        decision: if reason.allows() {
            Decision::Allow
        } else {
            Decision::Deny
        },
        reason: Some(reason.as_str()),
        status: Some(reason.kind().status()),
        enforced: true,
        detail: reason.detail().to_owned(),
        steps: found.steps,
        question: found.question,
        until: None,
        upstream: None,
        answer: None,
    }
}

fn undecided(missing: String, found: Found) -> Explanation {
    Explanation {
        decision: Decision::Undecided,
        reason: None,
        status: None,
        enforced: true,
        detail: missing,
        steps: found.steps,
        question: found.question,
        until: None,
        upstream: None,
        answer: None,
    }
}

fn upstream(edits: &Edits) -> Upstream {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut upstream = Upstream {
        removed: edits.remove.iter().map(|name| text(name)).collect(),
        stripped: Vec::new(),
        set: edits
            .additions()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        path: None,
        authority: None,
    };
    for (name, value) in &edits.replace {
        // What stands in cookies and queries beside the token may be as secret.
        match *name {
            ":path" => upstream.path = value.split(|byte| *byte == b'?').next().map(text),
            ":authority" | "host" => upstream.authority = Some(text(value)),
            name => upstream.stripped.push(name.to_owned()),
        }
    }
    upstream
}

fn client_answer(answer: &Answer) -> ClientAnswer {
    let headers: BTreeMap<String, String> = answer
        .headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone().into_owned()))
        .collect();
    let is_page = headers
        .get("content-type")
        .is_some_and(|kind| kind.starts_with("text/html"));
    let text = || {
        if is_page {
            Value::from(format!("a page of {} bytes", answer.body.len()))
        } else {
            Value::from(String::from_utf8_lossy(&answer.body).into_owned())
        }
    };
    ClientAnswer {
        headers,
        body: serde_json::from_slice(&answer.body).unwrap_or_else(|_| text()),
    }
}
