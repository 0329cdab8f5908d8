//! Every call into the proxy. Bytes go in and out: nothing that a client sent is taken for text here, and no status panics.

mod ffi;
mod pairs;

use std::net::SocketAddr;
use std::time::Duration;

use hallpass_core::certificate::ClientCertificate;
use hallpass_core::denial::Answer;
use hallpass_core::edits::Edits;
use hallpass_core::grant::shelf::SharedPlaces;
use hallpass_core::headers::HeaderList;
use hallpass_core::request::RequestHead;
use hallpass_core::request_ids::RequestIds;
use hallpass_core::time::UnixMillis;
use hallpass_core::token::signature::host::{FUNCTION, HostVerifier};

use ffi::{Buffer, Map};
pub(crate) use ffi::{Refused, Severity};

/// The time. Where the host cannot tell, it is late: everything that ends has ended.
pub(crate) fn now() -> UnixMillis {
    let nanoseconds = ffi::current_time_nanoseconds().unwrap_or(u64::MAX);
    UnixMillis::new(nanoseconds / 1_000_000)
}

/// Writes a line to the proxy's log.
pub(crate) fn log(severity: Severity, line: &str) {
    ffi::log(severity, line);
}

/// Has a panic, should there ever be one, say in the proxy's log where it was before it ends the VM.
pub(crate) fn tell_panics() {
    std::panic::set_hook(Box::new(|panic| {
        log(Severity::Critical, &panic.to_string());
    }));
}

/// The plugin's configuration, as it was given to the proxy.
pub(crate) fn plugin_configuration(size: usize) -> Vec<u8> {
    ffi::buffer(Buffer::PluginConfiguration, size).unwrap_or_default()
}

/// What the proxy calls itself (Envoy's `node.id`); empty if it does not say.
pub(crate) fn node_id() -> String {
    let id = ffi::property(b"node\0id").unwrap_or_default();
    String::from_utf8(id).unwrap_or_default()
}

/// Asks for a tick each `period`.
pub(crate) fn tick_every(period: Duration) {
    ffi::set_tick_period(u32::try_from(period.as_millis()).unwrap_or(u32::MAX));
}

/// Makes `context` the one that host calls are about. False if it is gone.
pub(crate) fn enter(context: u32) -> bool {
    ffi::set_effective_context(context)
}

/// What is asked of the host about each request, besides its headers. Each costs calls, so it is asked only where something depends on it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    /// The address of its peer.
    pub(crate) source: bool,
    /// Nothing but that: what the proxy was only told of is not known.
    pub(crate) only_peers: bool,
    /// The certificate of its peer.
    pub(crate) certificate: bool,
}

/// The headers of the effective request, which may be all of it, and what else is wanted of it.
pub(crate) fn request_head(wanted: Wanted, ends_here: bool) -> RequestHead {
    let source = wanted.source.then(source_address).flatten();
    let is_known = |source: &SocketAddr| !wanted.only_peers || is_a_peers(*source);
    RequestHead {
        headers: header_list(Map::RequestHeaders),
        source_ip: source
            .filter(is_known)
            .map(|source| source.ip().to_canonical()),
        more_follows: !ends_here,
        certificate: wanted.certificate.then(|| Box::new(client_certificate())),
    }
}

fn client_certificate() -> ClientCertificate {
    let text = |path: &[u8]| String::from_utf8(ffi::property(path)?).ok();
    ClientCertificate {
        sha256: text(b"connection\0sha256_peer_certificate_digest"),
        uri_san: text(b"connection\0uri_san_peer_certificate"),
        dns_san: text(b"connection\0dns_san_peer_certificate"),
    }
}

fn header_list(map: Map) -> HeaderList {
    // A map that cannot be had or read has no headers, and a request without any is refused.
    read_map(map).unwrap_or_default()
}

fn read_map(map: Map) -> Option<HeaderList> {
    ffi::header_pairs(map).and_then(pairs::decode)
}

fn source_address() -> Option<SocketAddr> {
    let address = ffi::property(b"source\0address")?;
    std::str::from_utf8(&address).ok()?.parse().ok()
}

/// Whether a connection comes from there. What a proxy reads out of a header has no port, and it shows 0 then.
fn is_a_peers(address: SocketAddr) -> bool {
    address.port() != 0
}

/// Changes the effective request's headers. False if the host would not do all of it: then the request must not pass.
#[must_use]
pub(crate) fn apply(edits: &Edits) -> bool {
    let mut removals = edits.remove.iter();
    let mut replacements = edits.replace.iter();
    let mut additions = edits.additions();
    // To add takes the proxy much less than to replace what is not there, for which it would have to look.
    removals.all(|name| ffi::remove_header(Map::RequestHeaders, name))
        && replacements
            .all(|(name, value)| ffi::replace_header(Map::RequestHeaders, name.as_bytes(), value))
        && additions.all(|(name, value)| {
            ffi::add_header(Map::RequestHeaders, name.as_bytes(), value.as_bytes())
        })
}

/// The trailers of the effective request; `None` if they cannot be read.
pub(crate) fn request_trailers() -> Option<HeaderList> {
    read_map(Map::RequestTrailers)
}

/// Takes a trailer out of the effective request. False if the host would not.
#[must_use]
pub(crate) fn remove_trailer(name: &[u8]) -> bool {
    ffi::remove_header(Map::RequestTrailers, name)
}

/// Leaves a property with the effective request, for the proxy's own log of it. A host that has no such thing has none in its log either.
pub(crate) fn set_property(name: &str, value: &str) {
    ffi::set_property(name.as_bytes(), value.as_bytes());
}

/// Lets the effective request, which was held, go on.
pub(crate) fn resume_request() {
    ffi::continue_request();
}

/// Ends the effective request in the middle, as a broken connection would. False if the host would not.
///
/// The host may delete the request's context before this returns.
#[must_use]
pub(crate) fn cut() -> bool {
    ffi::close_response()
}

/// Answers the effective request. `details` is one word for the proxy's own log of it.
pub(crate) fn respond(answer: &Answer, details: &str) {
    let headers: Vec<(&[u8], &[u8])> = answer
        .headers
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
        .collect();
    ffi::send_local_response(
        answer.status.into(),
        details.as_bytes(),
        &answer.body,
        &pairs::encode(&headers),
    );
}

/// Starts a call to another service on behalf of the effective context, and returns the call's number.
pub(crate) fn dispatch(
    cluster: &str,
    headers: &[(&str, &str)],
    body: Option<&[u8]>,
    timeout: Duration,
) -> Result<u32, Refused> {
    let headers: Vec<(&[u8], &[u8])> = headers
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
        .collect();
    ffi::http_call(
        cluster,
        &pairs::encode(&headers),
        body.unwrap_or_default(),
        &pairs::encode(&[]),
        u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX),
    )
}

/// The headers of the reply that is being delivered.
pub(crate) fn reply_headers() -> HeaderList {
    header_list(Map::ReplyHeaders)
}

/// The body of the reply that is being delivered.
pub(crate) fn reply_body(size: usize) -> Vec<u8> {
    ffi::buffer(Buffer::ReplyBody, size).unwrap_or_default()
}

/// The proxy's own cryptography, where it has any.
pub(crate) fn verifier() -> HostVerifier<impl Fn(&[u8]) -> Option<Vec<u8>>> {
    HostVerifier::new(|question: &[u8]| ffi::foreign_function(FUNCTION, question))
}

/// The proxy's memory for all workers, as places for decisions.
pub(crate) struct SharedMemory;

impl SharedPlaces for SharedMemory {
    fn read(&self, place: u32) -> Option<Vec<u8>> {
        ffi::shared_data(&shared_name(place))
    }

    fn write(&self, place: u32, content: &[u8]) {
        ffi::set_shared_data(&shared_name(place), content);
    }
}

fn shared_name(place: u32) -> String {
    format!("hallpass.decision.{place}")
}

/// Names that no other worker gives: of this proxy it tells the time to the nanosecond, and of its workers their number, so that two would
/// have to begin at once, and both before either has counted itself.
pub(crate) fn request_ids() -> RequestIds {
    const WORKERS: &str = "hallpass.workers";
    let before = ffi::shared_data(WORKERS).and_then(|count| <[u8; 8]>::try_from(count).ok());
    let number = before.map_or(0, u64::from_le_bytes).wrapping_add(1);
    ffi::set_shared_data(WORKERS, &number.to_le_bytes());
    let nanoseconds = ffi::current_time_nanoseconds().unwrap_or_default();
    RequestIds::of_worker(&[&node_id(), &nanoseconds.to_string(), &number.to_string()])
}

/// Declares a gauge and returns its number.
pub(crate) fn define_gauge(name: &str) -> Option<u32> {
    ffi::define_metric(ffi::Metric::Gauge, name)
}

/// Declares a counter and returns its number.
pub(crate) fn define_counter(name: &str) -> Option<u32> {
    ffi::define_metric(ffi::Metric::Counter, name)
}

/// Declares a histogram and returns its number.
pub(crate) fn define_histogram(name: &str) -> Option<u32> {
    ffi::define_metric(ffi::Metric::Histogram, name)
}

/// Adds to a counter, or to a gauge, which may also fall.
pub(crate) fn add(metric: u32, change: i64) {
    ffi::increment_metric(metric, change);
}

/// Records a value in a histogram, or sets a gauge to it.
pub(crate) fn record(metric: u32, value: u64) {
    ffi::record_metric(metric, value);
}
