//! Requests that are decided by a resource's conditions.

use serde_json::{Value, json};

use crate::Case;
use crate::case::alice;

pub(crate) fn cases() -> Vec<Case> {
    let me = |name, conditions: Value| {
        Case::get(name, "/me")
            .by(alice().claim("groups", json!(["dev"])))
            .under("/resources/1/conditions", conditions)
    };
    let mut from_inside = me(
        "whoever meets the conditions passes",
        json!({ "source_cidrs": ["10.0.0.0/8"], "claims": { "groups": ["dev"] } }),
    )
    .passes_as_alice("identity")
    .set("x-hallpass-groups", "dev");
    from_inside.source_ip = Some("10.1.2.3");
    let mut from_outside = me(
        "another network is refused",
        json!({ "source_cidrs": ["10.0.0.0/8"] }),
    )
    .refused(403, "condition_source_ip");
    from_outside.source_ip = Some("192.0.2.1");
    // The table plays on a Monday at 14:13.
    let window = json!({ "days": ["mon-fri"], "from": "08:00", "to": "14:00", "time_zone": "UTC" });
    vec![
        from_inside,
        from_outside,
        me(
            "another time is refused",
            json!({ "time_windows": [window] }),
        )
        .refused(403, "condition_time"),
        me(
            "other claims are refused",
            json!({ "claims": { "groups": ["oncall"] } }),
        )
        .refused(403, "condition_claims"),
        me(
            "a request without a header that must be there is refused",
            json!({ "all_of": [{ "header": "x-ticket", "present": true }] }),
        )
        .refused(403, "condition_request"),
    ]
}
