use super::*;
use crate::token::TokenParts;
use crate::token::signature::PureRust;
use hallpass_tokens::{SigningKey, TokenBuilder};
use serde_json::json;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// The moment at which the builder's tokens are issued, in seconds.
const ISSUED: i64 = hallpass_tokens::NOW;

fn at(seconds: i64) -> UnixMillis {
    UnixMillis::from_seconds(seconds).unwrap()
}

fn rules() -> ClaimRules {
    ClaimRules {
        issuer: Issuer::new(hallpass_tokens::ISSUER),
        audiences: vec![hallpass_tokens::AUDIENCE.to_owned()],
        algorithms: Algorithm::ALL.to_vec(),
        token_types: vec!["jwt".into(), "at+jwt".into()],
        clock_skew: Duration::from_secs(30),
        max_token_age: None,
        required_claims: Vec::new(),
    }
}

fn key() -> SigningKey {
    SigningKey::es256("e")
}

fn keys() -> KeySet {
    let set = hallpass_tokens::jwks(&[&SigningKey::rs256("r"), &key(), &SigningKey::ed25519("d")]);
    KeySet::from_value(&set).unwrap().keys
}

/// When the token holds, if it is accepted.
fn check(token: &str, rules: &ClaimRules, now: i64) -> Result<Window, TokenFault> {
    let parts = TokenParts::decode(token.as_bytes())?;
    let token = UntrustedToken::read(&parts)?;
    verify(&token, rules, &keys(), &PureRust, at(now)).map(|claims| claims.window())
}

fn alice() -> TokenBuilder {
    TokenBuilder::for_user("alice")
}

fn fault(token: &str) -> Option<TokenFault> {
    check(token, &rules(), ISSUED).err()
}

/// A key of each algorithm, named after it.
fn each_kind() -> Vec<SigningKey> {
    let kinds = hallpass_tokens::Algorithm::ALL.into_iter();
    kinds
        .map(|kind| SigningKey::of(kind, kind.name()))
        .collect()
}

fn fault_by(keys: &KeySet, token: &str) -> Option<TokenFault> {
    let parts = TokenParts::decode(token.as_bytes()).unwrap();
    let token = UntrustedToken::read(&parts).unwrap();
    verify(&token, &rules(), keys, &PureRust, at(ISSUED)).err()
}

fn set_of(keys: &[SigningKey]) -> KeySet {
    let keys: Vec<&SigningKey> = keys.iter().collect();
    let parsed = KeySet::from_value(&hallpass_tokens::jwks(&keys)).unwrap();
    assert_eq!(parsed.skipped, []);
    parsed.keys
}

#[test]
fn a_token_of_each_algorithm_is_verified() {
    let kinds = each_kind();
    let keys = set_of(&kinds);
    for key in &kinds {
        assert_eq!(
            fault_by(&keys, &alice().signed_by(key)),
            None,
            "{}",
            key.kid()
        );
    }
}

#[test]
fn no_key_serves_another_algorithm_than_its_own() {
    let kinds = each_kind();
    let keys = set_of(&kinds);
    for key in &kinds {
        for other in &kinds {
            if key.kid() == other.kid() {
                continue;
            }
            let claims = || alice().header("kid", json!(key.kid()));
            let by_other = claims().signed_by(other);
            let lying = claims().header("alg", json!(key.kid())).signed_by(other);
            let told = (fault_by(&keys, &by_other), fault_by(&keys, &lying));
            let expected = (
                Some(TokenFault::AlgorithmNotAllowed),
                Some(TokenFault::SignatureInvalid),
            );
            assert_eq!(told, expected, "{} by {}", key.kid(), other.kid());
        }
    }
}

#[test]
fn a_signature_that_is_not_the_keys_is_refused() {
    let kinds = each_kind();
    let keys = set_of(&kinds);
    for key in &kinds {
        let token = alice().signed_by(key);
        let (signed, _) = token.rsplit_once('.').unwrap();
        let roots = json!({ "iss": hallpass_tokens::ISSUER, "aud": hallpass_tokens::AUDIENCE, "sub": "root", "exp": ISSUED + 60 });
        for forged in [
            hallpass_tokens::with_flipped_signature(&token),
            hallpass_tokens::with_claims_swapped(&token, &roots),
            format!("{signed}."),
            format!("{signed}.AAAA"),
        ] {
            let fault = fault_by(&keys, &forged);
            assert_eq!(fault, Some(TokenFault::SignatureInvalid), "{}", key.kid());
        }
    }
    let imposter = alice().signed_by(&SigningKey::other_rs256("RS256"));
    assert_eq!(
        fault_by(&keys, &imposter),
        Some(TokenFault::SignatureInvalid)
    );
}

#[test]
fn the_key_chooses_the_algorithm() {
    let token = alice().signed_by(&key());
    assert_eq!(
        fault(&hallpass_tokens::unsigned(&token)),
        Some(TokenFault::AlgorithmNotAllowed)
    );
    for algorithm in ["HS256", "RS256", "EdDSA", "ES384", "es256"] {
        let lying = alice().header("alg", json!(algorithm)).signed_by(&key());
        assert_eq!(
            fault(&lying),
            Some(TokenFault::AlgorithmNotAllowed),
            "{algorithm}"
        );
    }
    let only_rsa = ClaimRules {
        algorithms: vec![Algorithm::Rs256],
        ..rules()
    };
    assert_eq!(
        check(&token, &only_rsa, ISSUED),
        Err(TokenFault::AlgorithmNotAllowed)
    );
}

#[test]
fn an_unknown_key_is_told_from_a_bad_signature() {
    let token = alice().signed_by(&SigningKey::es256("other"));
    assert_eq!(fault(&token), Some(TokenFault::KeyUnknown));
}

#[test]
fn a_token_holds_from_nbf_until_exp_with_the_skew_on_both_sides() {
    let token = alice()
        .not_before(ISSUED)
        .expires_at(ISSUED + 60)
        .signed_by(&key());
    for (now, expected) in [
        (ISSUED - 31, Some(TokenFault::NotYetValid)),
        (ISSUED - 30, None),
        (ISSUED + 89, None),
        (ISSUED + 90, Some(TokenFault::Expired)),
    ] {
        let result = check(&token, &rules(), now);
        assert_eq!(result.err(), expected, "at {}", now - ISSUED);
    }
    let window = check(&token, &rules(), ISSUED).unwrap();
    assert_eq!(window.until, at(ISSUED + 90));
}

#[test]
fn a_token_without_an_end_is_refused_and_one_with_an_odd_end_too() {
    let without = alice().without_claim("exp").signed_by(&key());
    assert_eq!(fault(&without), Some(TokenFault::ClaimMismatch));
    for end in [json!(null), json!("1790003600"), json!(1e300), json!([1])] {
        let odd = alice().claim("exp", end.clone()).signed_by(&key());
        assert_eq!(fault(&odd), Some(TokenFault::Malformed), "{end}");
    }
    for (end, expected) in [
        (json!(-1), Some(TokenFault::Expired)),
        (json!(-1e30), Some(TokenFault::Expired)),
        (json!(1_790_000_060.5), None),
    ] {
        let odd = alice().claim("exp", end.clone()).signed_by(&key());
        assert_eq!(fault(&odd), expected, "{end}");
    }
}

#[test]
fn a_date_that_is_no_number_is_no_date_even_where_none_is_required() {
    for name in ["nbf", "iat"] {
        for date in [
            json!(null),
            json!("0"),
            json!(true),
            json!({}),
            json!(1e300),
        ] {
            let odd = alice().claim(name, date.clone()).signed_by(&key());
            assert_eq!(fault(&odd), Some(TokenFault::Malformed), "{name}: {date}");
        }
        let long_ago = alice().claim(name, json!(-1e300)).signed_by(&key());
        assert_eq!(fault(&long_ago), None, "{name}");
    }
}

#[test]
fn a_token_from_the_future_or_from_long_ago_is_refused() {
    let future = alice().claim("iat", json!(ISSUED + 31)).signed_by(&key());
    assert_eq!(fault(&future), Some(TokenFault::NotYetValid));

    let one_hour = ClaimRules {
        max_token_age: Some(Duration::from_hours(1)),
        ..rules()
    };
    let old = alice().expires_in(100_000).signed_by(&key());
    assert!(check(&old, &one_hour, ISSUED + 3629).is_ok());
    assert_eq!(
        check(&old, &one_hour, ISSUED + 3630),
        Err(TokenFault::TooOld)
    );
    let ageless = alice().without_claim("iat").signed_by(&key());
    assert_eq!(check(&ageless, &one_hour, ISSUED), Err(TokenFault::TooOld));
}

#[test]
fn a_token_holds_neither_before_its_nbf_nor_before_its_iat() {
    for (not_before, from) in [
        (None, ISSUED),
        (Some(ISSUED - 3600), ISSUED),
        (Some(ISSUED + 20), ISSUED + 20),
    ] {
        let token = match not_before {
            Some(date) => alice().not_before(date),
            None => alice().without_claim("nbf"),
        };
        let token = token.signed_by(&key());
        let early = check(&token, &rules(), from - 31);
        assert_eq!(early, Err(TokenFault::NotYetValid), "{not_before:?}");
        // Who remembers the token goes by this.
        let window = check(&token, &rules(), ISSUED).unwrap();
        assert_eq!(window.from, at(from - 30), "{not_before:?}");
    }
}

#[test]
fn a_token_for_somebody_else_is_refused() {
    for (audience, expected) in [
        (json!("orders-api"), None),
        (json!(["other", "orders-api"]), None),
        (json!("other"), Some(TokenFault::AudienceMismatch)),
        (json!([]), Some(TokenFault::AudienceMismatch)),
        (json!(["orders-api-2"]), Some(TokenFault::AudienceMismatch)),
        (
            json!({ "orders-api": 1 }),
            Some(TokenFault::AudienceMismatch),
        ),
    ] {
        let token = alice().claim("aud", audience.clone()).signed_by(&key());
        assert_eq!(fault(&token), expected, "{audience}");
    }
    let without = alice().without_claim("aud").signed_by(&key());
    assert_eq!(fault(&without), Some(TokenFault::AudienceMismatch));
}

#[test]
fn an_issuer_is_compared_exactly() {
    for issuer in [
        json!("https://idp.example/"),
        json!("https://IDP.example"),
        json!(["https://idp.example"]),
        json!(null),
    ] {
        let token = alice().claim("iss", issuer.clone()).signed_by(&key());
        assert_eq!(fault(&token), Some(TokenFault::IssuerUnknown), "{issuer}");
    }
}

#[test]
fn a_token_of_another_type_is_refused() {
    for (token_type, expected) in [
        ("JWT", None),
        ("jwt", None),
        ("at+jwt", None),
        ("application/at+jwt", None),
        ("dpop+jwt", Some(TokenFault::TypeNotAllowed)),
        ("logout+jwt", Some(TokenFault::TypeNotAllowed)),
        ("", Some(TokenFault::TypeNotAllowed)),
    ] {
        let token = alice().header("typ", json!(token_type)).signed_by(&key());
        assert_eq!(fault(&token), expected, "{token_type}");
    }
    let untyped = alice().without_header("typ").signed_by(&key());
    assert_eq!(fault(&untyped), None);
}

#[test]
fn a_required_claim_must_have_one_of_its_values() {
    let tenant = ClaimRules {
        required_claims: vec![RequiredClaim {
            name: "tenant".into(),
            one_of: vec![json!("acme"), json!(true)],
        }],
        ..rules()
    };
    for (claim, accepted) in [
        (json!("acme"), true),
        (json!(true), true),
        (json!(["other", "acme"]), true),
        (json!("true"), false),
        (json!("acme-eu"), false),
        (json!([]), false),
        (json!(null), false),
        (json!({ "acme": true }), false),
    ] {
        let token = alice().claim("tenant", claim.clone()).signed_by(&key());
        assert_eq!(check(&token, &tenant, ISSUED).is_ok(), accepted, "{claim}");
    }
    let without = alice().signed_by(&key());
    assert_eq!(
        check(&without, &tenant, ISSUED),
        Err(TokenFault::ClaimMismatch)
    );
}

#[test]
fn a_token_that_is_bound_to_a_key_is_no_bearer_token() {
    let bound = alice()
        .claim("cnf", json!({ "jkt": "x" }))
        .signed_by(&key());
    assert_eq!(fault(&bound), Some(TokenFault::BindingUnsupported));
}

#[test]
fn what_is_not_strictly_a_compact_jws_is_malformed() {
    let good = alice().signed_by(&key());
    let [header, claims, signature] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let deep = format!("{{\"sub\":{}{}}}", "[".repeat(200), "]".repeat(200));
    // Six signature bits too many: the same bytes, spelt in another way.
    let spelt_otherwise = |part: &str| {
        let (all, last) = part.split_at(part.len() - 1);
        let next = char::from(last.as_bytes()[0] + 1);
        format!("{all}{next}")
    };
    for bad in [
        "",
        ".",
        "..",
        "a.b",
        "not a token",
        &format!("{good}.{signature}"),
        &format!("{header}=.{claims}.{signature}"),
        &format!("{header}.{claims} .{signature}"),
        &format!("{header}.{claims}.{signature}\n"),
        &format!("{header}.{claims}.{signature}+"),
        &alice().raw_header("{}").signed_by(&key()),
        &alice().raw_header("[]").signed_by(&key()),
        &alice()
            .raw_header(r#"{"alg":"ES256","alg":"ES256","kid":"e"}"#)
            .signed_by(&key()),
        &alice()
            .raw_header(r#"{"alg":"ES256","kid":"e","x":1,"x":2}"#)
            .signed_by(&key()),
        &alice()
            .raw_claims(r#"{"sub":"alice","sub":"root"}"#)
            .signed_by(&key()),
        &alice().raw_claims("\u{feff}{}").signed_by(&key()),
        &alice().raw_claims(b"{\"sub\":\"\xff\"}").signed_by(&key()),
        &alice().header("kid", json!(7)).signed_by(&key()),
        &alice().header("crit", json!(["exp"])).signed_by(&key()),
        &alice().header("b64", json!(false)).signed_by(&key()),
        &alice().raw_claims(deep).signed_by(&key()),
        &alice().raw_claims("[]").signed_by(&key()),
        &alice().raw_claims("null").signed_by(&key()),
        &format!("{header}.{claims}.{}", spelt_otherwise(signature)),
        &format!(" {good}"),
        r#"{"payload":"e30","protected":"e30","signature":"e30"}"#,
        &format!("{header}..{claims}.{signature}.{signature}"),
    ] {
        assert_eq!(fault(bad), Some(TokenFault::Malformed), "{bad}");
    }
    assert_eq!(
        TokenParts::decode(b"\xff.a.b").err(),
        Some(TokenFault::Malformed)
    );
}

#[test]
fn keys_in_the_header_are_never_used() {
    let own = SigningKey::other_rs256("mine");
    let token = alice()
        .header("kid", json!("r"))
        .header("jwk", own.jwk())
        .header("jku", json!("https://evil.example/keys"))
        .signed_by(&own);
    assert_eq!(fault(&token), Some(TokenFault::SignatureInvalid));
}
