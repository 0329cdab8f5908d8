//! What belongs to the worker as a whole: its configuration, its clock, and the calls to other services, which outlive the requests that
//! wanted them.

use std::cell::OnceCell;
use std::sync::Arc;
use std::time::Duration;

use hallpass_core::audit::otlp::MAX_ANSWER_BYTES;
use hallpass_core::config::Config;
use hallpass_core::flow::{Gate, Progress};
use hallpass_core::grant::GrantOutcome;
use hallpass_core::grant::service::{MAX_REPLIES_BYTES, MAX_REPLY_BYTES};
use hallpass_core::jwks::MAX_SET_BYTES;
use hallpass_core::metrics::Counter;
use hallpass_core::revocation::MAX_FEED_BYTES;
use hallpass_core::time::UnixMillis;
use hallpass_core::token::signature::chosen::ChosenVerifier;

use crate::callouts::{Arrival, Call, Callout, Purpose, Reply};
use crate::host;
use crate::http::{Request, Verdict, perform};
use crate::learning::{learn_grant, learn_grants, learn_keys, learn_revocations};
use crate::sinks::{self, Stats};
use crate::streams::{cut_ended, end_revoked};
use crate::worker::{HURRY, Outcome, Shared, Worker};

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
        sinks::inform(&format!(
            "hallpass {}, configuration {}",
            env!("CARGO_PKG_VERSION"),
            config.hash
        ));
        let verifier = ChosenVerifier::choose(Box::new(host::verifier()));
        sinks::tell_backends(&verifier);
        let gate = Gate::new(Arc::new(config), Box::new(verifier))
            .sharing(Box::new(host::SharedMemory))
            .giving(host::request_ids());
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
        self.tick();
    }

    /// It is over, and its configuration with it: no tick will come any more.
    pub(crate) fn end(&self) {
        if let Some(worker) = self.worker.get() {
            worker.with(Worker::end);
        }
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
        dispatch_outbox(worker, now);
        worker.with(|worker| worker.give_up_unasked(now));
        let wanted = self.carry_on(worker, now);
        worker.with(|worker| {
            worker.tick.come(wanted, now);
            worker.tell_figures();
        });
    }

    /// A call has ended.
    pub(crate) fn take_reply(&self, call: u32, body_size: usize) {
        let Some(worker) = self.worker.get() else {
            return;
        };
        let now = host::now();
        if let Some(call) = worker.with(|worker| worker.call_ended(call, now)) {
            let purpose = call.purpose;
            let arrival = receive(call, body_size);
            if purpose.is_about_requests() {
                worker.with(|worker| worker.gate.count(counter_of(&arrival)));
            }
            settle(worker, purpose, arrival, now);
        }
        // Whoever the answer was for, there is room for another call.
        let wanted = self.carry_on(worker, now);
        worker.with(|worker| worker.tick.hasten(wanted, now));
    }

    /// What every callback of the root ends with: questions leave, some who are ready are told, some whose time is over are cut. Returns
    /// after how long the tick should come for those who are left.
    fn carry_on(&self, worker: &Shared, now: UnixMillis) -> Duration {
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
            resume(id, outcome, worker, now);
        }
        let some_are_left = cut_ended(worker, now, room);
        host::enter(self.id);
        // Some of those who were ready have another question.
        dispatch_outbox(worker, now);
        if some_are_left {
            HURRY
        } else {
            worker.with(|worker| worker.wanted_tick(now))
        }
    }
}

/// Sends what is in the outbox from within a callback of `request`, which is the effective context again afterwards. The calls are the
/// root's, and outlive the request. False if the root is gone.
#[must_use]
pub(crate) fn send_for(root: u32, request: u32, worker: &Shared, now: UnixMillis) -> bool {
    let entered = host::enter(root);
    if entered {
        dispatch_outbox(worker, now);
        // A question that the host would not take was settled for everybody who waited for it.
        worker.with(|worker| worker.hasten(now));
        host::enter(request);
    }
    entered
}

/// Has the tick come sooner, if that is wanted, from within a callback of `request`, which is the effective context again afterwards.
pub(crate) fn hasten_for(root: u32, request: u32, worker: &Shared, now: UnixMillis) {
    if host::enter(root) {
        worker.with(|worker| worker.hasten(now));
        host::enter(request);
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
                // Each of them is under way by itself, too.
                Purpose::Grants(_) => worker.with(|worker| worker.land(purpose, None, now)),
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
    while let Some(callout) = worker.with(|worker| worker.next_callout(now)) {
        if let Some((purpose, refusal)) = send(worker, callout, now) {
            settle(worker, purpose, refusal, now);
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
                worker.spare_failing_service(now);
            }
            Purpose::Grants(number) => {
                let enquiries = worker.take_batch(number);
                match learn_grants(&mut worker.gate, &enquiries, arrival, now) {
                    Some(outcomes) => {
                        for (enquiry, outcome) in enquiries.iter().zip(outcomes) {
                            worker.land(Purpose::Grant(enquiry.key), Some(outcome), now);
                        }
                    }
                    None => worker.put_apart(enquiries, now),
                }
                worker.spare_failing_service(now);
            }
        }
        worker.write_down(now);
    });
}

/// Sends a question; what came of it, if the host would not take it.
fn send(worker: &Shared, callout: Callout, now: UnixMillis) -> Option<(Purpose, Arrival)> {
    let sent = host::dispatch(
        &callout.cluster,
        &callout.header_pairs(),
        callout.body.as_deref(),
        callout.timeout,
    );
    worker.with(|worker| match sent {
        Ok(call) => {
            worker.call_sent(call, callout, now);
            None
        }
        Err(refusal) => worker.call_refused(callout, refusal, now),
    })
}

fn resume(id: u32, outcome: Outcome, worker: &Shared, now: UnixMillis) {
    // The stream may be gone although nobody said so; then there is nothing to resume.
    if host::enter(id) && perform(id, outcome, worker, now) == Verdict::Continue {
        host::resume_request();
    }
}

/// Reads the reply that is being delivered. Of one that is too large no more is read than shows that it is.
fn receive(call: Call, body_size: usize) -> Arrival {
    let limit = match call.purpose {
        Purpose::Keys(_) => MAX_SET_BYTES,
        Purpose::Grant(_) => MAX_REPLY_BYTES,
        Purpose::Grants(_) => MAX_REPLIES_BYTES,
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
