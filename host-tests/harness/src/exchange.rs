//! A request on its way through the proxy, and what has become of it.

use std::fmt;
use std::rc::Rc;

use proxy_wasm_host::abi::v0_2_1::ContextId;

use crate::streams::Phase;
use crate::world::{WorkerIndex, World};
use crate::{Answer, Headers};

/// What has become of a request.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The module holds it back.
    Waiting,
    /// It went on to the upstream, with these headers.
    Forwarded(Headers),
    /// The module answered it.
    Answered(Answer),
    /// The module reset its stream.
    Reset,
    /// The client left.
    HungUp,
    /// The module trapped while it held the request.
    Trapped(String),
}

/// A handle to one request. It stays valid when the request is over.
#[derive(Clone)]
pub struct Exchange {
    world: Rc<World>,
    worker: WorkerIndex,
    context: ContextId,
}

impl Exchange {
    pub(crate) fn new(world: Rc<World>, worker: WorkerIndex, context: ContextId) -> Self {
        Self {
            world,
            worker,
            context,
        }
    }

    /// What has become of the request so far.
    pub fn outcome(&self) -> Outcome {
        self.world
            .stream(self.worker, self.context, |stream| match &stream.phase {
                Phase::Arriving | Phase::Waiting => Outcome::Waiting,
                Phase::Forwarded => Outcome::Forwarded(stream.request.clone()),
                Phase::Answered(answer) => Outcome::Answered(answer.clone()),
                Phase::Reset => Outcome::Reset,
                Phase::HungUp => Outcome::HungUp,
                Phase::Trapped(text) => Outcome::Trapped(text.clone()),
            })
    }

    /// Whether the module holds the request back.
    pub fn is_waiting(&self) -> bool {
        matches!(self.outcome(), Outcome::Waiting)
    }

    /// Whether the request went on to the upstream.
    pub fn is_forwarded(&self) -> bool {
        matches!(self.outcome(), Outcome::Forwarded(_))
    }

    /// Whether the module reset the stream.
    pub fn is_reset(&self) -> bool {
        matches!(self.outcome(), Outcome::Reset)
    }

    /// The headers that the upstream received.
    ///
    /// # Panics
    /// When the request was not forwarded; the message tells what became of it.
    #[track_caller]
    pub fn forwarded(&self) -> Headers {
        match self.outcome() {
            Outcome::Forwarded(headers) => headers,
            other => panic!(
                "expected the request to be forwarded, but: {}{}",
                describe(&other),
                self.world.log
            ),
        }
    }

    /// The module's answer.
    ///
    /// # Panics
    /// When the module did not answer; the message tells what became of the request.
    #[track_caller]
    pub fn answer(&self) -> Answer {
        match self.outcome() {
            Outcome::Answered(answer) => answer,
            other => panic!(
                "expected an answer, but: {}{}",
                describe(&other),
                self.world.log
            ),
        }
    }

    /// Lets the upstream answer a forwarded request with this status, and the stream end.
    ///
    /// # Panics
    /// When the request was not forwarded, or has been answered before.
    #[track_caller]
    pub fn upstream_answers(&self, status: u16) -> Headers {
        self.forwarded();
        self.require_open();
        let response = [(":status", status.to_string())].into_iter().collect();
        self.world
            .upstream_answers(self.worker, self.context, response);
        self.world
            .stream(self.worker, self.context, |stream| stream.response.clone())
    }

    /// Sends a piece of the body, as a host does that goes on reading while it holds the headers. Whether the module lets it go on.
    pub fn sends_body(&self, bytes: u32) -> bool {
        self.require_open();
        self.world.request_body(self.worker, self.context, bytes)
    }

    /// Sends trailers after the body. What of them goes on, or `None` if the module holds them back.
    pub fn sends_trailers(&self, trailers: &[(&str, &str)]) -> Option<Headers> {
        self.require_open();
        let trailers = trailers
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        self.world
            .request_trailers(self.worker, self.context, trailers)
            .then(|| {
                self.world
                    .stream(self.worker, self.context, |stream| stream.trailers.clone())
            })
    }

    /// Lets the client leave in the middle.
    ///
    /// # Panics
    /// When the stream is over already.
    #[track_caller]
    pub fn hang_up(&self) {
        self.require_open();
        self.world.hang_up(self.worker, self.context);
    }

    /// A property of the stream, one that the module set included.
    pub fn property(&self, path: &[&str]) -> Option<Vec<u8>> {
        let path: Vec<_> = path.iter().map(|segment| segment.as_bytes()).collect();
        self.world.stream(self.worker, self.context, |stream| {
            stream.property(&path).map(<[u8]>::to_vec)
        })
    }

    #[track_caller]
    fn require_open(&self) {
        let open = self
            .world
            .stream(self.worker, self.context, |stream| stream.open);
        assert!(open, "the stream is over: {}", describe(&self.outcome()));
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&describe(&self.outcome()))
    }
}

fn describe(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Waiting => "it waits".to_owned(),
        Outcome::Forwarded(headers) => format!("it was forwarded with {headers:?}"),
        Outcome::Answered(answer) => format!(
            "it was answered {} {:?} {}",
            answer.status,
            answer.headers,
            answer.text()
        ),
        Outcome::Reset => "its stream was reset".to_owned(),
        Outcome::HungUp => "its client left".to_owned(),
        Outcome::Trapped(text) => format!("the module trapped: {text}"),
    }
}
