mod faults;

use std::net::IpAddr;
use std::time::Duration;

use hallpass_core::config::JwksSource;
use hallpass_core::jwks::Location;
use hallpass_tokens::{SigningKey, jwks};
use serde_json::{Value, json};
use url::Origin;

use super::*;
use crate::audit::Event;
use crate::life::Target;

/// One that says everything.
fn full() -> Value {
    json!({
        "listen": "127.0.0.1:10003",
        "public_url": "https://grants.example",
        "sign_in_url": "https://idp.example/login?return_to={return_to}",
        "return_origins": ["https://admin.example", "http://127.0.0.1:10000"],
        "database": "sqlite:here.db",
        "providers": [{
            "name": "corp",
            "issuer": "https://idp.example",
            "audiences": ["grants"],
            "jwks": { "remote": { "url": "https://idp.example/jwks.json", "refresh": "1m" } },
        }],
        "identity_headers": { "trusted_proxies": ["127.0.0.1", "10.1.0.0/16"], "subject": "X-User" },
        "services": [{ "name": "edge", "token": "a token of the edge" }],
        "policy": {
            "administrators": { "groups": ["security"] },
            "auditors": { "subjects": ["ada"] },
            "resources": [{
                "resource": "orders",
                "type": "http",
                "title": "Orders",
                "actions": ["read", "write"],
                "requesters": { "everyone": true },
                "approvers": { "groups": ["lead"], "issuers": ["https://idp.example"] },
                "approvals": 2,
                "max_duration": "8h",
                "default_duration": "30m",
                "pending_for": "2d",
                "reason_pattern": "^[A-Z]+-[0-9]+",
                "reason_hint": "a ticket, such as OPS-7: why",
                "automatic": { "who": { "groups": ["oncall"] }, "max_duration": "1h" },
                "break_glass": { "who": { "groups": ["sre"] }, "max_duration": "30m" },
            }],
        },
        "webhooks": [{
            "name": "chat",
            "url": "https://chat.example/hook",
            "secret": "a secret of the chat",
            "events": ["request_opened", "glass_broken"],
        }],
        "revocations": { "remember": "14d" },
    })
}

/// The least that a configuration says.
fn least() -> Value {
    json!({
        "listen": "127.0.0.1:0",
        "public_url": "http://127.0.0.1:10003",
        "identity_headers": { "trusted_proxies": ["127.0.0.1"] },
        "policy": { "administrators": { "groups": ["security"] } },
    })
}

fn parse(value: &Value) -> Result<Config, Vec<String>> {
    Config::parse(&value.to_string())
        .map_err(|faults| faults.iter().map(ToString::to_string).collect())
}

/// `base` with `value` at the JSON pointer `place`; `null` removes what is there.
fn with(mut base: Value, place: &str, value: Value) -> Value {
    let (parent, member) = place.rsplit_once('/').unwrap();
    match base.pointer_mut(parent).unwrap() {
        Value::Object(members) if value.is_null() => {
            members.remove(member);
        }
        Value::Object(members) => {
            members.insert(member.to_owned(), value);
        }
        other => other[member.parse::<usize>().unwrap()] = value,
    }
    base
}

#[test]
fn everything_that_can_be_said_is_heard() {
    let config = parse(&full()).unwrap();
    assert_eq!(config.listen.port(), 10_003);
    assert_eq!(config.public_url.as_str(), "https://grants.example/");
    let origins: Vec<_> = config
        .return_origins
        .iter()
        .map(Origin::ascii_serialization)
        .collect();
    assert_eq!(origins, ["https://admin.example", "http://127.0.0.1:10000"]);
    assert_eq!(config.database.bytes(), b"sqlite:here.db");
    assert_eq!(config.remember, Duration::from_hours(14 * 24));

    let providers = &config.providers.unwrap().providers;
    let JwksSource::Remote(remote) = &providers[0].jwks else {
        panic!("its keys are fetched");
    };
    assert_eq!(remote.cluster, "https");
    let Location::Known(address) = &remote.location else {
        panic!("their address is known");
    };
    assert_eq!(
        (address.authority.as_str(), address.path.as_str()),
        ("idp.example", "/jwks.json")
    );
    assert_eq!(remote.rules.refresh, Duration::from_mins(1));

    let proxies = config.proxies.unwrap();
    for (peer, is_one) in [
        ("127.0.0.1", true),
        ("::ffff:127.0.0.1", true),
        ("10.1.2.3", true),
        ("10.2.0.1", false),
        ("::1", false),
    ] {
        assert_eq!(
            proxies.include(peer.parse::<IpAddr>().unwrap()),
            is_one,
            "{peer}"
        );
    }
    assert_eq!(proxies.headers.subject, "x-user");
    assert_eq!(proxies.headers.issuer, "x-hallpass-issuer");

    let target = Target {
        resource_type: "http".to_owned(),
        resource: "orders".to_owned(),
        action: "write".to_owned(),
    };
    let rule = config.policy.rule(&target).unwrap();
    assert_eq!(rule.approvals, 2);
    assert!(rule.requesters.everyone && rule.approvers.groups.contains("lead"));
    assert_eq!(rule.default_duration, Duration::from_mins(30));
    assert_eq!(rule.pending_for, Duration::from_hours(48));
    assert!(rule.reason.as_ref().unwrap().is_match("OPS-7: why"));
    let glass = rule.break_glass.as_ref().unwrap();
    assert_eq!(glass.max_duration, Duration::from_mins(30));

    let webhook = &config.webhooks[0];
    assert_eq!(webhook.events, [Event::RequestOpened, Event::GlassBroken]);
    assert!(!format!("{webhook:?}").contains("a secret"));
    assert_eq!(
        config.services,
        [Service::new("edge", &Secret::new("a token of the edge"))]
    );
}

#[test]
fn little_has_to_be_said() {
    let config = parse(&least()).unwrap();
    assert_eq!(config.database.bytes(), b"sqlite:grants.db");
    assert_eq!(config.remember, Duration::from_hours(7 * 24));
    assert!(config.providers.is_none() && config.policy.rules.is_empty());

    let rule = json!([{ "resource": "orders" }]);
    let config = parse(&with(least(), "/policy/resources", rule)).unwrap();
    let rule = &config.policy.rules[0];
    assert_eq!((rule.title.as_str(), rule.approvals), ("orders", 1));
    assert!(rule.actions.is_empty() && !rule.approvers.everyone);
    assert_eq!(rule.max_duration, Duration::from_hours(8));
    assert_eq!(rule.default_duration, Duration::from_hours(1));
}

#[test]
fn keys_may_also_be_written_down_or_discovered() {
    let inline = json!({ "inline": jwks(&[&SigningKey::es256("kid-1")]) });
    let config = parse(&with(full(), "/providers/0/jwks", inline)).unwrap();
    let providers = &config.providers.unwrap().providers;
    assert!(matches!(providers[0].jwks, JwksSource::Inline(_)));

    let discovery = json!({ "discovery": {} });
    let discovered = with(full(), "/providers/0/jwks", discovery);
    let plain = with(
        discovered,
        "/providers/0/issuer",
        json!("http://127.0.0.1:1"),
    );
    let plain = with(plain, "/policy/resources/0/approvers/issuers", json!(null));
    let config = parse(&plain).unwrap();
    let providers = &config.providers.unwrap().providers;
    assert_eq!(providers[0].jwks.remote().unwrap().cluster, "http");
}

#[test]
fn all_faults_are_told_at_once() {
    let broken = with(full(), "/listen", json!(1));
    let broken = with(broken, "/providers/0/issuer", json!(""));
    let broken = with(broken, "/policy/resources/0/approvals", json!("two"));
    let broken = with(broken, "/revocations/remember", json!("long"));
    assert_eq!(parse(&broken).unwrap_err().len(), 4);
    for text in ["", "[]", "{\"listen\":1,\"listen\":2}", "{"] {
        assert!(Config::parse(text).is_err(), "{text}");
    }
}

#[test]
fn somebody_must_be_knowable() {
    let told = parse(&with(least(), "/identity_headers", json!(null))).unwrap_err();
    assert_eq!(told.len(), 1);
    assert!(
        told[0].starts_with("`providers`: found nothing"),
        "{told:?}"
    );
}

#[test]
fn with_several_issuers_a_name_says_whose_it_is() {
    let mut two = full();
    let mut other = two["providers"][0].clone();
    other["name"] = json!("partner");
    other["issuer"] = json!("https://partner.example");
    two["providers"].as_array_mut().unwrap().push(other);
    let told = parse(&two).unwrap_err();
    let places: Vec<&str> = told
        .iter()
        .map(|fault| fault.split('`').nth(1).unwrap())
        .collect();
    assert_eq!(
        places,
        [
            "policy.administrators.issuers",
            "policy.auditors.issuers",
            "policy.resources[0].automatic.who.issuers",
            "policy.resources[0].break_glass.who.issuers",
        ],
        "everyone is everyone, and the approvers are said to be of one issuer"
    );
}

#[test]
fn names_and_tokens_of_services_and_webhooks_are_their_own() {
    let twice = |place: &str, change: &str| {
        let mut config = full();
        let list = config[place].as_array_mut().unwrap();
        let mut again = list[0].clone();
        again[change] = json!("another than the first");
        list.push(again);
        parse(&config).map(|_| ()).map_err(|told| told.join("\n"))
    };
    assert!(
        twice("services", "token")
            .unwrap_err()
            .contains("services[1].name")
    );
    let told = twice("services", "name").unwrap_err();
    assert!(told.contains("services[1].token") && !told.contains("a token of the edge"));
    assert!(
        twice("webhooks", "secret")
            .unwrap_err()
            .contains("webhooks[1].name")
    );
    assert_eq!(twice("webhooks", "name"), Ok(()));
}

#[test]
fn what_is_secret_is_not_printed() {
    let printed = format!("{:?}", parse(&full()).unwrap());
    for secret in ["a token of the edge", "a secret of the chat", "here.db"] {
        assert!(!printed.contains(secret), "{secret}");
    }
}

#[test]
fn what_is_suspicious_is_told() {
    let warned = |value: &Value| -> Vec<String> {
        let config = parse(value).unwrap();
        config
            .warnings()
            .into_iter()
            .map(|warning| warning.path)
            .collect()
    };
    assert_eq!(warned(&full()), [""; 0]);
    assert_eq!(warned(&least()), ["services", "policy.resources"]);
    let rule = "/policy/resources/0";
    let known = with(full(), "/identity_headers", json!(null));
    for (base, place, value, path) in [
        (
            full(),
            "/public_url".to_owned(),
            json!("http://grants.example"),
            "public_url",
        ),
        (
            full(),
            "/database".to_owned(),
            json!("postgres://hallpass@db.example/grants?sslmode=prefer"),
            "database",
        ),
        (
            full(),
            "/webhooks/0/url".to_owned(),
            json!("http://chat.example"),
            "webhooks[0].url",
        ),
        (
            full(),
            "/providers/0/jwks/remote/url".to_owned(),
            json!("http://idp.example/jwks"),
            "providers[0].jwks",
        ),
        (
            full(),
            "/policy/administrators".to_owned(),
            json!(null),
            "policy.administrators",
        ),
        (
            full(),
            "/policy/auditors".to_owned(),
            json!({ "issuers": ["https://idp.example"] }),
            "policy.auditors",
        ),
        (
            full(),
            format!("{rule}/max_duration"),
            json!("30d"),
            "revocations.remember",
        ),
        (
            full(),
            format!("{rule}/approvers"),
            json!({ "everyone": true }),
            "policy.resources[0].approvers",
        ),
        (
            full(),
            format!("{rule}/approvers"),
            json!({ "subjects": ["lena"], "issuers": ["https://idp.example"] }),
            "policy.resources[0].approvals",
        ),
        (
            known,
            format!("{rule}/approvers/issuers"),
            json!(["https://ipd.example"]),
            "policy.resources[0].approvers.issuers",
        ),
    ] {
        assert_eq!(
            warned(&with(base, &place, value.clone())),
            [path],
            "{place} = {value}"
        );
    }
    let nobody_approves = with(full(), &format!("{rule}/automatic"), json!(null));
    let nobody_approves = with(nobody_approves, &format!("{rule}/break_glass"), json!(null));
    let nobody_approves = with(nobody_approves, &format!("{rule}/approvers"), json!({}));
    assert_eq!(warned(&nobody_approves), ["policy.resources[0].approvers"]);
    let enough = json!({ "subjects": ["lena", "otto"], "issuers": ["https://idp.example"] });
    let enough = with(full(), &format!("{rule}/approvers"), enough);
    assert_eq!(warned(&enough), [""; 0]);
    let mut never_reached = full();
    let again = never_reached["policy"]["resources"][0].clone();
    never_reached["policy"]["resources"]
        .as_array_mut()
        .unwrap()
        .push(again);
    assert_eq!(warned(&never_reached), ["policy.resources[1]"]);
}

#[test]
fn what_the_guide_shows_is_accepted() {
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/grants.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let shown = guide.split("```json\n").skip(1);
    let fragments = shown.map(|rest| rest.split("```").next().unwrap());
    let mut accepted = 0;
    // The filter's configuration begins with `"grants"`, a whole document with a brace.
    let own = fragments.filter(|text| !text.starts_with("\"grants\"") && !text.starts_with('{'));
    for fragment in own {
        let mut config = least();
        let members: Value = serde_json::from_str(&format!("{{{fragment}}}")).unwrap();
        for (member, value) in members.as_object().unwrap() {
            config[member] = value.clone();
        }
        assert!(parse(&config).is_ok(), "{fragment}: {:?}", parse(&config));
        accepted += 1;
    }
    assert_eq!(accepted, 2);
}
