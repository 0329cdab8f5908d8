//! The record, as auditors see it.

use axum::http::StatusCode;

use crate::world::{World, ada, alice, lena, person};

#[tokio::test]
async fn an_auditor_reads_who_did_what_for_whom_and_why() {
    let world = World::new().await;
    world.grant(&alice()).await;
    let auditor = person("agnes", &["audit"]);
    let page = world.open(&auditor, "/record").await;
    for part in [
        "Access requested",
        "Request approved",
        "Grant given",
        "<strong>lena</strong>",
        "OPS-7 look into it",
    ] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    let given = world
        .open(&auditor, "/record?event=grant_given&subject=alice")
        .await;
    assert_eq!(
        given.text.matches("role=\"rowheader\"").count(),
        1,
        "{}",
        given.text
    );
    assert!(
        given
            .text
            .contains("/audit?event=grant_given&amp;subject=alice&amp;format=ndjson"),
        "{}",
        given.text
    );
    let lines = world
        .open(
            &auditor,
            "/audit?event=grant_given&subject=alice&format=ndjson",
        )
        .await;
    assert_eq!(lines.headers["content-type"], "application/x-ndjson");
    assert_eq!(lines.text.lines().count(), 1, "{}", lines.text);
    let nobody = world
        .open(&auditor, "/record?actor=%22%3E%3Cscript%3E")
        .await;
    assert!(
        nobody.text.contains("Nothing like this is on record."),
        "{}",
        nobody.text
    );
    assert!(nobody.text.contains("value=\"&quot;&gt;&lt;script&gt;\""));
    let since = world.open(&auditor, "/record?since=2026-09-21T14:13").await;
    assert_eq!(
        since.text.matches("role=\"rowheader\"").count(),
        3,
        "{}",
        since.text
    );
    let before = world.open(&auditor, "/record?until=2026-09-21T14:13").await;
    assert!(
        before.text.contains("Nothing like this is on record."),
        "{}",
        before.text
    );
    let odd = world.open(&auditor, "/record?since=yesterday").await;
    assert!(
        odd.text.contains("A time is not as it must be"),
        "{}",
        odd.text
    );
}

#[tokio::test]
async fn what_came_from_a_browser_says_from_where() {
    let world = World::new().await;
    let asked = world.ask(&alice(), "read", "OPS-7").await;
    world
        .submit(
            &lena(),
            &format!("/requests/{}/approve", asked.facts().id.0),
            &[],
        )
        .await;
    let page = world.open(&ada(), "/record?event=request_approved").await;
    assert!(page.text.contains("from 127.0.0.1"), "{}", page.text);
}

#[tokio::test]
async fn older_entries_are_on_further_pages_and_none_twice() {
    let world = World::new().await;
    for _ in 0..40 {
        let asked = world.ask(&alice(), "read", "OPS-7").await;
        let id = &asked.facts().id;
        world
            .desk
            .withdraw(&alice(), id, &hallpass_grants::life::Origin::default())
            .await
            .unwrap();
    }
    let first = world.open(&ada(), "/record").await;
    assert_eq!(first.text.matches("role=\"rowheader\"").count(), 50);
    assert!(
        first.text.contains("href=\"/record?before=31\""),
        "{}",
        first.text
    );
    let second = world.open(&ada(), "/record?before=31").await;
    assert_eq!(second.text.matches("role=\"rowheader\"").count(), 30);
    assert!(!second.text.contains("id=\"older\""));
}

#[tokio::test]
async fn the_record_is_for_auditors_alone() {
    let world = World::new().await;
    world.grant(&alice()).await;
    for who in [alice(), lena()] {
        let page = world.open(&who, "/record").await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
        assert!(
            !page.text.contains("OPS-7") && !page.text.contains("grant_given"),
            "{}",
            page.text
        );
    }
}
