//! Where the keys come from.

use super::*;
use crate::jwks::{Address, Location};
use crate::token::Algorithm;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// Where the keys of the only provider are.
fn location(config: &Config) -> Location {
    config.providers[0].jwks.remote().unwrap().location.clone()
}

#[test]
fn a_key_in_the_configuration_that_cannot_be_used_is_a_fault() {
    let set = json!({ "keys": [SigningKey::es256("e").jwk(), { "kty": "oct", "k": "c2VjcmV0" }] });
    let told = faults(&with("/providers/0/jwks/inline", set));
    assert!(
        told[0].starts_with("`providers[0].jwks.inline.keys[1]`"),
        "{told:?}"
    );
    assert!(!told[0].contains("c2VjcmV0"));
}

#[test]
fn a_set_may_stand_in_the_configuration_as_its_issuer_publishes_it_with_keys_for_encryption() {
    let mut for_encryption = SigningKey::rs256("r").jwk();
    for_encryption["use"] = json!("enc");
    for_encryption["alg"] = json!("RSA-OAEP");
    let set = json!({ "keys": [for_encryption, SigningKey::es256("e").jwk()] });
    let config = parse(&with("/providers/0/jwks/inline", set)).unwrap();
    let JwksSource::Inline(keys) = &config.providers[0].jwks else {
        panic!("{:?}", config.providers[0].jwks);
    };
    assert_eq!(keys.len(), 1);
    assert!(keys.select(Some("e"), Algorithm::Es256).is_ok());

    let alone = json!({ "keys": [for_encryption] });
    assert_eq!(
        faults(&with("/providers/0/jwks/inline", alone)),
        [
            "`providers[0].jwks.inline.keys`: found keys for encryption alone, expected a public signature key"
        ]
    );
}

#[test]
fn remote_keys_are_named_by_a_url_or_a_path() {
    for (uri, target) in [
        (
            "https://idp.example/keys?v=1",
            Some(("idp.example", "/keys?v=1")),
        ),
        (
            "http://idp.example:8080/keys",
            Some(("idp.example:8080", "/keys")),
        ),
        ("/keys", Some(("idp", "/keys"))),
        ("keys", None),
        ("ftp://idp.example/keys", None),
        ("", None),
    ] {
        let remote = json!({ "remote": { "cluster": "idp", "uri": uri } });
        let read = parse(&with("/providers/0/jwks", remote)).ok();
        let read = read.map(|config| location(&config));
        let target = target.map(|(authority, path)| {
            Location::Known(Address {
                authority: authority.to_owned(),
                path: path.to_owned(),
            })
        });
        assert_eq!(read, target, "{uri}");
    }
}

#[test]
fn the_issuers_document_is_sought_at_the_issuer_which_must_be_a_url_then() {
    let discovered = |issuer: &str, discovery: Value| {
        let mut config = with("/providers/0/jwks", json!({ "discovery": discovery }));
        config["providers"][0]["issuer"] = json!(issuer);
        config
    };
    for (path, expected) in [
        (None, "/realms/x"),
        (Some("/auth"), "/auth"),
        (Some("/"), ""),
    ] {
        let mut discovery = json!({ "cluster": "idp" });
        if let Some(path) = path {
            discovery["issuer_path"] = json!(path);
        }
        let config = parse(&discovered("https://idp.example/realms/x", discovery)).unwrap();
        let Location::Discovered(discovery) = location(&config) else {
            panic!("{path:?}");
        };
        let document = discovery.document();
        assert_eq!(document.authority, "idp.example");
        assert_eq!(
            document.path,
            format!("{expected}/.well-known/openid-configuration")
        );
        assert_eq!(config.providers[0].jwks.remote().unwrap().cluster, "idp");
    }
    for (issuer, discovery, faulty) in [
        ("corp", json!({ "cluster": "idp" }), "`providers[0].issuer`"),
        (
            "https://idp.example?a",
            json!({ "cluster": "idp" }),
            "`providers[0].issuer`",
        ),
        (
            "https://idp.example",
            json!({}),
            "`providers[0].jwks.discovery.cluster`",
        ),
        (
            "https://idp.example",
            json!({ "cluster": "idp", "issuer_path": "realms" }),
            "`providers[0].jwks.discovery.issuer_path`",
        ),
        (
            "https://idp.example",
            json!({ "cluster": "idp", "uri": "/keys" }),
            "`providers[0].jwks.discovery.uri`",
        ),
    ] {
        let told = faults(&discovered(issuer, discovery));
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with(faulty), "{told:?}");
    }
}

#[test]
fn keys_come_from_one_place() {
    let remote = json!({ "cluster": "idp", "uri": "/keys" });
    let both = json!({ "remote": remote, "discovery": { "cluster": "idp" } });
    assert_eq!(
        faults(&with("/providers/0/jwks", both)),
        [
            "`providers[0].jwks`: found more than one, expected one of `inline`, `remote` or `discovery`"
        ]
    );
}

#[test]
fn fetched_keys_have_bounded_periods_with_the_documented_defaults() {
    for jwks in [
        json!({ "remote": { "cluster": "idp", "uri": "/keys" } }),
        json!({ "discovery": { "cluster": "idp" } }),
    ] {
        let config = parse(&with("/providers/0/jwks", jwks.clone())).unwrap();
        let remote = config.providers[0].jwks.remote().unwrap();
        assert_eq!(remote.timeout, Duration::from_secs(2));
        assert_eq!(remote.rules.refresh, Duration::from_mins(5));
        assert_eq!(remote.rules.max_stale, Duration::from_hours(1));
        assert_eq!(remote.rules.cool_down, Duration::from_secs(10));
        for (member, value) in [
            ("timeout", "2m"),
            ("refresh", "0s"),
            ("max_stale", "8d"),
            ("cool_down", "500ms"),
            ("cool_down", "6m"),
        ] {
            let mut config = with("/providers/0/jwks", jwks.clone());
            for source in config["providers"][0]["jwks"]
                .as_object_mut()
                .unwrap()
                .values_mut()
            {
                source[member] = json!(value);
            }
            let told = faults(&config);
            assert_eq!(told.len(), 1, "{told:?}");
            assert!(
                told[0].contains(member) && told[0].contains(value),
                "{told:?}"
            );
        }
    }
}
