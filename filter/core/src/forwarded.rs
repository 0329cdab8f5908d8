//! Where a request comes from, if proxies stand between the client and this one.
//!
//! Each proxy appends the address of its own peer to `x-forwarded-for`, so the right end was written by those nearest to us, and whatever
//! stands further left than they wrote is the client's own claim. This proxy is the last that appends: the rightmost entry is the address
//! of our peer. With one trusted proxy, that entry is the proxy, and the one left of it is whom the proxy saw.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::request::RequestHead;

/// The most proxies that can be trusted in a row.
pub const MAX_TRUSTED_HOPS: u64 = 16;

/// How many proxies stand before this one, each of which tells the truth about its own peer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TrustedHops(usize);

impl TrustedHops {
    /// This many proxies.
    pub const fn new(hops: usize) -> Self {
        Self(hops)
    }

    /// Whether there are any.
    pub const fn are_some(self) -> bool {
        self.0 > 0
    }

    /// The address that the farthest trusted proxy saw; without any, that of the peer. `None` where it is not certain: there are too few
    /// entries, one of those that count is no plain address, or the last is not our peer, so that this proxy did not append it.
    pub fn source_ip(self, head: &RequestHead) -> Option<IpAddr> {
        let peer = head.source_ip?;
        if self.0 == 0 {
            return Some(peer);
        }
        let lines = head.headers.all("x-forwarded-for").rev();
        let mut entries = lines
            .flat_map(|line| line.rsplit(|byte| *byte == b','))
            .map(address);
        let appended = entries.next()??;
        if appended != peer && !is_own_machine(peer) {
            return None;
        }
        let mut seen = entries.take(self.0);
        let mut farthest = None;
        for _ in 0..self.0 {
            farthest = Some(seen.next()??);
        }
        farthest
    }
}

/// Of a peer on the same machine Envoy appends an address of the machine's, which is not known here.
fn is_own_machine(peer: IpAddr) -> bool {
    peer == Ipv4Addr::LOCALHOST || peer == Ipv6Addr::LOCALHOST
}

/// An address without port or brackets. A mapped IPv4 address (RFC 4291, section 2.5.5.2) is that address.
fn address(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry.trim_ascii()).ok()?;
    let address: IpAddr = text.parse().ok()?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn source(hops: usize, peer: Option<&str>, lines: &[&[u8]]) -> Option<String> {
        let mut head = RequestHead {
            source_ip: peer.map(|peer| peer.parse().unwrap()),
            ..RequestHead::default()
        };
        for line in lines {
            head.headers.push(b"X-Forwarded-For", line);
        }
        let source = TrustedHops::new(hops).source_ip(&head);
        source.map(|address| address.to_string())
    }

    #[test]
    fn the_source_is_whom_the_farthest_trusted_proxy_saw() {
        let peer = Some("10.0.0.2");
        let chain: &[&[u8]] = &[b"6.6.6.6, 203.0.113.9, 10.0.0.7 ,10.0.0.2"];
        for (hops, lines, expected) in [
            (0, chain, Some("10.0.0.2")),
            (0, &[][..], Some("10.0.0.2")),
            (1, chain, Some("10.0.0.7")),
            (2, chain, Some("203.0.113.9")),
            (3, chain, Some("6.6.6.6")),
            (4, chain, None),
            (1, &[b"10.0.0.2"], None),
            (1, &[], None),
            // Several lines are one list, in their order.
            (1, &[b"203.0.113.9", b"10.0.0.2"], Some("203.0.113.9")),
            (
                2,
                &[b"203.0.113.9, 10.0.0.7", b"10.0.0.2"],
                Some("203.0.113.9"),
            ),
            (1, &[b"10.0.0.2", b"203.0.113.9"], None),
        ] {
            let found = source(hops, peer, lines);
            assert_eq!(found.as_deref(), expected, "{hops} of {lines:?}");
        }
        assert_eq!(source(1, None, chain), None);
    }

    #[test]
    fn a_peer_on_the_same_machine_is_appended_under_another_address() {
        for (peer, expected) in [
            ("127.0.0.1", Some("203.0.113.9")),
            ("::1", Some("203.0.113.9")),
            ("127.0.0.2", None),
            ("10.0.0.3", None),
        ] {
            let found = source(1, Some(peer), &[b"203.0.113.9,10.0.0.2"]);
            assert_eq!(found.as_deref(), expected, "{peer}");
        }
        assert_eq!(
            source(1, Some("127.0.0.1"), &[b"203.0.113.9,unknown"]),
            None
        );
        assert_eq!(source(1, Some("127.0.0.1"), &[b"203.0.113.9"]), None);
    }

    #[test]
    fn what_a_client_writes_further_left_changes_nothing() {
        for claimed in [
            "",
            ",",
            "127.0.0.1,",
            "\u{fc}, ",
            "10.0.0.2, 10.0.0.2, ",
            "[::1]:1,",
        ] {
            let line = format!("{claimed}203.0.113.9,10.0.0.2");
            let found = source(1, Some("10.0.0.2"), &[line.as_bytes()]);
            assert_eq!(found.as_deref(), Some("203.0.113.9"), "{line}");
        }
        let bytes: &[u8] = b"\xff\xfe, 203.0.113.9, 10.0.0.2";
        let found = source(1, Some("10.0.0.2"), &[bytes]);
        assert_eq!(found.as_deref(), Some("203.0.113.9"));
    }

    #[test]
    fn an_entry_that_counts_and_is_no_plain_address_leaves_the_source_unknown() {
        for entry in [
            &b""[..],
            b"unknown",
            b"203.0.113.9:4711",
            b"[2001:db8::1]",
            b"[2001:db8::1]:443",
            b"2001:db8::1%eth0",
            b"203.0.113",
            b"203.0.113.09",
            b"203.0.113.9/32",
            b"\"203.0.113.9\"",
            b"203.0.113.\xff",
            b"for=203.0.113.9",
        ] {
            let line = [entry, b", 10.0.0.2"].concat();
            assert_eq!(
                source(1, Some("10.0.0.2"), &[&line]),
                None,
                "{}",
                entry.escape_ascii()
            );
            // Nor is anything left of it believed.
            let line = [b"198.51.100.1,", entry, b",10.0.0.2"].concat();
            assert_eq!(source(2, Some("10.0.0.2"), &[&line]), None);
        }
    }

    #[test]
    fn a_mapped_address_is_the_address_that_it_maps() {
        let lines: &[&[u8]] = &[b"::ffff:203.0.113.9, ::ffff:10.0.0.2"];
        let found = source(1, Some("10.0.0.2"), lines);
        assert_eq!(found.as_deref(), Some("203.0.113.9"));
        let lines: &[&[u8]] = &[b"2001:DB8::0:9, 10.0.0.2"];
        let found = source(1, Some("10.0.0.2"), lines);
        assert_eq!(found.as_deref(), Some("2001:db8::9"));
    }
}
