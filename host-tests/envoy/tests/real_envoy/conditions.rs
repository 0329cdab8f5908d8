//! Where a request comes from, as real Envoy tells it: its peer, and `x-forwarded-for` with the entry that Envoy appends.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use hallpass_demo::idp::IdentityProvider;
use serde_json::{Value, json};
use tokio::net::TcpSocket;

use crate::world::World;

/// What Envoy does with `x-forwarded-for`.
#[derive(Clone, Copy)]
enum Proxy {
    AppendsItsPeer,
    AppendsNothing,
    TakesTheLastWordForItsPeer,
}

/// A world that is open in one place to those to whom `conditions` apply, and in another to those to whom they certainly do not.
fn world(conditions: &Value, trusted_hops: u64, proxy: Proxy) -> World {
    World::new(IdentityProvider::start(0).unwrap(), |setup| {
        let setup = setup.http(|http| match proxy {
            Proxy::AppendsItsPeer => {}
            Proxy::AppendsNothing => http["skip_xff_append"] = json!(true),
            Proxy::TakesTheLastWordForItsPeer => http["use_remote_address"] = json!(false),
        });
        setup.plugin(|plugin| {
            plugin["trusted_hops"] = json!(trusted_hops);
            plugin["resources"] = json!([
                { "name": "here", "match": { "paths": ["/here"] }, "access": "public", "conditions": conditions },
                { "name": "elsewhere", "match": { "paths": ["/elsewhere"] }, "access": "public",
                  "conditions": { "not": conditions } },
            ]);
        })
    })
}

/// An address of this machine that Envoy does not take for its own machine's.
const REMOTE: &str = "127.0.0.2:0";
const LOCAL: &str = "127.0.0.1:0";

fn connect(from: &str, to: SocketAddr) -> TcpStream {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_io().build().unwrap();
    let stream = runtime.block_on(async {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(from.parse().unwrap()).unwrap();
        socket.connect(to).await.unwrap().into_std().unwrap()
    });
    stream.set_nonblocking(false).unwrap();
    stream
}

/// Asks for both places from an address, and tells whether each is open.
#[track_caller]
fn is_open(world: &World, from: &str, forwarded: &[&str]) -> [bool; 2] {
    ["/here", "/elsewhere"].map(|path| {
        let mut stream = connect(from, world.proxy.address());
        let mut request =
            format!("GET {path} HTTP/1.1\r\nhost: orders.example\r\nconnection: close\r\n");
        for line in forwarded {
            request.extend(["x-forwarded-for: ", line, "\r\n"]);
        }
        request += "\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let is_open = answer.starts_with("HTTP/1.1 200 ");
        assert!(
            is_open || answer.contains("condition_source_ip"),
            "{answer}"
        );
        is_open
    })
}

const HERE: [bool; 2] = [true, false];
const ELSEWHERE: [bool; 2] = [false, true];
/// Neither the condition nor its opposite holds.
const UNKNOWN: [bool; 2] = [false, false];

#[test]
fn without_trusted_proxies_the_source_is_the_peer_whatever_a_client_writes() {
    let world = world(
        &json!({ "source_cidrs": ["127.0.0.1/32"] }),
        0,
        Proxy::AppendsItsPeer,
    );
    for forwarded in [
        &[][..],
        &["127.0.0.1"],
        &["10.0.0.1, 192.0.2.1"],
        &["nonsense"],
    ] {
        assert_eq!(is_open(&world, LOCAL, forwarded), HERE, "{forwarded:?}");
        assert_eq!(
            is_open(&world, REMOTE, forwarded),
            ELSEWHERE,
            "{forwarded:?}"
        );
    }
}

#[test]
fn with_a_trusted_proxy_the_source_is_whom_it_saw() {
    // The test is the trusted proxy.
    let world = world(
        &json!({ "source_cidrs": ["203.0.113.0/24"] }),
        1,
        Proxy::AppendsItsPeer,
    );
    for (forwarded, expected) in [
        (&["203.0.113.9"][..], HERE),
        (&["192.0.2.1, 203.0.113.9"], HERE),
        (&["192.0.2.1", "203.0.113.9"], HERE),
        (&["203.0.113.9, 192.0.2.1"], ELSEWHERE),
        (&["203.0.113.9", "192.0.2.1"], ELSEWHERE),
        (&[], UNKNOWN),
        (&["203.0.113.9:443"], UNKNOWN),
        (&["203.0.113.9,"], UNKNOWN),
        (&["unknown"], UNKNOWN),
    ] {
        for from in [REMOTE, LOCAL] {
            let found = is_open(&world, from, forwarded);
            assert_eq!(found, expected, "{forwarded:?} from {from}");
        }
    }
}

#[test]
fn a_proxy_that_does_not_append_its_peer_leaves_the_source_unknown() {
    // Here the client's own word would be taken for what a trusted proxy saw.
    for proxy in [Proxy::AppendsNothing, Proxy::TakesTheLastWordForItsPeer] {
        let world = world(&json!({ "source_cidrs": ["203.0.113.0/24"] }), 1, proxy);
        for forwarded in [&["203.0.113.9, 10.0.0.1"][..], &["203.0.113.9"], &[]] {
            assert_eq!(is_open(&world, REMOTE, forwarded), UNKNOWN, "{forwarded:?}");
        }
    }
}
