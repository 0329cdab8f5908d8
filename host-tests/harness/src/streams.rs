//! The proxy's side of the streams of one worker: what the module may read and change, and what it decided.
//!
//! One value holds every open stream and is lent to every callback, the root's included, because a root's callback may act for a stream that it
//! makes the effective context.

use std::collections::BTreeMap;
use std::sync::Arc;

use proxy_wasm_host::abi::v0_2_1::types::{Action, BufferType, MapType, Status, StreamType};
use proxy_wasm_host::abi::v0_2_1::{
    Access, ContextId, ForeignCall, Invocation, LocalResponse, StreamState,
};
use proxy_wasm_host::{Buffer, HeaderMap};

use crate::{Answer, Headers, Request};

/// A function of the host that the ABI does not define: arguments in, the result or the status that the module sees out.
pub type ForeignFunction = Arc<dyn Fn(&[u8]) -> Result<Vec<u8>, Status> + Send + Sync>;

/// What the proxy knows of one stream.
pub(crate) struct Stream {
    pub(crate) request: Headers,
    pub(crate) trailers: Headers,
    pub(crate) response: Headers,
    pub(crate) phase: Phase,
    /// The context still exists in the module.
    pub(crate) open: bool,
    resumed: bool,
    properties: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// How far a request has come.
#[derive(Clone, Debug)]
pub(crate) enum Phase {
    /// The module is looking at the headers.
    Arriving,
    /// The module has paused the request.
    Waiting,
    /// The request has gone on to the upstream.
    Forwarded,
    /// The module has answered in place of the upstream.
    Answered(Answer),
    /// The module has reset the stream.
    Reset,
    /// The client has left.
    HungUp,
    /// The module trapped while it held the request.
    Trapped(String),
}

impl Stream {
    pub(crate) fn new(request: Request) -> Self {
        let peer = request
            .peer
            .map(|peer| (property_key(&[b"source", b"address"]), peer.into_bytes()));
        Self {
            request: request.headers,
            trailers: Headers::default(),
            response: Headers::new(),
            phase: Phase::Arriving,
            open: true,
            resumed: false,
            properties: peer.into_iter().collect(),
        }
    }

    /// Takes in what the module returned from the request headers.
    pub(crate) fn headers_returned(&mut self, action: Action) {
        if matches!(self.phase, Phase::Arriving) {
            let forwarded = self.resumed || action == Action::Continue;
            self.phase = if forwarded {
                Phase::Forwarded
            } else {
                Phase::Waiting
            };
        }
    }

    fn resume(&mut self) -> Result<(), Status> {
        match self.phase {
            Phase::Arriving if !self.resumed => self.resumed = true,
            Phase::Waiting => self.phase = Phase::Forwarded,
            _ => return Err(Status::BadArgument),
        }
        Ok(())
    }

    fn reset(&mut self) -> Result<(), Status> {
        match self.phase {
            Phase::Arriving | Phase::Waiting | Phase::Forwarded => {
                self.phase = Phase::Reset;
                Ok(())
            }
            _ => Err(Status::BadArgument),
        }
    }

    fn answer(&mut self, answer: Answer) -> Result<(), Status> {
        match self.phase {
            Phase::Arriving | Phase::Waiting => {
                self.response = answer.headers.clone();
                self.response
                    .replace(b":status", answer.status.to_string().as_bytes());
                self.phase = Phase::Answered(answer);
                Ok(())
            }
            _ => Err(Status::BadArgument),
        }
    }

    /// A property that the proxy gave or the module set.
    pub(crate) fn property(&self, path: &[&[u8]]) -> Option<&[u8]> {
        self.properties.get(&property_key(path)).map(Vec::as_slice)
    }
}

/// Every stream of one worker, past ones included, and what the proxy offers to all of them.
#[derive(Default)]
pub(crate) struct Streams {
    by_context: BTreeMap<ContextId, Stream>,
    /// What the module did to a stream that a proxy cannot do.
    pub(crate) misuse: Option<String>,
    pub(crate) properties: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(crate) foreign_functions: BTreeMap<String, ForeignFunction>,
    /// The proxy does not reset streams.
    pub(crate) refuses_resets: bool,
}

impl Streams {
    pub(crate) fn insert(&mut self, context: ContextId, stream: Stream) {
        self.by_context.insert(context, stream);
    }

    pub(crate) fn get(&self, context: ContextId) -> Option<&Stream> {
        self.by_context.get(&context)
    }

    pub(crate) fn get_mut(&mut self, context: ContextId) -> Option<&mut Stream> {
        self.by_context.get_mut(&context)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Stream> {
        self.by_context.values_mut()
    }

    /// The first stream that was answered and not yet ended.
    pub(crate) fn next_answered(&self) -> Option<ContextId> {
        let answered = |stream: &Stream| {
            stream.open && matches!(stream.phase, Phase::Answered(_) | Phase::Reset)
        };
        self.by_context
            .iter()
            .find(|(_, stream)| answered(stream))
            .map(|(context, _)| *context)
    }

    fn open(&mut self, context: ContextId) -> Option<&mut Stream> {
        self.by_context
            .get_mut(&context)
            .filter(|stream| stream.open)
    }

    /// Does something to an open stream. A proxy in the field may crash on what it cannot do, so that is noted, besides being refused.
    fn change(
        &mut self,
        context: ContextId,
        deed: &str,
        change: impl FnOnce(&mut Stream) -> Result<(), Status>,
    ) -> Result<(), Status> {
        let done = self
            .open(context)
            .ok_or(Status::BadArgument)
            .and_then(change);
        if done.is_err() {
            let phase = self.get(context).map(|stream| &stream.phase);
            self.misuse = Some(format!("it {deed} a request that is {phase:?}"));
        }
        done
    }
}

/// The key under which a property path is stored.
pub(crate) fn property_key(path: &[&[u8]]) -> Vec<u8> {
    path.join(&0)
}

impl StreamState for Streams {
    fn header_map(
        &mut self,
        call: Invocation,
        _: Access,
        map: MapType,
    ) -> Result<&mut dyn HeaderMap, Status> {
        let stream = self.open(call.context).ok_or(Status::NotFound)?;
        match map {
            MapType::HttpRequestHeaders => Ok(&mut stream.request),
            MapType::HttpRequestTrailers => Ok(&mut stream.trailers),
            MapType::HttpResponseHeaders if !stream.response.is_empty() => Ok(&mut stream.response),
            _ => Err(Status::BadArgument),
        }
    }

    fn buffer(
        &mut self,
        _: Invocation,
        _: Access,
        _: BufferType,
    ) -> Result<&mut dyn Buffer, Status> {
        Err(Status::NotFound)
    }

    fn continue_stream(&mut self, call: Invocation, direction: StreamType) -> Result<(), Status> {
        match direction {
            StreamType::HttpRequest => self.change(call.context, "resumed", Stream::resume),
            _ => Err(Status::BadArgument),
        }
    }

    fn close_stream(&mut self, call: Invocation, _: StreamType) -> Result<(), Status> {
        if self.refuses_resets {
            return Err(Status::Unimplemented);
        }
        self.change(call.context, "reset", Stream::reset)
    }

    fn send_local_response(
        &mut self,
        call: Invocation,
        response: LocalResponse<'_>,
    ) -> Result<(), Status> {
        let answer = Answer::from(response);
        self.change(call.context, "answered", |stream| stream.answer(answer))
    }

    fn property(
        &mut self,
        call: Invocation,
        path: &[&[u8]],
        out: &mut Vec<u8>,
    ) -> Result<(), Status> {
        let own = self
            .by_context
            .get(&call.context)
            .and_then(|stream| stream.property(path));
        let shared = self.properties.get(&property_key(path)).map(Vec::as_slice);
        out.extend_from_slice(own.or(shared).ok_or(Status::NotFound)?);
        Ok(())
    }

    fn set_property(
        &mut self,
        call: Invocation,
        path: &[&[u8]],
        value: &[u8],
    ) -> Result<(), Status> {
        let properties = match self.by_context.get_mut(&call.context) {
            Some(stream) => &mut stream.properties,
            None => &mut self.properties,
        };
        properties.insert(property_key(path), value.to_vec());
        Ok(())
    }

    fn call_foreign_function(
        &mut self,
        _: Invocation,
        request: ForeignCall<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Status> {
        let name = String::from_utf8_lossy(&request.name);
        let function = self
            .foreign_functions
            .get(name.as_ref())
            .ok_or(Status::NotFound)?;
        out.extend(function(&request.arguments)?);
        Ok(())
    }
}
