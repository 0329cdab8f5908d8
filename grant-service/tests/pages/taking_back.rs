//! Taking back what was given.

use axum::http::StatusCode;

use crate::world::{ISSUER, World, ada, alice, lena, person};

#[tokio::test]
async fn one_gives_up_ones_own_grant() {
    let world = World::new().await;
    let (request, grant) = world.grant(&alice()).await;
    let page = world.open(&alice(), "/grants").await;
    assert!(
        page.text
            .contains(&format!("action=\"/grants/{}/revoke\"", grant.0)),
        "{}",
        page.text
    );
    let done = world
        .submit(
            &alice(),
            &format!("/grants/{}/revoke", grant.0),
            &[("from", "mine")],
        )
        .await;
    let page = world.open(&alice(), done.location()).await;
    assert!(
        page.text.contains("You have given up your access."),
        "{}",
        page.text
    );
    assert!(page.text.contains("You hold no grants right now."));
    let page = world
        .open(&alice(), &format!("/requests/{}", request.0))
        .await;
    assert!(
        page.text.contains("The access was taken back"),
        "{}",
        page.text
    );
    let again = world
        .submit(
            &alice(),
            &format!("/grants/{}/revoke", grant.0),
            &[("from", "mine")],
        )
        .await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert!(
        again.text.contains("this grant is revoked already"),
        "{}",
        again.text
    );
    assert_eq!(world.events().await[3..], ["grant_revoked"]);
}

#[tokio::test]
async fn a_stranger_takes_nothing_back_and_learns_nothing() {
    let world = World::new().await;
    let (_, grant) = world.grant(&alice()).await;
    let bob = person("bob", &["dev"]);
    let why = [("reason", "mine now"), ("from", "all")];
    let existing = world
        .submit(&bob, &format!("/grants/{}/revoke", grant.0), &why)
        .await;
    let nothing = world.submit(&bob, "/grants/g-0/revoke", &why).await;
    assert_eq!(existing.status, StatusCode::NOT_FOUND);
    assert_eq!(existing.text, nothing.text);
    for what in ["subject", "resource", "everything"] {
        let form = [
            ("what", what),
            ("subject", "alice"),
            ("issuer", ISSUER),
            ("resource", "orders"),
            ("confirm", "everything"),
            ("reason", "mine now"),
        ];
        for who in [&bob, &lena()] {
            let answer = world.submit(who, "/grants/all/revoke", &form).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{what}");
        }
    }
    for who in [&bob, &lena()] {
        let all = world.open(who, "/grants/all").await;
        assert_eq!(all.status, StatusCode::FORBIDDEN);
        assert!(!all.text.contains("alice"), "{}", all.text);
    }
    assert_eq!(
        world.events().await.len(),
        3,
        "only the grant's own beginning"
    );
}

#[tokio::test]
async fn an_administrator_sees_everyones_grants_and_takes_one_back_with_a_reason() {
    let world = World::new().await;
    let (_, grant) = world.grant(&alice()).await;
    let page = world.open(&ada(), "/grants/all").await;
    assert!(page.text.contains("1 live grant"), "{}", page.text);
    assert!(page.text.contains("Revoke read on orders of alice"));
    let other = world.open(&ada(), "/grants/all?resource=%3Cb%3E").await;
    assert!(
        other
            .text
            .contains("Nobody holds a live grant on <code>&lt;b&gt;</code>"),
        "{}",
        other.text
    );
    let path = format!("/grants/{}/revoke", grant.0);
    let silent = world.submit(&ada(), &path, &[("from", "all")]).await;
    assert_eq!(silent.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        silent.text.contains("Nothing was revoked. Say why"),
        "{}",
        silent.text
    );
    assert_eq!(world.events().await.len(), 3);
    let done = world
        .submit(
            &ada(),
            &path,
            &[("from", "all"), ("reason", "left the team")],
        )
        .await;
    assert_eq!(done.location(), "/grants/all?notice=revoked");
    assert_eq!(world.events().await[3..], ["grant_revoked"]);
}

#[tokio::test]
async fn an_approver_takes_back_what_they_could_have_approved() {
    let world = World::new().await;
    let (request, grant) = world.grant(&alice()).await;
    let page = world
        .open(&lena(), &format!("/requests/{}", request.0))
        .await;
    assert!(page.text.contains("Revoke this grant"), "{}", page.text);
    let done = world
        .submit(
            &lena(),
            &format!("/grants/{}/revoke", grant.0),
            &[("from", "request"), ("reason", "a mistake")],
        )
        .await;
    assert_eq!(done.location(), format!("/requests/{}", request.0));
    assert_eq!(world.events().await[3..], ["grant_revoked"]);
}

#[tokio::test]
async fn the_switch_for_an_incident_wants_its_word_and_then_takes_everything() {
    let world = World::new().await;
    world.grant(&alice()).await;
    world
        .ask(&person("bob", &["dev"]), "read", "OPS-8 waits")
        .await;
    let before = world.events().await.len();
    for (confirm, reason) in [
        ("", "incident 9"),
        ("all", "incident 9"),
        ("everything", " "),
    ] {
        let form = [
            ("what", "everything"),
            ("confirm", confirm),
            ("reason", reason),
        ];
        let answer = world.submit(&ada(), "/grants/all/revoke", &form).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            answer.text.contains("Nothing was revoked."),
            "{}",
            answer.text
        );
    }
    assert_eq!(world.events().await.len(), before);
    let form = [
        ("what", "everything"),
        ("confirm", "Everything"),
        ("reason", "incident 9"),
    ];
    let done = world.submit(&ada(), "/grants/all/revoke", &form).await;
    assert_eq!(done.status, StatusCode::OK);
    assert!(
        done.text
            .contains("Everything is revoked: 1 live grant ended."),
        "{}",
        done.text
    );
    assert_eq!(
        world.events().await[before..],
        ["everything_revoked", "request_denied", "grant_revoked"]
    );
    let claimed = world.open(&ada(), "/grants/all?notice=everything").await;
    assert!(
        !claimed.text.contains("Everything is revoked"),
        "an address claims nothing"
    );
}

#[tokio::test]
async fn a_person_and_a_resource_are_taken_back_whole() {
    let world = World::new().await;
    for what in ["subject", "resource"] {
        world.grant(&alice()).await;
        let before = world.events().await.len();
        let lacking = [("what", what), ("reason", "incident 9")];
        let answer = world.submit(&ada(), "/grants/all/revoke", &lacking).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{what}");
        let form = [
            ("what", what),
            ("subject", "alice"),
            ("issuer", ISSUER),
            ("resource", "orders"),
            ("reason", "incident 9"),
        ];
        let done = world.submit(&ada(), "/grants/all/revoke", &form).await;
        assert!(
            done.text.contains("1 live grant ended."),
            "{what}: {}",
            done.text
        );
        let expected = [format!("{what}_revoked"), "grant_revoked".to_owned()];
        assert_eq!(world.events().await[before..], expected);
    }
}
