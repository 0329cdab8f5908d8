//! People, by their tokens: verified by the filter's own code, with keys that are fetched as its rules say.
//!
//! However many wait for an issuer's keys, they are fetched once; and tokens that they do not verify have them fetched anew once in a
//! cool-down, whatever strangers send.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use hallpass_core::bearer::Bearer;
use hallpass_core::config::Config;
use hallpass_core::denial::Reason;
use hallpass_core::flow::{Attempt, Authenticated, Gate, Progress};
use hallpass_core::request::RequestHead;
use hallpass_core::token::TokenFault;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tracing::warn;
use ureq::Agent;

use super::Stranger;
use super::keeper::Keeper;
use super::keys::{Answer, Question};
use crate::clock::Clock;
use crate::life::{Person, PersonId};
use crate::outbound;

/// As in the filter: once for a fetch that began before the request came, and once for one that began after.
const MAX_WAITS: u8 = 2;
/// How often it is looked whether keys are due.
const LOOK: Duration = Duration::from_secs(1);

/// Those whose tokens hold.
#[derive(Debug)]
pub(super) struct People {
    keeper: Keeper,
    agent: Agent,
    clock: Clock,
    /// For each provider: tells when a fetch of its keys has ended.
    fetched: Vec<watch::Sender<()>>,
}

/// What one look at a request found.
enum Found {
    Nobody,
    Person(Person),
    Refused(TokenFault),
    Unknowable,
    /// Worth another look when this tells something.
    Later(watch::Receiver<()>),
}

impl People {
    /// Those whose tokens hold by this configuration.
    ///
    /// # Errors
    /// When the machine does not give what it takes.
    pub(super) fn new(config: Arc<Config>, clock: Clock) -> Result<Arc<Self>> {
        Ok(Arc::new(Self {
            fetched: config
                .providers
                .iter()
                .map(|_| watch::Sender::new(()))
                .collect(),
            keeper: Keeper::start(config)?,
            agent: outbound::agent()?,
            clock,
        }))
    }

    /// Whose token is in this request, if there is one.
    ///
    /// # Errors
    /// When the token does not hold, or that cannot be told.
    pub(super) async fn find(
        self: &Arc<Self>,
        head: RequestHead,
    ) -> Result<Option<Person>, Stranger> {
        let head = Arc::new(head);
        let mut attempt = Attempt::new(self.clock.now());
        for _ in 0..=MAX_WAITS {
            let (found, tried) = self
                .look(head.clone(), attempt)
                .await
                .ok_or(Stranger::Unknowable)?;
            attempt = tried;
            match found {
                Found::Nobody => return Ok(None),
                Found::Person(person) => return Ok(Some(person)),
                Found::Refused(fault) => {
                    return Err(Stranger::Refused(Reason::from(fault).detail().to_owned()));
                }
                Found::Unknowable => return Err(Stranger::Unknowable),
                Found::Later(mut fetched) => {
                    fetched.changed().await.map_err(|_| Stranger::Unknowable)?;
                }
            }
        }
        Err(Stranger::Unknowable)
    }

    async fn look(
        self: &Arc<Self>,
        head: Arc<RequestHead>,
        mut attempt: Attempt,
    ) -> Option<(Found, Attempt)> {
        let (people, runtime) = (self.clone(), Handle::current());
        let task = move |gate: &mut Gate| {
            people.fetch_due(gate, &runtime);
            let found = gate.authenticate(&head, &mut attempt, people.clock.now());
            // What is odd in a token is told to whoever sent it.
            drop(gate.take_notices());
            let found = match found {
                Authenticated::Known(bearer) => Found::Person(person(&bearer)),
                Authenticated::Refused(TokenFault::Missing) => Found::Nobody,
                Authenticated::Refused(fault) => Found::Refused(fault),
                Authenticated::KeysUnavailable => Found::Unknowable,
                Authenticated::KeysAwaited(provider) | Authenticated::NewKeyAwaited(provider) => {
                    people.fetch_due(gate, &runtime);
                    let fetched = people.fetched.get(provider);
                    fetched.map_or(Found::Unknowable, |sender| Found::Later(sender.subscribe()))
                }
            };
            (found, attempt)
        };
        self.keeper.ask(task).await
    }

    /// Starts what is due. Each fetch is noted and begun in one go, so that nobody waits for one that does not come.
    fn fetch_due(self: &Arc<Self>, gate: &mut Gate, runtime: &Handle) {
        let now = self.clock.now();
        for provider in gate.due_keys(now) {
            gate.fetch_started(provider, now);
            runtime.spawn(self.clone().fetch(provider));
        }
    }

    /// Fetches a provider's keys, to the end of however many questions it takes.
    async fn fetch(self: Arc<Self>, provider: usize) {
        let mut progress = Some(Progress::HalfWay);
        while progress == Some(Progress::HalfWay) {
            let question = move |gate: &mut Gate| gate.keys_request(provider).map(Question::from);
            let question = self.keeper.ask(question).await.flatten();
            let answer = match question {
                Some(question) => question.ask(self.agent.clone()).await,
                None => Err("there is nothing to ask".to_owned()),
            };
            let people = self.clone();
            let learn = move |gate: &mut Gate| people.learn(gate, provider, &answer);
            progress = self.keeper.ask(learn).await;
        }
    }

    fn learn(&self, gate: &mut Gate, provider: usize, answer: &Result<Answer, String>) -> Progress {
        let now = self.clock.now();
        let progress = match answer {
            Ok(answer) => gate.on_keys_reply(provider, answer.reply(), now),
            Err(why) => {
                gate.fetch_failed(provider, why, now);
                Progress::Ended
            }
        };
        for notice in gate.take_notices() {
            warn!("{notice}");
        }
        if progress == Progress::Ended
            && let Some(fetched) = self.fetched.get(provider)
        {
            fetched.send_replace(());
        }
        progress
    }

    /// Fetches keys before they are missed, for as long as it is let run.
    pub(super) async fn refresh(self: &Arc<Self>) {
        loop {
            let (people, runtime) = (self.clone(), Handle::current());
            let task = move |gate: &mut Gate| people.fetch_due(gate, &runtime);
            self.keeper.ask(task).await;
            tokio::time::sleep(LOOK).await;
        }
    }
}

fn person(bearer: &Bearer) -> Person {
    let identity = &bearer.identity;
    Person {
        id: PersonId {
            issuer: identity.issuer().as_str().to_owned(),
            subject: identity.subject().to_owned(),
        },
        email: identity.email().map(str::to_owned),
        groups: identity.groups().map(str::to_owned).collect(),
    }
}
