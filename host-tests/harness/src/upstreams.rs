//! The services beyond the proxy: every callout is recorded, and answered by the test or by a script.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use proxy_wasm_host::abi::v0_2_1::{
    CalloutId, Callouts, HttpCall, HttpCallRefusal, HttpCallResponse, Invocation,
};
use serde_json::Value;

use crate::Headers;
use crate::clock::ScriptedClock;
use crate::world::WorkerIndex;

/// The id of a worker's root context: the first context of a virtual machine.
const ROOT_CONTEXT: u32 = 1;

/// How a cluster treats the calls that are dispatched to it.
#[derive(Clone, Default)]
pub enum Cluster {
    /// Each call stays open until the test answers it or its timeout passes.
    #[default]
    Waits,
    /// Each call is answered by this function, as soon as the callback that dispatched it has returned.
    Answers(Arc<dyn Fn(&Call) -> Reply + Send + Sync>),
    /// The proxy has no cluster of this name: it refuses the dispatch (`BAD_ARGUMENT`).
    Unknown,
    /// The cluster has no host: the proxy refuses the dispatch (`INTERNAL_FAILURE`).
    Refuses,
}

impl Cluster {
    /// A cluster that answers each call at once.
    pub fn answers(script: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> Self {
        Self::Answers(Arc::new(script))
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Waits => "Waits",
            Self::Answers(_) => "Answers(..)",
            Self::Unknown => "Unknown",
            Self::Refuses => "Refuses",
        })
    }
}

/// Which context made a callout: it decides whom the callout outlives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// The worker's root context: the callout outlives every stream.
    Root,
    /// A stream's context: the callout ends with the stream.
    Stream,
}

/// A call that the module made to a cluster.
#[derive(Clone, Debug)]
pub struct Call {
    /// The name of the cluster.
    pub cluster: String,
    /// The method.
    pub method: String,
    /// The path, query included.
    pub path: String,
    /// The authority.
    pub authority: String,
    /// All headers, pseudo-headers included.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
    /// How long the module lets the proxy wait.
    pub timeout: Duration,
    /// Who made the call.
    pub caller: Caller,
    /// When it was made, in milliseconds since the Unix epoch.
    pub at: u64,
}

impl Call {
    /// The body as JSON.
    ///
    /// # Panics
    /// When the body is not JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|fault| panic!("the body is not JSON ({fault}): {self:?}"))
    }

    fn new(call: Invocation, request: &HttpCall<'_>, at: u64) -> Self {
        let headers: Headers = request
            .headers
            .iter()
            .map(|(name, value)| (name, value))
            .collect();
        let text = |name| headers.get(name).unwrap_or_default().into_owned();
        Self {
            cluster: String::from_utf8_lossy(&request.upstream).into_owned(),
            method: text(":method"),
            path: text(":path"),
            authority: text(":authority"),
            headers: headers.clone(),
            body: request.body.to_vec(),
            timeout: request.timeout,
            caller: if call.context.get() == ROOT_CONTEXT {
                Caller::Root
            } else {
                Caller::Stream
            },
            at,
        }
    }

    /// When the proxy gives up waiting, in milliseconds since the Unix epoch.
    pub(crate) fn deadline(&self) -> u64 {
        let timeout = u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX);
        self.at.saturating_add(timeout)
    }
}

/// What a service answers to a call, or how the call fails.
#[derive(Clone, Debug)]
pub struct Reply(ReplyKind);

#[derive(Clone, Debug)]
enum ReplyKind {
    Received { headers: Headers, body: Vec<u8> },
    NoHeaders,
}

impl Reply {
    /// A response with this status and an empty body.
    pub fn status(status: u16) -> Self {
        let headers = [(":status", status.to_string())].into_iter().collect();
        Self(ReplyKind::Received {
            headers,
            body: Vec::new(),
        })
    }

    /// A response of JSON.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::status(status)
            .header("content-type", "application/json")
            .body(body.to_string())
    }

    /// A call that failed, as Envoy reports it to a module: a response made by the proxy itself. 503 is a connection that failed, 504 a timeout.
    pub fn failed_like_envoy(status: u16) -> Self {
        let text = if status == 504 {
            "upstream request timeout"
        } else {
            "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure"
        };
        Self::status(status)
            .header("content-type", "text/plain")
            .body(text)
    }

    /// A call that failed, as the ABI reports it to a module: no header at all.
    pub fn failed_without_headers() -> Self {
        Self(ReplyKind::NoHeaders)
    }

    /// Appends a header. A call that failed without headers stays without.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let ReplyKind::Received { headers, .. } = &mut self.0 {
            headers.append(name.as_bytes(), value.as_bytes());
        }
        self
    }

    /// Sets the body. A call that failed without headers stays without.
    #[must_use]
    pub fn body(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        if let ReplyKind::Received { body, .. } = &mut self.0 {
            *body = bytes.into();
        }
        self
    }

    pub(crate) fn into_response(self) -> HttpCallResponse<'static> {
        match self.0 {
            ReplyKind::NoHeaders => HttpCallResponse::failed(),
            ReplyKind::Received { headers, body } => {
                let pairs = headers
                    .iter()
                    .map(|(name, value)| (name.to_vec().into(), value.to_vec().into()));
                HttpCallResponse::received(pairs.collect()).with_body(body)
            }
        }
    }
}

/// The identity of one open callout in one world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OpenCallout {
    pub(crate) worker: WorkerIndex,
    pub(crate) id: CalloutId,
}

/// Every call of every worker, and how the clusters treat them.
#[derive(Clone, Default)]
pub(crate) struct Upstreams(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    clusters: BTreeMap<String, Cluster>,
    made: Vec<Call>,
    open: Vec<(OpenCallout, Call)>,
}

impl Upstreams {
    pub(crate) fn set_cluster(&self, name: &str, cluster: Cluster) {
        self.state().clusters.insert(name.to_owned(), cluster);
    }

    /// Every call so far, in order, refused ones left out.
    pub(crate) fn made(&self) -> Vec<Call> {
        self.state().made.clone()
    }

    /// The calls that wait for an answer, in order.
    pub(crate) fn open(&self) -> Vec<(OpenCallout, Call)> {
        self.state().open.clone()
    }

    /// Closes a callout; `false` when it was not open.
    pub(crate) fn close(&self, callout: OpenCallout) -> bool {
        let mut state = self.state();
        let before = state.open.len();
        state.open.retain(|(open, _)| *open != callout);
        state.open.len() < before
    }

    /// The first open call to a cluster that answers by itself, with the answer.
    pub(crate) fn next_scripted(&self) -> Option<(OpenCallout, Reply)> {
        let (callout, call, script) = {
            let state = self.state();
            state
                .open
                .iter()
                .find_map(|(callout, call)| match state.clusters.get(&call.cluster) {
                    Some(Cluster::Answers(script)) => {
                        Some((*callout, call.clone(), Arc::clone(script)))
                    }
                    _ => None,
                })
        }?;
        Some((callout, script(&call)))
    }

    /// The service through which one worker's module makes its calls.
    pub(crate) fn of_worker(
        &self,
        worker: WorkerIndex,
        clock: Arc<ScriptedClock>,
    ) -> Arc<dyn Callouts> {
        Arc::new(WorkerCallouts {
            upstreams: self.clone(),
            worker,
            clock,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no callout panicked")
    }
}

struct WorkerCallouts {
    upstreams: Upstreams,
    worker: WorkerIndex,
    clock: Arc<ScriptedClock>,
}

impl Callouts for WorkerCallouts {
    fn http_call(
        &self,
        call: Invocation,
        id: CalloutId,
        request: HttpCall<'_>,
    ) -> Result<(), HttpCallRefusal> {
        let mut state = self.upstreams.state();
        let made = Call::new(call, &request, self.clock.now());
        match state.clusters.get(&made.cluster) {
            Some(Cluster::Unknown) => return Err(HttpCallRefusal::UnknownUpstream),
            Some(Cluster::Refuses) => return Err(HttpCallRefusal::Failed),
            Some(Cluster::Waits | Cluster::Answers(_)) | None => {}
        }
        state.made.push(made.clone());
        state.open.push((
            OpenCallout {
                worker: self.worker,
                id,
            },
            made,
        ));
        Ok(())
    }
}
