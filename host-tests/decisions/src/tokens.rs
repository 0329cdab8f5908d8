//! Requests that are decided by their token.

use hallpass_tokens::{Algorithm, NOW, SigningKey, unsigned, with_flipped_signature};
use serde_json::json;

use crate::case::{alice, key};
use crate::{Case, Keys};

pub(crate) fn cases() -> Vec<Case> {
    [accepted(), misplaced(), untrusted(), untimely()].concat()
}

fn me(name: &'static str) -> Case {
    Case::get(name, "/me")
}

fn accepted() -> Vec<Case> {
    let token = || alice().signed_by(&key());
    let mut in_cookies = me("of the cookies only the token is removed")
        .header("cookie", format!("theme=dark; hallpass={}", token()))
        .passes_as_alice("identity");
    in_cookies.expected.cookies = Some("theme=dark");
    let mut kept = me("the token goes upstream where the configuration says so")
        .by(alice())
        .under("/forward_token", json!(true))
        .passes_as_alice("identity");
    kept.expected.removed.clear();
    let mut respelt = Case::get(
        "another spelling of a path goes upstream in the canonical one",
        "/%6De?x=%6D",
    )
    .by(alice())
    .passes_as_alice("identity");
    respelt.expected.path = Some("/me?x=%6D");
    vec![
        me("a valid token is an identity")
            .by(alice())
            .passes_as_alice("identity"),
        me("a key of another kind serves as well")
            .bearing(alice().signed_by(&SigningKey::rs256("rsa")))
            .passes_as_alice("identity"),
        me("a cookie that is only the token is removed")
            .header("cookie", format!("hallpass={}", token()))
            .passes_as_alice("identity")
            .removed("cookie"),
        in_cookies,
        kept,
        respelt,
        me("claims become headers")
            .by(alice()
                .claim("email", json!("alice@example.com"))
                .claim("groups", json!(["dev", "on,call"]))
                .claim("tenant", json!("acme")))
            .passes_as_alice("identity")
            .set("x-hallpass-email", "alice@example.com")
            .set("x-hallpass-groups", "dev,on%2Ccall")
            .set("x-tenant", "acme"),
        me("an access token of RFC 9068 is accepted")
            .by(alice().header("typ", json!("application/at+jwt")))
            .passes_as_alice("identity"),
    ]
}

fn misplaced() -> Vec<Case> {
    let token = || alice().signed_by(&key());
    vec![
        me("without a token nobody asks").refused(401, "token_missing"),
        me("another scheme is no token")
            .header("authorization", "Basic YTpi")
            .refused(401, "token_missing"),
        me("two tokens are ambiguous")
            .bearing(token())
            .header("authorization", format!("Bearer {}", token()))
            .refused(400, "token_ambiguous"),
        me("a token in the header and another in a cookie are ambiguous")
            .bearing(token())
            .header("cookie", "hallpass=other")
            .refused(400, "token_ambiguous"),
        me("a token in the query is none")
            .url("https://admin.example/me?access_token=x")
            .refused(401, "token_missing"),
    ]
}

fn untrusted() -> Vec<Case> {
    let bearing = |name, token: String| me(name).bearing(token);
    let mut without_keys = me("without the issuer's keys nobody can tell")
        .by(alice())
        .refused(503, "keys_unavailable");
    without_keys.keys = Keys::Unreachable;
    vec![
        bearing("what is no JWT is malformed", "nonsense".to_owned())
            .refused(401, "token_malformed"),
        me("a critical extension is malformed")
            .by(alice().header("crit", json!(["exp"])))
            .refused(401, "token_malformed"),
        me("a token that is too large is malformed")
            .by(alice().claim("pad", json!("x".repeat(9_000))))
            .refused(401, "token_malformed"),
        bearing(
            "an unsigned token has no algorithm that is allowed",
            unsigned(&alice().signed_by(&key())),
        )
        .refused(401, "token_algorithm_not_allowed"),
        bearing(
            "an algorithm that is not listed is not allowed",
            alice().signed_by(&SigningKey::of(Algorithm::Ps256, "rsa")),
        )
        .refused(401, "token_algorithm_not_allowed"),
        me("a logout token is no access token")
            .by(alice().header("typ", json!("logout+jwt")))
            .refused(401, "token_type_not_allowed"),
        me("an issuer that nobody trusts is unknown")
            .by(alice().issuer("https://idp.example/"))
            .refused(401, "token_issuer_unknown"),
        bearing(
            "a key that the issuer does not have is unknown",
            alice().signed_by(&SigningKey::es256("other")),
        )
        .refused(401, "token_key_unknown"),
        bearing(
            "a signature that was changed is invalid",
            with_flipped_signature(&alice().signed_by(&key())),
        )
        .refused(401, "token_signature_invalid"),
        me("a token for another audience is refused")
            .by(alice().audience("billing-api"))
            .refused(401, "token_audience_mismatch"),
        me("a claim that is required must be there")
            .by(alice().claim("tenant", json!("other")))
            .under(
                "/providers/0/required_claims",
                json!({ "tenant": ["acme"] }),
            )
            .refused(401, "token_claim_mismatch"),
        me("a token that is bound to a key is refused")
            .by(alice().claim("cnf", json!({ "jkt": "x" })))
            .refused(401, "token_binding_unsupported"),
        without_keys,
    ]
}

fn untimely() -> Vec<Case> {
    vec![
        me("a token counts until its end and the skew")
            .by(alice().expires_in(60))
            .after(89)
            .passes_as_alice("identity"),
        me("a token has expired at its end and the skew")
            .by(alice().expires_in(60))
            .after(90)
            .refused(401, "token_expired"),
        me("a token without an end is refused")
            .by(alice().without_claim("exp"))
            .refused(401, "token_claim_mismatch"),
        me("a token that is not valid yet is refused")
            .by(alice().not_before(NOW + 31))
            .refused(401, "token_not_yet_valid"),
        me("a token that was issued too long ago is refused")
            .by(alice().issued_at(NOW - 86_430).expires_at(NOW + 60))
            .refused(401, "token_too_old"),
    ]
}
