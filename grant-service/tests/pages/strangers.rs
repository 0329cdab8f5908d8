//! Those who have not signed in; and what every page tells the browser about itself.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode, header};
use tower::ServiceExt;

use crate::world::{World, ada, alice};

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn whoever_has_not_signed_in_is_led_there_and_back() {
    let world = World::new().await;
    let page = world
        .send(get("/request?resource=orders&action=read"))
        .await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    let link = "href=\"https://idp.example/in?to=https%3A%2F%2Fgrants.example%2Frequest%3Fresource%3Dorders%26action%3Dread\"";
    assert!(page.text.contains(link), "{}", page.text);
    assert!(
        page.headers[header::WWW_AUTHENTICATE]
            .to_str()
            .unwrap()
            .starts_with("Bearer")
    );
    let plain = World::without_sign_in().await.send(get("/grants")).await;
    assert_eq!(plain.status, StatusCode::UNAUTHORIZED);
    assert!(
        plain.text.contains("Sign in with your organization"),
        "{}",
        plain.text
    );
    assert!(!plain.text.contains("id=\"sign-in\""));
}

#[tokio::test]
async fn names_count_only_from_the_proxy_that_is_trusted() {
    let world = World::new().await;
    for peer in [Some("192.0.2.7:4711"), None] {
        let mut request = Request::get("/grants/all")
            .header("x-hallpass-subject", "ada")
            .header("x-hallpass-issuer", "https://idp.example")
            .header("x-hallpass-groups", "security")
            .body(Body::empty())
            .unwrap();
        if let Some(peer) = peer {
            let peer: SocketAddr = peer.parse().unwrap();
            request.extensions_mut().insert(ConnectInfo(peer));
        }
        let answer = world.router.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{peer:?}");
    }
}

#[tokio::test]
async fn every_page_is_kept_by_nobody_and_loads_nothing_but_its_own() {
    let world = World::new().await;
    let signed_in = world.open(&alice(), "/grants").await;
    let refused = world.open(&alice(), "/record").await;
    let stranger = world.send(get("/grants")).await;
    let sent = world.submit_from(&alice(), "/request", &[], &[]).await;
    let moved = world.open(&alice(), "/").await;
    assert_eq!(moved.location(), "/grants");
    for answer in [&signed_in, &refused, &stranger, &sent, &moved] {
        let told = |name| {
            answer
                .headers
                .get(name)
                .map(|value| value.to_str().unwrap())
        };
        let policy = told(header::CONTENT_SECURITY_POLICY).unwrap();
        assert!(
            policy.starts_with("default-src 'none'; style-src 'self'; script-src 'self';"),
            "{policy}"
        );
        assert!(
            policy.contains("frame-ancestors 'none'; base-uri 'none'")
                && !policy.contains("unsafe")
        );
        assert_eq!(told(header::CACHE_CONTROL), Some("no-store"));
        assert_eq!(told(header::X_CONTENT_TYPE_OPTIONS), Some("nosniff"));
        assert_eq!(told(header::REFERRER_POLICY), Some("same-origin"));
        assert!(
            !answer.text.contains("<style") && !answer.text.contains(" style="),
            "{}",
            answer.text
        );
        assert!(!answer.text.contains("javascript:"), "{}", answer.text);
    }
}

#[tokio::test]
async fn files_are_kept_for_good_under_the_name_of_what_they_hold() {
    let world = World::new().await;
    let page = world.open(&alice(), "/grants").await;
    let paths: Vec<_> = page
        .text
        .split('"')
        .filter(|part| part.starts_with("/assets/"))
        .collect();
    assert_eq!(paths.len(), 3, "{}", page.text);
    for path in paths {
        let file = world.send(get(path)).await;
        assert_eq!(file.status, StatusCode::OK, "{path}");
        assert_eq!(
            file.headers[header::CACHE_CONTROL],
            "public, max-age=31536000, immutable"
        );
        assert_eq!(file.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        let mut again = get(path);
        again
            .headers_mut()
            .insert(header::IF_NONE_MATCH, file.headers[header::ETAG].clone());
        let again = world.send(again).await;
        assert_eq!(
            (again.status, again.text.as_str()),
            (StatusCode::NOT_MODIFIED, "")
        );
    }
    let old = world.send(get("/assets/page-0000000000000000.css")).await;
    assert_eq!(old.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_name_that_no_database_keeps_is_a_name_of_nothing() {
    for world in [World::new().await, World::on_postgres().await] {
        for (path, fields) in [
            ("/grants/%00/revoke", &[][..]),
            ("/grants/%00/revoke", &[("reason", "why")]),
            ("/requests/%00/withdraw", &[]),
            ("/requests/%00/approve", &[]),
            ("/requests/%00/deny", &[("reason", "why")]),
        ] {
            let answer = world.submit(&ada(), path, fields).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        }
        let shown = world.open(&ada(), "/requests/%00").await;
        assert_eq!(shown.status, StatusCode::NOT_FOUND);
        for path in [
            "/grants/all?resource=a%00b",
            "/record?actor=a%00b",
            "/record?subject=a%00b",
            "/record?resource=a%00b",
            "/request?resource=a%00b",
        ] {
            let page = world.open(&ada(), path).await;
            assert_eq!(page.status, StatusCode::OK, "{path}");
        }
        let asked = [
            ("resource", "a\0b"),
            ("action", "read"),
            ("reason", "OPS-7"),
        ];
        let answer = world.submit(&alice(), "/request", &asked).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        for taking in [("subject", "a\0b"), ("resource", "a\0b")] {
            let (what, _) = taking;
            let fields = [("what", what), taking, ("issuer", "i"), ("reason", "why")];
            let answer = world.submit(&ada(), "/grants/all/revoke", &fields).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{what}");
        }
        assert!(world.events().await.is_empty());
    }
}
