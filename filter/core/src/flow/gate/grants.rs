//! What a worker knows of the grant service's word: its own memory, what other workers were answered, and whether the service may be asked.

use super::Gate;
use crate::config::ServiceSettings;
use crate::grant::backoff::Change;
use crate::grant::decisions::Lifetimes;
use crate::grant::service::RawReply;
use crate::grant::{DecisionKey, Decisions, GrantReply, Query, ServiceFault, Shelf, Word};
use crate::metrics::Counter;
use crate::time::UnixMillis;

impl Gate {
    /// The grant service's word of before on the question with this key, if it still counts. Where it will not much longer, `question` is
    /// put again: see [`Gate::take_refreshes`].
    pub fn remembered(
        &mut self,
        key: &DecisionKey,
        question: impl FnOnce() -> Query,
        now: UnixMillis,
    ) -> Option<Word> {
        let own = self.decisions.fresh(key, now);
        let fresh = match own {
            Some(fresh) if !fresh.is_due => return Some(fresh.word),
            own => match self.learn_from_others(key, now) {
                News::None => own?,
                News::OfUse => self.decisions.fresh(key, now)?,
                News::OfNoUse => return None,
            },
        };
        if fresh.is_due && self.backoff.may_ask(now) {
            self.refreshes.push(question());
        }
        Some(fresh.word)
    }

    /// Takes another worker's answer in place of its own, if there is one that was given later.
    fn learn_from_others(&mut self, key: &DecisionKey, now: UnixMillis) -> News {
        let own = self.decisions.given(key, now);
        let own_forms = self.config.grants.own_forms();
        let find = |shelf: &Shelf| shelf.find(key, own_forms, now);
        let found = self.shelf.as_ref().and_then(find);
        let Some(news) = found.filter(|found| own.is_none_or(|own| found.given > own)) else {
            return News::None;
        };
        self.decisions
            .put(*key, &news.reply, news.asked, news.given, now);
        if self.decisions.given(key, now).is_none() {
            return News::OfNoUse;
        }
        self.count(Counter::GrantShared);
        News::OfUse
    }

    /// Questions that should be put again before their answers are over, for nobody in particular.
    pub fn take_refreshes(&mut self) -> Vec<Query> {
        std::mem::take(&mut self.refreshes)
    }

    /// Whether the grant service may be asked now. One that failed again and again is left alone for a while.
    pub fn may_ask(&mut self, now: UnixMillis) -> bool {
        self.backoff.may_ask(now)
    }

    /// Whether it has begun to be left alone since this was last asked.
    pub fn take_outage(&mut self) -> bool {
        std::mem::take(&mut self.outage_began)
    }

    /// The grant service's word of before, if it may stand in for a service that fails. Ask for what is [`Gate::remembered`] first: a
    /// newer word of another worker counts more.
    pub fn stale(&mut self, key: &DecisionKey, now: UnixMillis) -> Option<Word> {
        self.decisions.stale(key, now)
    }

    /// Takes the grant service's reply to a question that was [`asked`](Gate::asking) then: remembers it for as long as it counts, and returns
    /// what it says.
    ///
    /// # Errors
    /// [`ServiceFault`] when it is not a decision; then nothing is remembered, and the service has failed.
    pub fn on_grant_reply(
        &mut self,
        key: DecisionKey,
        reply: RawReply<'_>,
        asked: UnixMillis,
        now: UnixMillis,
    ) -> Result<Word, ServiceFault> {
        match GrantReply::parse(reply, self.config.grants.own_forms()) {
            Ok(read) => {
                let remarks = read.remarks.iter().map(ToString::to_string);
                self.notices.extend(remarks);
                let change = self.backoff.answered();
                self.tell_of_service(change);
                self.decisions.put(key, &read, asked, now, now);
                if let Some(shelf) = &self.shelf {
                    shelf.put(&key, reply, asked, now);
                }
                Ok(Word {
                    ruling: read.ruling,
                    asked,
                })
            }
            Err(fault) => {
                if fault.is_of_the_service() {
                    self.grant_failed(now);
                }
                Err(fault)
            }
        }
    }

    /// Takes the grant service's reply to questions that were put together, in the order of their keys: what it says of each, as
    /// [`Gate::on_grant_reply`] has it.
    ///
    /// # Errors
    /// [`ServiceFault`] when it is not an answer to each of them; then nothing is remembered. Each may have one that is put by itself, if it
    /// [may be of one question](ServiceFault::may_be_of_one_question); otherwise the service has failed, if the fault
    /// [is its own](ServiceFault::is_of_the_service).
    pub fn on_grant_replies(
        &mut self,
        keys: &[DecisionKey],
        reply: RawReply<'_>,
        asked: UnixMillis,
        now: UnixMillis,
    ) -> Result<Vec<Result<Word, ServiceFault>>, ServiceFault> {
        let parts = match reply.parts(keys.len()) {
            Ok(parts) => parts,
            Err(fault) => {
                if fault.is_of_the_service() && !fault.may_be_of_one_question() {
                    self.grant_failed(now);
                }
                return Err(fault);
            }
        };
        let remark = reply.other_request_id();
        self.notices.extend(remark.map(|remark| remark.to_string()));
        // What is to be told of the whole has been told.
        let whole = RawReply {
            request_id: None,
            ..reply
        };
        let each = keys.iter().zip(parts);
        let rulings = each.map(|(key, part)| {
            let body = &*part?;
            self.on_grant_reply(*key, RawReply { body, ..whole }, asked, now)
        });
        Ok(rulings.collect())
    }

    /// The grant service failed, whatever the question.
    pub fn grant_failed(&mut self, now: UnixMillis) {
        let change = self.backoff.failed(now);
        self.tell_of_service(change);
    }

    fn tell_of_service(&mut self, change: Change) {
        let news = match change {
            Change::None => return,
            Change::Rests => {
                self.outage_began = true;
                "failed several times in a row, and is asked now and then only"
            }
            Change::Recovered => "decides again",
        };
        let service = self.config.grants.service.as_ref();
        let cluster = service.map_or("", |service| service.cluster.as_str());
        self.notices
            .push(format!("the grant service (cluster `{cluster}`) {news}"));
    }
}

/// What another worker was answered meanwhile.
enum News {
    /// Nothing, or nothing newer.
    None,
    /// Something newer.
    OfUse,
    /// Something newer that does not count any longer; and nothing older does.
    OfNoUse,
}

/// The memory for a service's decisions; without a service there are none.
pub(super) fn decisions(service: Option<&ServiceSettings>) -> Decisions {
    let lifetimes = service.map_or_else(Lifetimes::default, |service| Lifetimes {
        allow: service.allow_ttl,
        deny: service.deny_ttl,
        stale: service.stale_if_error,
        require_expiry: service.rules.require_expiry,
    });
    Decisions::new(service.map_or(0, |service| service.max_entries), lifetimes)
}
