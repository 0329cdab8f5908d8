//! Requests that are decided by the grant service.

use hallpass_tokens::NOW;
use serde_json::{Value, json};

use crate::case::alice;
use crate::{Case, Service};

pub(crate) fn cases() -> Vec<Case> {
    [allowed(), denied(), obliged(), failed()].concat()
}

fn order(name: &'static str, reply: Value) -> Case {
    Case::order(name, alice()).answered(reply)
}

/// An allow until a minute after [`NOW`], when it is 2026-09-21T14:13:20Z.
fn allow() -> Value {
    allow_until("2026-09-21T14:14:20Z")
}

fn allow_until(end: &str) -> Value {
    json!({ "decision": true, "context": { "approval": { "id": "g-42", "approved_until": end } } })
}

fn passes(case: Case) -> Case {
    case.passes_as_alice("grant_service")
        .set("x-hallpass-grant-id", "g-42")
        .set("x-hallpass-grant-expires", (NOW + 60).to_string())
}

fn allowed() -> Vec<Case> {
    let mut from_network = passes(order(
        "the service is told where the request comes from",
        allow(),
    ));
    from_network.source_ip = Some("10.1.2.3");
    vec![
        passes(order("an allow of the service is a grant", allow())),
        from_network,
        order(
            "an allow without an end is trusted where the configuration says so",
            json!({ "decision": true }),
        )
        .url("https://eu.example/orders/7")
        .method("POST")
        .under("/grants/service/require_expiry", json!(false))
        .passes_as_alice("grant_service"),
    ]
}

fn denied() -> Vec<Case> {
    let form = json!({ "decision": false, "context": { "access_request": { "form_url": "https://grants.example/form/7" } } });
    let mut with_form =
        order("a denial may name a form of the same origin", form).refused(403, "grant_denied");
    with_form.expected.request_url = Some("https://grants.example/form/7".to_owned());
    let foreign = json!({ "decision": false, "context": { "access_request": { "form_url": "https://evil.example/" } } });
    vec![
        order(
            "a denial of the service is one",
            json!({ "decision": false }),
        )
        .refused_with_link("grant_denied", ("orders", "read")),
        with_form,
        order("a form of another origin is not shown", foreign)
            .refused_with_link("grant_denied", ("orders", "read")),
        order(
            "an allow without an end is refused",
            json!({ "decision": true }),
        )
        .refused_with_link("grant_without_expiry", ("orders", "read")),
        order(
            "an allow that is over is refused",
            allow_until("2026-09-21T14:13:20Z"),
        )
        .refused_with_link("grant_expired", ("orders", "read")),
        order(
            "an allow that lasts too long is refused",
            allow_until("2026-09-22T14:13:20Z"),
        )
        .refused_with_link("grant_lifetime_exceeded", ("orders", "read")),
    ]
}

fn obliged() -> Vec<Case> {
    let on = |obligation: Value| {
        let mut reply = allow();
        reply["context"]["obligations"] = json!([obligation]);
        reply
    };
    let step_up = || on(json!({ "id": "o", "type": "step-up", "acr_value": "phr" }));
    vec![
        order(
            "an obligation that nobody knows turns an allow into a denial",
            on(json!({ "id": "o", "type": "watermark" })),
        )
        .refused_with_link("grant_obligation_unsupported", ("orders", "read")),
        order("a stronger sign-in may be demanded", step_up()).refused(401, "step_up_required"),
        passes(
            Case::order(
                "whoever signed in as demanded passes",
                alice().claim("acr", json!("phr")),
            )
            .answered(step_up()),
        ),
    ]
}

fn failed() -> Vec<Case> {
    let unreachable = |name| {
        let mut case = Case::order(name, alice());
        case.service = Service::Unreachable;
        case
    };
    vec![
        order("a text is no decision", json!({ "decision": "true" }))
            .refused(503, "grant_service_unavailable"),
        unreachable("a service that cannot be reached lets nobody pass")
            .refused(503, "grant_service_unavailable"),
        unreachable("a service that cannot be reached lets pass where the configuration says so")
            .under("/grants/service/failure_mode", json!("allow"))
            .passes_as_alice("grant_service_failed_open"),
    ]
}
