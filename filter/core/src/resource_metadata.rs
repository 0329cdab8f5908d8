//! OAuth 2.0 Protected Resource Metadata (RFC 9728): the public document by which a client that was refused finds out where to sign in.
//!
//! It is the same for everybody and made when the plugin is configured. Nothing of a request is part of it.

use serde::Serialize;

use crate::denial::Answer;
use crate::policy::HostPattern;
use crate::request::CanonicalRequest;

/// RFC 9728, section 3.
pub(crate) const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// For how long a client may keep the document, in seconds: a server that moves is found again soon.
const MAX_AGE: &str = "public, max-age=300";
/// The methods that make sense here, as `allow` names them.
const METHODS: &str = "GET, HEAD, OPTIONS";

/// The document, and the addresses at which it is found.
#[derive(Debug)]
pub struct ResourceMetadata {
    host: HostPattern,
    /// The path with that of the resource's identifier in it (RFC 9728, section 3.1), which is the plain one where that has none.
    path: String,
    url: String,
    document: String,
}

/// What the document says (RFC 9728, section 2).
#[derive(Debug, Serialize)]
pub(crate) struct Document {
    pub(crate) resource: String,
    pub(crate) authorization_servers: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) scopes_supported: Vec<String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) bearer_methods_supported: &'static [&'static str],
}

impl ResourceMetadata {
    /// The metadata of the resource at `path` of a server, which is `origin` (scheme, host and port) to clients.
    pub(crate) fn new(host: HostPattern, origin: &str, path: &str, document: &Document) -> Self {
        // RFC 9728, section 3.1: a slash that only ends the host goes.
        let path = match path {
            "/" => WELL_KNOWN.to_owned(),
            path => format!("{WELL_KNOWN}{path}"),
        };
        Self {
            host,
            url: format!("{origin}{path}"),
            path,
            document: serde_json::to_string(document).unwrap_or_default(),
        }
    }

    /// The address of the document, for challenges. It may stand in a quoted string as it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The answer to a request for the document; `None` if the request is for something else.
    pub fn answer(&self, request: &CanonicalRequest) -> Option<Answer> {
        let is_here = request.path == WELL_KNOWN || request.path == self.path;
        if !is_here || !self.host.matches(&request.host) {
            return None;
        }
        Some(match &*request.method {
            "GET" => found(self.document.clone()),
            "HEAD" => found(String::new()),
            "OPTIONS" => preflight(),
            _ => public(405, [("allow", METHODS), ("cache-control", "no-store")]),
        })
    }
}

/// The document, to be read by everybody; without its text for `HEAD`.
fn found(body: String) -> Answer {
    let headers = [
        ("content-type", "application/json"),
        ("cache-control", MAX_AGE),
        ("x-content-type-options", "nosniff"),
    ];
    Answer {
        body: body.into_bytes(),
        ..public(200, headers)
    }
}

/// What a browser must hear before it lets a page's script ask with headers of its own, as clients of MCP do.
fn preflight() -> Answer {
    let headers = [
        ("allow", METHODS),
        ("access-control-allow-methods", "GET, HEAD"),
        ("access-control-allow-headers", "*"),
        ("access-control-max-age", "86400"),
        ("cache-control", "no-store"),
    ];
    public(204, headers)
}

/// An answer without a body that scripts of every origin may read: nothing in it depends on who asks.
fn public<const N: usize>(status: u16, headers: [(&'static str, &'static str); N]) -> Answer {
    let everybody = ("access-control-allow-origin", "*");
    let headers = headers.into_iter().chain([everybody]);
    Answer {
        status,
        headers: headers.map(|(name, value)| (name, value.into())).collect(),
        body: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn metadata(path: &str) -> ResourceMetadata {
        let document = Document {
            resource: format!("https://api.example{path}"),
            authorization_servers: vec!["https://idp.example".into()],
            scopes_supported: Vec::new(),
            bearer_methods_supported: &["header"],
        };
        let host = HostPattern::parse("api.example").unwrap();
        ResourceMetadata::new(host, "https://api.example", path, &document)
    }

    fn ask(metadata: &ResourceMetadata, method: &str, host: &str, path: &str) -> Option<Answer> {
        metadata.answer(&CanonicalRequest {
            method: method.to_owned().into(),
            host: host.into(),
            path: path.into(),
            rewritten_target: None,
            rewritten_authority: None,
        })
    }

    fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
        let found = answer.headers.iter().find(|(other, _)| *other == name);
        found.map(|(_, value)| &**value)
    }

    #[test]
    fn the_document_is_at_the_plain_path_and_at_that_of_the_resource() {
        for (path, url, here, elsewhere) in [
            (
                "",
                "https://api.example/.well-known/oauth-protected-resource",
                "",
                "/mcp",
            ),
            (
                "/",
                "https://api.example/.well-known/oauth-protected-resource",
                "",
                "/",
            ),
            (
                "/mcp",
                "https://api.example/.well-known/oauth-protected-resource/mcp",
                "/mcp",
                "/mcp/",
            ),
            (
                "/a/b/",
                "https://api.example/.well-known/oauth-protected-resource/a/b/",
                "/a/b/",
                "/a",
            ),
        ] {
            let metadata = metadata(path);
            let get = |path: &str| ask(&metadata, "GET", "api.example", path);
            assert_eq!(metadata.url(), url, "{path}");
            assert!(get(WELL_KNOWN).is_some(), "{path}");
            assert!(get(&format!("{WELL_KNOWN}{here}")).is_some(), "{path}");
            assert!(get(&format!("{WELL_KNOWN}{elsewhere}")).is_none(), "{path}");
            assert!(get(&format!("{WELL_KNOWN}x")).is_none(), "{path}");
        }
    }

    #[test]
    fn other_hosts_are_none_of_its_business() {
        for host in ["other.example", "api.example.evil", "x.api.example"] {
            assert_eq!(ask(&metadata(""), "GET", host, WELL_KNOWN), None, "{host}");
        }
    }

    #[test]
    fn only_what_is_true_is_said_and_everybody_may_read_it() {
        let answer = ask(&metadata("/mcp"), "GET", "api.example", WELL_KNOWN).unwrap();
        let document: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(
            document,
            json!({
                "resource": "https://api.example/mcp",
                "authorization_servers": ["https://idp.example"],
                "bearer_methods_supported": ["header"],
            })
        );
        assert_eq!(answer.status, 200);
        assert_eq!(header(&answer, "content-type"), Some("application/json"));
        assert_eq!(header(&answer, "cache-control"), Some(MAX_AGE));
        assert_eq!(header(&answer, "access-control-allow-origin"), Some("*"));
    }

    #[test]
    fn each_method_gets_what_it_should() {
        for (method, status, has_body) in [
            ("GET", 200, true),
            ("HEAD", 200, false),
            ("OPTIONS", 204, false),
            ("POST", 405, false),
            ("DELETE", 405, false),
            ("CONNECT", 405, false),
        ] {
            let answer = ask(&metadata(""), method, "api.example", WELL_KNOWN).unwrap();
            assert_eq!(answer.status, status, "{method}");
            assert_eq!(!answer.body.is_empty(), has_body, "{method}");
            assert_eq!(header(&answer, "access-control-allow-origin"), Some("*"));
            let tells_methods = header(&answer, "allow") == Some(METHODS);
            assert_eq!(tells_methods, status != 200, "{method}");
        }
    }
}
