//! Writing on record what happens, in the same transaction.

use hallpass_core::time::UnixMillis;

use super::{Desk, Fault};
use crate::audit::{Entry, Event};
use crate::life::{
    Active, Actor, Closed, Ended, GrantId, Granted, Origin, Pending, PersonId, RequestId,
};
use crate::store::{Change, Revoked};

/// A change, by whom and from where.
pub(super) struct Writing<'a> {
    pub(super) change: Change<'a>,
    pub(super) now: UnixMillis,
    desk: &'a Desk,
    actor: Actor,
    origin: &'a Origin,
}

impl Desk {
    pub(super) async fn write<'a>(
        &'a self,
        actor: Actor,
        origin: &'a Origin,
    ) -> Result<Writing<'a>, Fault> {
        let change = self.store.change().await?;
        Ok(Writing {
            change,
            // Read under the lock, so that the record's times are in its order.
            now: self.clock.now(),
            desk: self,
            actor,
            origin,
        })
    }
}

impl Writing<'_> {
    /// Makes it true.
    pub(super) async fn commit(self) -> Result<(), Fault> {
        let position = self.change.commit().await?;
        self.desk.news.send_replace(position);
        Ok(())
    }

    fn entry(&self, event: Event) -> Entry {
        Entry {
            position: self.change.next_position(),
            time: self.now.to_rfc3339(),
            event,
            actor: self.actor.clone(),
            subject: None,
            target: None,
            request: None,
            grant: None,
            until: None,
            why: None,
            source_ip: self.origin.source_ip.map(|ip| ip.to_string()),
            http_request: self.origin.request_id.clone(),
        }
    }

    async fn record(&mut self, entry: Entry) -> Result<(), Fault> {
        let hooks: Vec<_> = self
            .desk
            .hooks
            .iter()
            .filter(|hook| hook.events.is_empty() || hook.events.contains(&entry.event))
            .map(|hook| hook.name.clone())
            .collect();
        Ok(self.change.record(&entry, self.now, &hooks).await?)
    }

    pub(super) async fn record_request(
        &mut self,
        event: Event,
        request: &Pending,
        why: Option<String>,
    ) -> Result<(), Fault> {
        let entry = Entry {
            subject: Some(request.requester.clone()),
            target: Some(request.target.clone()),
            request: Some(request.id.0.clone()),
            until: Some(request.until.to_rfc3339()),
            why,
            ..self.entry(event)
        };
        self.record(entry).await
    }

    async fn record_grant(
        &mut self,
        event: Event,
        grant: &Active,
        why: Option<String>,
    ) -> Result<(), Fault> {
        let entry = Entry {
            subject: Some(grant.holder.clone()),
            target: Some(grant.target.clone()),
            request: Some(grant.request.0.clone()),
            grant: Some(grant.id.0.clone()),
            until: Some(grant.window.until.to_rfc3339()),
            why,
            ..self.entry(event)
        };
        self.record(entry).await
    }

    /// An approval was the last that it takes: keeps and records the request and its grant.
    pub(super) async fn give(&mut self, granted: &Granted) -> Result<(), Fault> {
        self.keep_granted(granted).await?;
        self.record_approval(granted).await?;
        self.record_given(granted).await
    }

    /// A rule grants at once: keeps and records the same. Whoever asked has approved nothing, but who breaks the glass does that.
    pub(super) async fn give_by_rule(&mut self, granted: &Granted) -> Result<(), Fault> {
        self.keep_granted(granted).await?;
        let asker = std::mem::replace(&mut self.actor, Actor::Itself);
        self.record_approval(granted).await?;
        if granted.grant.emergency {
            self.actor = asker;
        }
        self.record_given(granted).await
    }

    async fn keep_granted(&mut self, granted: &Granted) -> Result<(), Fault> {
        self.change.close_request(&granted.request).await?;
        Ok(self.change.add_grant(&granted.grant).await?)
    }

    async fn record_approval(&mut self, granted: &Granted) -> Result<(), Fault> {
        let request = &granted.request.request;
        let why = Some(request.reason.clone());
        self.record_request(Event::RequestApproved, request, why)
            .await
    }

    async fn record_given(&mut self, granted: &Granted) -> Result<(), Fault> {
        let event = if granted.grant.emergency {
            Event::GlassBroken
        } else {
            Event::GrantGiven
        };
        let why = Some(granted.request.request.reason.clone());
        self.record_grant(event, &granted.grant, why).await
    }

    /// A request has come to nothing: keeps and records it.
    pub(super) async fn close(
        &mut self,
        event: Event,
        closed: &Closed,
        why: Option<String>,
    ) -> Result<(), Fault> {
        self.change.close_request(closed).await?;
        self.record_request(event, &closed.request, why).await
    }

    /// Nobody decided in time: keeps and records it. Whoever happens to come by when it is noticed has not done it.
    pub(super) async fn close_by_itself(&mut self, undecided: &Closed) -> Result<(), Fault> {
        let actor = std::mem::replace(&mut self.actor, Actor::Itself);
        let done = self.close(Event::RequestExpired, undecided, None).await;
        self.actor = actor;
        done
    }

    /// A grant's time has come: keeps and records it, in the same way.
    pub(super) async fn end_by_itself(&mut self, expired: &Ended) -> Result<(), Fault> {
        let actor = std::mem::replace(&mut self.actor, Actor::Itself);
        let done = self.end(Event::GrantExpired, expired, None).await;
        self.actor = actor;
        done
    }

    /// A grant has ended: keeps and records it.
    pub(super) async fn end(
        &mut self,
        event: Event,
        ended: &Ended,
        why: Option<String>,
    ) -> Result<(), Fault> {
        self.change.end_grant(ended).await?;
        self.record_grant(event, &ended.grant, why).await
    }

    /// Something larger than a grant was taken back.
    pub(super) async fn record_revocation(
        &mut self,
        what: &Revoked,
        why: &str,
    ) -> Result<(), Fault> {
        let (event, subject, resource) = match what {
            // A grant's end is recorded with the grant.
            Revoked::Grant(_) => return Ok(()),
            Revoked::Subject(person) => (Event::SubjectRevoked, Some(person.clone()), None),
            Revoked::Resource(name) => (Event::ResourceRevoked, None, Some(name.clone())),
            Revoked::Everything => (Event::EverythingRevoked, None, None),
        };
        let entry = Entry {
            subject,
            target: resource.map(|resource| crate::life::Target {
                resource_type: "*".to_owned(),
                resource,
                action: "*".to_owned(),
            }),
            why: Some(why.to_owned()),
            ..self.entry(event)
        };
        self.record(entry).await
    }
}

pub(super) fn person(actor: &PersonId) -> Actor {
    Actor::Person(actor.clone())
}

/// A new name for a request.
pub(super) fn new_request_id() -> RequestId {
    RequestId(format!("r-{}", uuid::Uuid::now_v7().simple()))
}

/// A new name for a grant.
pub(super) fn new_grant_id() -> GrantId {
    GrantId(format!("g-{}", uuid::Uuid::now_v7().simple()))
}
