//! What a refused client gets: status, headers and body, as problem details (RFC 9457) or as a page for people.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::LazyLock;

use serde::Serialize;

use super::{Form, Kind, Reason, page};
use crate::identity::StepUp;

/// A response that the filter gives in place of the upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Header names and values.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// The body; empty for `HEAD`.
    pub body: Vec<u8>,
}

/// What a refusal may tell the client besides its reason.
#[derive(Debug, Clone, Default)]
pub struct AnswerContext<'a> {
    /// The method: `HEAD` gets no body.
    pub method: Option<&'a str>,
    /// The form in which the client reads it.
    pub form: Form,
    /// The host's name for the request, so that a person can ask about it.
    pub request_id: Option<&'a str>,
    /// The resource that was refused.
    pub resource: Option<&'a str>,
    /// The action that was refused.
    pub action: Option<&'a str>,
    /// Where access can be requested.
    pub request_url: Option<String>,
    /// The sign-in that is demanded.
    pub step_up: Option<&'a StepUp>,
    /// Where clients find out how to sign in (RFC 9728, section 5.1).
    pub resource_metadata: Option<&'a str>,
}

impl Answer {
    /// The answer to a request refused for `reason`.
    pub fn refusal(reason: Reason, context: &AnswerContext<'_>) -> Self {
        let kind = reason.kind();
        let shown = Shown::of(kind, context);
        let (content_type, body) = match context.form {
            Form::Problem => (Some("application/problem+json"), problem(reason, &shown)),
            Form::Page => (
                Some("text/html; charset=utf-8"),
                page::render(reason, &shown),
            ),
            // The proxy says of which type an answer to gRPC is.
            Form::Grpc => (None, line(reason)),
        };
        let mut headers = Vec::with_capacity(8);
        headers.extend(content_type.map(|value| ("content-type", value.into())));
        headers.push(("cache-control", "no-store".into()));
        if context.form == Form::Page {
            headers.extend(page::HEADERS.map(|(name, value)| (name, value.into())));
        }
        headers.extend(challenge(reason, context).map(|value| ("www-authenticate", value)));
        if kind == Kind::Unavailable {
            headers.push(("retry-after", "1".into()));
        }
        Self {
            status: kind.status(),
            headers,
            body: if context.method == Some("HEAD") {
                Vec::new()
            } else {
                body.into_bytes()
            },
        }
    }
}

/// The facts that this kind of refusal shows: resource, action and link only where signing in would change nothing.
#[derive(Serialize)]
pub(super) struct Shown<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) resource: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) action: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) request_url: Option<&'a str>,
}

impl<'a> Shown<'a> {
    fn of(kind: Kind, context: &'a AnswerContext<'_>) -> Self {
        let forbidden = kind == Kind::Forbidden;
        Self {
            request_id: context.request_id,
            resource: context.resource.filter(|_| forbidden),
            action: context.action.filter(|_| forbidden),
            request_url: context.request_url.as_deref().filter(|_| forbidden),
        }
    }
}

/// The members that every refusal for the same reason has.
#[derive(Serialize)]
struct Problem {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: &'static str,
    reason: &'static str,
}

/// These members for each reason, in the order of [`Reason::ALL`]: they are written once.
static PROBLEMS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let reasons = Reason::ALL.iter().map(|reason| Problem {
        r#type: reason.urn(),
        title: reason.kind().title(),
        status: reason.kind().status(),
        detail: reason.detail(),
        reason: reason.as_str(),
    });
    reasons.map(|problem| object(&problem)).collect()
});

/// One object of both: what is said of the reason, and what is shown of the request.
fn problem(reason: Reason, shown: &Shown<'_>) -> String {
    let mut problem = PROBLEMS.get(reason as usize).cloned().unwrap_or_default();
    if let Some(shown) = object(shown)
        .strip_prefix('{')
        .filter(|shown| *shown != "}")
    {
        problem.pop();
        problem.push(',');
        problem.push_str(shown);
    }
    problem
}

fn object(members: &impl Serialize) -> String {
    // Texts and numbers can always be written.
    serde_json::to_string(members).unwrap_or_default()
}

/// What a gRPC client reads beside its status.
fn line(reason: Reason) -> String {
    format!("{} ({})", reason.detail(), reason.as_str())
}

/// RFC 6750, section 3: no error code for a request without credentials, `invalid_token` for one whose token is not accepted. RFC 9470:
/// what sign-in would do, for one whose token is. RFC 9728, section 5.1: where to sign in at all.
fn challenge(reason: Reason, context: &AnswerContext<'_>) -> Option<Cow<'static, str>> {
    let mut challenge = match reason.kind() {
        Kind::SignIn => Cow::Borrowed(r#"Bearer realm="hallpass""#),
        Kind::InvalidToken => format!(
            r#"Bearer realm="hallpass", error="invalid_token", error_description="{}""#,
            reason.detail()
        )
        .into(),
        Kind::StepUp => context.step_up?.challenge().into(),
        Kind::BadRequest | Kind::Forbidden | Kind::Unavailable | Kind::Passes => return None,
    };
    if let Some(address) = context.resource_metadata {
        // Writing to a string does not fail.
        let _ = write!(challenge.to_mut(), r#", resource_metadata="{address}""#);
    }
    Some(challenge)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn context<'a>() -> AnswerContext<'a> {
        AnswerContext {
            method: Some("GET"),
            request_id: Some("r-1"),
            resource: Some("orders"),
            action: Some("read"),
            request_url: Some("https://grants.example/request?resource=orders".into()),
            ..AnswerContext::default()
        }
    }

    fn header(answer: &Answer, name: &str) -> Option<String> {
        let found = answer.headers.iter().find(|(other, _)| *other == name);
        found.map(|(_, value)| value.clone().into_owned())
    }

    #[test]
    fn a_denial_says_how_to_ask_for_access() {
        let answer = Answer::refusal(Reason::GrantMissing, &context());
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(answer.status, 403);
        assert_eq!(body["reason"], "grant_missing");
        assert_eq!(body["status"], 403);
        assert_eq!(body["resource"], "orders");
        assert_eq!(body["action"], "read");
        assert_eq!(body["request_id"], "r-1");
        assert_eq!(
            body["request_url"],
            "https://grants.example/request?resource=orders"
        );
        assert_eq!(header(&answer, "www-authenticate"), None);
        assert_eq!(
            header(&answer, "cache-control").as_deref(),
            Some("no-store")
        );
    }

    #[test]
    fn a_body_is_about_its_own_reason_with_facts_of_the_request_and_without() {
        let hostile = AnswerContext {
            resource: Some("or\"ders\\"),
            ..context()
        };
        for context in [AnswerContext::default(), hostile] {
            for &reason in Reason::ALL {
                let answer = Answer::refusal(reason, &context);
                let body: Value = serde_json::from_slice(&answer.body).unwrap();
                assert_eq!(body["type"], reason.urn());
                assert_eq!(body["reason"], reason.as_str());
                assert_eq!(body["detail"], reason.detail());
                assert_eq!(body["title"], reason.kind().title());
                assert_eq!(body["status"], reason.kind().status());
                let forbidden = reason.kind() == Kind::Forbidden;
                let resource = context.resource.filter(|_| forbidden);
                assert_eq!(body.get("resource").and_then(Value::as_str), resource);
            }
        }
    }

    #[test]
    fn members_come_in_the_order_that_is_documented() {
        let answer = Answer::refusal(Reason::GrantMissing, &context());
        let expected = concat!(
            r#"{"type":"urn:hallpass:reason:grant_missing","title":"Access denied","status":403,"#,
            r#""detail":"You have no grant for this. Request access.","reason":"grant_missing","#,
            r#""request_id":"r-1","resource":"orders","action":"read","#,
            r#""request_url":"https://grants.example/request?resource=orders"}"#,
        );
        assert_eq!(std::str::from_utf8(&answer.body), Ok(expected));
    }

    #[test]
    fn somebody_who_must_sign_in_first_is_not_told_what_is_behind() {
        let answer = Answer::refusal(Reason::TokenMissing, &context());
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(answer.status, 401);
        assert_eq!(body.get("resource"), None);
        assert_eq!(body.get("request_url"), None);
        assert_eq!(
            header(&answer, "www-authenticate").as_deref(),
            Some(r#"Bearer realm="hallpass""#)
        );
    }

    #[test]
    fn a_bad_token_is_answered_with_invalid_token_in_quotable_words() {
        for &reason in Reason::ALL {
            if reason.kind() == Kind::InvalidToken {
                let answer = Answer::refusal(reason, &context());
                let challenge = header(&answer, "www-authenticate").unwrap();
                assert!(
                    challenge.contains(r#"error="invalid_token""#),
                    "{challenge}"
                );
                assert!(!reason.detail().contains(['"', '\\']), "{challenge}");
            }
        }
    }

    #[test]
    fn somebody_who_must_sign_in_more_strongly_is_told_how() {
        let step_up = StepUp::new(&["phr"], &[], Some(300));
        let context = AnswerContext {
            step_up: step_up.as_ref(),
            ..context()
        };
        let answer = Answer::refusal(Reason::StepUpRequired, &context);
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!((answer.status, &body["status"]), (401, &401.into()));
        assert_eq!(body["reason"], "step_up_required");
        assert_eq!(body.get("request_url"), None);
        assert_eq!(
            header(&answer, "www-authenticate").as_deref(),
            Some(
                r#"Bearer error="insufficient_user_authentication", acr_values="phr", max_age="300""#
            )
        );
    }

    #[test]
    fn every_challenge_and_nothing_else_tells_where_to_sign_in() {
        let step_up = StepUp::new(&["phr"], &[], None);
        let address = "https://api.example/.well-known/oauth-protected-resource/mcp";
        let context = AnswerContext {
            step_up: step_up.as_ref(),
            resource_metadata: Some(address),
            ..context()
        };
        let told = format!(r#", resource_metadata="{address}""#);
        for &reason in Reason::ALL {
            let answer = Answer::refusal(reason, &context);
            let challenge = header(&answer, "www-authenticate");
            assert_eq!(challenge.is_some(), answer.status == 401, "{reason:?}");
            let is_told = challenge.is_none_or(|challenge| challenge.ends_with(&told));
            assert!(is_told, "{reason:?}");
        }
    }

    #[test]
    fn a_grpc_client_reads_one_line_of_text() {
        let grpc = AnswerContext {
            form: Form::Grpc,
            ..context()
        };
        for &reason in Reason::ALL {
            let answer = Answer::refusal(reason, &grpc);
            let text = String::from_utf8(answer.body.clone()).unwrap();
            assert_eq!(text, format!("{} ({})", reason.detail(), reason.as_str()));
            assert!(
                text.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
                "{text}"
            );
            assert_eq!(header(&answer, "content-type"), None);
        }
    }

    #[test]
    fn what_cannot_be_checked_may_be_tried_again() {
        let answer = Answer::refusal(Reason::GrantServiceUnavailable, &context());
        assert_eq!(answer.status, 503);
        assert_eq!(header(&answer, "retry-after").as_deref(), Some("1"));
    }

    #[test]
    fn head_gets_no_body() {
        let head = AnswerContext {
            method: Some("HEAD"),
            ..context()
        };
        assert_eq!(Answer::refusal(Reason::GrantMissing, &head).body, b"");
    }

    #[test]
    fn a_browser_gets_a_page_in_which_nothing_can_break_out() {
        let hostile = AnswerContext {
            form: Form::Page,
            resource: Some("<script>alert(1)</script>"),
            request_url: Some("https://grants.example/?a=\"><script>".into()),
            ..context()
        };
        let answer = Answer::refusal(Reason::GrantMissing, &hostile);
        let page = String::from_utf8(answer.body.clone()).unwrap();
        assert!(!page.contains("<script"), "{page}");
        assert!(page.contains("Request access"), "{page}");
        assert!(header(&answer, "content-security-policy").is_some());
    }
}
