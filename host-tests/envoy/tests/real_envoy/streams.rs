//! Requests that are still open when their permission ends, over HTTP/1.1; [`http2`] has the same over HTTP/2.

mod http2;
pub(crate) mod upstream;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hallpass_demo::idp::{IdentityProvider, now, signing_key, token_for};
use hallpass_tokens::Grant;
use serde_json::{Value, json};

use crate::world::{World, token, wait_until};
use upstream::LongServer;

/// The longest that a test waits for something to happen.
const PATIENCE: Duration = Duration::from_secs(20);
/// How late a cut may be.
const LATE: Duration = Duration::from_secs(1);

/// A world whose upstream does not come to an end by itself, and in which `/kept/…` is kept.
struct LongWorld {
    world: World,
    upstream: LongServer,
}

fn long_world() -> &'static LongWorld {
    static WORLD: LazyLock<LongWorld> = LazyLock::new(|| {
        let upstream = LongServer::start();
        let world = World::new(IdentityProvider::start(0).unwrap(), |setup| {
            setup
                .cluster("upstream", upstream.address())
                .http(|http| http["upgrade_configs"] = json!([{ "upgrade_type": "websocket" }]))
                .plugin(keep_some)
        });
        LongWorld { world, upstream }
    });
    &WORLD
}

fn keep_some(plugin: &mut Value) {
    let kept = json!({
        "name": "orders", "match": { "paths": ["/kept/{*rest}"] }, "access": "grant", "action": "read", "streams": "keep",
    });
    let resources = plugin["resources"].as_array_mut().unwrap();
    resources.insert(0, kept);
}

/// A token of `user` with grants to read and write orders, and the second at which they end.
fn brief(user: &str) -> (String, i64) {
    // The world may take longer to begin than the grant to end.
    long_world();
    let end = now() + 3;
    let grant = Grant::new("orders", &["read", "write"]).until(end);
    let token = token_for(user).grant(grant).signed_by(signing_key());
    (token, end)
}

fn clock() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

/// Requires that what has just happened did so at the second `end`, or not much later.
#[track_caller]
fn assert_just_over(end: i64) {
    let (clock, end) = (clock(), Duration::from_secs(end.try_into().unwrap()));
    assert!(clock >= end, "cut {:?} before its end", end.abs_diff(clock));
    assert!(
        clock <= end + LATE,
        "cut {:?} after its end",
        end.abs_diff(clock)
    );
}

/// A connection to the proxy with one open request.
struct Open(TcpStream);

impl Open {
    /// Sends the head of a request.
    fn send(method: &str, path: &str, token: &str, headers: &str) -> Self {
        let mut stream = TcpStream::connect(long_world().world.proxy.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: orders.example\r\nauthorization: Bearer {token}\r\n{headers}\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        Self(stream)
    }

    fn websocket(path: &str, token: &str) -> Self {
        let headers = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        let mut open = Self::send("GET", path, token, headers);
        open.await_text("HTTP/1.1 101");
        open.await_text("\r\n\r\n");
        open
    }

    fn events(path: &str, token: &str) -> Self {
        let mut open = Self::send("GET", path, token, "accept: text/event-stream\r\n");
        open.await_text("HTTP/1.1 200");
        open.await_text("data: x");
        open
    }

    /// Reads until `text` has come.
    fn await_text(&mut self, text: &str) {
        let mut read = Vec::new();
        while !read.ends_with(text.as_bytes()) {
            let mut byte = [0];
            self.0.read_exact(&mut byte).unwrap_or_else(|fault| {
                let read = String::from_utf8_lossy(&read);
                panic!("no `{text}` but {read:?}: {fault}")
            });
            read.push(byte[0]);
        }
    }

    fn is_echoed(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).unwrap();
        self.await_text(text);
    }

    /// Reads until the proxy closes the connection; the last bytes that came.
    fn await_close(&mut self) -> String {
        let mut last = Vec::new();
        let mut chunk = [0; 4096];
        loop {
            match self.0.read(&mut chunk) {
                Ok(0) => break,
                Ok(read) => last = chunk[..read].to_vec(),
                Err(fault) if fault.kind() == ErrorKind::ConnectionReset => break,
                Err(fault) => panic!("the request goes on: {fault}"),
            }
        }
        String::from_utf8_lossy(&last).into_owned()
    }
}

/// Requires one record of a cut for `path`, and returns it.
fn cut_record(path: &str) -> Value {
    let log = long_world().world.proxy.log();
    let of_path = |line: &Value| line["path"] == path;
    let records = log.await_audit(2, PATIENCE, of_path);
    let [allow, cut] = &records[..] else {
        panic!("an allow and a cut: {records:?}");
    };
    assert_eq!(allow["decision"], "allow", "{allow}");
    assert_eq!(
        (&cut["decision"], &cut["reason"]),
        (&json!("deny"), &json!("stream_expired")),
        "{cut}"
    );
    for name in ["subject", "request_id", "grant_expires"] {
        assert_eq!(cut[name], allow[name], "{name}");
    }
    cut.clone()
}

#[track_caller]
fn assert_upstream_is_left(path: &str) {
    let upstream = &long_world().upstream;
    wait_until("left alone by the proxy", PATIENCE, || {
        !upstream.serves(path)
    });
}

#[test]
fn a_websocket_is_cut_within_a_second_of_its_grants_end() {
    let (token, end) = brief("socket");
    let mut socket = Open::websocket("/orders/cut/socket", &token);
    socket.is_echoed("hello");
    socket.await_close();
    assert_just_over(end);
    assert_eq!(cut_record("/orders/cut/socket")["subject"], "socket");
    assert_upstream_is_left("/orders/cut/socket");
}

#[test]
fn a_stream_of_events_is_cut_within_a_second_of_the_end_that_the_service_names() {
    let world = &long_world().world;
    let grant = world.grants.give("events", "orders", "read", 3);
    let mut events = Open::events("/orders/cut/events", &token("events"));
    let last = events.await_close();
    assert_just_over(grant.until);
    assert!(
        !last.ends_with("0\r\n\r\n"),
        "it looks as if it were whole: {last:?}"
    );
    assert_eq!(cut_record("/orders/cut/events")["grant_id"], grant.id);
    assert_upstream_is_left("/orders/cut/events");
}

#[test]
fn an_upload_is_cut_though_its_answer_has_not_begun() {
    let (token, end) = brief("upload");
    let chunked = "transfer-encoding: chunked\r\n";
    let mut upload = Open::send("POST", "/orders/cut/upload", &token, chunked);
    upload.0.write_all(b"5\r\nhello\r\n").unwrap();
    let upstream = &long_world().upstream;
    wait_until("uploading", PATIENCE, || {
        upstream.serves("/orders/cut/upload")
    });
    upload.await_close();
    assert_just_over(end);
    cut_record("/orders/cut/upload");
    assert_upstream_is_left("/orders/cut/upload");
}

/// A question is sent by the worker's tick, run from within the request that has it; streams may be over at that very moment.
#[test]
fn questions_that_are_asked_while_streams_end_harm_neither() {
    let (bearer, end) = brief("many");
    // Each connection may reach another worker.
    let mut streams: Vec<Open> = (0..6)
        .map(|number| Open::events(&format!("/orders/many-{number}/events"), &bearer))
        .collect();
    let quiet = Duration::from_secs((end + 1).try_into().unwrap());
    for number in 0.. {
        if clock() >= quiet {
            break;
        }
        let asker = token(&format!("asker-{number}"));
        let request = long_world().world.proxy.get("/orders/asked");
        let denied = (403, Some("grant_denied".to_owned()));
        assert_eq!(request.token(&asker).send().verdict(), denied, "{number}");
    }
    for (number, stream) in streams.iter_mut().enumerate() {
        stream.await_close();
        cut_record(&format!("/orders/many-{number}/events"));
    }
}

#[test]
fn what_is_to_be_kept_lives_on_past_its_grants_end() {
    let (token, end) = brief("keeper");
    let mut socket = Open::websocket("/kept/socket", &token);
    let mut events = Open::events("/kept/events", &token);
    let late = Duration::from_secs(end.try_into().unwrap()) + LATE;
    while clock() < late {
        events.await_text("data: x");
    }
    socket.is_echoed("still here");
    let refused = long_world().world.proxy.get("/kept/events").token(&token);
    assert_eq!(refused.send().status, 403, "what begins now is refused");
}
