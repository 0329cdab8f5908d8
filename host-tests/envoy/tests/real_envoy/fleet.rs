//! The files of `envoy-config` that are for fleets: each is loaded by real Envoy, or checked against the documented fields of its kind.

mod gateway;
mod istio;
mod kubernetes;
mod people;

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use hallpass_core::config::Config;
use hallpass_demo::grants::GrantService;
use hallpass_demo::idp::IdentityProvider;
use hallpass_demo::upstream::Upstream;
use hallpass_envoy_tests::{Proxy, Setup};
use serde_json::{Value, json};

use crate::world::{ask_until, token};

const HARDENED: &str = "envoy-config/envoy-hardened.yaml";

fn in_workspace(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::read_to_string(root.join(path)).expect(path)
}

/// The filter takes this for its configuration.
#[track_caller]
fn assert_accepted(plugin: &Value) {
    if let Err(faults) = Config::parse(plugin.to_string().as_bytes()) {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        panic!("{faults:#?}");
    }
}

#[track_caller]
fn assert_valid(verdict: &Output) {
    let log = String::from_utf8_lossy(&verdict.stderr);
    assert!(verdict.status.success(), "{log}");
}

/// The hardened configuration with certificates that are there.
fn hardened() -> Setup {
    let setup = Setup::of(HARDENED).listener(|listener| {
        give_certificate(
            &mut listener["filter_chains"][0],
            include_str!("../tls/tls.crt"),
            include_str!("../tls/tls.key"),
        );
    });
    ["grants", "grants_pages"]
        .into_iter()
        .fold(setup, |setup, cluster| {
            setup.treating(cluster, give_client_certificate)
        })
}

/// In place of the certificate's files that `value` names for TLS.
#[track_caller]
fn give_certificate(value: &mut Value, certificate: &str, key: &str) {
    let context = &mut value["transport_socket"]["typed_config"]["common_tls_context"];
    let given = &mut context["tls_certificates"][0];
    for (part, pem) in [("certificate_chain", certificate), ("private_key", key)] {
        assert!(given[part]["filename"].is_string());
        given[part] = json!({ "inline_string": pem });
    }
}

/// The grant service believes what the proxy says of people, so the proxy proves who it is.
#[track_caller]
fn give_client_certificate(cluster: &mut Value) {
    give_certificate(
        cluster,
        include_str!("../tls/client.crt"),
        include_str!("../tls/client.key"),
    );
}

/// The service is asked with the token that it knows the proxy by, and what it takes back is felt.
#[track_caller]
fn assert_is_known_and_follows(service: &Value) {
    let token = service["headers"]["authorization"].as_str();
    assert!(token.is_some_and(|token| token.starts_with("Bearer ")));
    assert!(service["revocations"]["path"].is_string(), "{service}");
}

/// Reads the hardened configuration's connection manager.
fn reading(read: impl FnOnce(&mut Value)) {
    drop(Setup::of(HARDENED).http(read));
}

/// What its module may do.
fn capabilities(http: &mut Value) -> &mut Value {
    let config = &mut http["http_filters"][0]["typed_config"]["config"];
    &mut config["capability_restriction_config"]["allowed_capabilities"]
}

/// The proxy closes idle connections to the grant service before that does, after a minute: a question that is sent on one that is being closed
/// fails.
#[track_caller]
fn assert_lets_idle_connections_go(cluster: &Value) {
    let options = &cluster["typed_extension_protocol_options"];
    let options = &options["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"];
    let timeout = &options["common_http_protocol_options"]["idle_timeout"];
    assert_eq!(*timeout, "30s", "{cluster}");
}

/// A place where nobody listens.
fn nowhere() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// The hardened configuration before servers of this process, which speak no TLS: upstream, issuer and grant service.
fn serving([upstream, idp, grants]: [SocketAddr; 3], change: impl FnOnce(Setup) -> Setup) -> Proxy {
    let plain = |value: &mut Value| {
        let context = value
            .as_object_mut()
            .and_then(|object| object.remove("transport_socket"));
        assert!(context.is_some(), "it speaks TLS");
    };
    let setup = Setup::of(HARDENED)
        .listener(|listener| {
            listener["address"]["socket_address"]["address"] = json!("127.0.0.1");
            plain(&mut listener["filter_chains"][0]);
        })
        .http(|http| http["route_config"]["virtual_hosts"][0]["domains"] = json!(["*"]))
        .plugin(|plugin| {
            plugin["providers"][0]["token_types"] = json!(["JWT"]);
            for resource in plugin["resources"].as_array_mut().unwrap() {
                let rule = resource["match"].as_object_mut().unwrap();
                if rule.get("hosts") == Some(&json!(["orders.example"])) {
                    rule.remove("hosts");
                }
            }
        });
    let places = [
        ("upstream", upstream),
        ("idp", idp),
        ("grants", grants),
        ("grants_pages", grants),
    ];
    let setup = places.into_iter().fold(setup, |setup, (cluster, address)| {
        setup.treating(cluster, plain).cluster(cluster, address)
    });
    change(setup).start()
}

#[test]
fn the_hardened_configuration_is_valid() {
    assert_valid(&hardened().validate());
}

#[test]
fn the_hardened_configuration_is_known_to_the_grant_service_and_follows_what_that_takes_back() {
    let mut asked = Value::Null;
    drop(Setup::of(HARDENED).plugin(|plugin| asked = plugin["grants"]["service"].take()));
    assert_is_known_and_follows(&asked);
}

#[test]
fn the_hardened_configuration_serves_with_no_more_than_the_capabilities_that_it_names() {
    let upstream = Upstream::start(0).unwrap();
    let idp = IdentityProvider::start(0).unwrap();
    let grants = GrantService::start(0).unwrap();
    let places = [upstream.address(), idp.address(), grants.address()];
    let proxy = serving(places, |setup| setup);
    let token = token("fleet");
    let reason = |path: &str| proxy.get(path).token(&token).send().verdict();

    assert_eq!(proxy.get("/healthz").send().status, 200);
    assert_eq!(proxy.get("/me").send().verdict().0, 401);
    let answer = proxy.get("/me").token(&token).send();
    assert_eq!(
        answer.received("x-hallpass-subject").as_deref(),
        Some("fleet")
    );
    assert_eq!(reason("/orders/1"), (403, Some("grant_denied".to_owned())));
    let wish =
        json!({ "subject": "fleet", "resource": "orders", "action": "read", "seconds": 600 });
    ureq::post(format!("http://{}/grants", grants.address()))
        .send_json(wish)
        .unwrap();
    ask_until(
        "granted",
        Duration::from_secs(10),
        || proxy.get("/orders/1").token(&token).send(),
        |answer| answer.status == 200,
    );
    assert_eq!(proxy.stat("wasmcustom.hallpass.decisions.allow.public"), 1);
    let log = proxy.log().so_far();
    let restricted: Vec<_> = log
        .iter()
        .filter(|line| line.contains("not allowed") || line.contains("restricted"))
        .collect();
    assert!(restricted.is_empty(), "{restricted:#?}");
}

#[test]
fn the_hardened_configuration_fails_closed_where_nobody_answers() {
    let upstream = Upstream::start(0).unwrap();
    let places = [upstream.address(), nowhere(), nowhere()];
    let proxy = serving(places, |setup| setup);
    let answer = proxy.get("/me").token(&token("fleet")).send();
    assert_eq!(answer.verdict(), (503, Some("keys_unavailable".to_owned())));
    assert_eq!(upstream.served("/me"), 0);
}

#[test]
fn a_capability_that_is_not_named_is_not_there_and_nobody_gets_in_for_want_of_it() {
    let upstream = Upstream::start(0).unwrap();
    let idp = IdentityProvider::start(0).unwrap();
    let places = [upstream.address(), idp.address(), nowhere()];
    let proxy = serving(places, |setup| {
        setup.http(|http| {
            let capabilities = capabilities(http).as_object_mut().expect("an object");
            assert!(capabilities.remove("proxy_http_call").is_some());
        })
    });
    let answer = proxy.get("/me").token(&token("fleet")).send();
    assert_eq!(answer.status, 503, "{answer:?}");
    assert_eq!(upstream.served("/me"), 0);
}

#[test]
fn the_capabilities_that_the_hardened_configuration_names_are_the_modules_imports_and_callbacks() {
    let lists =
        ["imports", "exports"].map(|name| in_workspace(&format!("filter/plugin/{name}.txt")));
    let [imports, exports] = lists.each_ref().map(|list| {
        list.lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
    });
    let imports = imports.map(|name| name.strip_prefix("env.").expect("all are the host's"));
    let callbacks = exports.filter(|name| name.starts_with("proxy_on_"));
    let needed: BTreeSet<String> = imports.chain(callbacks).map(str::to_owned).collect();

    let mut named = BTreeSet::new();
    reading(|http| {
        let all = capabilities(http).as_object().expect("an object");
        named = all.keys().cloned().collect();
    });
    assert_eq!(named, needed);
}

#[test]
fn the_hardened_configuration_shows_the_same_stats_as_the_demos() {
    let of = |file: &str| {
        let config: Value = serde_saphyr::from_str(&in_workspace(file)).expect(file);
        config["stats_config"].clone()
    };
    let stats = of(HARDENED);
    assert!(stats.is_object());
    assert_eq!(stats, of("envoy-config/envoy.yaml"));
}

#[test]
fn both_configurations_let_idle_connections_to_the_grant_service_go() {
    for (file, expected) in [("envoy-config/envoy.yaml", 1), (HARDENED, 2)] {
        let config: Value = serde_saphyr::from_str(&in_workspace(file)).expect(file);
        let clusters = config["static_resources"]["clusters"].as_array();
        let grants = clusters.expect(file).iter().filter(|cluster| {
            let name = cluster["name"].as_str();
            name.is_some_and(|name| name.starts_with("grants"))
        });
        assert_eq!(grants.clone().count(), expected, "{file}");
        grants.for_each(assert_lets_idle_connections_go);
    }
}

#[test]
fn the_hardened_configuration_refuses_what_could_be_read_in_two_ways_before_the_filter_does() {
    reading(|http| {
        for (field, value) in [
            ("normalize_path", json!(true)),
            ("merge_slashes", json!(true)),
            ("path_with_escaped_slashes_action", json!("REJECT_REQUEST")),
            ("use_remote_address", json!(true)),
        ] {
            assert_eq!(http[field], value, "{field}");
        }
        let config = &http["http_filters"][0]["typed_config"]["config"];
        assert_eq!(config["failure_policy"], "FAIL_RELOAD");
    });
}
