//! What a browser asks before a script's request to another origin: whether it may be made (Fetch standard, "CORS-preflight fetch").
//!
//! Browsers send it without cookies, tokens or headers of the page's choice, so whoever judges it by a token refuses every one. A resource may
//! let it pass. What passes unasked must be that question and nothing else.

use crate::headers::are_one_variable;
use crate::request::{CanonicalRequest, RequestHead, canonical_method};

/// Headers by which some upstreams take one method for another, or the connection for something else. No browser sends them with a
/// preflight, and a request that could be taken for something else than a question is none.
const DISGUISES: [&[u8]; 4] = [
    b"x-http-method-override",
    b"x-http-method",
    b"x-method-override",
    b"upgrade",
];

/// The request that a preflight asks about; `None` for what is not certainly a preflight.
pub(crate) fn announced(
    request: &CanonicalRequest,
    head: &RequestHead,
) -> Option<CanonicalRequest> {
    if request.method != "OPTIONS" || head.more_follows {
        return None;
    }
    let headers = &head.headers;
    let single = |name| {
        let value = headers.single(name).ok().flatten();
        value.filter(|value| !value.is_empty())
    };
    single("origin")?;
    let method = canonical_method(single("access-control-request-method")?).ok()?;
    let is_disguised = headers.iter().any(|(name, _)| is_disguise(name));
    let has_body = headers.all("transfer-encoding").next().is_some()
        || headers.all("content-length").any(|length| length != b"0");
    (!is_disguised && !has_body).then(|| CanonicalRequest {
        method,
        ..request.clone()
    })
}

/// However it is spelt.
fn is_disguise(name: &[u8]) -> bool {
    let mut disguises = DISGUISES.iter();
    disguises.any(|disguise| are_one_variable(disguise, name))
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn method_announced(method: &str, headers: &[(&str, &str)]) -> Option<String> {
        let mut head = RequestHead::default();
        for (name, value) in headers {
            head.headers.push(name.as_bytes(), value.as_bytes());
        }
        let request = CanonicalRequest {
            method: method.to_owned().into(),
            host: "api.example".into(),
            path: "/orders/7".into(),
            rewritten_target: None,
            rewritten_authority: None,
        };
        let announced = announced(&request, &head)?;
        assert_eq!(
            (announced.host, announced.path),
            (request.host, request.path)
        );
        Some(announced.method.into_owned())
    }

    const ORIGIN: (&str, &str) = ("origin", "https://app.example");
    const DELETE: (&str, &str) = ("access-control-request-method", "DELETE");

    #[test]
    fn a_preflight_announces_another_method() {
        let asked = [
            ORIGIN,
            DELETE,
            ("access-control-request-headers", "authorization"),
        ];
        assert_eq!(
            method_announced("OPTIONS", &asked).as_deref(),
            Some("DELETE")
        );
        let sandboxed = [("origin", "null"), DELETE, ("content-length", "0")];
        assert_eq!(
            method_announced("OPTIONS", &sandboxed).as_deref(),
            Some("DELETE")
        );
    }

    #[test]
    fn what_is_not_certainly_a_preflight_is_none() {
        let cases: &[(&str, &[(&str, &str)])] = &[
            ("GET", &[ORIGIN, DELETE]),
            ("DELETE", &[ORIGIN, DELETE]),
            ("OPTIONS", &[]),
            ("OPTIONS", &[ORIGIN]),
            ("OPTIONS", &[DELETE]),
            ("OPTIONS", &[("origin", ""), DELETE]),
            ("OPTIONS", &[ORIGIN, ORIGIN, DELETE]),
            ("OPTIONS", &[ORIGIN, DELETE, DELETE]),
            ("OPTIONS", &[ORIGIN, ("access-control-request-method", "")]),
            (
                "OPTIONS",
                &[ORIGIN, ("access-control-request-method", "delete")],
            ),
            (
                "OPTIONS",
                &[ORIGIN, ("access-control-request-method", "GET, POST")],
            ),
            (
                "OPTIONS",
                &[ORIGIN, DELETE, ("x-http-method-override", "DELETE")],
            ),
            ("OPTIONS", &[ORIGIN, DELETE, ("x-http-method", "DELETE")]),
            (
                "OPTIONS",
                &[ORIGIN, DELETE, ("x.http.method.override", "DELETE")],
            ),
            (
                "OPTIONS",
                &[ORIGIN, DELETE, ("x~method_override", "DELETE")],
            ),
            (
                "OPTIONS",
                &[ORIGIN, DELETE, ("x-method-override", "DELETE")],
            ),
            (
                "OPTIONS",
                &[ORIGIN, DELETE, ("x_HTTP_method-override", "DELETE")],
            ),
            (
                "OPTIONS",
                &[
                    ORIGIN,
                    DELETE,
                    ("connection", "upgrade"),
                    ("upgrade", "websocket"),
                ],
            ),
            ("OPTIONS", &[ORIGIN, DELETE, ("content-length", "3")]),
            (
                "OPTIONS",
                &[ORIGIN, DELETE, ("transfer-encoding", "chunked")],
            ),
        ];
        for (method, headers) in cases {
            assert_eq!(
                method_announced(method, headers),
                None,
                "{method} {headers:?}"
            );
        }
    }

    #[test]
    fn a_question_ends_with_its_headers() {
        let mut head = RequestHead::default();
        for (name, value) in [(":method", "OPTIONS"), ORIGIN, DELETE] {
            head.headers.push(name.as_bytes(), value.as_bytes());
        }
        let request = CanonicalRequest {
            method: "OPTIONS".into(),
            host: "api.example".into(),
            path: "/orders/7".into(),
            rewritten_target: None,
            rewritten_authority: None,
        };
        assert!(announced(&request, &head).is_some());
        head.more_follows = true;
        assert_eq!(announced(&request, &head), None);
    }
}
