//! Deciding on a request: approve, deny, withdraw.

use super::writing::{Writing, new_grant_id, person};
use super::{Desk, Fault};
use crate::audit::Event;
use crate::life::{Origin, Outcome, Pending, Person, Refusal, Request, RequestId, check_why};

/// What a decision came to.
pub type Decided = Result<Request, Fault>;

impl Desk {
    /// An approver says yes.
    ///
    /// # Errors
    /// When this person may not decide on it, or it is over.
    pub async fn approve(&self, approver: &Person, id: &RequestId, origin: &Origin) -> Decided {
        let mut writing = self.write(person(&approver.id), origin).await?;
        let pending = pending(&mut writing, id).await?;
        let so_far = pending.approvals.len();
        let vote = pending.approve(&self.policy, approver, new_grant_id(), writing.now)?;
        let request = match vote {
            // They have said so before: nothing has happened.
            Outcome::Waits(pending) if pending.approvals.len() == so_far => {
                return Ok(Request::Pending(pending));
            }
            Outcome::Waits(pending) => {
                writing.change.keep_approvals(&pending).await?;
                writing
                    .record_request(Event::RequestSeconded, &pending, None)
                    .await?;
                Request::Pending(pending)
            }
            Outcome::Granted(granted) => {
                writing.give(&granted).await?;
                Request::Closed(granted.request)
            }
        };
        writing.commit().await?;
        Ok(request)
    }

    /// An approver says no.
    ///
    /// # Errors
    /// When this person may not decide on it, or it is over.
    pub async fn deny(
        &self,
        approver: &Person,
        id: &RequestId,
        why: &str,
        origin: &Origin,
    ) -> Decided {
        check_why(why)?;
        let mut writing = self.write(person(&approver.id), origin).await?;
        let pending = pending(&mut writing, id).await?;
        let closed = pending.deny(&self.policy, approver, why.to_owned(), writing.now)?;
        let why = Some(why.to_owned());
        writing.close(Event::RequestDenied, &closed, why).await?;
        writing.commit().await?;
        Ok(Request::Closed(closed))
    }

    /// The one who asked takes it back.
    ///
    /// # Errors
    /// When it is someone else's, or over.
    pub async fn withdraw(&self, asker: &Person, id: &RequestId, origin: &Origin) -> Decided {
        let mut writing = self.write(person(&asker.id), origin).await?;
        let pending = pending(&mut writing, id).await?;
        let closed = pending.withdraw(&asker.id, writing.now)?;
        writing
            .close(Event::RequestWithdrawn, &closed, None)
            .await?;
        writing.commit().await?;
        Ok(Request::Closed(closed))
    }
}

async fn pending(writing: &mut Writing<'_>, id: &RequestId) -> Result<Pending, Fault> {
    match writing.change.request(id).await? {
        Some(Request::Pending(pending)) => Ok(pending),
        Some(Request::Closed(closed)) => Err(Refusal::Over(closed.closing.word()).into()),
        None => Err(Refusal::UnknownRequest.into()),
    }
}
