//! Deciding on what others ask for.

use axum::http::StatusCode;

use crate::world::{World, alice, lena, person};

const REASON: &str = "OPS-7 the export is stuck";

#[tokio::test]
async fn an_approver_sees_who_asks_for_what_and_why_and_says_yes() {
    let world = World::new().await;
    let asked = world
        .ask(&alice(), "read", "OPS-7 <img src=x onerror=ran=1>")
        .await;
    let page = world.open(&lena(), "/approvals").await;
    for part in [
        "1 request waits for you.",
        "<strong>alice</strong>",
        "alice@example.com",
        "<code>read</code> on <code>orders</code>",
        "10 minutes",
        "OPS-7 &lt;img src=x onerror=ran=1&gt;",
        "aria-label=\"Approve read on orders for alice\"",
    ] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    let path = format!("/requests/{}/approve", asked.facts().id.0);
    let done = world.submit(&lena(), &path, &[]).await;
    let page = world.open(&lena(), done.location()).await;
    assert!(
        page.text
            .contains("You approved the request: access is granted."),
        "{}",
        page.text
    );
    assert!(page.text.contains("Nothing waits for your decision."));
    let mine = world.open(&alice(), "/grants").await;
    assert!(mine.text.contains("10 minutes left"), "{}", mine.text);
    assert_eq!(
        world.events().await,
        ["request_opened", "request_approved", "grant_given"]
    );
}

#[tokio::test]
async fn where_it_takes_two_the_first_yes_is_told_as_one_of_them() {
    let world = World::new().await;
    let asked = world.ask(&alice(), "write", REASON).await;
    let path = format!("/requests/{}", asked.facts().id.0);
    let approve = format!("{path}/approve");
    let first = world.submit(&lena(), &approve, &[]).await;
    let page = world.open(&lena(), first.location()).await;
    assert!(
        page.text.contains("It takes more approvals."),
        "{}",
        page.text
    );
    let waiting = world.open(&alice(), &path).await;
    assert!(waiting.text.contains("1 of 2 people"), "{}", waiting.text);
    let second = world
        .submit(&person("otto", &["lead"]), &approve, &[])
        .await;
    assert!(second.location().contains("notice=approved"));
    let live = world.open(&alice(), &path).await;
    assert!(live.text.contains("You are in"), "{}", live.text);
}

#[tokio::test]
async fn a_no_has_a_reason_and_the_one_who_asked_reads_it() {
    let world = World::new().await;
    let asked = world.ask(&alice(), "read", REASON).await;
    let path = format!("/requests/{}", asked.facts().id.0);
    let deny = format!("{path}/deny");
    for reason in [" ".to_owned(), "x".repeat(1_001)] {
        let answer = world.submit(&lena(), &deny, &[("reason", &reason)]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            answer.text.contains("The request was not denied. Say why"),
            "{}",
            answer.text
        );
    }
    assert_eq!(world.events().await, ["request_opened"]);
    let done = world
        .submit(&lena(), &deny, &[("reason", "ask <b>me</b> first")])
        .await;
    assert!(done.location().contains("notice=denied"));
    let page = world.open(&alice(), &path).await;
    assert!(
        page.text.contains("<strong>lena</strong> denied it"),
        "{}",
        page.text
    );
    assert!(page.text.contains("ask &lt;b&gt;me&lt;/b&gt; first"));
    assert_eq!(world.events().await, ["request_opened", "request_denied"]);
}

#[tokio::test]
async fn whoever_comes_second_is_told_kindly_and_changes_nothing() {
    let world = World::new().await;
    let asked = world.ask(&alice(), "read", REASON).await;
    let path = format!("/requests/{}", asked.facts().id.0);
    world
        .submit(&person("otto", &["lead"]), &format!("{path}/approve"), &[])
        .await;
    let before = world.events().await;
    for (deed, fields) in [("approve", &[][..]), ("deny", &[("reason", "no")])] {
        let late = world
            .submit(&lena(), &format!("{path}/{deed}"), fields)
            .await;
        assert_eq!(late.status, StatusCode::CONFLICT, "{deed}");
        assert!(
            late.text
                .contains("Someone was quicker: this request is approved already."),
            "{}",
            late.text
        );
        assert!(late.text.contains("role=\"alert\""));
    }
    assert_eq!(world.events().await, before);
}

#[tokio::test]
async fn nobody_decides_on_their_own_request() {
    let world = World::new().await;
    let both = person("mia", &["dev", "lead"]);
    let asked = world.ask(&both, "read", REASON).await;
    let list = world.open(&both, "/approvals").await;
    assert!(
        list.text.contains("Nothing waits for your decision."),
        "{}",
        list.text
    );
    let page = world
        .open(&both, &format!("/requests/{}", asked.facts().id.0))
        .await;
    assert!(!page.text.contains("/approve\""), "{}", page.text);
    let forced = world
        .submit(
            &both,
            &format!("/requests/{}/approve", asked.facts().id.0),
            &[],
        )
        .await;
    assert_eq!(forced.status, StatusCode::FORBIDDEN);
    assert!(
        forced.text.contains("Nobody decides on their own request"),
        "{}",
        forced.text
    );
    assert_eq!(world.events().await, ["request_opened"]);
}

#[tokio::test]
async fn who_approves_nothing_sees_and_changes_nothing_of_others() {
    let world = World::new().await;
    let asked = world.ask(&alice(), "read", REASON).await;
    let bob = person("bob", &["dev"]);
    let path = format!("/requests/{}", asked.facts().id.0);
    let list = world.open(&bob, "/approvals").await;
    assert_eq!(list.status, StatusCode::FORBIDDEN);
    assert!(list.text.contains("people who approve"), "{}", list.text);
    let page = world.open(&bob, &path).await;
    let nowhere = world.open(&bob, "/requests/r-0").await;
    let approve = world.submit(&bob, &format!("{path}/approve"), &[]).await;
    let deny = world
        .submit(&bob, &format!("{path}/deny"), &[("reason", "no")])
        .await;
    for answer in [&page, &approve, &deny] {
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        assert_eq!(answer.text, nowhere.text, "as if there were none");
    }
    let grants = world.open(&bob, "/grants").await;
    for answer in [list, page, grants] {
        assert!(
            !answer.text.contains("alice") && !answer.text.contains("OPS-7"),
            "{}",
            answer.text
        );
    }
    assert_eq!(world.events().await, ["request_opened"]);
}
