//! The page that a person in a browser sees: one file, nothing from outside, every inserted text escaped.
//!
//! It runs no script and loads nothing, and its policy lets the browser hold it to that, should an escape ever be missing.

use html_escape::{encode_double_quoted_attribute, encode_text};

use super::answer::Shown;
use super::{Kind, Reason};
use crate::origin::Origin;

/// Nothing may be loaded but this very style sheet and nothing may run; the page may not be framed, and tells no address that it leads to
/// where it was.
pub(super) const HEADERS: [(&str, &str); 3] = [
    (
        "content-security-policy",
        "default-src 'none'; style-src 'sha256-kGPPVN/bz593q4gGmLRtlRg53yOUxsMQ4f727uxQ9Fs='; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
];

const STYLE: &str = include_str!("page.css");

/// How one kind of refusal looks, and what a person does about it.
struct Look {
    /// Its colours in the style sheet.
    tone: &'static str,
    /// What its mark is drawn of, on a square of 24.
    mark: &'static str,
    /// The status as RFC 9110, section 15, calls it.
    status: &'static str,
    /// What comes next, where nothing better is known.
    next: &'static str,
}

const LOCK: &str = "M6 11h12a1.5 1.5 0 0 1 1.5 1.5v7A1.5 1.5 0 0 1 18 21H6a1.5 1.5 0 0 1-1.5-1.5v-7A1.5 1.5 0 0 1 6 11zM8 11V7a4 4 0 0 1 8 0v4";
const PERSON: &str =
    "M12 12a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM3.5 21c1-4 4.5-5.5 8.5-5.5s7.5 1.5 8.5 5.5";
const CLOCK: &str = "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3.5 2";
const QUESTION: &str = "M8 8.5a4 4 0 1 1 5.8 3.6c-1.2.6-1.8 1.3-1.8 2.900M12 19.5v.01";

impl Look {
    const fn of(kind: Kind) -> Self {
        let (tone, mark, status, next) = match kind {
            Kind::BadRequest => (
                "odd",
                QUESTION,
                "400 Bad Request",
                "Check the address, or go back and try again.",
            ),
            Kind::SignIn => (
                "enter",
                PERSON,
                "401 Unauthorized",
                "Sign in, then open this address again.",
            ),
            Kind::InvalidToken => (
                "enter",
                PERSON,
                "401 Unauthorized",
                "Sign in again, then reload this page.",
            ),
            Kind::StepUp => (
                "enter",
                PERSON,
                "401 Unauthorized",
                "Sign in again as your organization asks for it, with a second factor for example, then reload this page.",
            ),
            Kind::Forbidden | Kind::Passes => (
                "stop",
                LOCK,
                "403 Forbidden",
                "If you think that you should have access, tell the people who run this service, and give them the request ID.",
            ),
            Kind::Unavailable => (
                "wait",
                CLOCK,
                "503 Service Unavailable",
                "This usually passes by itself. Wait a moment, then try again.",
            ),
        };
        Self {
            tone,
            mark,
            status,
            next,
        }
    }
}

pub(super) fn render(reason: Reason, shown: &Shown<'_>) -> String {
    let kind = reason.kind();
    let look = Look::of(kind);
    let rows: String = [
        ("Resource", shown.resource),
        ("Action", shown.action),
        ("Reason", Some(reason.as_str())),
        ("Request ID", shown.request_id),
    ]
    .into_iter()
    .filter_map(|(term, value)| value.map(|value| row(term, value)))
    .collect();
    let link = match kind {
        Kind::Unavailable => Some("<nav><a href=\"\">Try again</a></nav>".to_owned()),
        _ => shown.request_url.and_then(link),
    };
    let next = match (kind, &link) {
        (Kind::Forbidden, Some(_)) if reason.may_be_requested() => {
            "Once your request is approved, reload this page."
        }
        (Kind::Forbidden, Some(_)) => {
            "If you think that you should have access, ask for it, or tell the people who run this service, and give them the request ID."
        }
        _ => look.next,
    };
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title}</title><style>{STYLE}</style></head>\n\
         <body><main class=\"{tone}\"><header>{mark}<p>{status}</p></header>\
         <h1>{title}</h1><p>{detail}</p><p class=\"next\">{next}</p>{link}<dl>{rows}</dl></main></body>\n</html>\n",
        title = kind.title(),
        detail = encode_text(reason.detail()),
        tone = look.tone,
        mark = mark(look.mark),
        status = look.status,
        link = link.unwrap_or_default(),
    )
}

fn mark(path: &str) -> String {
    format!(
        "<svg viewBox=\"0 0 24 24\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"2\" stroke-linecap=\"round\" \
         stroke-linejoin=\"round\" aria-hidden=\"true\"><path d=\"{path}\"/></svg>"
    )
}

fn row(term: &str, value: &str) -> String {
    format!("<div><dt>{term}</dt><dd>{}</dd></div>", encode_text(value))
}

/// A link, and whose page it opens: a person decides by that whether to follow it. `None` for what is certainly no address of the web.
fn link(url: &str) -> Option<String> {
    let (origin, _) = Origin::of(url)?;
    let host = encode_text(origin.server().host()).into_owned();
    let url = encode_double_quoted_attribute(url);
    Some(format!(
        "<nav><a href=\"{url}\" rel=\"noopener noreferrer\">Request access</a><span>at {host}</span></nav>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use sha2::{Digest as _, Sha256};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn shown<'a>() -> Shown<'a> {
        Shown {
            request_id: Some("r-1"),
            resource: Some("orders"),
            action: Some("read"),
            request_url: Some("https://grants.example/request?resource=orders&action=read"),
        }
    }

    #[test]
    fn the_policy_admits_this_style_sheet_and_no_other() {
        let digest = STANDARD.encode(Sha256::digest(STYLE));
        let (_, policy) = HEADERS[0];
        assert!(
            policy.contains(&format!("style-src 'sha256-{digest}';")),
            "it is {digest}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        // A style sheet that could end its element would be another one to the browser.
        assert!(!STYLE.contains('<') && !STYLE.contains("url("));
    }

    #[test]
    fn the_page_styles_nothing_in_attributes_and_stays_small() {
        for &reason in Reason::ALL {
            let page = render(reason, &shown());
            assert!(!page.contains(" style="), "{reason:?}");
            assert!(page.len() < 6 * 1024, "{reason:?}: {} bytes", page.len());
        }
    }

    #[test]
    fn a_link_says_whose_page_it_opens_and_leads_nowhere_but_to_the_web() {
        let page = |url| {
            render(
                Reason::GrantDenied,
                &Shown {
                    request_url: Some(url),
                    ..shown()
                },
            )
        };
        let sound = page("https://grants.example/form?a=1&b=2");
        assert!(sound.contains(
            "href=\"https://grants.example/form?a=1&amp;b=2\" rel=\"noopener noreferrer\""
        ));
        assert!(sound.contains("at grants.example<"), "{sound}");
        for url in [
            "javascript:alert(1)",
            "data:text/html,x",
            "ftp://grants.example/",
            "https://grants.example@evil.example/",
            "https://grants.example/\"><b>",
            "",
        ] {
            let page = page(url);
            assert!(!page.contains("<a "), "{url}: {page}");
            assert!(page.contains("give them the request ID"), "{url}");
        }
    }

    #[test]
    fn each_kind_says_what_comes_next() {
        for (reason, next) in [
            (Reason::TokenMissing, "Sign in, then"),
            (Reason::TokenExpired, "Sign in again, then"),
            (Reason::StepUpRequired, "second factor"),
            (Reason::GrantDenied, "Once your request is approved"),
            (Reason::GrantServiceUnavailable, "Try again</a>"),
            (Reason::RequestAmbiguous, "Check the address"),
        ] {
            let page = render(reason, &shown());
            assert!(page.contains(next), "{reason:?}: {page}");
        }
    }
}
