//! One message on its way.

use std::time::Duration;

use hallpass_core::time::UnixMillis;
use ureq::Agent;
use ureq::http::header::{CONTENT_TYPE, RETRY_AFTER};
use ureq::http::{HeaderMap, StatusCode};

use super::Receiver;

/// So much of an answer is read, so that the connection can be used again; nobody looks at it.
const MAX_ANSWER_BYTES: u64 = 4_096;

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The receiver has it.
    Told,
    /// This one is not for the receiver. Why, for the log.
    Refused(String),
    /// The receiver cannot be told anything now. Perhaps it says how long.
    Away {
        /// Why, for the log. Never the address, which may be a secret.
        fault: String,
        /// After how long it wants to be tried again.
        retry_after: Option<Duration>,
    },
}

/// Posts a message, and waits so long for an answer. This blocks.
pub(super) fn post(
    agent: &Agent,
    patience: Duration,
    receiver: &Receiver,
    id: &str,
    now: UnixMillis,
    body: &str,
) -> Outcome {
    let timestamp = now.as_millis() / 1_000;
    let request = agent
        .post(receiver.url.as_str())
        .config()
        .timeout_global(Some(patience))
        .build()
        .header(CONTENT_TYPE, "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", timestamp.to_string())
        .header(
            "webhook-signature",
            receiver.secret.signature(id, timestamp, body),
        );
    match request.send(body) {
        Ok(mut answer) => {
            let outcome = judged(answer.status(), answer.headers());
            let body = answer.body_mut().with_config().limit(MAX_ANSWER_BYTES);
            // Only for the connection's sake.
            drop(body.read_to_vec());
            outcome
        }
        Err(ureq::Error::Timeout(_)) => away("no answer in time", None),
        Err(ureq::Error::HostNotFound) => away("its name is not known", None),
        Err(ureq::Error::Io(fault)) => away(&fault.kind().to_string(), None),
        Err(_) => away("no connection, or no HTTP on it", None),
    }
}

fn judged(status: StatusCode, headers: &HeaderMap) -> Outcome {
    let for_later = matches!(
        status,
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS
    );
    if status.is_success() {
        Outcome::Told
    } else if status.is_client_error() && !for_later {
        Outcome::Refused(format!("it answered {status}"))
    } else {
        let seconds = headers
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse().ok());
        away(
            &format!("it answered {status}"),
            seconds.map(Duration::from_secs),
        )
    }
}

fn away(fault: &str, retry_after: Option<Duration>) -> Outcome {
    Outcome::Away {
        fault: fault.to_owned(),
        retry_after,
    }
}
