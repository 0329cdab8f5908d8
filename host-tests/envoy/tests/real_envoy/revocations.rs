//! Permission that is taken back before its end, felt by every worker.

mod service;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use hallpass_demo::idp::{IdentityProvider, now, signing_key, token_for};
use hallpass_tokens::Grant;
use serde_json::json;

use crate::streams::upstream::LongServer;
use crate::world::{World, token, wait_until};
use service::Service;

/// The longest that a test waits for something to happen.
const PATIENCE: Duration = Duration::from_secs(20);
/// Within the feed's interval of a second, with what the tick and a busy machine may add.
const WITHIN: Duration = Duration::from_millis(2_500);
/// Each request is a connection, and may reach any of the two workers.
const CONNECTIONS: usize = 20;

/// A proxy that follows the feed of `service`, before an upstream that answers without an end.
fn following(service: &Service, upstream: &LongServer) -> World {
    World::new(IdentityProvider::start(0).unwrap(), |setup| {
        setup
            .cluster("upstream", upstream.address())
            .cluster("grants", service.address())
            .plugin(|plugin| {
                plugin["grants"]["service"]["revocations"] =
                    json!({ "interval": "1s", "max_stale": "10s" });
            })
    })
}

/// A request for a stream of events, as far as the status of its answer.
struct Open {
    connection: TcpStream,
    status: String,
}

impl Open {
    fn new(world: &World, path: &str, token: &str) -> Self {
        let mut connection = TcpStream::connect(world.proxy.address()).unwrap();
        connection.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!(
            "GET {path}/events HTTP/1.1\r\nhost: orders.example\r\nauthorization: Bearer {token}\r\n\r\n"
        );
        connection.write_all(head.as_bytes()).unwrap();
        let mut status = [0; 12];
        // One that is cut at this very moment has no status, and does not pass.
        let read = connection.read_exact(&mut status);
        assert!(read.is_ok() || read.is_err_and(|fault| fault.kind() != ErrorKind::WouldBlock));
        Self {
            connection,
            status: String::from_utf8_lossy(&status).into_owned(),
        }
    }

    fn passes(&self) -> bool {
        self.status == "HTTP/1.1 200"
    }

    /// Reads until the proxy closes the connection.
    fn await_close(&mut self) {
        let mut chunk = [0; 4096];
        loop {
            match self.connection.read(&mut chunk) {
                Ok(0) => return,
                Ok(_) => {}
                Err(fault) if fault.kind() == ErrorKind::ConnectionReset => return,
                Err(fault) => panic!("the request goes on: {fault}"),
            }
        }
    }

    /// Whether events still come, after all that came before.
    fn goes_on(&mut self) -> bool {
        let mut chunk = [0; 8 * 1024];
        (0..5).all(|_| self.connection.read(&mut chunk).is_ok_and(|read| read > 0))
    }
}

fn all_pass(world: &World, token: &str) -> bool {
    (0..CONNECTIONS).all(|_| Open::new(world, "/orders/brief", token).passes())
}

fn none_passes(world: &World, token: &str) -> bool {
    (0..CONNECTIONS).all(|_| !Open::new(world, "/orders/brief", token).passes())
}

#[test]
fn what_is_taken_back_is_out_within_the_interval_on_every_worker_and_open_requests_are_cut() {
    let (service, upstream) = (Service::start(), LongServer::start());
    let world = following(&service, &upstream);
    service.refuse("carrying");
    let cached = token("cached");
    let other = token("other");
    let grant = |id: &str| Grant::new("orders", &["read"]).id(id).until(now() + 600);
    let carrying = token_for("carrying")
        .grant(grant("g-7"))
        .signed_by(signing_key());
    let unconcerned = token_for("carrying")
        .grant(grant("g-8"))
        .signed_by(signing_key());
    let everyone = [&cached, &other, &carrying, &unconcerned];
    for token in everyone {
        assert!(all_pass(&world, token));
    }
    let asked = service.asked();
    let mut open: Vec<[Open; 4]> = (0..6)
        .map(|_| everyone.map(|token| Open::new(&world, "/orders/open", token)))
        .collect();
    wait_until("followed", PATIENCE, || service.unchanged() > 0);
    assert_eq!(service.asked(), asked, "all is remembered or in the token");

    service.refuse("cached");
    service.take_back("s-cached");
    service.take_back("g-7");
    wait_until("out on every worker", WITHIN, || {
        none_passes(&world, &cached) && none_passes(&world, &carrying)
    });
    for token in [&other, &unconcerned] {
        assert!(all_pass(&world, token));
    }
    for [cached, other, carrying, unconcerned] in &mut open {
        cached.await_close();
        carrying.await_close();
        assert!(other.goes_on() && unconcerned.goes_on());
    }
    let is_cut = |line: &serde_json::Value| {
        line["reason"] == "grant_revoked" && line["path"] == "/orders/open/events"
    };
    world.proxy.log().await_audit(12, PATIENCE, is_cut);
    // Two of the feed in each of two workers; the main thread serves nobody, and follows it too.
    let entries = world.proxy.stat("wasmcustom.hallpass.revocations.entries");
    assert!([4, 6].contains(&entries), "{entries}");
}

#[test]
fn with_the_service_gone_nothing_counts_any_longer_that_it_could_have_taken_back() {
    let (service, upstream) = (Service::start(), LongServer::start());
    let world = World::new(IdentityProvider::start(0).unwrap(), |setup| {
        setup
            .cluster("upstream", upstream.address())
            .cluster("grants", service.address())
            .plugin(|plugin| {
                plugin["grants"]["service"]["revocations"] =
                    json!({ "interval": "500ms", "max_stale": "1s" });
            })
    });
    let grant = Grant::new("orders", &["read"]).id("g-7").until(now() + 600);
    let carrying = token_for("carrying").grant(grant).signed_by(signing_key());
    assert!(all_pass(&world, &carrying));
    drop(service);
    wait_until("out on every worker", PATIENCE, || {
        none_passes(&world, &carrying)
    });
    let refused = Open::new(&world, "/orders/brief", &carrying);
    assert_eq!(refused.status, "HTTP/1.1 503");
    assert!(world.proxy.log().so_far().iter().any(|line| {
        line.contains("revocation feed (cluster `grants`, path `/revocations`) cannot be read")
    }));
}
