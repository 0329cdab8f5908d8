//! What real Envoy shows of a client's certificate, and what conditions make of it.

use std::path::PathBuf;
use std::process::Command;

use hallpass_demo::idp::IdentityProvider;
use serde_json::{Value, json};

use crate::world::World;

/// The digest of `tls/client.crt`.
const FINGERPRINT: &str = "2C:44:F3:CA:A9:E0:C2:F2:91:AF:AA:83:51:6F:61:E8:1F:31:CD:A3:FA:79:5E:0A:B7:C5:00:B0:86:B9:1E:0E";

fn file(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    folder.join("tests/tls").join(name)
}

/// A world in which each path is open under one condition, and Envoy verifies those certificates that clients show.
fn world(conditions: &[(&str, Value)]) -> World {
    let open = |(path, conditions): &(&str, Value)| json!({ "name": path, "match": { "paths": [path] }, "access": "public", "conditions": conditions });
    let resources: Vec<Value> = conditions.iter().map(open).collect();
    let tls = json!({
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {
                "tls_certificates": [{
                    "certificate_chain": { "filename": file("tls.crt") },
                    "private_key": { "filename": file("tls.key") },
                }],
                "validation_context": { "trusted_ca": { "filename": file("client.crt") } },
            },
        },
    });
    World::new(IdentityProvider::start(0).unwrap(), |setup| {
        setup
            .listener(|listener| listener["filter_chains"][0]["transport_socket"] = tls)
            .plugin(|plugin| plugin["resources"] = json!(resources))
    })
}

/// The status and the body that a client gets, with its certificate or without one.
fn ask(world: &World, path: &str, shows_certificate: bool) -> (String, String) {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--insecure", "--max-time", "30"]);
    curl.args(["--write-out", "\n%{http_code}"]);
    if shows_certificate {
        curl.arg("--cert").arg(file("client.crt"));
        curl.arg("--key").arg(file("client.key"));
    }
    let address = world.proxy.address();
    let told = curl.arg(format!("https://{address}{path}")).output();
    let told = told.expect("curl is installed");
    assert!(told.status.success(), "{told:?}");
    let told = String::from_utf8(told.stdout).expect("text");
    let (body, status) = told.rsplit_once('\n').expect("a status");
    (status.to_owned(), body.to_owned())
}

#[test]
fn a_client_is_known_by_its_certificate_and_by_the_first_name_of_each_kind() {
    let test = |field: &str, test: &str, value: &str| json!({ "certificate": field, test: value });
    let cases = [
        (
            "/fingerprint",
            json!({ "all_of": [test("sha256", "equals", FINGERPRINT)] }),
            true,
        ),
        (
            "/uri",
            json!({ "all_of": [test("uri_san", "prefix", "spiffe://corp.example/ops/")] }),
            true,
        ),
        (
            "/dns",
            json!({ "all_of": [test("dns_san", "equals", "build.corp.example")] }),
            true,
        ),
        (
            "/second",
            json!({ "all_of": [test("uri_san", "equals", "spiffe://corp.example/other")] }),
            false,
        ),
        (
            "/not",
            json!({ "not": test("dns_san", "equals", "evil.example") }),
            false,
        ),
    ];
    let conditions = cases
        .clone()
        .map(|(path, conditions, _)| (path, conditions));
    let world = world(&conditions);
    for (path, _, opens) in cases {
        let (status, body) = ask(&world, path, true);
        assert_eq!(status, if opens { "200" } else { "403" }, "{path}: {body}");
        // Nobody is known by a certificate that was not shown.
        let (status, body) = ask(&world, path, false);
        assert_eq!(status, "403", "{path}: {body}");
        assert!(body.contains("condition_request"), "{path}: {body}");
    }
}
