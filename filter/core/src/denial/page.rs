//! The page that a person in a browser sees: one file, nothing from outside, every inserted text escaped.

use html_escape::{encode_double_quoted_attribute, encode_text};

use super::Reason;
use super::answer::Shown;

/// Nothing may be loaded and nothing may run; the page may not be framed.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const STYLE: &str = "\
:root{color-scheme:light dark;--line:#d0d7de;--soft:#57606a;--act:#0b57d0}\
@media(prefers-color-scheme:dark){:root{--line:#3d444d;--soft:#9198a1;--act:#8ab4f8}}\
body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:12vh auto;padding:0 1.25rem}\
h1{font-size:1.5rem;margin:0 0 .5rem}\
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem;margin:1.5rem 0;padding:1rem 0;\
border-block:1px solid var(--line)}\
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}\
a{display:inline-block;padding:.6rem 1.1rem;border:1px solid var(--act);border-radius:.5rem;color:var(--act);\
text-decoration:none;font-weight:600}";

pub(super) fn render(reason: Reason, shown: &Shown<'_>) -> String {
    let kind = reason.kind();
    let rows: String = [
        ("Resource", shown.resource),
        ("Action", shown.action),
        ("Reason", Some(reason.as_str())),
        ("Request", shown.request_id),
    ]
    .into_iter()
    .filter_map(|(term, value)| value.map(|value| row(term, value)))
    .collect();
    let link = shown.request_url.map(link).unwrap_or_default();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title}</title><style>{STYLE}</style></head>\n\
         <body><main><h1>{title}</h1><p>{detail}</p><dl>{rows}</dl>{link}</main></body>\n</html>\n",
        title = kind.title(),
        detail = encode_text(reason.detail()),
    )
}

fn row(term: &str, value: &str) -> String {
    format!("<dt>{term}</dt><dd>{}</dd>", encode_text(value))
}

fn link(url: &str) -> String {
    let url = encode_double_quoted_attribute(url);
    format!("<a href=\"{url}\" rel=\"noreferrer\">Request access</a>")
}
