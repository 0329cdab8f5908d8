//! Looking: is this allowed now, what is there, what waits for me.

use super::{CLOCKS_DIFFER, Desk, Fault};
use crate::life::{Active, Grant, Pending, Person, PersonId, Request, RequestId, Target, is_name};

/// So many waiting requests are read at once.
const LOOKED_THROUGH: u32 = 200;

/// Whether something is allowed now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evaluation {
    /// Under this grant, until its end.
    Allowed(Active),
    /// There is no grant that allows it.
    Denied,
}

impl Desk {
    /// Whether this person may do that now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn evaluate(&self, who: &PersonId, target: &Target) -> Result<Evaluation, Fault> {
        let now = self.clock.now();
        let latest_start = now.saturating_add(CLOCKS_DIFFER);
        let grant = self
            .store
            .live_grant(who, target, now, latest_start)
            .await?;
        Ok(match grant {
            Some(Grant::Active(grant)) => Evaluation::Allowed(grant),
            Some(Grant::Ended(_)) | None => Evaluation::Denied,
        })
    }

    /// A request, for whoever it concerns: the one who asked, who may decide on it, and auditors.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn request_for(
        &self,
        person: &Person,
        id: &RequestId,
    ) -> Result<Option<Request>, Fault> {
        if !is_name(&id.0) {
            return Ok(None);
        }
        let request = self.store.request(id).await?;
        Ok(request.filter(|request| {
            let facts = request.facts();
            let rule = self.policy.rule(&facts.target);
            facts.requester == person.id
                || rule.is_some_and(|rule| rule.approvers.includes(person))
                || self.is_auditor(person)
        }))
    }

    /// The requests that this person could decide on now, the oldest first, and so many at most, however many others wait.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn waiting_for(&self, person: &Person, limit: usize) -> Result<Vec<Pending>, Fault> {
        let now = self.clock.now();
        let mut found = Vec::new();
        let mut last = None;
        while found.len() < limit {
            let waiting = self
                .store
                .waiting(now, last.as_ref(), LOOKED_THROUGH)
                .await?;
            last = waiting.last().cloned();
            if last.is_none() {
                break;
            }
            for request in waiting {
                if !request.awaits(&self.policy, person, now) {
                    continue;
                }
                // Now that it is one of few: with its approvals, of which one may be this person's.
                match self.store.request(&request.id).await? {
                    Some(Request::Pending(request))
                        if request.awaits(&self.policy, person, now) =>
                    {
                        found.push(request);
                    }
                    _ => {}
                }
            }
        }
        found.truncate(limit);
        Ok(found)
    }
}
