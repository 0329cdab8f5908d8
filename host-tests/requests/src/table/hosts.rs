//! Hosts: their case, ports, dots and users, and how many there are.

use crate::row::upstream_at;
use crate::{OPEN_HOST, Outcome, Row};

pub(super) fn rows() -> Vec<Row> {
    use Outcome::{Ambiguous, Guarded, Unknown, Unread};
    let at = |host: &str| upstream_at(host, "/public/x");
    vec![
        Row::at("a host in capitals", [b"OPEN.Example"]).is(&at(OPEN_HOST)),
        Row::at("a host with a port", [b"open.example:8443"]).is(&at("open.example:8443")),
        Row::at("a host with a port of zeros", [b"Open.example:008443"])
            .is(&at("open.example:8443")),
        Row::at("a host below the open one", [b"A.Open.example"]).is(&at("a.open.example")),
        Row::at("a host that only ends like it", [b"evilopen.example"]).is(&Unknown),
        Row::at("a host that only begins like it", [b"open.example.evil"]).is(&Unknown),
        Row::at("the guarded host", [b"guarded.example"]).is(&Guarded),
        Row::at("the guarded host in capitals", [b"GUARDED.example:1"]).is(&Guarded),
        Row::at("the guarded host with a dot", [b"guarded.example."]),
        Row::at("a host with a dot", [b"open.example."]),
        Row::at("a host with a dot and a port", [b"open.example.:80"]),
        Row::at("a host with a user", [b"guarded.example@open.example"]),
        Row::at(
            "a host with a user and a port",
            [b"open.example:80@guarded.example"],
        ),
        Row::at("a host with an empty label", [b"open..example"]),
        Row::at("a host that begins with a dot", [b".open.example"]),
        Row::at("an empty port", [b"open.example:"]),
        Row::at("a port of no number", [b"open.example:http"]),
        Row::at("a port with a sign", [b"open.example:+80"]),
        Row::at("a port too large", [b"open.example:65536"]),
        Row::at("two ports", [b"open.example:80:81"]),
        Row::at("a host with a path", [b"open.example/admin"]).in_envoy(&Unread),
        Row::at(
            "a host with a backslash",
            [b"open.example\\guarded.example"],
        )
        .in_envoy(&Unread),
        Row::at("a host with a query", [b"open.example?x"]).in_envoy(&Unread),
        Row::at("a host with a fragment", [b"open.example#guarded.example"]).in_envoy(&Unread),
        Row::at("a host with an escape", [b"open%2eexample"]),
        Row::at("a host with a space", [b"open.example guarded.example"]).in_envoy(&Unread),
        Row::at("hosts with a comma", [b"open.example,guarded.example"]),
        Row::at("a host that is no text", [b"\xff\xfe.example"]).in_envoy(&Unread),
        Row::at("an address", [b"127.0.0.1"]).is(&at("127.0.0.1")),
        Row::at("an address of version 6", [b"[::1]:80"]).is(&at("[::1]:80")),
        Row::at(
            "an address of version 6, written out",
            [b"[0:0:0:0:0:0:0:1]"],
        )
        .is(&at("[::1]")),
        Row::at("an address without brackets", [b"::1"]),
        Row::at("an open bracket", [b"[::1"]),
        Row::at("an address with a zone", [b"[fe80::1%25eth0]"]),
        Row::at("an empty host", [b""]),
        Row::at("no host", []).in_envoy(&Unread),
        Row::at("no host in HTTP/1.0", [])
            .in_http_1_0()
            .in_envoy(&Unread),
        Row::at("a host in HTTP/1.0", [OPEN_HOST.as_bytes()])
            .in_http_1_0()
            .is(&at(OPEN_HOST)),
        Row::at("two hosts", [b"open.example", b"guarded.example"]).alone(&Ambiguous),
        Row::at("the same host twice", [b"open.example", b"open.example"]).alone(&Ambiguous),
    ]
}
