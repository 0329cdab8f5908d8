//! Asking for access.

use std::time::Duration;

use serde_json::json;

use super::writing::{new_grant_id, new_request_id, person};
use super::{Desk, Fault};
use crate::audit::{Event, Hash};
use crate::life::{Ask, Origin, Outcome, Person, Refusal, Request, Term, TooMany, open};

/// How long the same wish under the same idempotency key is the same wish.
const KEY_COUNTS_FOR: Duration = Duration::from_hours(24);
/// A longer idempotency key is none.
const MAX_KEY_BYTES: usize = 255;

/// So much one person may have waiting at once, and ask for within an hour. Whoever asks for more is no person, or hides something in the heap.
const MAX_PENDING: u32 = 50;
const MAX_ASKED: u32 = 100;
const LATELY: Duration = Duration::from_hours(1);
/// So many grants one person may hold or have given up before their time, as long as their ends lie ahead; and so many of these given up.
/// Proxies must know of each that ended early until its end, and what is too much for them to know costs others their grants.
const MAX_UNTIL_THE_END: u32 = 100;
const MAX_ENDED_EARLY: u32 = 50;

/// A wish for access, as it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// What for.
    pub ask: Ask,
    /// The client's name for this wish, so that it can be sent again if the answer is lost.
    pub idempotency_key: Option<String>,
}

impl Desk {
    /// Opens a request, which a rule may grant at once. The same wish under the same idempotency key leads to the same request, as it is now.
    ///
    /// # Errors
    /// When the rules do not let this person ask for it, or they wait for the same already.
    pub async fn request(
        &self,
        asker: &Person,
        wish: Wish,
        origin: &Origin,
    ) -> Result<Request, Fault> {
        let key = wish.idempotency_key.as_deref();
        if key.is_some_and(|key| key.is_empty() || key.len() > MAX_KEY_BYTES) {
            let expected = format!("1 to {MAX_KEY_BYTES} bytes");
            return Err(Refusal::invalid("idempotency-key", expected).into());
        }
        wish.ask.target.check()?;
        let digest = digest(&wish.ask);
        let mut writing = self.write(person(&asker.id), origin).await?;
        if let Some(key) = key
            && let Some((digest_then, request)) =
                writing.change.asked_before(&asker.id, key).await?
        {
            if digest_then != digest {
                return Err(Refusal::KeyReused.into());
            }
            let request = writing.change.request(&request).await?;
            return request.ok_or(Refusal::UnknownRequest.into());
        }
        if let Some(twin) = writing
            .change
            .pending_twin(&asker.id, &wish.ask.target)
            .await?
        {
            let id = twin.id.clone();
            match twin.expire(writing.now) {
                Some(undecided) => writing.close_by_itself(&undecided).await?,
                None => return Err(Refusal::Duplicate(id).into()),
            }
        }
        let since = writing.now.saturating_sub(LATELY);
        let (pending, lately) = ((writing.now, MAX_PENDING), (since, MAX_ASKED));
        let (waits, sent) = writing.change.asked_by(&asker.id, pending, lately).await?;
        let sent = sent.map(|at| at.saturating_add(LATELY));
        // Where both are too many, there is room when neither is.
        match (waits, sent) {
            (Some(until), sent) if sent.is_none_or(|sent| sent <= until) => {
                return Err(Refusal::TooMany(TooMany::Waiting { until }).into());
            }
            (_, Some(until)) => return Err(Refusal::TooMany(TooMany::Asked { until }).into()),
            _ => {}
        }
        let (all, early) = (MAX_UNTIL_THE_END, MAX_ENDED_EARLY);
        let ends = writing.change.ends_of(&asker.id, writing.now, all, early);
        match ends.await? {
            (_, Some(until)) => {
                return Err(Refusal::TooMany(TooMany::EndedEarly { until }).into());
            }
            (Some(until), None) => return Err(Refusal::TooMany(TooMany::Held { until }).into()),
            (None, None) => {}
        }
        let ids = (new_request_id(), new_grant_id());
        let opened = open(&self.policy, asker, wish.ask, ids, writing.now)?;
        let pending = match &opened {
            Outcome::Waits(pending) => pending,
            Outcome::Granted(granted) => &granted.request.request,
        };
        writing.change.add_request(pending).await?;
        let why = Some(pending.reason.clone());
        writing
            .record_request(Event::RequestOpened, pending, why)
            .await?;
        if let Some(key) = key {
            let until = writing.now.saturating_add(KEY_COUNTS_FOR);
            writing
                .change
                .remember_asking(&asker.id, key, &digest, &pending.id, until)
                .await?;
        }
        let request = match opened {
            Outcome::Waits(pending) => Request::Pending(pending),
            Outcome::Granted(granted) => {
                writing.give_by_rule(&granted).await?;
                Request::Closed(granted.request)
            }
        };
        writing.commit().await?;
        Ok(request)
    }
}

/// What tells two wishes apart.
fn digest(ask: &Ask) -> String {
    let (duration, until) = match ask.term {
        None => (None, None),
        Some(Term::For(duration)) => (Some(duration.as_nanos().to_string()), None),
        Some(Term::Until(until)) => (None, Some(until.as_millis())),
    };
    let all = json!([ask.target, duration, until, ask.reason, ask.emergency]);
    Hash::GENESIS.of(&all.to_string()).to_string()
}
