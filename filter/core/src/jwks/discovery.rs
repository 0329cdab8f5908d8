//! The document that an issuer publishes about itself (`OpenID` Connect Discovery 1.0): where its keys are.
//!
//! A document that is found to be wrong leads nowhere, and one that is sound leads no further than to the issuer's own server: whoever can
//! change it must not be able to have keys fetched from elsewhere.

use http::Uri;
use serde::Deserialize;

use super::MAX_SET_BYTES;
use crate::ids::Issuer;
use crate::json::{self, Object};
use crate::origin::{Origin, Server};

/// A longer address is not followed.
const MAX_URL_BYTES: usize = 2_048;
/// Where the document lies below the issuer's path (section 4).
const WELL_KNOWN: &str = "/.well-known/openid-configuration";

/// What to ask a server for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// `:authority` of the request.
    pub authority: String,
    /// `:path` of the request.
    pub path: String,
}

/// An issuer whose document is to be found and believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovery {
    issuer: Issuer,
    server: Server,
    document: Address,
}

impl Discovery {
    /// Discovery of `issuer` below `path`, or below the issuer's own path.
    ///
    /// `None` when the issuer is no URL of the web without user, query and fragment, or the path is none.
    pub fn new(issuer: &Issuer, path: Option<&str>) -> Option<Self> {
        let url = issuer.as_str();
        let (origin, own_path) = Origin::of(url)?;
        if url.contains(['?', '#']) {
            return None;
        }
        let path = path.unwrap_or(own_path.path());
        // Section 4.1: a slash at the end must be removed first.
        let path = format!("{}{WELL_KNOWN}", path.strip_suffix('/').unwrap_or(path));
        let is_path = path.starts_with('/') && !path.contains(['?', '#']);
        if !is_path || path.parse::<Uri>().is_err() {
            return None;
        }
        Some(Self {
            issuer: issuer.clone(),
            document: address(origin.server(), path),
            server: origin.server().clone(),
        })
    }

    /// Where the document is.
    pub fn document(&self) -> &Address {
        &self.document
    }

    /// Reads the document: where the keys are.
    ///
    /// # Errors
    /// What is wrong with it, in words: it is no JSON object, is another issuer's (section 4.3), or names keys that are not on the issuer's
    /// own server.
    pub fn read(&self, document: &[u8]) -> Result<Address, String> {
        if document.len() > MAX_SET_BYTES {
            return Err(format!("larger than {MAX_SET_BYTES} bytes"));
        }
        let Object(found): Object<Document> =
            json::from_slice(document).map_err(|error| json::told(&error))?;
        if found.issuer != self.issuer.as_str() {
            return Err(format!(
                "it is the document of issuer {:?}, expected `{}`",
                found.issuer, self.issuer
            ));
        }
        let url = found.jwks_uri;
        if url.len() > MAX_URL_BYTES {
            return Err(format!("`jwks_uri` has more than {MAX_URL_BYTES} bytes"));
        }
        let (origin, path) = Origin::of(&url)
            .ok_or_else(|| format!("`jwks_uri` {url:?} is no `http` or `https` URL"))?;
        if *origin.server() != self.server {
            return Err(format!(
                "`jwks_uri` {url:?} is not on the issuer's own server; if that is right, configure the address as `remote`"
            ));
        }
        Ok(address(&self.server, path.to_string()))
    }
}

fn address(server: &Server, path: String) -> Address {
    Address {
        authority: server.authority(),
        path,
    }
}

/// The members that matter (section 3); there are many others.
#[derive(Deserialize)]
struct Document {
    issuer: String,
    jwks_uri: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn discovery(issuer: &str, path: Option<&str>) -> Option<Discovery> {
        Discovery::new(&Issuer::new(issuer), path)
    }

    fn address(authority: &str, path: &str) -> Address {
        Address {
            authority: authority.to_owned(),
            path: path.to_owned(),
        }
    }

    #[test]
    fn the_document_lies_below_the_issuers_path_without_a_doubled_slash() {
        for (issuer, path, expected) in [
            ("https://idp.example", None, Some(("idp.example", ""))),
            ("https://idp.example/", None, Some(("idp.example", ""))),
            ("https://IdP.example:443/", None, Some(("idp.example", ""))),
            (
                "http://idp.example:8080/realms/x",
                None,
                Some(("idp.example:8080", "/realms/x")),
            ),
            (
                "https://idp.example/realms/x/",
                None,
                Some(("idp.example", "/realms/x")),
            ),
            (
                "https://idp.example/x",
                Some("/auth/realms/x"),
                Some(("idp.example", "/auth/realms/x")),
            ),
            (
                "https://idp.example/x",
                Some("/"),
                Some(("idp.example", "")),
            ),
            ("https://idp.example", Some("auth"), None),
            ("https://idp.example", Some("/auth?x=1"), None),
            ("https://idp.example", Some("/a b"), None),
            ("https://idp.example?tenant=x", None, None),
            ("https://user@idp.example", None, None),
            ("ftp://idp.example", None, None),
            ("idp.example", None, None),
            ("corp", None, None),
        ] {
            let found = discovery(issuer, path).map(|found| found.document);
            let expected = expected.map(|(authority, path)| {
                address(
                    authority,
                    &format!("{path}/.well-known/openid-configuration"),
                )
            });
            assert_eq!(found, expected, "{issuer} {path:?}");
        }
    }

    #[test]
    fn a_document_is_believed_only_if_it_is_the_issuers_own_and_stays_on_its_server() {
        let discovery = discovery("https://idp.example/realms/x", None).unwrap();
        let read = |issuer: &str, jwks_uri: &str| {
            let document =
                json!({ "issuer": issuer, "jwks_uri": jwks_uri, "scopes_supported": [] });
            discovery.read(document.to_string().as_bytes())
        };
        let own = "https://idp.example/realms/x";
        for (url, path) in [
            ("https://idp.example/keys", "/keys"),
            ("https://IDP.example:443/keys?v=1#top", "/keys?v=1"),
            ("http://idp.example/keys", "/keys"),
            ("https://idp.example", "/"),
        ] {
            assert_eq!(read(own, url), Ok(address("idp.example", path)), "{url}");
        }
        for url in [
            "https://evil.example/keys",
            "https://idp.example.evil.example/keys",
            "https://idp.example:8443/keys",
            "https://idp.example@evil.example/keys",
            "https://evil@idp.example/keys",
            "ftp://idp.example/keys",
            "//idp.example/keys",
            "/keys",
            "",
            &format!("https://idp.example/{}", "k".repeat(MAX_URL_BYTES)),
        ] {
            assert!(read(own, url).is_err(), "{url}");
        }
        for issuer in [
            "https://idp.example",
            "https://idp.example/realms/x/",
            "HTTPS://idp.example/realms/x",
            "",
        ] {
            let fault = read(issuer, "https://idp.example/keys").unwrap_err();
            assert!(
                fault.contains("expected `https://idp.example/realms/x`"),
                "{fault}"
            );
        }
        let elsewhere = read(own, "https://evil.example/keys").unwrap_err();
        assert!(elsewhere.contains("`remote`"), "{elsewhere}");
    }

    #[test]
    fn what_is_no_such_document_is_refused() {
        let discovery = discovery("https://idp.example", None).unwrap();
        for document in [
            "",
            "<html>",
            "[]",
            "{}",
            r#"["https://idp.example","https://idp.example/keys"]"#,
            r#"{"issuer":"https://idp.example"}"#,
            r#"{"issuer":"https://idp.example","jwks_uri":7}"#,
            r#"{"issuer":"https://idp.example","jwks_uri":"https://idp.example/a","jwks_uri":"https://idp.example/b"}"#,
        ] {
            assert!(discovery.read(document.as_bytes()).is_err(), "{document}");
        }
        let sound = r#"{"issuer":"https://idp.example","jwks_uri":"https://idp.example/a"}"#;
        assert!(discovery.read(sound.as_bytes()).is_ok());
        let too_large = format!("{sound}{}", " ".repeat(MAX_SET_BYTES));
        assert!(discovery.read(too_large.as_bytes()).is_err());
    }
}
