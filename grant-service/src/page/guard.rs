//! Forms count only if a page of this very service sent them: another site can make a browser send one, with all its credentials.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::trouble::Trouble;
use crate::app::App;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

pub(super) async fn same_origin(State(app): State<App>, request: Request, next: Next) -> Response {
    let looks = matches!(*request.method(), Method::GET | Method::HEAD);
    if looks
        || is_ours(
            request.headers(),
            &app.public_url.origin().ascii_serialization(),
        )
    {
        next.run(request).await
    } else {
        Trouble::ForeignForm.into_response()
    }
}

/// Whether a page of this origin sent it, as the browser tells: by `Sec-Fetch-Site` (Fetch Metadata), or else by `Origin`, which browsers
/// send where the former is not to be had (plain HTTP, older ones). Who tells neither is no browser at its page.
fn is_ours(headers: &HeaderMap, origin: &str) -> bool {
    let all = |name: HeaderName, fits: &dyn Fn(&[u8]) -> bool| {
        let mut values = headers.get_all(name).iter().peekable();
        values.peek().map(|_| ())?;
        Some(values.all(|value| fits(value.as_bytes())))
    };
    all(SEC_FETCH_SITE, &|value| {
        matches!(value, b"same-origin" | b"none")
    })
    .or_else(|| all(header::ORIGIN, &|value| value == origin.as_bytes()))
    .unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_ours_if_the_browser_says_so_and_not_if_nobody_does() {
        for (site, origin, expected) in [
            (&["same-origin"][..], None, true),
            (&["none"], None, true),
            (&["same-site"], Some("https://grants.example"), false),
            (&["cross-site"], Some("https://grants.example"), false),
            (&["same-origin", "cross-site"], None, false),
            (&["Same-Origin"], None, false),
            (&[], Some("https://grants.example"), true),
            (&[], Some("https://grants.example:444"), false),
            (&[], Some("http://grants.example"), false),
            (&[], Some("https://grants.example.evil.example"), false),
            (&[], Some("null"), false),
            (&[], None, false),
        ] {
            let mut headers = HeaderMap::new();
            for value in site {
                headers.append(SEC_FETCH_SITE, value.parse().unwrap());
            }
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            assert_eq!(
                is_ours(&headers, "https://grants.example"),
                expected,
                "{headers:?}"
            );
        }
    }
}
