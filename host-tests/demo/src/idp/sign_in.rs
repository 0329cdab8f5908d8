//! Signing in with a browser: a page that offers the demo's people and asks for no password, and the cookie that holds the token.
//!
//! A cookie is for every port of its host. So whoever signs in here is known to the proxy and to the grant service too, as long as all three
//! are reached by the same name.

use axum::extract::{Form, Query, RawQuery};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use maud::{DOCTYPE, Markup, html};
use serde::Deserialize;
use serde_json::Value;

use super::people::{Human, PEOPLE, person};
use super::return_to::ReturnTo;
use super::token_request::TokenRequest;
use super::{signing_key, token_for};

/// The page's address.
pub(super) const PATH: &str = "/sign-in";
/// Its style sheet's.
pub(super) const STYLE_PATH: &str = "/sign-in.css";
/// Where one signs out.
pub(super) const OUT_PATH: &str = "/sign-out";

/// The cookie that the filter and the grant service look for.
const COOKIE: &str = "hallpass";
/// It is out of the reach of scripts, and goes with no request that another site makes, but for a followed link.
const COOKIE_BOUNDS: &str = "Path=/; HttpOnly; SameSite=Lax";

/// How one comes to the page.
#[derive(Deserialize)]
pub(super) struct Visit {
    return_to: Option<String>,
}

/// Who signs in on it.
#[derive(Deserialize)]
pub(super) struct Choice {
    user: String,
    return_to: Option<String>,
}

/// The page.
pub(super) async fn page(Query(visit): Query<Visit>, headers: HeaderMap) -> Response {
    let Ok(return_to) = back(visit.return_to.as_deref()) else {
        return not_here();
    };
    let present = signed_in(&headers);
    let body = html! {
        h1 { "Sign in to the demo" }
        p.soft { "Choose who you are. Nobody needs a password here: the demo guards nothing." }
        form method="post" action=(PATH) {
            @if let Some(return_to) = &return_to {
                input type="hidden" name="return_to" value=(return_to.as_str());
            }
            ul { @for human in &PEOPLE { li { (choice(human, present)) } } }
        }
        @if present.is_some() {
            footer {
                span.soft { "Choose another to switch user." }
                form method="post" action=(OUT_PATH) { button.quiet { "Sign out" } }
            }
        }
    };
    shown("Sign in", &body, return_to.as_ref())
}

fn choice(human: &Human, present: Option<&'static Human>) -> Markup {
    let current = present.is_some_and(|present| present.name == human.name);
    html! {
        button name="user" value=(human.name) aria-current=[current.then_some("true")] {
            span.initial aria-hidden="true" { (human.name[..1].to_uppercase()) }
            span.name { (human.name) }
            @if current { span.now { "signed in" } } @else { span {} }
            small { (human.part) }
        }
    }
}

/// Signs in whoever was chosen, and leads back.
pub(super) async fn enter(Form(choice): Form<Choice>) -> Response {
    let Ok(return_to) = back(choice.return_to.as_deref()) else {
        return not_here();
    };
    let Some(human) = person(&choice.user) else {
        return (
            StatusCode::BAD_REQUEST,
            "user: expected one whom the page offers",
        )
            .into_response();
    };
    let token = token_for(human.name).signed_by(signing_key());
    let target = return_to.as_ref().map_or(PATH, ReturnTo::as_str);
    leave(&holding(&token), target)
}

/// Forgets who is signed in.
pub(super) async fn out() -> Response {
    leave(&format!("{COOKIE}=; Max-Age=0; {COOKIE_BOUNDS}"), PATH)
}

/// Signs in whoever the query says, without a page to choose on: for scripts and bookmarks.
pub(super) async fn login(RawQuery(query): RawQuery) -> Response {
    match TokenRequest::parse(query.as_deref().unwrap_or_default()) {
        Ok(request) => {
            let body = html! {
                h1 { "Signed in as " (request.user) }
                p.soft { "The cookie " code { (COOKIE) } " now holds the token, for every port of this host." }
                footer { a href=(PATH) { "Switch user" } }
            };
            let cookie = AppendHeaders([(header::SET_COOKIE, holding(&request.sign()))]);
            (cookie, shown("Signed in", &body, None)).into_response()
        }
        Err(fault) => (StatusCode::BAD_REQUEST, fault).into_response(),
    }
}

/// How the pages look.
pub(super) async fn style() -> impl IntoResponse {
    let kind = [(header::CONTENT_TYPE, "text/css; charset=utf-8")];
    (kind, include_str!("sign_in.css"))
}

fn holding(token: &str) -> String {
    format!("{COOKIE}={token}; {COOKIE_BOUNDS}")
}

fn leave(cookie: &str, target: &str) -> Response {
    let headers = [(header::SET_COOKIE, cookie), (header::LOCATION, target)];
    (StatusCode::SEE_OTHER, headers).into_response()
}

/// Where to go back to, if anywhere.
fn back(return_to: Option<&str>) -> Result<Option<ReturnTo>, ()> {
    let Some(text) = return_to else {
        return Ok(None);
    };
    ReturnTo::parse(text).map(Some).ok_or(())
}

fn not_here() -> Response {
    let fault =
        "return_to: expected a page on this machine, such as http://127.0.0.1:10000/orders/7";
    (StatusCode::BAD_REQUEST, fault).into_response()
}

/// Whom the browser's cookie names. It is only shown, and nothing is decided by it: the signature is not looked at.
fn signed_in(headers: &HeaderMap) -> Option<&'static Human> {
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
    let token = cookies
        .split(';')
        .find_map(|cookie| cookie.trim().strip_prefix(COOKIE)?.strip_prefix('='))?;
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    person(claims["sub"].as_str()?)
}

fn shown(title: &str, body: &Markup, return_to: Option<&ReturnTo>) -> Response {
    // The browser holds a form's redirect to the same bounds as the form.
    let origin = return_to.map(ReturnTo::origin).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self' {origin}; frame-ancestors 'none'"
    );
    let headers = [
        ("content-security-policy", policy.as_str()),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
    ];
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                link rel="stylesheet" href=(STYLE_PATH);
            }
            body { main { (body) } }
        }
    };
    (headers, page).into_response()
}

#[cfg(test)]
mod tests {
    use ureq::http::{Response, StatusCode};
    use ureq::{Agent, Body};

    use crate::idp::IdentityProvider;

    fn browser() -> Agent {
        Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .build()
            .into()
    }

    fn choose(idp: &IdentityProvider, fields: [(&str, &str); 2]) -> Response<Body> {
        let url = format!("http://{}/sign-in", idp.address());
        browser().post(url).send_form(fields).unwrap()
    }

    fn header<'a>(answer: &'a Response<Body>, name: &str) -> Option<&'a str> {
        answer.headers().get(name)?.to_str().ok()
    }

    #[test]
    fn whoever_is_chosen_gets_the_cookie_and_is_led_back() {
        let idp = IdentityProvider::start(0).unwrap();
        let page = "http://127.0.0.1:10000/orders/7";
        let answer = choose(&idp, [("user", "lena"), ("return_to", page)]);
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        assert_eq!(header(&answer, "location"), Some(page));
        let cookie = header(&answer, "set-cookie").unwrap();
        let (token, bounds) = cookie.split_once("; ").unwrap();
        assert!(token.starts_with("hallpass=eyJ"), "{cookie}");
        assert_eq!(bounds, "Path=/; HttpOnly; SameSite=Lax");

        let mut again = browser()
            .get(format!("http://{}/sign-in", idp.address()))
            .header("cookie", format!("theme=dark; {token}"))
            .call()
            .unwrap();
        let shown = again.body_mut().read_to_string().unwrap();
        assert!(
            shown.contains("value=\"lena\" aria-current=\"true\""),
            "{shown}"
        );
    }

    #[test]
    fn nobody_is_led_to_another_site_or_signed_in_who_is_not_offered() {
        let idp = IdentityProvider::start(0).unwrap();
        let refused = [
            [("user", "alice"), ("return_to", "https://evil.example/")],
            [
                ("user", "mallory"),
                ("return_to", "http://127.0.0.1:10000/"),
            ],
        ];
        for fields in refused {
            let answer = choose(&idp, fields);
            assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{fields:?}");
            assert_eq!(header(&answer, "location"), None, "{fields:?}");
            assert_eq!(header(&answer, "set-cookie"), None, "{fields:?}");
        }
        let link = format!("http://{}/sign-in?return_to=//evil.example/", idp.address());
        let answer = browser().get(link).call().unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    }
}
