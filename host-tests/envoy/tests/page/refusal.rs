//! The page of a refusal, as real Envoy answers it.

use hallpass_demo::grants::GrantService;
use hallpass_demo::idp::{IdentityProvider, signing_key, token_for};
use hallpass_demo::upstream::Upstream;
use hallpass_envoy_tests::Setup;
use hallpass_tokens::TokenBuilder;
use serde_json::{Value, json};

use crate::check_in_browser;

const HOSTILE: &str =
    "\"><script>ran=1</script><img src=x onerror=ran=1><style>body{display:none}</style>&lt;'";

fn forms(plugin: &mut Value) {
    plugin["grants"]["request_url"] =
        json!("https://grants.example/request?resource={resource}&action={action}");
    let mut away = plugin["providers"][0].clone();
    away["name"] = json!("away");
    away["issuer"] = json!("https://away.example");
    away["jwks"]["remote"]["uri"] = json!("http://idp.example/nowhere");
    let list = |list: &mut Value, element| list.as_array_mut().unwrap().insert(0, element);
    list(&mut plugin["providers"], away);
    let long = "orders-of-every-region-".repeat(6) + &"unbroken".repeat(12);
    for (name, path) in [(HOSTILE, "/hostile"), (long.as_str(), "/long")] {
        let resource = json!({ "name": name, "match": { "paths": [path] }, "access": "grant", "action": name });
        list(&mut plugin["resources"], resource);
    }
}

fn scene(name: &str, path: &str, token: Option<TokenBuilder>, expected: (u16, &str)) -> Value {
    let token = token.map(|token| token.signed_by(signing_key()));
    let (status, reason) = expected;
    json!({ "name": name, "path": path, "token": token, "status": status, "reason": reason })
}

#[test]
#[ignore = "needs Chromium and Node: make test-page"]
fn the_page_is_good_to_read_and_nothing_in_it_runs_or_loads() {
    let idp = IdentityProvider::start(0).unwrap();
    let upstream = Upstream::start(0).unwrap();
    let grants = GrantService::start(0).unwrap();
    let proxy = Setup::shipped()
        .cluster("upstream", upstream.address())
        .cluster("idp", idp.address())
        .cluster("grants", grants.address())
        .plugin(forms)
        .start();
    let alice = || Some(token_for("alice"));
    let form = "https://grants.example/request?resource=orders&action=read";
    let mut denied = scene("denied", "/orders/7", alice(), (403, "grant_denied"));
    denied["link"] = json!(form);
    let hostile = scene("hostile", "/hostile", alice(), (403, "grant_denied"));
    let away = token_for("alice").issuer("https://away.example");
    let scenes = json!([
        denied,
        hostile,
        scene("long", "/long", alice(), (403, "grant_denied")),
        scene("unknown", "/elsewhere", alice(), (403, "resource_unknown")),
        scene("sign-in", "/me", None, (401, "token_missing")),
        scene(
            "expired",
            "/me",
            alice().map(|token| token.expires_in(-600)),
            (401, "token_expired")
        ),
        scene("unavailable", "/me", Some(away), (503, "keys_unavailable")),
        scene(
            "ambiguous",
            "/me;%22%3E%3Cscript%3Eran=1%3C/script%3E",
            alice(),
            (400, "request_ambiguous")
        ),
    ]);
    let proxy = format!("http://{}", proxy.address());
    check_in_browser("check.mjs", &json!({ "origin": proxy, "scenes": scenes }));
}
