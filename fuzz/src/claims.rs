//! Target `claims`: from claims to an identity, its embedded grants, and a request that carries them.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hallpass_core::denial::Reason;
use hallpass_core::flow::{Exchange, Step};
use hallpass_core::grant::EmbeddedGrants;
use hallpass_core::grant::embedded::Coverage;
use hallpass_core::identity::{HeaderSource, Identity, IdentityMapping};
use hallpass_core::ids::{Action, ResourceName};
use hallpass_core::json::borrowed::Value as Borrowed;
use hallpass_core::request::RequestHead;
use hallpass_core::time::UnixMillis;
use hallpass_core::token::{TokenFault, TokenParts, UntrustedToken, verify};
use serde_json::Value;

use crate::{Reached, accepted, input, promise, world};

const RESOURCE: &str = "orders";
const ACTION: &str = "read";

/// Reads a header, a line break, and claims, as a token whose signature is taken for good.
///
/// # Panics
/// When claims are accepted against a rule, a claim can break out of its header, or a grant covers what it does not name.
pub fn claims(data: &[u8]) -> Reached {
    let (header, claims) = input::line(data);
    let text = format!(
        "{}.{}.c2lnbmVk",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims)
    );
    let Ok(parts) = TokenParts::decode(text.as_bytes()) else {
        return Reached::Unread;
    };
    let Ok(token) = UntrustedToken::read(&parts) else {
        return Reached::Unread;
    };
    let config = world::config();
    let Some(provider) = world::provider_of(&config, token.issuer()) else {
        return Reached::Refused;
    };
    let rules = &provider.rules;
    let keys = world::keys(provider);
    let Ok(verified) = verify(&token, rules, keys, &world::Trusting, world::now()) else {
        return Reached::Refused;
    };
    accepted::check(header, claims, rules, &verified);
    let claim = verified.get("grants").map(Value::from);
    let end = verified.window().until;
    check_grants(claim.as_ref());
    match Identity::from_claims(&verified, &provider.mapping) {
        Ok(identity) => {
            check_identity(&identity, &provider.mapping);
            check_request(&text, claim.as_ref(), end)
        }
        Err(fault) => {
            assert_eq!(fault, TokenFault::ClaimMismatch);
            Reached::Refused
        }
    }
}

fn check_identity(identity: &Identity, mapping: &IdentityMapping) {
    assert!(!identity.subject().is_empty());
    for (name, value) in identity.headers() {
        promise::header_value(name, value);
        let mut sources = mapping.headers.iter();
        let source = sources.find(|(header, _)| **header == *name);
        let (_, source) = source.expect("the header is one of the configuration's");
        if *source == HeaderSource::Groups {
            let told = value.split(',').count();
            assert_eq!(told, identity.groups().count(), "{value}");
        }
    }
}

/// Whatever covers the request, the claim says so in plain JSON.
fn check_grants(claim: Option<&Value>) {
    let read = claim.map(Borrowed::from);
    let grants = EmbeddedGrants::from_claim(read.as_ref());
    if let Some(skipped) = &grants.skipped {
        promise::one_line(&skipped.first);
    }
    if let Coverage::Live(grant) = coverage(&grants) {
        assert!(grant.window.is_open(world::now()));
        let elements = claim.and_then(Value::as_array).expect("an array");
        assert!(elements.iter().any(covers), "{elements:?}");
    }
}

fn coverage(grants: &EmbeddedGrants) -> Coverage<'_> {
    let longest = std::time::Duration::from_secs_f64(world::LONGEST_GRANT);
    grants.coverage(
        &ResourceName::new(RESOURCE),
        &Action::new(ACTION),
        Some(longest),
        world::now(),
    )
}

/// Whether plain JSON is a grant for the request at this moment.
fn covers(grant: &Value) -> bool {
    let named = match &grant["type"] {
        Value::Null => &grant["resource"],
        kind if kind == "hallpass" => &grant["identifier"],
        _ => return false,
    };
    let (Some(actions), Some(end)) = (grant["actions"].as_array(), grant["exp"].as_f64()) else {
        return false;
    };
    let allowed = actions.iter().any(|action| action == ACTION)
        || matches!(&actions[..], [any] if any == "*");
    let begin = grant["nbf"].as_f64().unwrap_or_default();
    let now = world::now_in_seconds();
    named == RESOURCE
        && allowed
        && begin.floor() <= now
        && end > now
        && end.floor() - now <= world::LONGEST_GRANT
}

/// A request with this token passes by its grant or asks for one, also when the token is known from before, and never at its end.
fn check_request(token: &str, claim: Option<&Value>, end: UnixMillis) -> Reached {
    let mut gate = world::trusting_gate(world::config());
    let read = claim.map(Borrowed::from);
    let grants = EmbeddedGrants::from_claim(read.as_ref());
    let live = matches!(coverage(&grants), Coverage::Live(_));
    let mut reached = Reached::Refused;
    for _ in 0..2 {
        let step = Exchange::new(request(token)).start(&mut gate, world::now());
        reached = promise::step(&step);
        match step {
            Step::Continue(passage) => {
                assert!(live, "no grant, and it passes");
                assert_eq!(passage.reason, Reason::GrantEmbedded);
            }
            Step::Wait(_) => assert!(!live, "a live grant, and another is asked for"),
            // A token of this provider in a header that it does not use, or too large.
            Step::Respond(_) => {}
        }
    }
    let late = Exchange::new(request(token)).start(&mut gate, end);
    promise::step(&late);
    assert!(
        matches!(late, Step::Respond(_)),
        "the token has ended, and {late:?}"
    );
    for notice in gate.take_notices() {
        promise::one_line(&notice);
    }
    reached
}

fn request(token: &str) -> RequestHead {
    let mut head = RequestHead::default();
    let headers = [
        (":method", "GET"),
        (":authority", "admin.example"),
        (":path", "/orders/7"),
        ("x-hallpass-subject", "root"),
    ];
    for (name, value) in headers {
        head.headers.push(name.as_bytes(), value.as_bytes());
    }
    head.headers
        .push(b"authorization", format!("Bearer {token}").as_bytes());
    head
}
