//! What a client of `/token` or `/login` asks for.

use hallpass_tokens::{Grant, SigningKey, TokenBuilder};

use super::{key_for, now, signing_key, token_for};

/// A token in the making.
pub(super) struct TokenRequest {
    pub(super) user: String,
    expires_in: i64,
    key: &'static SigningKey,
    grants: Vec<Grant>,
}

impl TokenRequest {
    pub(super) fn parse(query: &str) -> Result<Self, String> {
        let mut request = Self {
            user: String::new(),
            expires_in: 3600,
            key: signing_key(),
            grants: Vec::new(),
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "user" => request.user = value.into_owned(),
                "expires_in" => request.expires_in = parse_seconds(&value)?,
                "alg" => request.key = parse_algorithm(&value)?,
                "grant" => request.grants.push(parse_grant(&value)?),
                _ => {
                    return Err(format!(
                        "unknown parameter `{name}`: expected user, expires_in, alg or grant"
                    ));
                }
            }
        }
        if request.user.is_empty() {
            return Err("expected a user: /token?user=alice".to_owned());
        }
        Ok(request)
    }

    pub(super) fn sign(&self) -> String {
        let token = token_for(&self.user).expires_in(self.expires_in);
        self.grants
            .iter()
            .cloned()
            .fold(token, TokenBuilder::grant)
            .signed_by(self.key)
    }
}

fn parse_seconds(text: &str) -> Result<i64, String> {
    text.parse()
        .map_err(|_| format!("expires_in `{text}`: expected seconds"))
}

fn parse_algorithm(text: &str) -> Result<&'static SigningKey, String> {
    key_for(text).ok_or_else(|| format!("alg `{text}`: expected ES256, RS256 or EdDSA"))
}

fn parse_grant(text: &str) -> Result<Grant, String> {
    let fault = || format!("grant `{text}`: expected RESOURCE:ACTION:SECONDS");
    let [resource, action, seconds] = text.split(':').collect::<Vec<_>>()[..] else {
        return Err(fault());
    };
    let seconds: i64 = seconds.parse().map_err(|_| fault())?;
    Ok(Grant::new(resource, &[action])
        .id("embedded-1")
        .until(now().saturating_add(seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_request_names_what_is_wrong_with_it() {
        let cases = [
            ("", "expected a user"),
            ("user=alice&expires_in=soon", "expires_in `soon`"),
            ("user=alice&alg=HS256", "alg `HS256`"),
            ("user=alice&grant=orders:read", "grant `orders:read`"),
            ("user=alice&colour=red", "unknown parameter `colour`"),
        ];
        for (query, expected) in cases {
            let fault = TokenRequest::parse(query)
                .err()
                .unwrap_or_else(|| panic!("`{query}` was taken"));
            assert!(fault.contains(expected), "`{query}`: {fault}");
        }
    }
}
