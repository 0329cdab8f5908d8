//! Requests that are decided by the grants in their token.

use hallpass_tokens::{Grant, NOW};
use serde_json::json;

use crate::Case;
use crate::case::alice;

pub(crate) fn cases() -> Vec<Case> {
    [live(), dead()].concat()
}

fn grant() -> Grant {
    Grant::new("orders", &["read"]).until(NOW + 60)
}

fn passes(case: Case) -> Case {
    case.passes_as_alice("grant_embedded")
        .set("x-hallpass-grant-expires", (NOW + 60).to_string())
}

fn live() -> Vec<Case> {
    let details =
        json!([{ "type": "hallpass", "identifier": "orders", "actions": ["*"], "exp": NOW + 60 }]);
    vec![
        passes(Case::order(
            "a grant in the token needs no call",
            alice().grant(grant()),
        ))
        .set("x-hallpass-grant-id", "g-1"),
        passes(Case::order(
            "a malformed grant hides no sound one",
            alice()
                .grant(grant().with("exp", json!("soon")))
                .grant(grant().id("g-2")),
        ))
        .set("x-hallpass-grant-id", "g-2"),
        passes(Case::order(
            "authorization details are grants too",
            alice().grants_json(details),
        )),
        passes(
            Case::order(
                "without an action of its own a resource asks for the method",
                alice().grant(Grant::new("orders", &["post"]).until(NOW + 60)),
            )
            .url("https://eu.example/orders/7")
            .method("POST"),
        )
        .set("x-hallpass-grant-id", "g-1"),
    ]
}

fn dead() -> Vec<Case> {
    let order = |name, grant: Grant| Case::order(name, alice().grant(grant)).without_service();
    vec![
        Case::order("without a grant and a service there is none", alice())
            .without_service()
            .refused_with_link("grant_missing", ("orders", "read")),
        order(
            "a grant for another action grants nothing",
            Grant::new("orders", &["write"]),
        )
        .refused_with_link("grant_missing", ("orders", "read")),
        order(
            "a grant for another resource grants nothing",
            Grant::new("billing", &["*"]),
        )
        .refused_with_link("grant_missing", ("orders", "read")),
        order(
            "a grant that does not hold yet grants nothing",
            grant().from(NOW + 1),
        )
        .refused_with_link("grant_missing", ("orders", "read")),
        order("a grant is over at its end", grant())
            .after(60)
            .refused_with_link("grant_expired", ("orders", "read")),
        order(
            "a grant that lasts too long is refused",
            grant().until(NOW + 8 * 3600 + 1),
        )
        .refused_with_link("grant_lifetime_exceeded", ("orders", "read")),
        Case::order(
            "a bad token hides its grants",
            alice().audience("other").grant(grant()),
        )
        .refused(401, "token_audience_mismatch"),
    ]
}
