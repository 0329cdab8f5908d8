mod answers;
mod batch;
mod conditions;
mod keys;
mod otlp;
mod revocations;

use super::*;
use hallpass_tokens::SigningKey;
use serde_json::json;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

pub(super) fn sound() -> Value {
    json!({
        "providers": [{
            "name": "corp",
            "issuer": "https://idp.example",
            "audiences": ["orders-api"],
            "jwks": { "inline": hallpass_tokens::jwks(&[&SigningKey::es256("e")]) },
        }],
        "resources": [{ "name": "orders", "match": { "paths": ["/orders/{*rest}"] }, "access": "grant" }],
        "grants": { "service": { "cluster": "grants" } },
    })
}

fn parse(config: &Value) -> Result<Config, Faults> {
    Config::parse(config.to_string().as_bytes())
}

fn faults(config: &Value) -> Vec<String> {
    match parse(config) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.iter().map(ToString::to_string).collect(),
    }
}

/// `sound()` with the value at a JSON pointer replaced.
fn with(pointer: &str, value: Value) -> Value {
    let mut config = sound();
    let (parent, member) = pointer.rsplit_once('/').unwrap();
    config.pointer_mut(parent).unwrap()[member] = value;
    config
}

#[test]
fn the_smallest_configuration_gets_the_documented_defaults() {
    let config = parse(&sound()).unwrap();
    let provider = &config.providers[0];
    assert_eq!(provider.rules.algorithms, crate::token::Algorithm::DEFAULT);
    assert_eq!(provider.rules.token_types, ["jwt", "at+jwt"]);
    assert_eq!(provider.rules.clock_skew, Duration::from_secs(30));
    assert_eq!(
        config.token_sources,
        [TokenSource::Header {
            name: "authorization".into(),
            scheme: "Bearer".into()
        }]
    );
    let service = config.grants.service.as_ref().unwrap();
    assert_eq!(service.path, "/access/v1/evaluation");
    assert_eq!(service.authority, "grants");
    assert_eq!(service.timeout, Duration::from_millis(500));
    assert_eq!(service.allow_ttl, Duration::from_secs(30));
    assert_eq!(service.deny_ttl, Duration::from_secs(2));
    assert_eq!(service.max_entries, 10_000);
    assert!(service.rules.require_expiry);
    assert!(!config.forward_token);
    assert_eq!(config.audit.log, AuditLog::All);
    assert_eq!(config.audit.flush_interval, None);
    for name in [
        "x-hallpass-subject",
        "x_hallpass_subject",
        "x-hallpass_grant-id",
        "x.hallpass.subject",
        "x~hallpass*grant-id",
    ] {
        assert!(config.headers.protects(name.as_bytes()), "{name}");
    }
    for name in [
        "xhallpasssubject",
        "x-hallpass-subjec7",
        ":-hallpass-subject",
    ] {
        assert!(!config.headers.protects(name.as_bytes()), "{name}");
    }
}

#[test]
fn every_fault_is_told_at_once_with_its_place_value_and_expectation() {
    let config = json!({
        "mode": "audit",
        "providers": [
            { "name": "", "issuer": 7, "audiences": [], "algorithms": ["none"], "jwks": {}, "clock_skew": "10m", "audience": "x" },
        ],
        "resources": [
            { "name": "a", "match": { "paths": ["orders"], "hosts": ["a:80"], "methods": ["get"] }, "access": "open", "streams": "drop" },
            "orders",
        ],
        "grants": { "service": { "cluster": "grants", "timeout": "soon", "failure_mode": "open", "context": ["time"] },
                    "request_url": "https://{resource}.example/" },
        "identity_headers": { "subject": "authorization" },
        "audit": { "log": "some", "flush_interval": "2s" },
        "forward_token": "no",
        "spare": 1,
    });
    let told = faults(&config);
    for expected in [
        r#"`mode`: found `"audit"`, expected `enforce` or `monitor`"#,
        "`providers[0].name`: found an empty string",
        "`providers[0].issuer`: found `7`, expected a string",
        "`providers[0].audiences`: found an empty list",
        r#"`providers[0].algorithms[0]`: found `"none"`, expected `RS256`, "#,
        "`providers[0].jwks`: found none, expected one of `inline`, `remote` or `discovery`",
        r#"`providers[0].clock_skew`: found `"10m"`, expected a duration from `0s` to `5m`"#,
        "`providers[0].audience`: found an unknown field, expected one of `name`",
        r#"`resources[0].match.paths[0]`: found `"orders"`"#,
        r#"`resources[0].match.hosts[0]`: found `"a:80"`"#,
        r#"`resources[0].match.methods[0]`: found `"get"`"#,
        r#"`resources[0].access`: found `"open"`, expected `public`"#,
        r#"`resources[0].streams`: found `"drop"`, expected `cut` or `keep`"#,
        r#"`resources[1]`: found `"orders"`, expected an object"#,
        r#"`grants.service.timeout`: found `"soon"`, expected a duration such as"#,
        r#"`grants.service.failure_mode`: found `"open"`"#,
        r#"`grants.service.context[0]`: found `"time"`"#,
        "`grants.request_url`: found",
        r#"`identity_headers.subject`: found `"authorization"`"#,
        r#"`audit.log`: found `"some"`, expected `all`"#,
        r#"`audit.flush_interval`: found `"2s"`, expected a duration from `1ms` to `1s`"#,
        r#"`forward_token`: found `"no"`, expected `true` or `false`"#,
        "`spare`: found an unknown field",
    ] {
        assert!(
            told.iter().any(|fault| fault.starts_with(expected)),
            "not told: {expected}\ntold: {told:#?}"
        );
    }
    assert_eq!(told.len(), 23, "{told:#?}");
}

#[test]
fn no_fault_hides_another() {
    let provider = sound()["providers"][0].clone();
    let mut same = provider.clone();
    same["audiences"] = json!([]);
    for (config, places) in [
        (
            json!({ "forward_token": "no", "trusted_hops": 99, "max_token_bytes": 1 }),
            vec![
                "forward_token",
                "max_token_bytes",
                "resources",
                "trusted_hops",
            ],
        ),
        (
            json!({ "resources": [{ "name": "a", "access": "grant" }], "spare": 1 }),
            vec!["providers", "spare"],
        ),
        (
            with("/providers/0/jwks", json!({ "remote": { "uri": "keys" } })),
            vec![
                "providers[0].jwks.remote.cluster",
                "providers[0].jwks.remote.uri",
            ],
        ),
        (
            with(
                "/providers/0/jwks",
                json!({ "inline": {}, "remote": { "cluster": "idp", "uri": "/keys", "url": "/" }, "discovery": {} }),
            ),
            vec![
                "providers[0].jwks",
                "providers[0].jwks.discovery.cluster",
                "providers[0].jwks.inline",
                "providers[0].jwks.remote.url",
            ],
        ),
        (
            with("/providers", json!([provider, same])),
            vec![
                "providers[1].audiences",
                "providers[1].issuer",
                "providers[1].name",
            ],
        ),
        (
            with(
                "/resources/0/conditions",
                json!({ "all_of": [{ "header": "a b", "equals": 7 }] }),
            ),
            vec![
                "resources[0].conditions.all_of[0].equals",
                "resources[0].conditions.all_of[0].header",
            ],
        ),
    ] {
        let told = faults(&config);
        let place = |fault: &String| fault.split('`').nth(1).unwrap().to_owned();
        let mut found: Vec<String> = told.iter().map(place).collect();
        found.sort();
        assert_eq!(found, places, "{told:#?}");
    }
}

#[test]
fn a_required_claim_has_a_value() {
    let told = faults(&with(
        "/providers/0/required_claims",
        json!({ "tenant": [], "level": 3 }),
    ));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with("`providers[0].required_claims.tenant`"),
        "{told:?}"
    );
}

#[test]
fn a_method_is_matched_that_a_request_may_have() {
    let methods = json!(["GET", "M-SEARCH", "VERSION-CONTROL"]);
    assert!(parse(&with("/resources/0/match/methods", methods)).is_ok());
    for method in ["", "get", "G T", "GÉT"] {
        let told = faults(&with("/resources/0/match/methods", json!([method])));
        assert_eq!(told.len(), 1, "{method}: {told:?}");
    }
}

#[test]
fn a_duration_is_one_number_and_one_unit() {
    for (text, seconds) in [
        ("1500ms", Some(1.5)),
        ("90s", Some(90.0)),
        ("5m", Some(300.0)),
        ("8h", Some(28_800.0)),
        ("7d", Some(604_800.0)),
        ("5M", None),
        ("5 m", None),
        ("1h30m", None),
        ("1day", None),
        ("-5s", None),
        ("5", None),
        ("s", None),
        ("", None),
        ("99999999999999999999d", None),
    ] {
        let config = with("/providers/0/max_token_age", json!(text));
        let age = parse(&config)
            .ok()
            .map(|c| c.providers[0].rules.max_token_age);
        let age = age.map(|age| age.unwrap().as_secs_f64());
        assert_eq!(age, seconds, "{text}");
    }
}

#[test]
fn what_tokens_may_take_is_bounded() {
    let config = parse(&sound()).unwrap();
    assert_eq!(config.max_token_bytes, 8_192);
    assert_eq!(config.token_cache.max_entries, 10_000);
    for (pointer, value) in [
        ("/max_token_bytes", json!(255)),
        ("/max_token_bytes", json!(1 << 17)),
        ("/max_token_bytes", json!("8KB")),
        ("/token_cache", json!({ "max_entries": 1_000_001 })),
        ("/token_cache", json!({ "max_bytes": 1_u64 << 40 })),
        ("/token_cache", json!({ "entries": 5 })),
    ] {
        let told = faults(&with(pointer, value.clone()));
        assert_eq!(told.len(), 1, "{pointer}: {value}: {told:?}");
    }
}

#[test]
fn what_is_not_one_json_object_is_refused() {
    for text in ["", "{", "[]", "7", r#"{"mode":"enforce","mode":"enforce"}"#] {
        let faults = Config::parse(text.as_bytes()).unwrap_err();
        assert_eq!(faults.iter().count(), 1, "{text}");
    }
    assert!(Config::parse(b"\xff").is_err());
}

#[test]
fn a_fault_is_one_line_whatever_the_names_of_members_hold() {
    for config in [
        with("/providers/0/issu\r\ner", json!("x")),
        with("/claim_headers", json!({ "a\nb": "host" })),
        with("/resources/0/match/paths", json!(["/{a\nb}", "/{a\nb}"])),
        with("/providers/0/jwks/inline/keys/0/kty", json!("a\nb")),
    ] {
        for fault in faults(&config) {
            assert_eq!(fault.lines().count(), 1, "{fault}");
        }
        assert!(!faults(&config).is_empty());
    }
}

#[test]
fn a_fault_never_shows_a_secret() {
    let secret = with(
        "/grants/service/headers",
        json!({ "authorization": "Bearer s3cret\n", "x": { "y": "s3cret" } }),
    );
    let told = faults(&secret);
    assert_eq!(told.len(), 2);
    assert!(!told.concat().contains("s3cret"), "{told:?}");
    for (pointer, value) in [
        ("/grants/service/headers", json!("Bearer s3cret")),
        (
            "/providers/0/jwks/inline",
            json!({ "kty": "OKP", "d": "s3cret" }),
        ),
        ("/providers/0/jwks", json!([{ "d": "s3cret" }])),
    ] {
        let told = faults(&with(pointer, value)).concat();
        assert!(!told.is_empty() && !told.contains("s3cret"), "{told}");
    }
}

#[test]
fn providers_are_told_apart() {
    let provider = sound()["providers"][0].clone();
    let mut other_name = provider.clone();
    other_name["name"] = json!("other");
    let same_issuer = with("/providers", json!([provider, other_name]));
    assert!(faults(&same_issuer)[0].starts_with("`providers[1].issuer`"));
    let mut other_issuer = provider.clone();
    other_issuer["issuer"] = json!("https://other.example");
    let same_name = with("/providers", json!([provider, other_issuer]));
    assert!(faults(&same_name)[0].starts_with("`providers[1].name`"));
}

#[test]
fn without_a_provider_nothing_may_demand_an_identity() {
    assert!(faults(&with("/providers", json!([])))[0].starts_with("`providers`"));
    let open = json!({ "resources": [
        { "name": "a", "match": {}, "access": "public" }, { "name": "b", "access": "deny" }] });
    assert!(parse(&open).is_ok());
}

#[test]
fn the_request_link_has_a_fixed_origin_and_escapes_what_is_filled_in() {
    let read = |url: &str| {
        let config = parse(&with("/grants/request_url", json!(url))).ok()?;
        let url = config.grants.request_url?;
        Some(url.fill("a b&c", "x/../{resource}"))
    };
    assert_eq!(
        read("https://grants.example/r?resource={resource}&action={action}").as_deref(),
        Some("https://grants.example/r?resource=a%20b%26c&action=x%2F%2E%2E%2F%7Bresource%7D")
    );
    for url in [
        "https://{resource}/",
        "https://grants.example{resource}/",
        "{resource}",
        "javascript:alert(1)",
        "/request?resource={resource}",
        "https://grants.example/{subject}",
        "https://grants.example/{",
    ] {
        assert_eq!(read(url), None, "{url}");
    }
}

#[test]
fn an_identity_header_may_be_left_out_but_not_used_twice() {
    let mut config = sound();
    config["identity_headers"] = json!({ "email": null, "subject": "X-User" });
    let headers = parse(&config).unwrap().headers;
    assert!(headers.identity.iter().any(|(name, _)| &**name == "x-user"));
    assert!(
        !headers
            .identity
            .iter()
            .any(|(name, _)| &**name == "x-hallpass-email")
    );

    config["claim_headers"] = json!({ "tenant": "x_user" });
    assert!(faults(&config)[0].starts_with("`claim_headers.tenant`"));
}
