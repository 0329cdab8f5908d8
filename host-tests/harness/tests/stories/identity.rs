//! Who is asking: which tokens count, and until when.

use hallpass_harness::{Harness, Request};
use hallpass_tokens::{
    Algorithm, NOW, SigningKey, TokenBuilder, jwks, unsigned, with_claims_swapped,
    with_flipped_signature,
};
use serde_json::{Value, json};

use crate::setup::{alice, config_with, key, ms, profile, refused, start, start_with};

fn user() -> TokenBuilder {
    TokenBuilder::for_user("alice")
}

fn provider(change: impl FnOnce(&mut Value)) -> Harness {
    start_with(&config_with(|config| change(&mut config["providers"][0])))
}

#[test]
fn a_request_without_a_token_is_asked_for_one() {
    let answer = refused(
        &start().request(Request::get("https://admin.example/me")),
        401,
        "token_missing",
    );
    assert_eq!(
        answer.headers.all("www-authenticate"),
        [r#"Bearer realm="hallpass""#]
    );
}

#[test]
fn another_scheme_counts_as_no_token() {
    for value in ["Basic YWxpY2U6c2VjcmV0", "Bearer", "Bearer ", "", "BearerX"] {
        let request = Request::get("https://admin.example/me").header("authorization", value);
        refused(&start().request(request), 401, "token_missing");
    }
}

#[test]
fn a_sound_token_of_each_default_algorithm_is_taken() {
    let keys = [
        SigningKey::rs256("rsa"),
        SigningKey::es256("ec"),
        SigningKey::ed25519("ed"),
    ];
    let harness =
        provider(|provider| provider["jwks"]["inline"] = jwks(&[&keys[0], &keys[1], &keys[2]]));
    for key in keys {
        harness
            .request(profile(&user().signed_by(&key)))
            .forwarded();
    }
}

#[test]
fn a_sound_token_of_each_algorithm_is_taken_where_it_is_configured() {
    let kinds = Algorithm::ALL.map(|kind| SigningKey::of(kind, kind.name()));
    let harness = provider(|provider| {
        provider["algorithms"] = json!(Algorithm::ALL.map(Algorithm::name));
        provider["jwks"]["inline"] = jwks(&kinds.each_ref());
    });
    for key in &kinds {
        let token = user().signed_by(key);
        harness.request(profile(&token)).forwarded();
        refused(
            &harness.request(profile(&with_flipped_signature(&token))),
            401,
            "token_signature_invalid",
        );
    }
    let by_default = provider(|provider| provider["jwks"]["inline"] = jwks(&kinds.each_ref()));
    refused(
        &by_default.request(profile(&user().signed_by(&kinds[1]))),
        401,
        "token_algorithm_not_allowed",
    );
}

#[test]
fn the_scheme_is_compared_without_regard_to_case() {
    let request = Request::get("https://admin.example/me")
        .header("authorization", &format!("bEARER {}", alice()));
    start().request(request).forwarded();
}

#[test]
fn a_token_without_a_key_id_is_taken_when_one_key_fits() {
    let token = user().without_header("kid").signed_by(&key());
    start().request(profile(&token)).forwarded();
}

/// Requires that each token is refused for its reason, and challenged.
#[track_caller]
fn assert_refused(cases: impl IntoIterator<Item = (&'static str, String, &'static str)>) {
    let harness = start();
    for (name, token, reason) in cases {
        let answer = harness.request(profile(&token)).answer();
        let told = answer.reason();
        assert_eq!((answer.status, told.as_str()), (401, reason), "{name}");
        let challenge = answer.headers.all("www-authenticate").concat();
        let expected = r#"Bearer realm="hallpass", error="invalid_token", error_description=""#;
        assert!(challenge.starts_with(expected), "{name}: {challenge}");
    }
}

#[test]
fn a_token_that_its_issuer_did_not_sign_is_refused() {
    let sound = alice();
    let root = json!({ "iss": "https://idp.example", "aud": "orders-api", "sub": "root", "exp": NOW + 60 });
    let invalid = "token_signature_invalid";
    let algorithm = "token_algorithm_not_allowed";
    let with_alg = |alg| user().header("alg", json!(alg)).signed_by(&key());
    assert_refused([
        ("bit changed", with_flipped_signature(&sound), invalid),
        (
            "claims exchanged",
            with_claims_swapped(&sound, &root),
            invalid,
        ),
        ("no signature", unsigned(&sound), algorithm),
        ("none", with_alg("none"), algorithm),
        ("HMAC", with_alg("HS256"), algorithm),
        ("another allowed algorithm", with_alg("RS256"), algorithm),
        (
            "an RSA signature under the id of an EC key",
            user().signed_by(&SigningKey::rs256("kid-1")),
            algorithm,
        ),
        (
            "a key that nobody published",
            user().signed_by(&SigningKey::es256("kid-9")),
            "token_key_unknown",
        ),
    ]);
}

#[test]
fn a_token_that_was_not_meant_for_us_now_is_refused() {
    let audience = "token_audience_mismatch";
    let issuer = "token_issuer_unknown";
    let cases = [
        (
            "issuer unknown",
            user().issuer("https://evil.example"),
            issuer,
        ),
        (
            "a slash too many",
            user().issuer("https://idp.example/"),
            issuer,
        ),
        ("of another API", user().audience("billing-api"), audience),
        ("no audience", user().without_claim("aud"), audience),
        ("no audiences", user().claim("aud", json!([])), audience),
        (
            "of another type",
            user().header("typ", json!("logout+jwt")),
            "token_type_not_allowed",
        ),
        ("expired", user().expires_at(NOW - 60), "token_expired"),
        ("early", user().not_before(NOW + 60), "token_not_yet_valid"),
        (
            "issued in the future",
            user().claim("iat", json!(NOW + 60)),
            "token_not_yet_valid",
        ),
        (
            "bound to a key",
            user().claim("cnf", json!({ "jkt": "abc" })),
            "token_binding_unsupported",
        ),
    ];
    assert_refused(cases.map(|(name, token, reason)| (name, token.signed_by(&key()), reason)));
}

#[test]
fn what_is_no_token_is_called_malformed() {
    let sound = alice();
    let raw = |claims: &str| user().raw_claims(claims).signed_by(&key());
    let cases = [
        ("one part", "abc".to_owned()),
        ("two parts", "abc.def".to_owned()),
        ("four parts", format!("{sound}.abc")),
        ("padded", sound.replace('.', "=.")),
        ("claims that are not JSON", raw("{")),
        ("claims that are no object", raw("[1]")),
        ("no header", user().raw_header("[1]").signed_by(&key())),
    ];
    assert_refused(cases.map(|(name, token)| (name, token, "token_malformed")));
}

#[test]
fn a_token_that_lacks_or_bends_a_registered_claim_is_refused() {
    let duplicate = format!(
        r#"{{"iss":"https://idp.example","aud":"orders-api","sub":"alice","exp":{},"exp":{}}}"#,
        NOW - 60,
        NOW + 60
    );
    let cases = [
        ("no expiry", user().without_claim("exp")),
        ("no issuer", user().without_claim("iss")),
        ("no subject", user().without_claim("sub")),
        ("an empty subject", user().claim("sub", json!(""))),
        ("a subject that is a number", user().claim("sub", json!(7))),
        (
            "an expiry that is text",
            user().claim("exp", json!("1890000000")),
        ),
        ("a negative expiry", user().claim("exp", json!(-1))),
        ("an extreme nbf", user().claim("nbf", json!(u64::MAX))),
        (
            "an extreme negative exp",
            user().claim("exp", json!(i64::MIN)),
        ),
        (
            "an audience that is an object",
            user().claim("aud", json!({ "orders-api": true })),
        ),
        (
            "an issuer that is a list",
            user().claim("iss", json!(["https://idp.example"])),
        ),
        (
            "a critical extension",
            user()
                .header("crit", json!(["b64"]))
                .header("b64", json!(false)),
        ),
        ("a claim given twice", user().raw_claims(duplicate)),
    ];
    let harness = start();
    for (name, token) in cases {
        let exchange = harness.request(profile(&token.signed_by(&key())));
        assert!(!exchange.is_forwarded(), "{name} was forwarded");
        let answer = exchange.answer();
        assert_eq!(answer.status, 401, "{name}");
        assert!(
            answer.reason().starts_with("token_"),
            "{name}: {}",
            answer.reason()
        );
    }
}

#[test]
fn extreme_times_neither_trap_nor_pass_for_an_expired_token() {
    let harness = start();
    for exp in [json!(u64::MAX), json!(i64::MAX), json!(1e300)] {
        harness.request(profile(&user().claim("exp", exp).signed_by(&key())));
        assert!(harness.is_alive());
    }
}

#[test]
fn a_token_is_over_the_moment_that_its_end_and_the_skew_are_reached() {
    let harness = start();
    let token = user().expires_in(60).signed_by(&key());
    harness.at(ms(NOW + 90) - 1);
    harness.request(profile(&token)).forwarded();
    harness.at(ms(NOW + 90));
    refused(&harness.request(profile(&token)), 401, "token_expired");
}

#[test]
fn without_skew_the_end_of_a_token_is_exact() {
    let harness = provider(|provider| provider["clock_skew"] = json!("0s"));
    let token = user().expires_in(60).signed_by(&key());
    harness.at(ms(NOW + 60) - 1);
    harness.request(profile(&token)).forwarded();
    harness.at(ms(NOW + 60));
    refused(&harness.request(profile(&token)), 401, "token_expired");
}

#[test]
fn a_token_begins_to_count_the_skew_before_its_nbf() {
    let harness = start();
    let token = user().issued_at(NOW + 600).signed_by(&key());
    harness.at(ms(NOW + 570) - 1);
    refused(
        &harness.request(profile(&token)),
        401,
        "token_not_yet_valid",
    );
    harness.at(ms(NOW + 570));
    harness.request(profile(&token)).forwarded();
}

#[test]
fn a_token_that_passed_once_is_judged_again_each_time() {
    let harness = start();
    let token = user().expires_in(60).signed_by(&key());
    harness.request(profile(&token)).forwarded();
    harness.at(ms(NOW + 3600));
    refused(&harness.request(profile(&token)), 401, "token_expired");
}

#[test]
fn a_token_older_than_the_provider_allows_is_refused() {
    let harness = provider(|provider| provider["max_token_age"] = json!("24h"));
    let token = user().expires_in(7 * 86_400).signed_by(&key());
    harness.at(ms(NOW + 23 * 3600));
    harness.request(profile(&token)).forwarded();
    harness.at(ms(NOW + 24 * 3600 + 31));
    refused(&harness.request(profile(&token)), 401, "token_too_old");
}

#[test]
fn an_age_that_cannot_be_told_is_too_old() {
    let harness = provider(|provider| provider["max_token_age"] = json!("24h"));
    let exchange = harness.request(profile(&user().without_claim("iat").signed_by(&key())));
    assert_eq!(exchange.answer().status, 401);
}

#[test]
fn one_audience_of_several_is_enough() {
    let harness = provider(|provider| provider["audiences"] = json!(["billing-api", "orders-api"]));
    let token = user()
        .claim("aud", json!(["something-else", "orders-api"]))
        .signed_by(&key());
    harness.request(profile(&token)).forwarded();
}

#[test]
fn the_token_types_are_compared_without_case_and_prefix() {
    let harness = start();
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt", "jwt"] {
        harness
            .request(profile(&user().header("typ", json!(typ)).signed_by(&key())))
            .forwarded();
    }
    harness
        .request(profile(&user().without_header("typ").signed_by(&key())))
        .forwarded();
}

#[test]
fn a_provider_that_wants_access_tokens_refuses_others() {
    let harness = provider(|provider| provider["token_types"] = json!(["at+jwt"]));
    harness
        .request(profile(
            &user().header("typ", json!("at+jwt")).signed_by(&key()),
        ))
        .forwarded();
    refused(
        &harness.request(profile(&user().without_header("typ").signed_by(&key()))),
        401,
        "token_type_not_allowed",
    );
}

#[test]
fn an_algorithm_left_out_of_the_list_is_refused() {
    let rsa = SigningKey::rs256("rsa");
    let harness = provider(|provider| {
        provider["algorithms"] = json!(["ES256"]);
        provider["jwks"]["inline"] = jwks(&[&key(), &rsa]);
    });
    harness.request(profile(&alice())).forwarded();
    refused(
        &harness.request(profile(&user().signed_by(&rsa))),
        401,
        "token_algorithm_not_allowed",
    );
}

#[test]
fn a_required_claim_must_have_one_of_its_values() {
    let harness =
        provider(|provider| provider["required_claims"] = json!({ "tenant": ["acme", "acme-eu"] }));
    harness
        .request(profile(
            &user().claim("tenant", json!("acme-eu")).signed_by(&key()),
        ))
        .forwarded();
    for tenant in [json!("other"), json!(["other"]), json!(7), json!(null)] {
        let exchange = harness.request(profile(&user().claim("tenant", tenant).signed_by(&key())));
        refused(&exchange, 401, "token_claim_mismatch");
    }
    refused(
        &harness.request(profile(&alice())),
        401,
        "token_claim_mismatch",
    );
}

#[test]
fn each_issuer_is_trusted_with_its_own_keys_only() {
    let partner_key = SigningKey::ed25519("kid-1");
    let harness = start_with(&config_with(|config| {
        let partner = json!({
            "name": "partner", "issuer": "https://partner.example", "audiences": ["orders-api"],
            "jwks": { "inline": jwks(&[&partner_key]) },
        });
        config["providers"]
            .as_array_mut()
            .expect("a list")
            .push(partner);
    }));
    let partner = user().issuer("https://partner.example");
    harness.request(profile(&alice())).forwarded();
    harness
        .request(profile(&partner.clone().signed_by(&partner_key)))
        .forwarded();
    for forged in [partner.signed_by(&key()), user().signed_by(&partner_key)] {
        assert_eq!(harness.request(profile(&forged)).answer().status, 401);
    }
}

#[test]
fn two_authorization_headers_are_one_too_many() {
    refused(
        &start().request(profile(&alice()).bearer(&alice())),
        400,
        "token_ambiguous",
    );
    let joined = format!("Bearer {0}, Bearer {0}", alice());
    let exchange =
        start().request(Request::get("https://admin.example/me").header("authorization", &joined));
    assert!(!exchange.is_forwarded());
}

#[test]
fn a_cookie_can_carry_the_token() {
    let harness = provider(|provider| {
        provider["token_sources"] =
            json!([{ "header": "authorization", "scheme": "Bearer" }, { "cookie": "hallpass" }]);
    });
    let request = Request::get("https://admin.example/me")
        .header("cookie", &format!("theme=dark; hallpass={}", alice()));
    harness.request(request).forwarded();
}

#[test]
fn a_header_without_a_scheme_can_carry_the_token() {
    let harness = provider(|provider| {
        provider["token_sources"] = json!([{ "header": "x-token", "scheme": "" }]);
    });
    harness
        .request(Request::get("https://admin.example/me").header("x-token", &alice()))
        .forwarded();
    refused(&harness.request(profile(&alice())), 401, "token_missing");
}

#[test]
fn a_token_in_the_query_is_no_token() {
    let request = Request::get(&format!(
        "https://admin.example/me?access_token={}",
        alice()
    ));
    refused(&start().request(request), 401, "token_missing");
}
