//! What belongs to the worker as a whole: its configuration, its clock, and the calls to other services, which outlive the requests that
//! wanted them.

use std::cell::OnceCell;
use std::sync::Arc;
use std::time::Duration;

use hallpass_core::audit::otlp::MAX_ANSWER_BYTES;
use hallpass_core::config::Config;
use hallpass_core::flow::{Gate, KeysReply, Progress};
use hallpass_core::grant::service::{MAX_REPLY_BYTES, RawReply};
use hallpass_core::grant::{DecisionKey, GrantOutcome};
use hallpass_core::jwks::MAX_SET_BYTES;
use hallpass_core::metrics::Counter;
use hallpass_core::revocation::{FeedReply, MAX_FEED_BYTES};
use hallpass_core::time::UnixMillis;
use hallpass_core::token::signature::chosen::ChosenVerifier;

use crate::callouts::{Arrival, Call, Callout, Purpose, Reply};
use crate::host;
use crate::http::{Request, Verdict, perform};
use crate::sinks::{self, Stats};
use crate::streams::{cut_ended, end_revoked};
use crate::worker::{Outcome, Shared, Worker};

/// How often due fetches, unanswered calls and streams whose permission has ended are looked for, and figures told.
const TICK: Duration = Duration::from_millis(250);
/// The same while somebody is ready who has not been told yet, or a question has not left.
const HURRY: Duration = Duration::from_millis(1);
/// How many requests are told or cut in one callback: see [`crate::worker`] on those that are held.
const AT_ONCE: usize = 64;
/// How many of these may be told, so that there is room for those that are cut.
const READY_AT_ONCE: usize = 48;
/// How many questions that nobody waits for leave with one tick, so that those who come meanwhile do not feel it.
const BACKGROUND_AT_ONCE: usize = 16;

/// The worker's context in the proxy.
pub(crate) struct Root {
    id: u32,
    /// It begins with the first configuration, and each that follows goes on with it.
    worker: OnceCell<Shared>,
}

impl Root {
    pub(crate) fn new(id: u32) -> Self {
        Self {
            id,
            worker: OnceCell::new(),
        }
    }

    /// The request `id`, which is this root's. `None` without a configuration.
    pub(crate) fn request(&self, id: u32) -> Option<Request<'_>> {
        let worker = self.worker.get()?;
        Some(Request::new(id, self.id, worker))
    }

    /// Takes a configuration. False, and a line in the log for each fault, if it has any; then that of before goes on.
    pub(crate) fn configure(&self, size: usize) -> bool {
        match Config::parse(&host::plugin_configuration(size)) {
            Ok(config) => {
                for warning in config.warnings() {
                    sinks::warn(&format!("configuration: {warning}"));
                }
                self.start(config);
                true
            }
            Err(faults) => {
                for fault in faults.iter() {
                    sinks::error(&format!("configuration: {fault}"));
                }
                false
            }
        }
    }

    fn start(&self, config: Config) {
        let verifier = ChosenVerifier::choose(Box::new(host::verifier()));
        sinks::tell_backends(&verifier);
        let gate =
            Gate::new(Arc::new(config), Box::new(verifier)).sharing(Box::new(host::SharedMemory));
        let worker = Worker::new(gate, Stats::declare());
        match self.worker.get() {
            // Requests that have begun know the worker of before: it becomes this one, for them too.
            Some(shared) => {
                retire(shared);
                shared.with(|old| old.replace_by(worker));
            }
            None => {
                self.worker.get_or_init(|| Shared::new(worker));
            }
        }
        host::tick_every(TICK);
        if let Some(worker) = self.worker.get() {
            worker.with(|worker| worker.hurries = false);
        }
        self.tick();
    }

    /// Looks for what is due, and for what the host should have answered long ago.
    pub(crate) fn tick(&self) {
        let Some(worker) = self.worker.get() else {
            return;
        };
        let now = host::now();
        for purpose in worker.with(|worker| worker.give_up_overdue(now)) {
            if purpose.is_about_requests() {
                worker.with(|worker| worker.gate.count(Counter::CalloutTimeout));
            }
            let never = Arrival::Nothing("the proxy never answered the call");
            settle(worker, purpose, never, now);
        }
        worker.with(|worker| {
            worker.fetch_due_keys(now);
            worker.ask_feed_if_due(now);
            worker.release_background(BACKGROUND_AT_ONCE, now);
        });
        self.carry_on(worker, now);
        worker.with(Worker::tell_figures);
    }

    /// A call has ended.
    pub(crate) fn take_reply(&self, call: u32, body_size: usize) {
        let Some(worker) = self.worker.get() else {
            return;
        };
        let now = host::now();
        let Some(call) = worker.with(|worker| worker.call_ended(call, now)) else {
            return;
        };
        let purpose = call.purpose;
        let arrival = receive(call, body_size);
        if purpose.is_about_requests() {
            worker.with(|worker| worker.gate.count(counter_of(&arrival)));
        }
        settle(worker, purpose, arrival, now);
        self.carry_on(worker, now);
    }

    /// What every callback of the root ends with: questions leave, some who are ready are told, some whose time is over are cut.
    fn carry_on(&self, worker: &Shared, now: UnixMillis) {
        dispatch_outbox(worker, now);
        let ready = worker.with(|worker| {
            worker.export_due(now);
            let ready = worker.take_ready(READY_AT_ONCE, now);
            worker.ask_again(now);
            worker.write_down(now);
            ready
        });
        let room = AT_ONCE.saturating_sub(ready.len());
        for (id, outcome) in ready {
            resume(id, outcome, worker);
        }
        let some_are_left = cut_ended(worker, now, room);
        host::enter(self.id);
        // Some of those who were ready have another question.
        dispatch_outbox(worker, now);
        set_pace(worker, some_are_left);
    }
}

/// Sends what is in the outbox from within a callback of `request`, which is the effective context again afterwards. The calls are the
/// root's, and outlive the request. False if the root is gone.
#[must_use]
pub(crate) fn send_for(root: u32, request: u32, worker: &Shared, now: UnixMillis) -> bool {
    let entered = host::enter(root);
    if entered {
        dispatch_outbox(worker, now);
        // A question that the host would not take was settled for everybody who waited for it. Whatever else the tick hurries for goes on.
        let hurries = worker.with(|worker| worker.hurries);
        set_pace(worker, hurries);
        host::enter(request);
    }
    entered
}

/// Has the tick come sooner while somebody is ready, and as usual otherwise.
fn set_pace(worker: &Shared, some_are_left: bool) {
    let hurries = some_are_left || worker.with(|worker| worker.has_work());
    if worker.with(|worker| std::mem::replace(&mut worker.hurries, hurries)) != hurries {
        host::tick_every(if hurries { HURRY } else { TICK });
    }
}

/// Requests that wait under the configuration of before are not left hanging, nor is one that would wait for something else next.
fn retire(worker: &Shared) {
    loop {
        let now = host::now();
        let under_way = worker.with(|worker| {
            worker.settle_ready(now);
            worker.write_down(now);
            worker.under_way()
        });
        if under_way.is_empty() {
            return;
        }
        for purpose in under_way {
            match purpose {
                // Records go on under the next configuration, if it exports any.
                Purpose::Export => {}
                Purpose::Keys(_) => {
                    let replaced = Arrival::Nothing("the configuration was replaced");
                    settle(worker, purpose, replaced, now);
                }
                // Nor does that say anything of the feed, which the next configuration may follow too.
                Purpose::Revocations => worker.with(|worker| {
                    worker.gate.give_up_feed();
                    worker.land(purpose, None, now);
                }),
                // That says nothing of the service, so `failure_mode` lets nobody pass for it.
                Purpose::Grant(_) => {
                    let given_up = Some(GrantOutcome::GivenUp);
                    worker.with(|worker| worker.land(purpose, given_up, now));
                }
            }
        }
    }
}

fn dispatch_outbox(worker: &Shared, now: UnixMillis) {
    while let Some(callout) = worker.with(|worker| worker.outbox.pop_front()) {
        if let Some(refusal) = send(worker, &callout, now) {
            settle(worker, callout.purpose, refusal, now);
        }
    }
}

/// Takes what came of a question: everyone who waited for it is ready.
fn settle(worker: &Shared, purpose: Purpose, arrival: Arrival, now: UnixMillis) {
    worker.with(|worker| {
        match purpose {
            Purpose::Export => worker.export_ended(&arrival, now),
            Purpose::Keys(provider) => match learn_keys(&mut worker.gate, provider, arrival, now) {
                Progress::Ended => worker.land(purpose, None, now),
                Progress::HalfWay => worker.ask_for_keys(provider, now),
            },
            Purpose::Revocations => {
                learn_revocations(&mut worker.gate, arrival, now);
                end_revoked(worker);
                worker.land(purpose, None, now);
            }
            Purpose::Grant(key) => {
                let outcome = learn_grant(&mut worker.gate, key, arrival, now);
                worker.land(purpose, Some(outcome), now);
            }
        }
        worker.write_down(now);
    });
}

/// Sends a question; what came of it, if the host would not take it.
fn send(worker: &Shared, callout: &Callout, now: UnixMillis) -> Option<Arrival> {
    let sent = host::dispatch(
        &callout.cluster,
        &callout.header_pairs(),
        callout.body.as_deref(),
        callout.timeout,
    );
    match sent {
        Ok(call) => {
            worker.with(|worker| worker.call_sent(call, callout, now));
            None
        }
        Err(_) if !callout.purpose.is_about_requests() => {
            Some(Arrival::Nothing("the proxy refused the call"))
        }
        Err(refusal) => {
            worker.with(|worker| worker.gate.count(Counter::CalloutRefused));
            sinks::warn(&format!(
                "the proxy refused a call to cluster `{}` ({refusal}): is the cluster configured, and has it hosts?",
                callout.cluster
            ));
            Some(Arrival::Nothing("the proxy refused the call"))
        }
    }
}

/// Lets the gate learn from what an issuer's server answered.
fn learn_keys(gate: &mut Gate, provider: usize, arrival: Arrival, now: UnixMillis) -> Progress {
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
fn learn_revocations(gate: &mut Gate, arrival: Arrival, now: UnixMillis) {
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
fn learn_grant(
    gate: &mut Gate,
    key: DecisionKey,
    arrival: Arrival,
    now: UnixMillis,
) -> GrantOutcome {
    let fault = match arrival {
        Arrival::Reply(reply) => {
            let content_type = reply.header("content-type");
            let cache_control = reply.header("cache-control");
            let request_id = reply.header("x-request-id");
            let raw = RawReply {
                status: reply.status,
                content_type: content_type.as_deref(),
                cache_control: cache_control.as_deref(),
                request_id: request_id.as_deref(),
                asked_as: reply.asked_as.as_deref(),
                body: &reply.body,
            };
            // One that does not say when it was asked was asked before anything was taken back.
            let asked = reply.asked.unwrap_or(UnixMillis::new(0));
            match gate.on_grant_reply(key, raw, asked, now) {
                Ok(word) => return GrantOutcome::Decided(word),
                Err(fault) => fault.to_string(),
            }
        }
        Arrival::Nothing(why) => {
            gate.grant_failed(now);
            why.to_owned()
        }
    };
    sinks::warn(&format!("the grant service did not decide: {fault}"));
    GrantOutcome::Failed
}

fn resume(id: u32, outcome: Outcome, worker: &Shared) {
    // The stream may be gone although nobody said so; then there is nothing to resume.
    if host::enter(id) && perform(id, outcome, worker) == Verdict::Continue {
        host::resume_request();
    }
}

/// Reads the reply that is being delivered. Of one that is too large no more is read than shows that it is.
fn receive(call: Call, body_size: usize) -> Arrival {
    let limit = match call.purpose {
        Purpose::Keys(_) => MAX_SET_BYTES,
        Purpose::Grant(_) => MAX_REPLY_BYTES,
        Purpose::Revocations => MAX_FEED_BYTES,
        Purpose::Export => MAX_ANSWER_BYTES,
    };
    let body = host::reply_body(body_size.min(limit.saturating_add(1)));
    Reply::new(host::reply_headers(), body, call)
        .map_or(Arrival::Nothing("the call failed"), Arrival::Reply)
}

/// The host answers 504 in place of a service that did not answer in time.
fn counter_of(arrival: &Arrival) -> Counter {
    match arrival {
        Arrival::Reply(reply) if reply.status == 200 => Counter::CalloutOk,
        Arrival::Reply(reply) if reply.status == 504 => Counter::CalloutTimeout,
        Arrival::Reply(_) | Arrival::Nothing(_) => Counter::CalloutError,
    }
}
