//! What the gate learns from answers, and what the log says of those that are none.

use std::fmt::Display;

use hallpass_core::flow::{Gate, KeysReply, Progress};
use hallpass_core::grant::service::RawReply;
use hallpass_core::grant::{DecisionKey, Failure, GrantOutcome, ServiceFault, Word};
use hallpass_core::revocation::FeedReply;
use hallpass_core::time::UnixMillis;

use crate::callouts::{Arrival, Enquiry, Reply};
use crate::sinks;

/// Lets the gate learn from what an issuer's server answered.
pub(crate) fn learn_keys(
    gate: &mut Gate,
    provider: usize,
    arrival: Arrival,
    now: UnixMillis,
) -> Progress {
    match arrival {
        Arrival::Reply(reply) => {
            let cache_control = reply.header("cache-control");
            let raw = KeysReply {
                status: reply.status,
                cache_control: cache_control.as_deref(),
                body: &reply.body,
            };
            gate.on_keys_reply(provider, raw, now)
        }
        Arrival::Nothing(why) => {
            gate.fetch_failed(provider, why, now);
            Progress::Ended
        }
    }
}

/// Lets the gate learn from what the feed of revocations answered.
pub(crate) fn learn_revocations(gate: &mut Gate, arrival: Arrival, now: UnixMillis) {
    match arrival {
        Arrival::Reply(reply) => {
            let tag = reply.header("etag");
            let raw = FeedReply {
                status: reply.status,
                tag: tag.as_deref(),
                body: &reply.body,
            };
            gate.on_feed_reply(raw, now);
        }
        Arrival::Nothing(why) => gate.feed_failed(why),
    }
}

/// Lets the gate learn from what the grant service answered, and says in the log what was wrong with it.
pub(crate) fn learn_grant(
    gate: &mut Gate,
    key: DecisionKey,
    arrival: Arrival,
    now: UnixMillis,
) -> GrantOutcome {
    match arrival {
        Arrival::Reply(reply) => {
            let headers = ReplyHeaders::of(&reply);
            let ruling = gate.on_grant_reply(key, headers.with(&reply), reply.asked(), now);
            outcome_of(ruling)
        }
        Arrival::Nothing(why) => {
            gate.grant_failed(now);
            undecided(why, Failure::Service)
        }
    }
}

/// The same of questions that were put together, in their order. `None` where there is no telling which answer is whose, or one of them
/// is such that none was answered: then each is to be put by itself.
pub(crate) fn learn_grants(
    gate: &mut Gate,
    enquiries: &[Enquiry],
    arrival: Arrival,
    now: UnixMillis,
) -> Option<Vec<GrantOutcome>> {
    let failed = |outcome| Some(vec![outcome; enquiries.len()]);
    match arrival {
        Arrival::Reply(reply) => {
            let headers = ReplyHeaders::of(&reply);
            let keys: Vec<_> = enquiries.iter().map(|enquiry| enquiry.key).collect();
            match gate.on_grant_replies(&keys, headers.with(&reply), reply.asked(), now) {
                Ok(rulings) => Some(rulings.into_iter().map(outcome_of).collect()),
                Err(fault) if !fault.may_be_of_one_question() => {
                    let failure = fault.failure();
                    failed(undecided(fault, failure))
                }
                Err(fault) => {
                    sinks::warn(&format!(
                        "the grant service did not decide {} questions together, and is asked each by itself: {fault}",
                        keys.len()
                    ));
                    None
                }
            }
        }
        Arrival::Nothing(why) => {
            gate.grant_failed(now);
            failed(undecided(why, Failure::Service))
        }
    }
}

fn outcome_of(ruling: Result<Word, ServiceFault>) -> GrantOutcome {
    match ruling {
        Ok(word) => GrantOutcome::Decided(word),
        Err(fault) => {
            let failure = fault.failure();
            undecided(fault, failure)
        }
    }
}

fn undecided(why: impl Display, failure: Failure) -> GrantOutcome {
    sinks::warn(&format!("the grant service did not decide: {why}"));
    GrantOutcome::Failed(failure)
}

/// What counts of the headers of a decision point's reply.
struct ReplyHeaders {
    is_overflow: bool,
    content_type: Option<Vec<u8>>,
    cache_control: Option<Vec<u8>>,
    request_id: Option<Vec<u8>>,
}

impl ReplyHeaders {
    fn of(reply: &Reply) -> Self {
        Self {
            is_overflow: reply.header("x-envoy-overloaded").is_some(),
            content_type: reply.header("content-type"),
            cache_control: reply.header("cache-control"),
            request_id: reply.header("x-request-id"),
        }
    }

    fn with<'a>(&'a self, reply: &'a Reply) -> RawReply<'a> {
        RawReply {
            status: reply.status,
            is_overflow: self.is_overflow,
            content_type: self.content_type.as_deref(),
            cache_control: self.cache_control.as_deref(),
            request_id: self.request_id.as_deref(),
            asked_as: reply.asked_as.as_deref(),
            body: &reply.body,
        }
    }
}
