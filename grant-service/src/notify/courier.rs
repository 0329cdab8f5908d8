//! Working off what is to be told.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinSet, spawn_blocking};
use url::Url;

use super::Receiver;
use super::message::Message;
use super::post::{Outcome, post};
use super::schedule::{GIVEN_UP_AFTER, wait};
use crate::audit::{Entry, name_of};
use crate::desk::Desk;
use crate::life::RequestId;
use crate::outbound;
use crate::store::{Errand, StoreFault};

/// How long a receiver may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the others leave alone what one replica is about to tell. Longer than anyone's patience, so that the same is not told twice.
const LEASE: Duration = Duration::from_mins(1);
/// How often to look for what other replicas have written, and for what is to be tried again.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Tells receivers what happens, each one by itself: whoever does not answer delays nobody else.
#[derive(Debug)]
pub struct Courier {
    desk: Arc<Desk>,
    receivers: Vec<Arc<Receiver>>,
    pages: Url,
    agent: ureq::Agent,
    patience: Duration,
}

impl Courier {
    /// One who tells these receivers what happens at this desk. `pages` is where people find the service.
    ///
    /// # Errors
    /// When the certificate authorities that receivers are known by cannot be read.
    pub fn new(desk: Arc<Desk>, receivers: Vec<Receiver>, pages: Url) -> anyhow::Result<Self> {
        Ok(Self {
            desk,
            receivers: receivers.into_iter().map(Arc::new).collect(),
            pages,
            agent: outbound::agent()?,
            patience: PATIENCE,
        })
    }

    /// With so much patience for an answer, at most ten seconds.
    #[must_use]
    pub fn waiting(mut self, patience: Duration) -> Self {
        self.patience = patience.min(PATIENCE);
        self
    }

    /// Tells everyone everything, and never ends. What is under way when this is dropped is told again by whoever comes next.
    pub async fn run(self: Arc<Self>) {
        self.give_up_for_the_unknown().await;
        let mut loops = JoinSet::new();
        for receiver in &self.receivers {
            loops.spawn(self.clone().keep_telling(receiver.clone()));
        }
        loops.join_all().await;
        // Nobody wants to know anything.
        std::future::pending::<()>().await;
    }

    /// Tells everyone what they are to be told by now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn deliver_due(self: &Arc<Self>) -> Result<(), StoreFault> {
        let mut rounds = JoinSet::new();
        for receiver in &self.receivers {
            let (courier, receiver) = (self.clone(), receiver.clone());
            rounds.spawn(async move { courier.tell(&receiver).await });
        }
        rounds.join_all().await.into_iter().collect()
    }

    async fn keep_telling(self: Arc<Self>, receiver: Arc<Receiver>) {
        let mut news = self.desk.news();
        loop {
            if let Err(fault) = self.tell(&receiver).await {
                tracing::error!(hook = receiver.name, %fault, "the database fails: nothing can be told now");
            }
            // Whether or not there is news, what is to be tried again may have become due.
            drop(tokio::time::timeout(LOOK_EVERY, news.changed()).await);
        }
    }

    /// Tells one receiver what is due, in the order of the record, until nothing is.
    async fn tell(&self, receiver: &Arc<Receiver>) -> Result<(), StoreFault> {
        let store = self.desk.store();
        while let Some(errand) = store
            .next_errand(&receiver.name, self.desk.clock().now(), LEASE)
            .await?
        {
            let outcome = self.run_errand(receiver, &errand).await?;
            self.settle(&errand, outcome).await?;
        }
        Ok(())
    }

    async fn run_errand(
        &self,
        receiver: &Arc<Receiver>,
        errand: &Errand,
    ) -> Result<Outcome, StoreFault> {
        let Ok(entry) = serde_json::from_str::<Entry>(&errand.entry) else {
            let fault = "the entry in the record is not as entries are";
            return Ok(Outcome::Refused(fault.to_owned()));
        };
        let request = match &entry.request {
            Some(id) => self.desk.store().request(&RequestId(id.clone())).await?,
            None => None,
        };
        let id = name_of(errand.position, &errand.hash);
        let request = request.as_ref();
        let body = serde_json::to_string(&Message::new(&id, &entry, request, &self.pages));
        let body = body.map_err(|fault| StoreFault::Encode(fault.into()))?;
        let (agent, receiver) = (self.agent.clone(), receiver.clone());
        let patience = self.patience;
        let now = self.desk.clock().now();
        let posted =
            spawn_blocking(move || post(&agent, patience, &receiver, &id, now, &body)).await;
        Ok(posted.unwrap_or_else(|fault| Outcome::Away {
            fault: fault.to_string(),
            retry_after: None,
        }))
    }

    async fn settle(&self, errand: &Errand, outcome: Outcome) -> Result<(), StoreFault> {
        let store = self.desk.store();
        let now = self.desk.clock().now();
        let Errand { hook, position, .. } = errand;
        match outcome {
            Outcome::Told => return store.strike_errand(errand).await,
            Outcome::Refused(fault) => {
                let until = now.saturating_add(wait(errand.attempts, None));
                store.put_off_errand(errand, until).await?;
                tracing::warn!(
                    hook,
                    position,
                    fault,
                    "a notification was refused, and is tried again"
                );
            }
            Outcome::Away { fault, retry_after } => {
                let until = now.saturating_add(wait(errand.attempts, retry_after));
                store.put_off_errand(errand, until).await?;
                store.hold_errands(hook, until).await?;
                tracing::warn!(
                    hook,
                    position,
                    fault,
                    "a receiver cannot be told anything, and is tried again"
                );
            }
        }
        self.give_up(hook).await
    }

    async fn give_up(&self, hook: &str) -> Result<(), StoreFault> {
        let until = self.desk.clock().now().saturating_sub(GIVEN_UP_AFTER);
        let count = self.desk.store().give_up_errands(hook, until).await?;
        if count > 0 {
            tracing::error!(
                hook,
                count,
                "notifications GIVEN UP after a day of trying: read what they tell in the record"
            );
        }
        Ok(())
    }

    /// What is kept for receivers that the configuration no longer names, or not yet on this replica.
    async fn give_up_for_the_unknown(&self) {
        let hooks = self.desk.store().hooks_with_errands().await;
        for hook in hooks.unwrap_or_default() {
            if self.receivers.iter().all(|receiver| receiver.name != hook)
                && let Err(fault) = self.give_up(&hook).await
            {
                tracing::warn!(hook, %fault, "cannot forget what a receiver that is gone was to be told");
            }
        }
    }
}
