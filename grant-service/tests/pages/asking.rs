//! Asking for access.

use std::time::Duration;

use axum::http::StatusCode;
use hallpass_grants::life::{Request, RequestId};

use crate::world::{HOME, World, alice, lena, person};

const READ: &str = "/request?resource=orders&action=read";
const REASON: &str = "OPS-7 the export is stuck";

fn fields<'a>(key: &'a str, reason: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("resource", "orders"),
        ("type", "http"),
        ("action", "read"),
        ("duration", "15m"),
        ("reason", reason),
        ("key", key),
    ]
}

#[tokio::test]
async fn a_link_fills_the_form_in_and_sending_it_leads_to_the_request() {
    let world = World::new().await;
    let form = world.open(&alice(), READ).await;
    assert_eq!(form.status, StatusCode::OK);
    for part in [
        "Request access to Orders",
        "name=\"resource\" value=\"orders\"",
        "name=\"type\" value=\"http\"",
        "name=\"action\" value=\"read\"",
        "value=\"30m\" checked",
        "The ticket, such as OPS-7",
        "the approval of one other person",
    ] {
        assert!(form.text.contains(part), "{part}: {}", form.text);
    }
    assert!(
        !form.text.contains("emergency"),
        "she may not break the glass"
    );
    let sent = world
        .submit(&alice(), "/request", &fields(form.hidden("key"), REASON))
        .await;
    let page = world.open(&alice(), sent.location()).await;
    assert!(page.text.contains("Waiting for approval"), "{}", page.text);
    assert!(page.text.contains(REASON));
    assert_eq!(world.events().await, ["request_opened"]);
}

#[tokio::test]
async fn a_form_sent_twice_is_one_request_and_with_other_words_it_is_asked_about() {
    let world = World::new().await;
    let form = world.open(&alice(), READ).await;
    let key = form.hidden("key").to_owned();
    let first = world
        .submit(&alice(), "/request", &fields(&key, REASON))
        .await;
    let again = world
        .submit(&alice(), "/request", &fields(&key, REASON))
        .await;
    assert_eq!(first.location(), again.location());
    assert_eq!(world.events().await, ["request_opened"]);
    let other = world
        .submit(&alice(), "/request", &fields(&key, "OPS-8 something else"))
        .await;
    assert_eq!(other.status, StatusCode::CONFLICT);
    assert!(
        other.text.contains("This form was sent before"),
        "{}",
        other.text
    );
    assert_ne!(
        other.hidden("key"),
        key,
        "sent again, it is another request"
    );
    let twin = world
        .submit(&alice(), "/request", &fields("", REASON))
        .await;
    assert_eq!(twin.status, StatusCode::CONFLICT);
    assert!(twin.text.contains("See that request"), "{}", twin.text);
    assert_eq!(world.events().await, ["request_opened"]);
}

#[tokio::test]
async fn what_is_wrong_is_told_beside_the_field_and_what_was_typed_is_kept() {
    let world = World::new().await;
    let typed = "because </textarea><script>ran=1</script>";
    let wrong = world.submit(&alice(), "/request", &fields("", typed)).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    for part in [
        "role=\"alert\"",
        "aria-invalid=\"true\"",
        "aria-describedby=\"reason-wrong reason-hint\"",
        "because &lt;/textarea&gt;&lt;script&gt;ran=1&lt;/script&gt;</textarea>",
        "value=\"15m\" checked",
    ] {
        assert!(wrong.text.contains(part), "{part}: {}", wrong.text);
    }
    assert!(!wrong.text.contains("<script>ran"));
    for duration in ["2h", "soon", "0s"] {
        let mut fields = fields("", REASON);
        fields[3].1 = duration;
        let wrong = world.submit(&alice(), "/request", &fields).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{duration}");
        assert!(
            wrong.text.contains("id=\"duration-wrong\""),
            "{duration}: {}",
            wrong.text
        );
    }
    assert!(world.events().await.is_empty());
}

#[tokio::test]
async fn what_cannot_be_requested_is_told_as_what_does_not_exist() {
    let world = World::new().await;
    let pages = [
        world
            .open(&alice(), "/request?resource=payments&action=read")
            .await,
        world
            .open(&alice(), "/request?resource=nothing&action=read")
            .await,
    ];
    for page in &pages {
        assert_eq!(page.status, StatusCode::FORBIDDEN);
        assert!(!page.text.contains("Payments"), "{}", page.text);
        assert!(
            page.text
                .contains("resource=orders&amp;type=http&amp;action=read"),
            "{}",
            page.text
        );
    }
    assert_eq!(pages[0].text, pages[1].text);
    let sent = [
        ("resource", "payments"),
        ("action", "read"),
        ("reason", REASON),
    ];
    let sent = world.submit(&alice(), "/request", &sent).await;
    assert_eq!(sent.status, StatusCode::FORBIDDEN);
    assert!(world.events().await.is_empty());
}

#[tokio::test]
async fn what_may_be_requested_is_there_to_pick_and_names_are_escaped() {
    let world = World::new().await;
    let page = world
        .open(
            &alice(),
            "/request?return_to=https%3A%2F%2Fadmin.example%2Forders",
        )
        .await;
    assert!(
        page.text.contains("aria-label=\"write on Orders\""),
        "{}",
        page.text
    );
    assert!(
        page.text
            .contains("return_to=https%3A%2F%2Fadmin.example%2Forders")
    );
    assert!(page.text.contains("&lt;b&gt;tools&lt;/b&gt;") && !page.text.contains("<b>tools"));
    let nobody = world.open(&person("nina", &[]), "/request").await;
    assert!(
        nobody
            .text
            .contains("There is nothing that you can request"),
        "{}",
        nobody.text
    );
    assert!(!nobody.text.contains("orders"));
}

#[tokio::test]
async fn only_who_may_break_the_glass_is_offered_to_and_then_is_in_at_once() {
    let world = World::new().await;
    let mut emergency = fields("", REASON);
    emergency.push(("emergency", "yes"));
    let usual = world.submit(&alice(), "/request", &emergency).await;
    let page = world.open(&alice(), usual.location()).await;
    assert!(page.text.contains("Waiting for approval"), "{}", page.text);
    let sre = person("sam", &["sre"]);
    let form = world.open(&sre, READ).await;
    assert!(form.text.contains("break the glass"), "{}", form.text);
    assert!(form.text.contains("at most 30 minutes"));
    let sent = world.submit(&sre, "/request", &emergency).await;
    let page = world.open(&sre, sent.location()).await;
    assert!(page.text.contains("You are in"), "{}", page.text);
    assert_eq!(
        world.events().await,
        [
            "request_opened",
            "request_opened",
            "request_approved",
            "glass_broken"
        ]
    );
}

#[tokio::test]
async fn a_page_leads_back_only_to_places_that_are_known() {
    let world = World::new().await;
    let (id, _) = world.grant(&alice()).await;
    let page = |back: &str| {
        let query: String = url::form_urlencoded::byte_serialize(back.as_bytes()).collect();
        format!("/requests/{}?return_to={query}", id.0)
    };
    for (back, leads) in [
        ("/orders/7?a=1", Some("https://grants.example/orders/7?a=1")),
        (
            "https://grants.example:8443/x",
            Some("https://grants.example:8443/x"),
        ),
        (
            "https://admin.example/orders/7",
            Some("https://admin.example/orders/7"),
        ),
        ("https://admin.example:444/orders", None),
        ("http://grants.example/x", None),
        ("https://evil.example/", None),
        ("//evil.example/", None),
        ("/\\evil.example/", None),
        (
            "https:evil.example",
            Some("https://grants.example/evil.example"),
        ),
        ("https://grants.example@evil.example/", None),
        ("https://evil@grants.example/", None),
        ("https://grants.example.evil.example/", None),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("", None),
    ] {
        let seen = world.open(&alice(), &page(back)).await;
        let button =
            leads.map(|leads| format!("id=\"back\" href=\"{}\"", leads.replace('&', "&amp;")));
        match button {
            Some(button) => assert!(seen.text.contains(&button), "{back}: {}", seen.text),
            None => assert!(
                seen.text.contains("Go back to the page that you came from"),
                "{back}: {}",
                seen.text
            ),
        }
        assert!(!seen.text.contains("evil.example/\""), "{back}");
    }
    let mut with = fields("", REASON);
    with[2].1 = "write";
    with.push(("return_to", "https://evil.example/"));
    let sent = world.submit(&alice(), "/request", &with).await;
    assert!(!sent.location().contains("evil"), "{}", sent.location());
    with[2].1 = "write";
    assert!(
        sent.location().starts_with("/requests/r-"),
        "{} at {HOME}",
        sent.location()
    );
}

#[tokio::test]
async fn whoever_has_it_or_waits_for_it_is_told_so_before_they_ask() {
    let world = World::new().await;
    world.grant(&alice()).await;
    let form = world.open(&alice(), READ).await;
    assert!(
        form.text.contains("You have this access already"),
        "{}",
        form.text
    );
    world.ask(&alice(), "write", REASON).await;
    let form = world
        .open(&alice(), "/request?resource=orders&action=write")
        .await;
    assert!(
        form.text
            .contains("You are waiting for this access already"),
        "{}",
        form.text
    );
}

#[tokio::test]
async fn a_request_tells_how_it_stands_until_its_end() {
    let world = World::new().await;
    let (id, _) = world.grant(&alice()).await;
    let path = format!("/requests/{}", id.0);
    let live = world.open(&alice(), &path).await;
    assert!(live.text.contains("10 minutes left"), "{}", live.text);
    world.pass(Duration::from_mins(10));
    let over = world.open(&alice(), &path).await;
    assert!(
        over.text.contains("The access is over"),
        "before the record tells: {}",
        over.text
    );
    assert!(!over.text.contains("Give up"));
    let waiting = world.ask(&alice(), "write", REASON).await;
    let path = format!("/requests/{}", waiting.facts().id.0);
    world.pass(Duration::from_hours(1));
    let late = world.open(&alice(), &path).await;
    assert!(
        late.text.contains("Nobody decided in time"),
        "{}",
        late.text
    );
    assert!(!late.text.contains("Withdraw the"));
}

#[tokio::test]
async fn one_can_withdraw_what_one_asked_for_and_only_that() {
    let world = World::new().await;
    let asked = world.ask(&alice(), "read", REASON).await;
    let path = format!("/requests/{}/withdraw", asked.facts().id.0);
    let stranger = world.submit(&person("bob", &["dev"]), &path, &[]).await;
    assert_eq!(stranger.status, StatusCode::NOT_FOUND);
    let approver = world.submit(&lena(), &path, &[]).await;
    assert_eq!(approver.status, StatusCode::CONFLICT);
    assert_eq!(world.events().await, ["request_opened"]);
    let done = world.submit(&alice(), &path, &[]).await;
    let page = world.open(&alice(), done.location()).await;
    assert!(
        page.text.contains("Your request is withdrawn"),
        "{}",
        page.text
    );
    let again = world.submit(&alice(), &path, &[]).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert!(
        again.text.contains("it is withdrawn already")
            || again.text.contains("is withdrawn already")
    );
    let id = RequestId(asked.facts().id.0.clone());
    let kept = world.desk.store().request(&id).await.unwrap().unwrap();
    assert!(matches!(kept, Request::Closed(_)));
    assert_eq!(
        world.events().await,
        ["request_opened", "request_withdrawn"]
    );
}
