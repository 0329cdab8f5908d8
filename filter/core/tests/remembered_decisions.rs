//! The rule of time and the rule of the key, as properties: whatever happens in whatever order, nobody passes past the end of a grant, by
//! another's decision, or by one about something else.
//!
//! A gate with little room and one with much live through the same random events as a model that is too simple to be wrong: it keeps, for
//! each whole question, the last thing that the service said about it.
#![cfg(not(target_arch = "wasm32"))]

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use chacha20::ChaCha8Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use hallpass_core::config::Config;
use hallpass_core::denial::Reason;
use hallpass_core::flow::{Exchange, Gate, Need, Step};
use hallpass_core::grant::service::RawReply;
use hallpass_core::grant::{DecisionKey, Failure, GrantOutcome};
use hallpass_core::request::RequestHead;
use hallpass_core::time::UnixMillis;
use hallpass_core::token::signature::PureRust;
use hallpass_tokens::{NOW, SigningKey, TokenBuilder};
use serde_json::json;

const ALLOW_TTL: Duration = Duration::from_secs(20);
const DENY_TTL: Duration = Duration::from_secs(5);
const STALE: Duration = Duration::from_secs(15);
/// How long some of the tokens last.
const SHORT: i64 = 45;

/// Someone with a token.
struct Person {
    token: String,
    expires: UnixMillis,
}

/// People whose names would be one and the same if a key were only joined with some separator.
static PEOPLE: LazyLock<Vec<Person>> = LazyLock::new(|| {
    let mut people = vec![person("alice", &json!(["a", "b"]), SHORT)];
    for separator in ["|", ",", ":", " ", "\n", "\0", "/"] {
        let joined = format!("a{separator}b");
        people.push(person("alice", &json!([joined]), SHORT));
        let issuer_like = format!("bob{separator}https://idp.example");
        people.push(person(&issuer_like, &json!(["a"]), 3_600));
    }
    people.push(person("bob", &json!(["a"]), 3_600));
    people.push(person("bob", &json!("a"), SHORT));
    people
});

fn key() -> SigningKey {
    SigningKey::es256("e")
}

fn person(subject: &str, groups: &serde_json::Value, seconds: i64) -> Person {
    let token = TokenBuilder::for_user(subject)
        .claim("groups", groups.clone())
        .issued_at(NOW - 100)
        .not_before(NOW - 100)
        .expires_at(NOW + seconds);
    Person {
        token: token.signed_by(&key()),
        expires: UnixMillis::from_seconds(NOW + seconds).expect("a date"),
    }
}

/// What is asked: who (each of them another question), and about which of the requests.
type Question = (usize, &'static str);

/// Two resources, two actions, and paths that are facts of the question.
const REQUESTS: [&str; 5] = [
    "GET /orders/7",
    "GET /orders/8",
    "POST /orders/7",
    "GET /bills/7",
    "DELETE /bills/7",
];

/// `bob` asks the same with his two tokens, whose groups are the same list.
fn question(who: usize, request: &'static str) -> Question {
    let last = PEOPLE.len() - 1;
    (who.min(last - 1), request)
}

#[derive(Debug, Clone)]
enum Event {
    Ask { who: usize, request: usize },
    Answer { pending: usize, reply: Reply },
    Fail { pending: usize },
    Pass { millis: u64 },
    SetBack { millis: u64 },
}

#[derive(Debug, Clone, Copy)]
struct Reply {
    /// For how many seconds from then on, if it is an allow.
    allows: Option<i64>,
    max_age: Option<u64>,
}

/// Random events, the same on every machine.
struct Fate(ChaCha8Rng);

impl Fate {
    fn up_to(&mut self, end: u64) -> u64 {
        self.0.next_u64() % end
    }

    fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.up_to(len as u64)).expect("it is less than the length")
    }

    fn event(&mut self) -> Event {
        match self.up_to(37) {
            0..10 => Event::Ask {
                who: self.index(PEOPLE.len()),
                request: self.index(REQUESTS.len()),
            },
            // The same few again and again, so that memory is used.
            10..20 => Event::Ask {
                who: PEOPLE.len() - 1 - self.index(3),
                request: self.index(2),
            },
            20..28 => Event::Answer {
                pending: self.index(1_000),
                reply: self.reply(),
            },
            28..30 => Event::Fail {
                pending: self.index(1_000),
            },
            30..36 => Event::Pass {
                millis: self.up_to(12_000),
            },
            _ => Event::SetBack {
                millis: self.up_to(9_000),
            },
        }
    }

    fn reply(&mut self) -> Reply {
        let seconds = i64::try_from(self.up_to(63)).expect("it is small") - 3;
        let max_age = self.up_to(40);
        Reply {
            allows: (self.up_to(10) < 7).then_some(seconds),
            max_age: (self.up_to(10) < 3).then_some(max_age),
        }
    }
}

/// The last thing that the service said about a question.
struct Said {
    at: UnixMillis,
    reply: Reply,
}

impl Said {
    fn grant_end(&self) -> Option<UnixMillis> {
        let seconds = self.reply.allows?;
        UnixMillis::from_seconds(i64::try_from(self.at.as_seconds()).ok()? + seconds)
    }

    fn is_allow(&self) -> bool {
        self.grant_end().is_some_and(|end| end > self.at)
    }

    /// Until when the configuration and the service let it be remembered.
    fn fresh_until(&self) -> UnixMillis {
        let ttl = if self.is_allow() { ALLOW_TTL } else { DENY_TTL };
        let age = self.reply.max_age.map(Duration::from_secs);
        self.at.saturating_add(age.map_or(ttl, |age| age.min(ttl)))
    }

    /// Whether it lets someone pass who did not ask for it himself.
    fn may_open(&self, extra: Duration, now: UnixMillis) -> bool {
        let kept = self.reply.max_age != Some(0);
        let until = self.fresh_until().saturating_add(extra);
        kept && self.at <= now && now < until && self.grant_end().is_some_and(|end| now < end)
    }
}

struct World {
    gate: Gate,
    roomy: bool,
    now: UnixMillis,
    was_set_back: bool,
    pending: Vec<(Exchange, DecisionKey, usize, Question)>,
    said: HashMap<Question, Said>,
}

impl World {
    fn new(max_entries: usize) -> Self {
        let resource = |name: &str, path: &str| json!({ "name": name, "match": { "paths": [path] }, "access": "grant" });
        let config = json!({
            "providers": [{
                "name": "corp", "issuer": "https://idp.example", "audiences": ["orders-api"], "clock_skew": "0s",
                "jwks": { "inline": hallpass_tokens::jwks(&[&key()]) },
            }],
            "resources": [resource("orders", "/orders/{id}"), resource("bills", "/bills/{id}")],
            "grants": { "service": {
                "cluster": "grants", "context": ["path"],
                "cache": { "allow_ttl": "20s", "deny_ttl": "5s", "stale_if_error": "15s", "max_entries": max_entries },
            } },
            // Names with line breaks are no headers.
            "identity_headers": { "subject": null, "groups": null },
            "audit": { "log": "none" },
        });
        let config = Config::parse(config.to_string().as_bytes()).expect("it is sound");
        Self {
            gate: Gate::new(Arc::new(config), Box::new(PureRust)),
            roomy: max_entries > 100,
            now: UnixMillis::from_seconds(NOW).expect("a date"),
            was_set_back: false,
            pending: Vec::new(),
            said: HashMap::new(),
        }
    }

    fn live(&mut self, event: &Event) -> Result<(), String> {
        match event {
            Event::Ask { who, request } => self.ask(*who, REQUESTS[*request])?,
            Event::Answer { pending, reply } => self.answer(*pending, *reply)?,
            Event::Fail { pending } => self.fail(*pending)?,
            Event::Pass { millis } => {
                self.now = self.now.saturating_add(Duration::from_millis(*millis));
            }
            Event::SetBack { millis } => {
                self.now = self.now.saturating_sub(Duration::from_millis(*millis));
                self.was_set_back = true;
            }
        }
        self.gate.take_refreshes();
        Ok(())
    }

    fn ask(&mut self, who: usize, request: &'static str) -> Result<(), String> {
        let question = question(who, request);
        let mut exchange = Exchange::new(head(who, request));
        let step = exchange.start(&mut self.gate, self.now);
        match &step {
            Step::Continue(passage) => {
                let extra = match passage.reason {
                    Reason::GrantCached => Duration::ZERO,
                    Reason::GrantStale => STALE,
                    other => return Err(format!("passes by {other:?}")),
                };
                demand(self.may_pass(who, question, extra), "passes by memory")?;
            }
            Step::Respond(refusal) => {
                let token_is_over = self.now >= PEOPLE[who].expires;
                let is_told = refusal.reason == Reason::TokenExpired;
                demand(token_is_over == is_told, "the token is misjudged")?;
            }
            Step::Wait(_) => {}
        }
        if let Step::Wait(Need::Grant(query)) = step {
            // Where there is room and time went on, what may be remembered is.
            let is_certain = self.roomy && !self.was_set_back;
            let may_pass = self.may_pass(who, question, Duration::ZERO);
            demand(!(is_certain && may_pass), "asks although it was told")?;
            self.pending.push((exchange, query.key(), who, question));
        }
        Ok(())
    }

    fn answer(&mut self, pending: usize, reply: Reply) -> Result<(), String> {
        let Some((mut exchange, key, who, question)) = self.take(pending) else {
            return Ok(());
        };
        let said = Said {
            at: self.now,
            reply,
        };
        let body = match said.grant_end() {
            None => json!({ "decision": false }),
            Some(end) => {
                json!({ "decision": true, "context": { "approval": { "approved_until": end.to_rfc3339() } } })
            }
        };
        let body = body.to_string();
        let age = reply.max_age.map(|age| format!("max-age={age}"));
        let raw = RawReply {
            cache_control: age.as_ref().map(String::as_bytes),
            ..RawReply::json(body.as_bytes())
        };
        let word = self.gate.on_grant_reply(key, raw, self.now, self.now);
        let outcome = GrantOutcome::Decided(word.expect("a decision"));
        let passes = passes(&exchange.on_grant(&mut self.gate, &outcome, self.now));
        let may_pass = said.is_allow() && self.now < PEOPLE[who].expires;
        demand(passes == may_pass, "the answer is misjudged")?;
        self.said.insert(question, said);
        Ok(())
    }

    fn fail(&mut self, pending: usize) -> Result<(), String> {
        let Some((mut exchange, _, who, question)) = self.take(pending) else {
            return Ok(());
        };
        self.gate.grant_failed(self.now);
        let step = exchange.on_grant(
            &mut self.gate,
            &GrantOutcome::Failed(Failure::Service),
            self.now,
        );
        let may_pass = self.may_pass(who, question, STALE);
        demand(!passes(&step) || may_pass, "passes by a failure")?;
        Ok(())
    }

    fn take(&mut self, pending: usize) -> Option<(Exchange, DecisionKey, usize, Question)> {
        let index = pending.checked_rem(self.pending.len())?;
        Some(self.pending.swap_remove(index))
    }

    fn may_pass(&self, who: usize, question: Question, extra: Duration) -> bool {
        let opens = |said: &Said| said.may_open(extra, self.now);
        self.now < PEOPLE[who].expires && self.said.get(&question).is_some_and(opens)
    }
}

fn passes(step: &Step) -> bool {
    matches!(step, Step::Continue(_))
}

fn head(who: usize, request: &str) -> RequestHead {
    let (method, path) = request.split_once(' ').expect("a method and a path");
    let mut head = RequestHead::default();
    let token = format!("Bearer {}", PEOPLE[who].token);
    for (name, value) in [
        (":method", method),
        (":authority", "admin.example"),
        (":path", path),
        ("authorization", &token),
    ] {
        head.headers.push(name.as_bytes(), value.as_bytes());
    }
    head
}

fn demand(holds: bool, else_what: &str) -> Result<(), String> {
    holds.then_some(()).ok_or_else(|| else_what.to_owned())
}

/// What goes wrong in a world in which this happens, and with which event.
fn fault(events: &[Event], max_entries: usize) -> Option<(usize, String)> {
    let mut world = World::new(max_entries);
    let mut events = events.iter().enumerate();
    events.find_map(|(index, event)| Some((index, world.live(event).err()?)))
}

/// Leaves out one event after the other without which it goes wrong just as well, until there is none.
fn shrunk(mut events: Vec<Event>, max_entries: usize) -> Vec<Event> {
    loop {
        let length = events.len();
        for index in (0..length).rev() {
            let mut fewer = events.clone();
            fewer.remove(index);
            if fault(&fewer, max_entries).is_some() {
                events = fewer;
            }
        }
        if events.len() == length {
            return events;
        }
    }
}

fn live_through_anything(max_entries: usize) {
    for life in 0..300 {
        let mut fate = Fate(ChaCha8Rng::seed_from_u64(life));
        let mut events: Vec<Event> = (0..120).map(|_| fate.event()).collect();
        if let Some((index, _)) = fault(&events, max_entries) {
            events.truncate(index + 1);
            let events = shrunk(events, max_entries);
            let (_, why) = fault(&events, max_entries).expect("it still goes wrong");
            panic!("life {life}: {why}, after {events:?}");
        }
    }
}

#[test]
fn nobody_passes_by_an_ended_or_a_foreign_decision() {
    live_through_anything(1_000);
}

#[test]
fn nobody_passes_by_an_ended_or_a_foreign_decision_where_most_are_forgotten() {
    live_through_anything(3);
}
