//! Requests that are decided by a resource's conditions.

use serde_json::{Value, json};

use crate::Case;
use crate::case::alice;

/// What all of them ask for.
const PROFILE: (&str, &str) = ("profile", "get");

pub(crate) fn cases() -> Vec<Case> {
    let me = |name, conditions: Value| {
        Case::get(name, "/me")
            .by(alice().claim("groups", json!(["dev"])))
            .under("/resources/1/conditions", conditions)
    };
    let from_inside = me(
        "whoever meets the conditions passes",
        json!({ "source_cidrs": ["10.0.0.0/8"], "claims": { "groups": ["dev"] } }),
    )
    .from("10.1.2.3")
    .passes_as_alice("identity")
    .set("x-hallpass-groups", "dev");
    let from_outside = me(
        "another network is refused",
        json!({ "source_cidrs": ["10.0.0.0/8"] }),
    )
    .from("192.0.2.1")
    .refused_with_link("condition_source_ip", PROFILE);
    // The table plays on a Monday at 14:13.
    let window = json!({ "days": ["mon-fri"], "from": "08:00", "to": "14:00", "time_zone": "UTC" });
    vec![
        from_inside,
        from_outside,
        me(
            "another time is refused",
            json!({ "time_windows": [window] }),
        )
        .refused_with_link("condition_time", PROFILE),
        me(
            "other claims are refused",
            json!({ "claims": { "groups": ["oncall"] } }),
        )
        .refused_with_link("condition_claims", PROFILE),
        me(
            "a request without a header that must be there is refused",
            json!({ "all_of": [{ "header": "x-ticket", "present": true }] }),
        )
        .refused_with_link("condition_request", PROFILE),
        me(
            "one of several conditions is enough where any may hold",
            json!({ "any_of": [
                { "claim": "groups", "contains": "oncall" },
                { "header": "x-ticket", "prefix": "INC-" },
            ] }),
        )
        .header("x-ticket", "INC-7")
        .passes_as_alice("identity")
        .set("x-hallpass-groups", "dev"),
        me(
            "what must not hold and does is refused",
            json!({ "not": { "claim": "groups", "contains": "dev" } }),
        )
        .refused_with_link("condition_claims", PROFILE),
        me(
            "what must not hold and cannot be told is refused",
            json!({ "not": { "claim": "level", "equals": "guest" } }),
        )
        .refused_with_link("condition_claims", PROFILE),
        me(
            "a weaker sign-in than demanded is challenged",
            json!({ "acr_values": ["mfa"] }),
        )
        .refused(401, "step_up_required"),
        Case::get("an older sign-in than demanded is challenged", "/me")
            .by(alice().claim("auth_time", json!(hallpass_tokens::NOW - 3_600)))
            .under("/resources/1/conditions", json!({ "max_auth_age": "1h" }))
            .refused(401, "step_up_required"),
        me(
            "a client certificate that nobody has shown is refused",
            json!({ "all_of": [{ "certificate": "dns_san", "equals": "build.example" }] }),
        )
        .refused_with_link("condition_request", PROFILE),
        behind_a_proxy(
            "with a trusted proxy the address is the one that it saw",
            "203.0.113.9, 192.0.2.1",
        )
        .passes_as_alice("identity"),
        behind_a_proxy(
            "what a client puts before that address changes nothing",
            "203.0.113.9, 198.51.100.7, 192.0.2.1",
        )
        .refused_with_link("condition_source_ip", PROFILE),
    ]
}

/// A request that a trusted proxy at 192.0.2.1 brings, to a place that is open to 203.0.113.0/24.
fn behind_a_proxy(name: &'static str, forwarded: &str) -> Case {
    Case::get(name, "/me")
        .by(alice())
        .under("/trusted_hops", json!(1))
        .under(
            "/resources/1/conditions",
            json!({ "source_cidrs": ["203.0.113.0/24"] }),
        )
        .header("x-forwarded-for", forwarded)
        .from("192.0.2.1")
}
