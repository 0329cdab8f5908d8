//! Taking back what was given: one grant, all of a subject's, all on a resource, or everything.

use super::{Desk, Fault};
use crate::audit::Event;
use crate::life::{Actor, End, Grant, Origin, Person, Refusal, check_why, is_name};
use crate::store::Revoked;

use super::writing::person;

impl Desk {
    /// Someone takes something back: their own grant, one that they could have approved, or, as an administrator, anything. Says how many grants
    /// ended.
    ///
    /// # Errors
    /// When this person may not, there is no such grant, or it has ended already.
    pub async fn revoke(
        &self,
        by: &Person,
        what: &Revoked,
        why: &str,
        origin: &Origin,
    ) -> Result<usize, Fault> {
        self.may_revoke(by, what).await?;
        self.revoke_as(person(&by.id), what, why, origin).await
    }

    /// The same by whoever needs no rule for it: the operator of this machine, or a service that is trusted with it.
    ///
    /// # Errors
    /// When there is no such grant, or it has ended already.
    pub async fn revoke_as(
        &self,
        actor: Actor,
        what: &Revoked,
        why: &str,
        origin: &Origin,
    ) -> Result<usize, Fault> {
        check_why(why)?;
        check_names(what)?;
        let mut writing = self.write(actor, origin).await?;
        let now = writing.now;
        if let Revoked::Grant(id) = what {
            match writing.change.grant(id).await? {
                Some(Grant::Active(_)) => {}
                Some(Grant::Ended(ended)) => return Err(Refusal::Over(ended.end.word()).into()),
                None => return Err(Refusal::UnknownGrant.into()),
            }
        } else {
            let until = now.saturating_add(self.remember);
            writing.change.announce(what, now, until).await?;
            writing.record_revocation(what, why).await?;
            // Whoever says yes to one of these afterwards would undo it.
            for pending in writing.change.pending_requests(what).await? {
                let closed = pending.overtake(why.to_owned(), now);
                let why = Some(why.to_owned());
                writing.close(Event::RequestDenied, &closed, why).await?;
            }
        }
        let mut ended = 0_usize;
        for grant in writing.change.active_grants(what).await? {
            // It is over anyway, but not for a replica whose clock is behind.
            if let Some(expired) = grant.clone().expire(now) {
                writing.end_by_itself(&expired).await?;
                continue;
            }
            ended = ended.saturating_add(1);
            let about = Revoked::Grant(grant.id.clone());
            let until = grant.window.until;
            writing.change.announce(&about, now, until).await?;
            let why = Some(why.to_owned());
            writing
                .end(Event::GrantRevoked, &grant.revoke(now), why)
                .await?;
        }
        writing.commit().await?;
        if ended == 0 && matches!(what, Revoked::Grant(_)) {
            return Err(Refusal::Over(End::Expired.word()).into());
        }
        Ok(ended)
    }

    async fn may_revoke(&self, by: &Person, what: &Revoked) -> Result<(), Fault> {
        if self.is_administrator(by) {
            return Ok(());
        }
        let Revoked::Grant(id) = what else {
            return Err(Refusal::Forbidden.into());
        };
        check_names(what)?;
        let grant = self.store.grant(id).await?;
        let facts = grant.as_ref().map(Grant::facts);
        let may = facts.is_some_and(|grant| {
            let rule = self.policy.rule(&grant.target);
            grant.holder == by.id || rule.is_some_and(|rule| rule.approvers.includes(by))
        });
        if may {
            Ok(())
        } else {
            Err(Refusal::UnknownGrant.into())
        }
    }
}

/// Proxies read no other names, and one that they do not read would keep the whole feed from them.
fn check_names(what: &Revoked) -> Result<(), Refusal> {
    let (field, fits) = match what {
        Revoked::Grant(id) if !is_name(&id.0) => return Err(Refusal::UnknownGrant),
        Revoked::Grant(_) | Revoked::Everything => return Ok(()),
        Revoked::Subject(person) => (
            "subject",
            is_name(&person.subject) && is_name(&person.issuer),
        ),
        Revoked::Resource(name) => ("resource", is_name(name)),
    };
    if fits {
        return Ok(());
    }
    Err(Refusal::no_name(field))
}
