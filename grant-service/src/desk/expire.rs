//! What ends by itself. A grant's end needs nobody: [`Desk::evaluate`](super::Desk::evaluate) looks at the time. This only puts it on record.

use super::{Desk, Fault};
use crate::life::{Actor, Origin};

/// So many at once, so that nobody waits long for their turn.
const AT_ONCE: u32 = 100;

impl Desk {
    /// Puts on record what has ended by itself, and forgets what is of no use any longer. Says whether there is more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn expire(&self) -> Result<bool, Fault> {
        // A look costs a lock nothing, and the disk neither: mostly there is nothing.
        if !self.store.is_anything_overdue(self.clock.now()).await? {
            return Ok(false);
        }
        let origin = Origin::default();
        let mut writing = self.write(Actor::Itself, &origin).await?;
        let now = writing.now;
        let (grants, requests) = writing.change.overdue(now, AT_ONCE).await?;
        let full = usize::try_from(AT_ONCE).unwrap_or(usize::MAX);
        let is_more = grants.len() >= full || requests.len() >= full;
        for grant in grants {
            if let Some(ended) = grant.expire(now) {
                writing.end_by_itself(&ended).await?;
            }
        }
        for request in requests {
            if let Some(closed) = request.expire(now) {
                writing.close_by_itself(&closed).await?;
            }
        }
        writing.change.forget(now).await?;
        writing.commit().await?;
        Ok(is_more)
    }
}
