//! The rules once more, as plainly as they can be told: lists that are walked from end to end, in memory.

use std::collections::BTreeSet;

use hallpass_grants::audit::Event;
use hallpass_grants::life::{Refusal, RequestId};

use super::{ACTIONS, HOUR, PEOPLE};

/// A request as the model knows it, with its grant if it has come to one.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) id: RequestId,
    pub(super) who: usize,
    pub(super) action: usize,
    pub(super) term: Wanted,
    pub(super) state: &'static str,
    pub(super) yes: BTreeSet<usize>,
    pub(super) too_old: u64,
    pub(super) grant: Option<Given>,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Wanted {
    Millis(u64),
    Until(u64),
}

#[derive(Debug)]
pub(super) struct Given {
    pub(super) from: u64,
    pub(super) until: u64,
    pub(super) state: &'static str,
}

/// All that the model knows.
#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) now: u64,
    pub(super) requests: Vec<Known>,
    /// What must be on record by now.
    pub(super) record: Vec<Event>,
}

impl Model {
    fn is(person: usize, group: &str) -> bool {
        PEOPLE[person].1.contains(&group)
    }

    pub(super) fn ask(
        &mut self,
        who: usize,
        action: usize,
        term: Wanted,
        emergency: bool,
    ) -> Result<&'static str, Refusal> {
        let twin = self
            .requests
            .iter_mut()
            .find(|known| known.state == "pending" && known.who == who && known.action == action);
        // One that is too old is out of the way, but only once the new one is not refused: see below.
        if let Some(twin) = twin
            && twin.too_old > self.now
        {
            return Err(Refusal::Duplicate(twin.id.clone()));
        }
        let breaks_glass = emergency && Self::is(who, "sre");
        if !breaks_glass && !Self::is(who, "dev") {
            return Err(Refusal::NotRequestable);
        }
        let longest = if breaks_glass { HOUR / 2 } else { HOUR };
        let (field, millis) = match term {
            Wanted::Millis(millis) => ("duration", millis),
            Wanted::Until(until) => ("requested_until", until.saturating_sub(self.now)),
        };
        if !(1_000..=longest).contains(&millis) {
            let bounds = if breaks_glass {
                "between 1s and 30m"
            } else {
                "between 1s and 1h"
            };
            return Err(Refusal::invalid(field, bounds));
        }
        let now = self.now;
        for twin in &mut self.requests {
            if twin.state == "pending" && twin.who == who && twin.action == action {
                twin.state = "expired";
                self.record.push(Event::RequestExpired);
            }
        }
        let at_once = breaks_glass || (Self::is(who, "oncall") && millis <= HOUR / 4);
        self.record.push(Event::RequestOpened);
        let mut known = Known {
            id: RequestId(String::new()),
            who,
            action,
            term,
            state: "pending",
            yes: BTreeSet::new(),
            too_old: now + HOUR,
            grant: None,
        };
        if let Wanted::Until(until) = term {
            known.too_old = known.too_old.min(until);
        }
        if at_once {
            known.give(now, longest);
            let given = if breaks_glass {
                Event::GlassBroken
            } else {
                Event::GrantGiven
            };
            self.record.extend([Event::RequestApproved, given]);
        }
        let state = known.state;
        self.requests.push(known);
        Ok(state)
    }

    pub(super) fn decide(
        &mut self,
        by: usize,
        request: usize,
        yes: bool,
    ) -> Result<&'static str, Refusal> {
        let now = self.now;
        let known = &mut self.requests[request];
        if known.state != "pending" {
            return Err(Refusal::Over(known.state));
        }
        if !Self::is(by, "lead") {
            return Err(Refusal::NotAnApprover);
        }
        if known.who == by {
            return Err(Refusal::OwnRequest);
        }
        if known.too_old <= now {
            return Err(Refusal::Over("expired"));
        }
        if !yes {
            known.state = "denied";
            self.record.push(Event::RequestDenied);
        } else if !known.yes.insert(by) {
            // They have said so.
        } else if known.yes.len() < ACTIONS[known.action].1 {
            self.record.push(Event::RequestSeconded);
        } else {
            known.give(now, HOUR);
            self.record
                .extend([Event::RequestApproved, Event::GrantGiven]);
        }
        Ok(known.state)
    }

    pub(super) fn withdraw(&mut self, by: usize, request: usize) -> Result<&'static str, Refusal> {
        let known = &mut self.requests[request];
        if known.state != "pending" {
            return Err(Refusal::Over(known.state));
        }
        if known.who != by {
            return Err(Refusal::NotTheRequester);
        }
        known.state = "withdrawn";
        self.record.push(Event::RequestWithdrawn);
        Ok("withdrawn")
    }

    /// Takes back what all requests of this person (or of all) have come to.
    pub(super) fn revoke(&mut self, whose: Option<usize>, event: Event) -> usize {
        self.record.push(event);
        let about = |known: &Known| whose.is_none_or(|who| known.who == who);
        for known in self.requests.iter_mut().filter(|known| about(known)) {
            if known.state == "pending" {
                known.state = "denied";
                self.record.push(Event::RequestDenied);
            }
        }
        let mut ended = 0;
        for known in self.requests.iter_mut().filter(|known| about(known)) {
            if let Some(event) = known.end(self.now) {
                ended += usize::from(event == Event::GrantRevoked);
                self.record.push(event);
            }
        }
        ended
    }

    pub(super) fn expire(&mut self) {
        for known in &mut self.requests {
            let over = known
                .grant
                .as_ref()
                .is_some_and(|given| given.until <= self.now);
            if over {
                self.record.extend(known.end(self.now));
            }
        }
        for known in &mut self.requests {
            if known.state == "pending" && known.too_old <= self.now {
                known.state = "expired";
                self.record.push(Event::RequestExpired);
            }
        }
    }

    pub(super) fn allows(&self, who: usize, action: usize) -> Option<u64> {
        let counts = |known: &&Known| known.who == who && known.action == action;
        let live = |known: &Known| {
            let given = known.grant.as_ref()?;
            let now = self.now;
            let open = given.from <= now + 5_000 && now < given.until;
            (given.state == "active" && open).then_some(given.until)
        };
        self.requests.iter().filter(counts).filter_map(live).max()
    }
}

impl Known {
    pub(super) fn give(&mut self, now: u64, longest: u64) {
        let until = match self.term {
            Wanted::Millis(millis) => now + millis,
            Wanted::Until(until) => until,
        };
        self.state = "approved";
        self.grant = Some(Given {
            from: now,
            until: until.min(now + longest),
            state: "active",
        });
    }

    /// Its grant is over: by itself if its time has come.
    pub(super) fn end(&mut self, now: u64) -> Option<Event> {
        let given = self
            .grant
            .as_mut()
            .filter(|given| given.state == "active")?;
        let by_itself = given.until <= now;
        given.state = if by_itself { "expired" } else { "revoked" };
        Some(if by_itself {
            Event::GrantExpired
        } else {
            Event::GrantRevoked
        })
    }
}
