//! Whose forms count: those of our own pages.

use axum::http::StatusCode;

use crate::world::{HOME, World, ada, alice, lena};

#[tokio::test]
async fn a_form_of_another_site_changes_nothing_whoever_is_signed_in() {
    let world = World::new().await;
    let (_, grant) = world.grant(&alice()).await;
    let asked = world.ask(&alice(), "write", "OPS-7 waits").await;
    let before = world.events().await;
    let request = format!("/requests/{}", asked.facts().id.0);
    let forms = [
        (
            alice(),
            "/request".to_owned(),
            vec![
                ("resource", "orders"),
                ("action", "read"),
                ("reason", "OPS-1"),
            ],
        ),
        (alice(), format!("{request}/withdraw"), vec![]),
        (lena(), format!("{request}/approve"), vec![]),
        (lena(), format!("{request}/deny"), vec![("reason", "no")]),
        (alice(), format!("/grants/{}/revoke", grant.0), vec![]),
        (
            ada(),
            "/grants/all/revoke".to_owned(),
            vec![
                ("what", "everything"),
                ("confirm", "everything"),
                ("reason", "x"),
            ],
        ),
    ];
    for told in [
        &[
            ("sec-fetch-site", "cross-site"),
            ("origin", "https://evil.example"),
        ][..],
        &[("sec-fetch-site", "same-site"), ("origin", HOME)],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[],
    ] {
        for (who, path, fields) in &forms {
            let answer = world.submit_from(who, path, fields, told).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {told:?}");
            assert!(
                answer.text.contains("was not sent from here"),
                "{}",
                answer.text
            );
        }
    }
    assert_eq!(world.events().await, before);
    for told in [[("sec-fetch-site", "same-origin")], [("origin", HOME)]] {
        let (who, path, fields) = (
            alice(),
            "/request",
            [("resource", "orders"), ("action", "use")],
        );
        let answer = world.submit_from(&who, path, &fields, &told).await;
        assert!(!answer.text.contains("was not sent from here"), "{told:?}");
    }
}

#[tokio::test]
async fn looking_changes_nothing() {
    let world = World::new().await;
    let (request, grant) = world.grant(&alice()).await;
    let before = world.events().await;
    for path in [
        format!("/requests/{}/approve", request.0),
        format!("/requests/{}/withdraw", request.0),
        format!("/grants/{}/revoke", grant.0),
        "/grants/all/revoke".to_owned(),
    ] {
        let answer = world.open(&ada(), &path).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
    }
    assert_eq!(world.events().await, before);
}

#[tokio::test]
async fn a_form_that_cannot_be_read_or_is_endless_is_answered_by_a_page() {
    let world = World::new().await;
    let long = "x".repeat(100_000);
    let answer = world
        .submit(&alice(), "/request", &[("reason", &long)])
        .await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(
        answer.text.contains("The form is too long"),
        "{}",
        answer.text
    );
    let fields = [("reason", "OPS-1"), ("reason", "OPS-2")];
    let doubled = world.submit(&alice(), "/request", &fields).await;
    assert_eq!(doubled.status, StatusCode::BAD_REQUEST);
    assert!(
        doubled.text.contains("The form cannot be read"),
        "{}",
        doubled.text
    );
    let twice = world.open(&alice(), "/request?resource=a&resource=b").await;
    assert_eq!(twice.status, StatusCode::BAD_REQUEST);
    assert!(world.events().await.is_empty());
}
