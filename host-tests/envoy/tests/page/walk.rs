//! The loop of just-in-time access, as alice, lena and ada walk it in their browsers.

use hallpass_demo::idp::IdentityProvider;
use hallpass_demo::upstream::Upstream;
use hallpass_envoy_tests::{GrantProgram, Setup};
use serde_json::json;

use crate::check_in_browser;

/// How soon a revocation is to be felt, in seconds, as the shipped configuration says.
const INTERVAL: u32 = 1;

#[test]
#[ignore = "needs Chromium and Node: make test-page"]
fn access_is_refused_requested_approved_over_and_revoked_in_the_browser() {
    let idp = IdentityProvider::start(0).unwrap();
    let upstream = Upstream::start(0).unwrap();
    let grants = GrantProgram::start(idp.address(), |config| {
        // Long enough to be used, short enough to wait for its end.
        config["policy"]["resources"][0]["default_duration"] = json!("10s");
    });
    let request_url = format!(
        "http://{}/request?resource={{resource}}&action={{action}}",
        grants.address()
    );
    let proxy = Setup::shipped()
        .cluster("upstream", upstream.address())
        .cluster("idp", idp.address())
        .cluster("grants", grants.address())
        .plugin(|plugin| {
            plugin["grants"]["request_url"] = json!(request_url);
            let feed = &plugin["grants"]["service"]["revocations"];
            assert_eq!(feed["interval"], format!("{INTERVAL}s"));
        })
        .start();
    let origin = |address| format!("http://{address}");
    check_in_browser(
        "walk.mjs",
        &json!({
            "proxy": origin(proxy.address()),
            "idp": origin(idp.address()),
            "grants": origin(grants.address()),
            "interval": INTERVAL,
        }),
    );
}
