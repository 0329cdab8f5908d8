//! What must be true of every token that was accepted: its header and claims are read once more, by `serde_json` alone, and compared
//! with the provider's rules.

use hallpass_core::token::{Algorithm, ClaimRules, VerifiedClaims};
use serde_json::{Map, Value};

use crate::world;

type Object = Map<String, Value>;

/// Checks that `verify` could accept a token of this header and these claims at the world's moment.
pub(crate) fn check(
    header: &[u8],
    claims: &[u8],
    rules: &ClaimRules,
    verified: &VerifiedClaims<'_>,
) {
    let header: Object = serde_json::from_slice(header).expect("the header is a JSON object");
    let claims: Object = serde_json::from_slice(claims).expect("the claims are a JSON object");
    check_header(&header, rules);
    check_dates(&claims, rules, verified);
    check_names(&claims, rules);
    for (name, value) in &claims {
        if !["exp", "nbf", "iat"].contains(&name.as_str()) {
            assert_eq!(
                verified.get(name).map(Value::from).as_ref(),
                Some(value),
                "claim {name}"
            );
        }
    }
}

fn check_header(header: &Object, rules: &ClaimRules) {
    let algorithm = header["alg"].as_str().expect("`alg` is a string");
    let allowed = rules.algorithms.iter().copied().map(Algorithm::name);
    assert!(allowed.into_iter().any(|name| name == algorithm));
    let token_type = header
        .get("typ")
        .map_or("JWT", |typ| typ.as_str().expect("`typ` is a string"))
        .to_ascii_lowercase();
    let token_type = token_type
        .strip_prefix("application/")
        .unwrap_or(&token_type);
    assert!(
        rules.token_types.iter().any(|typ| typ == token_type),
        "{token_type}"
    );
    for extension in ["crit", "b64"] {
        assert!(!header.contains_key(extension), "`{extension}` is unknown");
    }
}

fn check_dates(claims: &Object, rules: &ClaimRules, verified: &VerifiedClaims<'_>) {
    let now = world::now_in_seconds();
    let skew = rules.clock_skew.as_secs_f64();
    let date = |name: &str| match claims.get(name) {
        None | Some(Value::Null) => None,
        Some(date) => Some(date.as_f64().expect("a date is a number")),
    };
    let expires = date("exp").expect("a token ends");
    assert!(expires + skew > now, "ended at {expires}");
    for name in ["nbf", "iat"] {
        let begins = date(name).unwrap_or(now);
        assert!(begins.floor() - skew <= now, "`{name}` is {begins}");
    }
    let mut end = expires + skew;
    if let Some(age) = rules.max_token_age {
        let issued = date("iat").expect("a token whose age is limited has `iat`");
        end = end.min(issued + age.as_secs_f64() + skew);
        assert!(end > now, "issued at {issued}");
    }
    assert!(verified.window().is_open(world::now()));
    let until = std::time::Duration::from_millis(verified.window().until.as_millis());
    assert!(
        until.as_secs_f64() <= end + 0.001,
        "holds until {until:?}, ends at {end}"
    );
}

fn check_names(claims: &Object, rules: &ClaimRules) {
    assert_eq!(claims["iss"], rules.issuer.as_str());
    let ours = |audience: &Value| rules.audiences.iter().any(|ours| audience == ours.as_str());
    assert!(holds(&claims["aud"], ours), "{:?}", claims["aud"]);
    for required in &rules.required_claims {
        let value = claims.get(&required.name).expect("the claim is required");
        assert!(
            holds(value, |value| required.one_of.contains(value)),
            "{value}"
        );
    }
    assert!(!claims.contains_key("cnf"), "nobody checked the bound key");
}

/// Whether a claim, or one element of it, is as it should be.
fn holds(claim: &Value, good: impl Fn(&Value) -> bool) -> bool {
    match claim {
        Value::Array(elements) => elements.iter().any(good),
        one => good(one),
    }
}
