//! What is answered without a token.

use super::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn document() -> Value {
    json!({
        "resource": "https://api.example/mcp",
        "authorization_servers": ["https://idp.example"],
        "scopes_supported": ["orders:read"],
    })
}

fn with_document(member: &str, value: Value) -> Value {
    let mut document = document();
    document[member] = value;
    with("/protected_resource", document)
}

#[test]
fn the_address_of_the_document_follows_from_the_resource() {
    assert!(parse(&sound()).unwrap().resource_metadata.is_none());
    for (resource, url) in [
        (
            "https://api.example",
            "https://api.example/.well-known/oauth-protected-resource",
        ),
        (
            "https://api.example/",
            "https://api.example/.well-known/oauth-protected-resource",
        ),
        (
            "https://API.example:443/mcp",
            "https://api.example/.well-known/oauth-protected-resource/mcp",
        ),
        (
            "https://api.example:8443/a/b",
            "https://api.example:8443/.well-known/oauth-protected-resource/a/b",
        ),
        (
            "http://localhost:10000/mcp",
            "http://localhost:10000/.well-known/oauth-protected-resource/mcp",
        ),
        (
            "http://[::1]:10000",
            "http://[::1]:10000/.well-known/oauth-protected-resource",
        ),
    ] {
        let config = parse(&with_document("resource", resource.into())).unwrap();
        let metadata = config.resource_metadata.unwrap();
        assert_eq!(metadata.url(), url, "{resource}");
    }
}

#[test]
fn what_names_no_resource_is_refused() {
    for resource in [
        "",
        "api.example",
        "http://api.example",
        "http://localhost.evil.example",
        "https://api.example/mcp#top",
        "https://api.example/mcp?tenant=a",
        "https://user@api.example/mcp",
        "https://api.example/a/../b",
        "https://api.example//a",
        "https://api.example/%6dcp",
        "https://api.example/a\"b",
        "https://api%2eexample/",
        "urn:api",
    ] {
        let found = faults(&with_document("resource", resource.into()));
        assert_eq!(found.len(), 1, "{resource}: {found:?}");
        assert!(
            found[0].starts_with("`protected_resource.resource`"),
            "{found:?}"
        );
    }
}

#[test]
fn all_faults_of_the_document_are_found_at_once() {
    let config = with(
        "/protected_resource",
        json!({
            "authorization_servers": ["https://idp.example", "http://idp.example", 7, "https://idp.example?x"],
            "scopes_supported": ["fine", "two words", "", "qu\"ote"],
            "jwks_uri": "https://api.example/jwks",
        }),
    );
    let found = faults(&config);
    for place in [
        "`protected_resource.resource`",
        "`protected_resource.authorization_servers[1]`",
        "`protected_resource.authorization_servers[2]`",
        "`protected_resource.authorization_servers[3]`",
        "`protected_resource.scopes_supported[1]`",
        "`protected_resource.scopes_supported[2]`",
        "`protected_resource.scopes_supported[3]`",
        "`protected_resource.jwks_uri`",
    ] {
        let named = found.iter().any(|fault| fault.starts_with(place));
        assert!(named, "{place} is not among {found:#?}");
    }
    assert_eq!(found.len(), 8, "{found:#?}");
    for (member, value) in [
        ("authorization_servers", json!([])),
        ("authorization_servers", json!("https://idp.example")),
        ("scopes_supported", json!(vec!["s"; 65])),
    ] {
        assert_eq!(faults(&with_document(member, value)).len(), 1, "{member}");
    }
}

#[test]
fn only_what_is_understood_of_preflights_is_accepted() {
    for (value, is_sound) in [("public", true), ("judged", true), ("identity", false)] {
        let found = faults(&with("/resources/0/preflight", value.into()));
        assert_eq!(found.is_empty(), is_sound, "{value}: {found:?}");
    }
}
