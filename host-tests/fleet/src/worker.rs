//! One worker thread of a proxy: the core's gate, and around it what the module does with the proxy's callbacks.
//!
//! The module itself runs in a proxy only. What is repeated of it here (`filter/plugin`: `root`, `http`, `worker::asking`) is when questions
//! leave: a request that must ask runs the tick, what is asked for nobody in particular waits for the next one, and sixteen of that leave
//! with each. What bounds the calls under way, and who waits, is left out: so few are here that nobody feels it.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use hallpass_core::config::Config;
use hallpass_core::flight::{Flights, Joined};
use hallpass_core::flow::{Exchange, Gate, KeysReply, Need, Progress, Step};
use hallpass_core::grant::service::RawReply;
use hallpass_core::grant::shelf::SharedPlaces;
use hallpass_core::grant::{DecisionKey, GrantOutcome, Query};
use hallpass_core::metrics::{Counter, Held};
use hallpass_core::request::RequestHead;
use hallpass_core::revocation::FeedReply;
use hallpass_core::time::UnixMillis;

use crate::measured::Ledger;
use crate::people::Credulous;
use crate::service::{FeedAnswer, Service};

/// The module's own, of `root` and `worker::asking`.
const TICK: Duration = Duration::from_millis(250);
const HURRY: Duration = Duration::from_millis(1);
const BACKGROUND_AT_ONCE: usize = 16;
const MAX_BACKGROUND: usize = 1_024;
const MAX_WAITING: usize = 4_096;

/// The only provider.
const PROVIDER: usize = 0;

/// A worker, or the main thread, to which no requests come.
pub(crate) struct Worker {
    gate: Gate,
    flights: Flights<Purpose, u32>,
    outbox: VecDeque<Question>,
    background: VecDeque<Question>,
    /// Each takes the same time, so they come back in the order in which they left.
    under_way: VecDeque<Call>,
    way: Duration,
    held: HashMap<u32, Request>,
    requests: u32,
    tick: UnixMillis,
    hurries: bool,
    /// How many of the service's revocations it knows.
    known: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Purpose {
    Keys,
    Grant(DecisionKey),
    Revocations,
}

enum Question {
    Keys,
    Grant {
        key: DecisionKey,
        body: Vec<u8>,
        asked: UnixMillis,
    },
    Revocations {
        cursor: Option<String>,
    },
}

struct Call {
    question: Question,
    answered: UnixMillis,
    arrives: UnixMillis,
}

struct Request {
    exchange: Exchange,
    user: u32,
}

impl Worker {
    /// One that starts now and shares these places with the others of its proxy.
    pub(crate) fn start(
        config: Arc<Config>,
        places: Box<dyn SharedPlaces>,
        way: Duration,
        now: UnixMillis,
    ) -> Self {
        Self {
            gate: Gate::new(config, Box::new(Credulous)).sharing(places),
            flights: Flights::new(MAX_WAITING),
            outbox: VecDeque::new(),
            background: VecDeque::new(),
            under_way: VecDeque::new(),
            way,
            held: HashMap::new(),
            requests: 0,
            tick: now,
            hurries: false,
            known: 0,
        }
    }

    /// When something happens next, if no request comes.
    pub(crate) fn next(&self) -> UnixMillis {
        let reply = self.under_way.front().map(|call| call.arrives);
        reply.map_or(self.tick, |reply| reply.min(self.tick))
    }

    /// What is remembered.
    pub(crate) fn held(&self) -> Held {
        self.gate.held()
    }

    /// That happens: a reply arrives, or it is time for a tick.
    pub(crate) fn go_on(&mut self, service: &Service, ledger: &mut Ledger, now: UnixMillis) {
        if let Some(call) = self.under_way.pop_front_if(|call| call.arrives <= now) {
            self.take_reply(call, service, ledger, now);
        } else {
            self.tick = now.saturating_add(if self.hurries { HURRY } else { TICK });
            self.look_for_what_is_due(now);
            for question in drain_some(&mut self.background) {
                self.outbox.push_back(question);
            }
        }
        self.carry_on(ledger, now);
        self.write_down(ledger);
    }

    /// A user's request comes.
    pub(crate) fn request(
        &mut self,
        head: RequestHead,
        user: u32,
        service: &Service,
        ledger: &mut Ledger,
        now: UnixMillis,
    ) {
        let mut exchange = Exchange::new(head);
        let step = exchange.start(&mut self.gate, now);
        let request = Request { exchange, user };
        let is_held = self.hold_or_settle(request, step, service, ledger, now);
        ledger.requested(is_held, now);
        self.ask_again(now);
        if is_held && !self.outbox.is_empty() {
            self.look_for_what_is_due(now);
            self.carry_on(ledger, now);
        }
        self.write_down(ledger);
    }

    /// Whether it is held.
    fn hold_or_settle(
        &mut self,
        request: Request,
        step: Step,
        service: &Service,
        ledger: &mut Ledger,
        now: UnixMillis,
    ) -> bool {
        let has_passed = match step {
            Step::Continue(_) => true,
            Step::Respond(_) => false,
            Step::Wait(need) => {
                let id = self.requests;
                self.requests = self.requests.wrapping_add(1);
                self.join(id, need, now);
                self.held.insert(id, request);
                return true;
            }
        };
        let revoked = service.revoked(request.user, now);
        let is_known = service.revocations_from(self.known).first();
        let is_known = is_known.is_none_or(|next| revoked.is_some_and(|at| at < next.at));
        ledger.decided(has_passed, revoked.map(|at| now.since(at)), is_known);
        false
    }

    fn join(&mut self, id: u32, need: Need, now: UnixMillis) {
        let (purpose, query) = match need {
            Need::Keys(_) | Need::NewKey(_) => (Purpose::Keys, None),
            Need::Revocations => (Purpose::Revocations, None),
            Need::Grant(query) => (Purpose::Grant(query.key()), Some(query)),
        };
        let never = UnixMillis::new(u64::MAX);
        match self.flights.join(purpose, id, never) {
            Joined::First => match query {
                Some(query) => {
                    let question = self.question(&query, now);
                    self.outbox.push_back(question);
                }
                None if purpose == Purpose::Keys => self.ask_for_keys(now),
                None => self.ask_feed(now),
            },
            Joined::Waiting => {
                let is_it = |question: &Question| question.purpose() == purpose;
                let place = self.background.iter().position(is_it);
                let question = place.and_then(|place| self.background.remove(place));
                self.outbox.extend(question);
            }
            Joined::Full => panic!("more wait than a worker holds"),
        }
    }

    fn look_for_what_is_due(&mut self, now: UnixMillis) {
        if !self.gate.due_keys(now).is_empty() {
            self.ask_for_keys(now);
        }
        if self.gate.is_feed_due(now) {
            self.ask_feed(now);
        }
    }

    fn ask_for_keys(&mut self, now: UnixMillis) {
        self.gate.fetch_started(PROVIDER, now);
        self.put(Question::Keys);
    }

    fn ask_feed(&mut self, now: UnixMillis) {
        let request = self.gate.feed_request().expect("a feed");
        let cursor = request.path.split_once("since=");
        let cursor = cursor.map(|(_, cursor)| cursor.to_owned());
        self.gate.feed_asked(now);
        self.put(Question::Revocations { cursor });
    }

    fn put(&mut self, question: Question) {
        let never = UnixMillis::new(u64::MAX);
        self.flights.start(question.purpose(), never);
        self.outbox.push_back(question);
    }

    /// Questions whose answers are over soon, for nobody in particular.
    fn ask_again(&mut self, now: UnixMillis) {
        for query in self.gate.take_refreshes() {
            let purpose = Purpose::Grant(query.key());
            if self.flights.is_under_way(&purpose) || self.background.len() >= MAX_BACKGROUND {
                continue;
            }
            let question = self.question(&query, now);
            self.flights.start(purpose, UnixMillis::new(u64::MAX));
            self.background.push_back(question);
        }
    }

    fn question(&mut self, query: &Query, now: UnixMillis) -> Question {
        Question::Grant {
            key: query.key(),
            body: query.to_body(),
            asked: self.gate.asking(now),
        }
    }

    /// What every callback of the root ends with.
    fn carry_on(&mut self, ledger: &mut Ledger, now: UnixMillis) {
        self.ask_again(now);
        while let Some(question) = self.outbox.pop_front() {
            match question {
                Question::Keys => ledger.fetched(now),
                Question::Grant { .. } => ledger.called(now),
                Question::Revocations { .. } => ledger.polled(now),
            }
            self.under_way.push_back(Call {
                question,
                answered: now.saturating_add(self.way / 2),
                arrives: now.saturating_add(self.way),
            });
        }
        let hurries = !self.background.is_empty();
        if std::mem::replace(&mut self.hurries, hurries) != hurries {
            self.tick = now.saturating_add(if hurries { HURRY } else { TICK });
        }
    }

    fn take_reply(&mut self, call: Call, service: &Service, ledger: &mut Ledger, now: UnixMillis) {
        let purpose = call.question.purpose();
        let outcome = match call.question {
            Question::Keys => {
                let reply = KeysReply {
                    status: 200,
                    cache_control: None,
                    body: service.keys(),
                };
                let progress = self.gate.on_keys_reply(PROVIDER, reply, now);
                assert_eq!(progress, Progress::Ended);
                None
            }
            Question::Revocations { cursor } => {
                let answer = service.feed(cursor.as_deref(), call.answered);
                self.learn_what_is_revoked(&answer, service, ledger, now);
                None
            }
            Question::Grant { key, body, asked } => {
                let reply = RawReply::json(service.decide(&body, call.answered));
                let word = self.gate.on_grant_reply(key, reply, asked, now);
                Some(GrantOutcome::Decided(word.expect("a decision")))
            }
        };
        for id in self.flights.land(&purpose) {
            let Some(mut request) = self.held.remove(&id) else {
                continue;
            };
            let exchange = &mut request.exchange;
            let step = match (&outcome, purpose) {
                (Some(outcome), _) => exchange.on_grant(&mut self.gate, outcome, now),
                (None, Purpose::Revocations) => exchange.on_revocations(&mut self.gate, now),
                (None, _) => exchange.on_keys(&mut self.gate, now),
            };
            self.hold_or_settle(request, step, service, ledger, now);
        }
    }

    fn learn_what_is_revoked(
        &mut self,
        answer: &FeedAnswer,
        service: &Service,
        ledger: &mut Ledger,
        now: UnixMillis,
    ) {
        let reply = FeedReply {
            status: answer.status,
            tag: Some(answer.tag.as_bytes()),
            body: &answer.body,
        };
        self.gate.on_feed_reply(reply, now);
        let news = self.gate.take_revocations().len();
        for revocation in &service.revocations_from(self.known)[..news] {
            ledger.felt(now.since(revocation.at));
        }
        self.known += news;
    }

    fn write_down(&mut self, ledger: &mut Ledger) {
        for (counter, count) in self.gate.take_counted() {
            match counter {
                Counter::GrantShared => ledger.shared(count),
                Counter::JwksError | Counter::RevocationsError => panic!("{counter:?}"),
                _ => {}
            }
        }
        let notices = self.gate.take_notices();
        assert!(notices.is_empty(), "{notices:?}");
    }
}

impl Question {
    fn purpose(&self) -> Purpose {
        match self {
            Self::Keys => Purpose::Keys,
            Self::Grant { key, .. } => Purpose::Grant(*key),
            Self::Revocations { .. } => Purpose::Revocations,
        }
    }
}

/// The next few of the questions that nobody waits for.
fn drain_some(background: &mut VecDeque<Question>) -> Vec<Question> {
    let some = background.len().min(BACKGROUND_AT_ONCE);
    background.drain(..some).collect()
}
