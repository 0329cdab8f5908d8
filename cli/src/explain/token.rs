//! The steps of the token: where it is, what it claims to be, each check. Its text is never told, and of its claims only those that a
//! check is about.

use std::sync::Arc;

use hallpass_core::bearer::Bearer;
use hallpass_core::config::{JwksSource, Provider};
use hallpass_core::denial::Reason;
use hallpass_core::flow::{Attempt, Authenticated, Gate};
use hallpass_core::json::borrowed::Value;
use hallpass_core::time::UnixMillis;
use hallpass_core::token::signature::PureRust;
use hallpass_core::token::verify::{Check, checks};
use hallpass_core::token::{
    ClaimRules, Extracted, FoundToken, TokenParts, TokenSource, UntrustedToken, extract,
};

use super::Step;
use super::inputs::Inputs;

const ABOUT: &str = "token";

/// Tells of the token; who sent it, if it holds.
pub(super) fn steps(inputs: &Inputs, steps: &mut Vec<Step>) -> Option<Arc<Bearer>> {
    match of_token(inputs, steps) {
        Ok(()) | Err(None) => {}
        Err(Some(step)) => steps.push(step),
    }
    // A gate of its own: what is only told leaves no trace in what decides.
    let mut gate = Gate::new(inputs.config.clone(), Box::new(PureRust));
    match gate.authenticate(&inputs.head, &mut Attempt::new(inputs.now), inputs.now) {
        Authenticated::Known(bearer) => {
            let identity = &bearer.identity;
            let text = format!("{} of {}", identity.subject(), identity.issuer());
            steps.push(Step::yes("identity", text));
            Some(bearer)
        }
        Authenticated::Refused(fault) => {
            let text = format!("nobody: {}", Reason::from(fault).detail());
            steps.push(Step::no("identity", text));
            None
        }
        Authenticated::KeysAwaited(_)
        | Authenticated::NewKeyAwaited(_)
        | Authenticated::KeysUnavailable => {
            steps.push(Step::no(
                "identity",
                "nobody can tell without the issuer's keys",
            ));
            None
        }
    }
}

/// The error is the step at which it ends, if that is not told yet.
fn of_token(inputs: &Inputs, steps: &mut Vec<Step>) -> Result<(), Option<Step>> {
    let no = |text: String| Some(Step::no(ABOUT, text));
    let config = &inputs.config;
    let found = match extract(&inputs.head.headers, &config.token_sources) {
        Extracted::Missing => {
            let places: Vec<String> = config.token_sources.iter().map(place).collect();
            return Err(no(format!("none in: {}", places.join(", "))));
        }
        Extracted::Ambiguous => return Err(no("more than one".to_owned())),
        Extracted::One(found) => found,
    };
    let source = config.token_sources.get(found.source);
    let source = source.map(place).unwrap_or_default();
    steps.push(Step::yes(ABOUT, format!("found in the {source}")));
    let most = config.max_token_bytes;
    if found.text.len() > most {
        let text = format!(
            "it has {} bytes, and at most {most} are read",
            found.text.len()
        );
        return Err(no(text));
    }
    let malformed = |_| no("it is not a well-formed compact JWS of JSON objects".to_owned());
    let parts = TokenParts::decode(found.text).map_err(malformed)?;
    let token = UntrustedToken::read(&parts).map_err(malformed)?;
    let provider = provider(inputs, &token, &found, steps)?;
    let keys = match &provider.jwks {
        JwksSource::Inline(keys) => Some(keys),
        JwksSource::Remote(_) => {
            let text = "the issuer's keys are not at hand, so key and signature are not checked";
            steps.push(Step::note(ABOUT, text));
            None
        }
    };
    for (check, outcome) in checks(&token, &provider.rules, keys, &PureRust, inputs.now) {
        let text = about(check, &token, &provider.rules, inputs.now);
        steps.push(match outcome {
            Ok(()) => Step::yes(ABOUT, text),
            Err(fault) => {
                let reason = Reason::from(fault).as_str();
                Step::no(ABOUT, format!("{text}: {reason}"))
            }
        });
    }
    Ok(())
}

fn place(source: &TokenSource) -> String {
    match source {
        TokenSource::Header { name, scheme } if scheme.is_empty() => format!("header {name}"),
        TokenSource::Header { name, scheme } => format!("header {name} ({scheme})"),
        TokenSource::Cookie { name } => format!("cookie {name}"),
    }
}

fn provider<'a>(
    inputs: &'a Inputs,
    token: &UntrustedToken<'_>,
    found: &FoundToken<'_>,
    steps: &mut Vec<Step>,
) -> Result<&'a Provider, Option<Step>> {
    let issuer = token.issuer().unwrap_or("(none)");
    let mut providers = inputs.config.providers.iter();
    let Some(provider) = providers.find(|p| p.rules.issuer.as_str() == issuer) else {
        let text = format!("issuer {issuer}: no provider has it");
        return Err(Some(Step::no(ABOUT, text)));
    };
    let name = &provider.name;
    if !found.is_in_one_of(&provider.token_sources) {
        let text = format!("issuer {issuer}: the tokens of the provider {name} sit elsewhere");
        return Err(Some(Step::no(ABOUT, text)));
    }
    steps.push(Step::yes(
        ABOUT,
        format!("issuer {issuer}: the provider {name}"),
    ));
    Ok(provider)
}

/// What a check looks at.
fn about(check: Check, token: &UntrustedToken<'_>, rules: &ClaimRules, now: UnixMillis) -> String {
    match check {
        Check::Type => format!("typ {}", token.token_type().unwrap_or("(none)")),
        Check::Algorithm => format!("alg {}", token.algorithm_name()),
        Check::Key => format!("kid {}", token.key_id().unwrap_or("(none)")),
        Check::Signature => "signature".to_owned(),
        Check::Dates => {
            let dates = ["iat", "nbf", "exp"].map(|name| date(name, token));
            let told: Vec<String> = dates.into_iter().flatten().collect();
            let skew = rules.clock_skew.as_secs();
            format!("{} at {} (±{skew} s)", told.join(", "), now.to_rfc3339())
        }
        Check::Audience => format!("aud {}", claim("aud", token)),
        Check::Claims => match rules.required_claims.as_slice() {
            [] => "required claims: none".to_owned(),
            required => {
                let told: Vec<String> = required
                    .iter()
                    .map(|required| format!("{} {}", required.name, claim(&required.name, token)))
                    .collect();
                format!("required claims: {}", told.join(", "))
            }
        },
        Check::Binding => "not bound to a key (cnf)".to_owned(),
    }
}

fn claim(name: &str, token: &UntrustedToken<'_>) -> String {
    match token.claims().get(name) {
        Some(value) => serde_json::Value::from(value.clone()).to_string(),
        None => "(none)".to_owned(),
    }
}

fn date(name: &str, token: &UntrustedToken<'_>) -> Option<String> {
    let seconds = token.claims().get(name).and_then(Value::as_i64)?;
    let date = UnixMillis::from_seconds(seconds)?.to_rfc3339();
    Some(format!("{name} {date}"))
}
