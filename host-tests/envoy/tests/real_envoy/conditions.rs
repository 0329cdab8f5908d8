//! Where a request comes from, as real Envoy tells it: its peer, and `x-forwarded-for` with the entry that Envoy appends.

use hallpass_demo::idp::IdentityProvider;
use serde_json::{Value, json};

use crate::world::World;

/// A world whose `health` has these conditions, behind so many trusted proxies.
fn world(conditions: &Value, trusted_hops: u64) -> World {
    World::new(IdentityProvider::start(0).unwrap(), |setup| {
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

fn reason(world: &World, path: &str, forwarded: &[&str]) -> String {
    let request = world.proxy.get(path);
    let request = forwarded.iter().fold(request, |request, line| {
        request.header("x-forwarded-for", line)
    });
    let answer = request.send();
    match answer.status {
        200 => "passes".to_owned(),
        _ => answer.json()["reason"].as_str().unwrap().to_owned(),
    }
}

#[test]
fn without_trusted_proxies_the_source_is_the_peer_whatever_a_client_writes() {
    let world = world(&json!({ "source_cidrs": ["127.0.0.0/8"] }), 0);
    for forwarded in [
        &[][..],
        &["10.0.0.1"],
        &["10.0.0.1, 192.0.2.1"],
        &["nonsense"],
    ] {
        assert_eq!(
            reason(&world, "/here", forwarded),
            "passes",
            "{forwarded:?}"
        );
        let elsewhere = reason(&world, "/elsewhere", forwarded);
        assert_eq!(elsewhere, "condition_source_ip", "{forwarded:?}");
    }
}

#[test]
fn with_a_trusted_proxy_the_source_is_whom_it_saw() {
    // The test is the trusted proxy: Envoy appends 127.0.0.1.
    let world = world(&json!({ "source_cidrs": ["203.0.113.0/24"] }), 1);
    for (forwarded, here, elsewhere) in [
        (&["203.0.113.9"][..], "passes", "condition_source_ip"),
        (&["192.0.2.1, 203.0.113.9"], "passes", "condition_source_ip"),
        (
            &["192.0.2.1", "203.0.113.9"],
            "passes",
            "condition_source_ip",
        ),
        (&["203.0.113.9, 192.0.2.1"], "condition_source_ip", "passes"),
        (
            &["203.0.113.9", "192.0.2.1"],
            "condition_source_ip",
            "passes",
        ),
        // Nobody knows: neither the condition nor its opposite holds.
        (&[], "condition_source_ip", "condition_source_ip"),
        (
            &["203.0.113.9:443"],
            "condition_source_ip",
            "condition_source_ip",
        ),
        (
            &["203.0.113.9,"],
            "condition_source_ip",
            "condition_source_ip",
        ),
        (&["unknown"], "condition_source_ip", "condition_source_ip"),
    ] {
        assert_eq!(reason(&world, "/here", forwarded), here, "{forwarded:?}");
        assert_eq!(
            reason(&world, "/elsewhere", forwarded),
            elsewhere,
            "{forwarded:?}"
        );
    }
}

#[test]
fn a_proxy_that_does_not_append_its_peer_leaves_the_source_unknown() {
    let world = World::new(IdentityProvider::start(0).unwrap(), |setup| {
        let setup = setup.http(|http| http["skip_xff_append"] = json!(true));
        setup.plugin(|plugin| {
            plugin["trusted_hops"] = json!(1);
            plugin["resources"] = json!([{ "name": "here", "match": { "paths": ["/here"] }, "access": "public",
                                           "conditions": { "source_cidrs": ["203.0.113.0/24"] } }]);
        })
    });
    // Here the client's own word would be taken for what a trusted proxy saw.
    for forwarded in ["203.0.113.9, 10.0.0.1", "203.0.113.9"] {
        let reason = reason(&world, "/here", &[forwarded]);
        assert_eq!(reason, "condition_source_ip", "{forwarded}");
    }
}
