//! Target `token`: from a request's headers to verified claims, with real keys and real signatures.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hallpass_core::headers::HeaderList;
use hallpass_core::token::extract::{Removal, removals};
use hallpass_core::token::signature::PureRust;
use hallpass_core::token::{
    Extracted, TokenFault, TokenParts, TokenSource, UntrustedToken, extract, verify,
};
use hallpass_tokens::SigningKey;
use serde_json::Value;

use crate::{Reached, accepted, input, promise, world};

/// Reads a token in one of three forms, by how the input begins:
///
/// - `{`: a header, a line break, claims, a line break, and who signs: `rsa`, `ec`, `ed`, or the signature itself. Mutations of the JSON
///   are signed like any other token, so they get behind base64 and signature;
/// - anything else: a token as it is, and also lines of request headers in which a token is to be found.
///
/// # Panics
/// When a token is accepted that nobody signed, or that breaks a rule; when a token is left in what goes upstream, or something else is
/// taken out of it.
pub fn token(data: &[u8]) -> Reached {
    if data.starts_with(b"{") {
        return signed(data);
    }
    match raw(data) {
        Reached::Unread => in_headers(data),
        reached => reached,
    }
}

/// A token as it is: no mutation of a genuine one is accepted.
fn raw(text: &[u8]) -> Reached {
    let result = judge(text);
    if let Ok(parts) = &result {
        let genuine = world::genuine_tokens().iter().any(|(_, token)| {
            let (signed, _) = token.rsplit_once('.').expect("a token has three parts");
            signed == parts.signed
        });
        assert!(genuine, "accepted, and nobody signed it: {}", parts.signed);
    }
    reached(&result)
}

/// A header and claims that are really signed: accepted only by the key that signed them, and only as they were signed.
fn signed(data: &[u8]) -> Reached {
    let (header, rest) = input::line(data);
    let (claims, name) = input::line(rest);
    let key = signer_named(name);
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims)
    );
    let mut signature = match &key {
        Some(key) => key.sign(signed.as_bytes()),
        None => name.to_vec(),
    };
    let compact = |signature: &[u8]| format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
    let result = judge(compact(&signature).as_bytes());
    if result.is_ok() {
        let key = key.expect("accepted, and nobody signed it");
        let header: Value = serde_json::from_slice(header).expect("the header is JSON");
        assert_eq!(header["alg"], key.algorithm().name());
        assert!(header["kid"].is_null() || header["kid"] == key.kid());

        let middle = signature.len() / 2;
        signature[middle] ^= 1;
        let altered = judge(compact(&signature).as_bytes());
        assert_eq!(altered.err(), Some(TokenFault::SignatureInvalid));
    }
    reached(&result)
}

fn signer_named(name: &[u8]) -> Option<SigningKey> {
    match name {
        b"rsa" => Some(world::rsa()),
        b"ec" => Some(world::ec()),
        b"ed" => Some(world::ed()),
        _ => None,
    }
}

/// What was signed of an accepted token.
struct Accepted {
    signed: String,
}

/// Parses and verifies a token by the rules of the provider that it names.
fn judge(text: &[u8]) -> Result<Accepted, TokenFault> {
    let parts = TokenParts::decode(text)?;
    let token = UntrustedToken::read(&parts)?;
    let text = std::str::from_utf8(text).expect("a token is ASCII");
    let parts: Vec<&str> = text.split('.').collect();
    let [header, claims, _] = parts[..] else {
        panic!("a token of {} parts was read", parts.len());
    };
    let decode = |part| {
        URL_SAFE_NO_PAD
            .decode(part)
            .expect("canonical base64url without padding")
    };
    let config = world::config();
    let provider = world::provider_of(&config, token.issuer()).ok_or(TokenFault::IssuerUnknown)?;
    let verified = verify(
        &token,
        &provider.rules,
        world::keys(provider),
        &PureRust,
        world::now(),
    )?;
    accepted::check(&decode(header), &decode(claims), &provider.rules, &verified);
    Ok(Accepted {
        signed: format!("{header}.{claims}"),
    })
}

fn reached(result: &Result<Accepted, TokenFault>) -> Reached {
    match result {
        Ok(_) => Reached::Accepted,
        Err(TokenFault::Malformed) => Reached::Unread,
        Err(_) => Reached::Refused,
    }
}

/// Finds a token among a request's headers, and takes all tokens out of them.
fn in_headers(lines: &[u8]) -> Reached {
    let mut headers = HeaderList::default();
    input::add_headers(&mut headers, lines);
    let config = world::config();
    let sources = &config.token_sources;
    check_removal(&headers, sources);
    match extract(&headers, sources) {
        Extracted::Missing => Reached::Unread,
        Extracted::Ambiguous => Reached::Refused,
        Extracted::One(found) => {
            assert!(found.source < sources.len());
            assert!(!found.text.contains(&b','), "one of several");
            assert_eq!(found.text, found.text.trim_ascii());
            raw(found.text)
        }
    }
}

/// Nothing that anyone could take for a token goes upstream, and every other cookie does.
fn check_removal(headers: &HeaderList, sources: &[TokenSource]) {
    let left = without_tokens(headers, sources);
    for (name, value) in left.iter() {
        promise::no_token(name, value, sources);
    }
    let others = |headers: &HeaderList| -> Vec<Vec<u8>> {
        let pairs = headers
            .all("cookie")
            .flat_map(|value| value.split(|byte| *byte == b';'));
        pairs
            .map(<[u8]>::trim_ascii)
            .filter(|pair| !pair.is_empty() && !is_token_cookie(pair, sources))
            .map(<[u8]>::to_vec)
            .collect()
    };
    assert_eq!(others(&left), others(headers), "other cookies");
}

fn without_tokens(headers: &HeaderList, sources: &[TokenSource]) -> HeaderList {
    let removals: Vec<Removal> = removals(headers, sources).collect();
    let goes = |name: &[u8]| {
        removals.iter().any(|removal| match removal {
            Removal::Header(header) => header.as_bytes() == name,
            Removal::Cookies(_) => name == b"cookie",
        })
    };
    let mut left = HeaderList::default();
    for (name, value) in headers.iter().filter(|(name, _)| !goes(name)) {
        left.push(name, value);
    }
    for removal in &removals {
        if let Removal::Cookies(rest) = removal {
            left.push(b"cookie", rest);
        }
    }
    left
}

/// Whether a pair names a token's cookie, also behind a comma, which some servers take for a separator.
fn is_token_cookie(pair: &[u8], sources: &[TokenSource]) -> bool {
    let parts = pair.split(|byte| *byte == b',');
    let mut names = parts
        .filter(|part| part.contains(&b'='))
        .filter_map(|part| part.split(|byte| *byte == b'=').next());
    names.any(|cookie| {
        sources.iter().any(|source| {
            matches!(source, TokenSource::Cookie { name } if name.as_bytes() == cookie.trim_ascii())
        })
    })
}
