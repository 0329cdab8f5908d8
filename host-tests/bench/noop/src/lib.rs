//! A proxy-wasm module that does nothing with a request, so that what a request costs with it is what any module costs at least.
//!
//! Configured with the word `refuse` it answers every request as Hallpass answers one without a token: the same status and headers, and
//! a body of the same size. That is what any module's refusal costs at least.
//!
//! Configured with the word `tell` it makes the calls of the host that Hallpass makes for a known token, and decides nothing: it reads the
//! time and the headers, takes the token out, and adds four headers. That is what any module costs at least that tells the upstream who it is.

use std::hint::black_box;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType};

/// The configuration that has every request refused.
const REFUSE: &[u8] = b"refuse";
/// The configuration that has every request's headers read and changed.
const TELL: &[u8] = b"tell";

/// What Hallpass tells of the user who makes the load.
const TOLD: [(&str, &str); 4] = [
    ("x-hallpass-subject", "user-0"),
    ("x-hallpass-issuer", "https://idp.example"),
    ("x-hallpass-email", "user-0@example.com"),
    ("x-hallpass-groups", "engineers"),
];

const STATUS: u32 = 401;
const HEADERS: [(&str, &str); 3] = [
    ("content-type", "application/problem+json"),
    ("cache-control", "no-store"),
    ("www-authenticate", r#"Bearer realm="hallpass""#),
];
/// The request's id stands in it for its size: the proxy's ids are as long.
const BODY: &str = r#"{"type":"urn:hallpass:reason:token_missing","title":"Sign-in required","status":401,"detail":"This needs an identity token, and the request carries none.","reason":"token_missing","request_id":"00000000-0000-0000-0000-000000000000"}"#;

/// What is done with each request.
#[derive(Clone, Copy)]
enum Duty {
    Nothing,
    Refuse,
    Tell,
}

struct Root {
    duty: Duty,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _size: usize) -> bool {
        self.duty = match self.get_plugin_configuration().as_deref() {
            Some(REFUSE) => Duty::Refuse,
            Some(TELL) => Duty::Tell,
            _ => Duty::Nothing,
        };
        true
    }

    fn create_http_context(&self, _id: u32) -> Option<Box<dyn HttpContext>> {
        let duty = self.duty;
        Some(Box::new(Request { duty }))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

struct Request {
    duty: Duty,
}

impl Context for Request {}

impl HttpContext for Request {
    fn on_http_request_headers(&mut self, _headers: usize, _end_of_stream: bool) -> Action {
        match self.duty {
            Duty::Nothing => Action::Continue,
            Duty::Refuse => {
                self.send_http_response(STATUS, HEADERS.to_vec(), Some(BODY.as_bytes()));
                Action::Pause
            }
            Duty::Tell => {
                black_box(self.get_current_time());
                black_box(self.get_http_request_headers_bytes());
                self.remove_http_request_header("authorization");
                for (name, value) in TOLD {
                    self.add_http_request_header(name, value);
                }
                Action::Continue
            }
        }
    }
}

#[allow(missing_docs, reason = "the macro's function is for the host alone")]
mod entry {
    use super::{Duty, Root};

    proxy_wasm::main! {{
        proxy_wasm::set_root_context(|_| Box::new(Root { duty: Duty::Nothing }));
    }}
}
