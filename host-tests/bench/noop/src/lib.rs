//! A proxy-wasm module that does nothing with a request, so that what a request costs with it is what any module costs at least.
//!
//! Configured with the word `refuse` it answers every request as Hallpass answers one without a token: the same status and headers, and
//! a body of the same size. That is what any module's refusal costs at least.

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType};

/// The configuration that has every request refused.
const REFUSE: &[u8] = b"refuse";

const STATUS: u32 = 401;
const HEADERS: [(&str, &str); 3] = [
    ("content-type", "application/problem+json"),
    ("cache-control", "no-store"),
    ("www-authenticate", r#"Bearer realm="hallpass""#),
];
/// The request's id stands in it for its size: the proxy's ids are as long.
const BODY: &str = r#"{"type":"urn:hallpass:reason:token_missing","title":"Sign-in required","status":401,"detail":"This needs an identity token, and the request carries none.","reason":"token_missing","request_id":"00000000-0000-0000-0000-000000000000"}"#;

struct Root {
    refuses: bool,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _size: usize) -> bool {
        self.refuses = self.get_plugin_configuration().as_deref() == Some(REFUSE);
        true
    }

    fn create_http_context(&self, _id: u32) -> Option<Box<dyn HttpContext>> {
        let refuses = self.refuses;
        Some(Box::new(Request { refuses }))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

struct Request {
    refuses: bool,
}

impl Context for Request {}

impl HttpContext for Request {
    fn on_http_request_headers(&mut self, _headers: usize, _end_of_stream: bool) -> Action {
        if !self.refuses {
            return Action::Continue;
        }
        self.send_http_response(STATUS, HEADERS.to_vec(), Some(BODY.as_bytes()));
        Action::Pause
    }
}

#[allow(missing_docs, reason = "the macro's function is for the host alone")]
mod entry {
    use super::Root;

    proxy_wasm::main! {{
        proxy_wasm::set_root_context(|_| Box::new(Root { refuses: false }));
    }}
}
