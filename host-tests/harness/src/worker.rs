//! One worker of the proxy: a virtual machine with the module in it, and the streams that it serves.

use std::fmt;
use std::time::Duration;

use proxy_wasm_host::Error;
use proxy_wasm_host::abi::v0_2_1::types::Action;
use proxy_wasm_host::abi::v0_2_1::{
    CallScope, ContextId, Guest, GuestError, HttpCallResponse, PluginConfig, StreamKind,
};

use crate::Request;
use crate::streams::{Phase, Stream, Streams};
use crate::upstreams::OpenCallout;

/// What the module did wrong.
pub(crate) enum Fault {
    /// It trapped; the text says where.
    Trap(String),
    /// It did something to a stream that a proxy cannot do.
    Misuse(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trap(text) => write!(formatter, "the module trapped: {text}"),
            Self::Misuse(text) => write!(formatter, "the module misused the proxy: {text}"),
        }
    }
}

/// A virtual machine that has been configured.
pub(crate) struct Worker {
    guest: Guest,
    root: ContextId,
    pub(crate) streams: Streams,
    tick: Option<Tick>,
    trapped: Option<String>,
}

/// The timer that the module asked for.
#[derive(Clone, Copy)]
struct Tick {
    period: Duration,
    due: u64,
}

/// How a start ended.
pub(crate) enum Start {
    Serving(Box<Worker>),
    Refused,
}

impl Worker {
    /// Starts the module. The stream state is lent here too, so that the module finds properties and foreign functions while it configures itself.
    pub(crate) fn start(
        mut guest: Guest,
        streams: Streams,
        config: &str,
        now: u64,
    ) -> Result<Start, Fault> {
        let plugin = plugin(config);
        let (started, streams) = guest.with(streams, |scope| {
            let root = scope.on_context_create(None)?;
            let accepted = scope.on_vm_start(root)? && scope.on_configure(root, plugin)?;
            Ok(accepted.then_some(root))
        });
        let Some(root) = started.map_err(|error| Fault::Trap(trap(error)))? else {
            return Ok(Start::Refused);
        };
        let mut worker = Self {
            guest,
            root,
            streams,
            tick: None,
            trapped: None,
        };
        worker.note_timer(now);
        Ok(Start::Serving(Box::new(worker)))
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.trapped.is_none()
    }

    /// When the module's timer is due, in milliseconds since the Unix epoch.
    pub(crate) fn tick_due(&self) -> Option<u64> {
        self.tick.filter(|_| self.is_alive()).map(|tick| tick.due)
    }

    pub(crate) fn tick(&mut self, now: u64) -> Result<(), Fault> {
        if let Some(tick) = &mut self.tick {
            tick.due = now.saturating_add(millis(tick.period));
        }
        let root = self.root;
        self.drive(now, |scope| scope.on_tick(root))
    }

    /// Gives the running module another configuration; whether it takes it.
    pub(crate) fn configure(&mut self, now: u64, config: &str) -> Result<bool, Fault> {
        let root = self.root;
        let plugin = plugin(config);
        self.drive(now, |scope| scope.on_configure(root, plugin))
    }

    /// The filter is over.
    pub(crate) fn end(&mut self, now: u64) -> Result<(), Fault> {
        let root = self.root;
        let ended = self.drive(now, |scope| {
            assert!(
                scope.on_done(root)?,
                "the module does not let its filter end, which this harness does not serve"
            );
            scope.on_delete(root).map(drop)
        });
        self.tick = None;
        ended
    }

    /// A client's request arrives.
    pub(crate) fn request(
        &mut self,
        now: u64,
        request: Request,
    ) -> (Option<ContextId>, Result<(), Fault>) {
        let root = self.root;
        let mut context = None;
        let outcome = self.drive(now, |scope| {
            let id = scope.on_context_create(Some(root))?;
            context = Some(id);
            let end_of_stream = request.end_of_stream;
            let count =
                u32::try_from(request.headers.len()).expect("a test's headers can be counted");
            scope.stream_mut().insert(id, Stream::new(request));
            scope.expect_stream_kind(id, StreamKind::Http)?;
            let action = scope.on_request_headers(id, count, end_of_stream)?;
            if let Some(stream) = scope.stream_mut().get_mut(id) {
                stream.headers_returned(action);
            }
            Ok(())
        });
        (context, outcome)
    }

    /// A piece of the request's body passes the module; what it says about it.
    pub(crate) fn request_body(
        &mut self,
        now: u64,
        context: ContextId,
        bytes: u32,
    ) -> Result<Action, Fault> {
        self.drive(now, |scope| scope.on_request_body(context, bytes, false))
    }

    /// The request's trailers pass the module; what it says about them.
    pub(crate) fn request_trailers(
        &mut self,
        now: u64,
        context: ContextId,
    ) -> Result<Action, Fault> {
        self.drive(now, |scope| {
            let count = scope
                .stream()
                .get(context)
                .map_or(0, |stream| stream.trailers.len());
            let count = u32::try_from(count).expect("a test's trailers can be counted");
            scope.on_request_trailers(context, count)
        })
    }

    /// The response headers pass the module on their way to the client.
    pub(crate) fn response_headers(&mut self, now: u64, context: ContextId) -> Result<(), Fault> {
        self.drive(now, |scope| {
            let count = scope
                .stream()
                .get(context)
                .map_or(0, |stream| stream.response.len());
            let count = u32::try_from(count).expect("a test's headers can be counted");
            scope.on_response_headers(context, count, false).map(drop)
        })
    }

    /// The stream is over, however it went. Answers the callouts that ended with it.
    pub(crate) fn end_stream(
        &mut self,
        now: u64,
        context: ContextId,
    ) -> Result<Vec<OpenCalloutId>, Fault> {
        let ended = self.drive(now, |scope| {
            assert!(
                scope.on_done(context)?,
                "the module holds a finished stream open, which this harness does not serve"
            );
            scope.on_log(context)?;
            scope.on_delete(context)
        });
        if let Some(stream) = self.streams.get_mut(context) {
            stream.open = false;
        }
        ended
    }

    /// A callout ends. The caller has closed it already on the services' side.
    pub(crate) fn callout_ends(
        &mut self,
        now: u64,
        callout: OpenCallout,
        response: HttpCallResponse<'static>,
    ) -> Result<(), Fault> {
        let open = self.guest.open_callout(callout.id);
        let caller = open
            .expect("both sides agree on which callouts are open")
            .caller;
        self.drive(now, |scope| {
            scope.on_http_call_response(caller, callout.id, response)
        })
    }

    fn drive<R>(
        &mut self,
        now: u64,
        call: impl FnOnce(&mut CallScope<'_, Streams>) -> Result<R, GuestError>,
    ) -> Result<R, Fault> {
        if let Some(text) = &self.trapped {
            return Err(Fault::Trap(text.clone()));
        }
        let streams = std::mem::take(&mut self.streams);
        let (outcome, streams) = self.guest.with(streams, call);
        self.streams = streams;
        self.note_timer(now);
        match (outcome, self.streams.misuse.take()) {
            (Ok(_), Some(misuse)) => Err(Fault::Misuse(misuse)),
            (outcome, _) => outcome.map_err(|error| self.die(error)),
        }
    }

    /// Requests that the module held when it trapped are lost, as they are in a proxy.
    fn die(&mut self, error: GuestError) -> Fault {
        let text = trap(error);
        for stream in self.streams.iter_mut() {
            if stream.open && matches!(stream.phase, Phase::Arriving | Phase::Waiting) {
                stream.phase = Phase::Trapped(text.clone());
            }
            stream.open = false;
        }
        self.trapped = Some(text.clone());
        Fault::Trap(text)
    }

    fn note_timer(&mut self, now: u64) {
        if let Some(period) = self.guest.take_changes().tick_periods.remove(&self.root) {
            self.tick = period.map(|period| Tick {
                period,
                due: now.saturating_add(millis(period)),
            });
        }
    }
}

fn plugin(config: &str) -> PluginConfig {
    PluginConfig::new()
        .with_name("hallpass")
        .with_configuration(config)
}

type OpenCalloutId = proxy_wasm_host::abi::v0_2_1::CalloutId;

fn millis(period: Duration) -> u64 {
    u64::try_from(period.as_millis()).unwrap_or(u64::MAX)
}

/// What a failed callback says. An error that is not the module's is a mistake of the harness and ends the test at once.
fn trap(error: GuestError) -> String {
    match error {
        GuestError::Runtime(Error::Trap {
            message, backtrace, ..
        }) => format!("{message}\n{}", backtrace.unwrap_or_default()),
        GuestError::Runtime(error) => error.to_string(),
        GuestError::UnexpectedReturn { .. } => error.to_string(),
        other => panic!("the harness drove the module wrongly: {other}"),
    }
}
