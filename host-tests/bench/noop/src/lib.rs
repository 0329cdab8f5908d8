//! A proxy-wasm module that does nothing with a request, so that what a request costs with it is what any module costs at least.
//!
//! Configured with the word `refuse` it answers every request as Hallpass answers one without a token: the same status and headers, and
//! a body of the same size. That is what any module's refusal costs at least.
//!
//! Configured with the word `tell` it makes the calls of the host that Hallpass makes for a known token, and decides nothing: it reads the
//! time and the headers, takes the token out, and adds four headers. That is what any module costs at least that tells the upstream who it is.
//!
//! Configured with the word `ask` it makes those that Hallpass makes for a known token with a question to the grant service, and decides
//! nothing either: it looks into shared memory, asks the service, reads what comes back, and puts it there. It asks from the request and not
//! from the root, which saves it three of the four changes of context, and it has one place in shared memory. That is about what any
//! module's question costs at least.

use std::hint::black_box;
use std::time::Duration;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType};

/// The configuration that has every request refused.
const REFUSE: &[u8] = b"refuse";
/// The configuration that has every request's headers read and changed.
const TELL: &[u8] = b"tell";
/// The configuration that has a question asked about every request.
const ASK: &[u8] = b"ask";

/// The cluster of the service that is asked.
const SERVICE: &str = "grants";
/// How long it may take.
const TIMEOUT: Duration = Duration::from_secs(1);
/// Where shared memory is looked into, and written.
const SHELF: &str = "question";
/// What Hallpass asks with. A request's id is as long.
const QUESTION: [(&str, &str); 6] = [
    (":method", "POST"),
    (":path", "/access/v1/evaluation"),
    (":authority", "grants"),
    ("content-type", "application/json"),
    ("accept", "application/json"),
    ("x-request-id", "00000000-0000-0000-0000-000000000000"),
];
/// What it asks of the user who makes the load, about as long.
const QUESTION_BODY: &str = r#"{"subject":{"type":"user","id":"user-0","properties":{"iss":"https://idp.example","email":"user-0@example.com","groups":["engineers"]}},"action":{"name":"get"},"resource":{"type":"http","id":"many"},"context":{"path":"/many/100000"}}"#;

/// What Hallpass tells of the user who makes the load.
const TOLD: [(&str, &str); 4] = [
    ("x-hallpass-subject", "user-0"),
    ("x-hallpass-issuer", "https://idp.example"),
    ("x-hallpass-email", "user-0@example.com"),
    ("x-hallpass-groups", "engineers"),
];
/// What it tells besides, where a grant lets pass.
const TOLD_OF_GRANT: [(&str, &str); 2] = [
    ("x-hallpass-grant-id", "g"),
    ("x-hallpass-grant-expires", "253370764800"),
];

const STATUS: u32 = 401;
/// Of a question that cannot be asked.
const UNANSWERABLE: u32 = 503;
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
    Ask,
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
            Some(ASK) => Duty::Ask,
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

impl Request {
    fn tell(&self) {
        self.remove_http_request_header("authorization");
        for (name, value) in TOLD {
            self.add_http_request_header(name, value);
        }
    }

    /// Asks about the request. It is held until [`on_http_call_response`](Context::on_http_call_response), or refused.
    fn ask(&self) {
        black_box(self.get_shared_data(SHELF));
        let (headers, body) = (QUESTION.to_vec(), Some(QUESTION_BODY.as_bytes()));
        let sent = self.dispatch_http_call(SERVICE, headers, body, Vec::new(), TIMEOUT);
        if sent.is_err() {
            self.send_http_response(UNANSWERABLE, Vec::new(), None);
        }
    }
}

impl Context for Request {
    fn on_http_call_response(&mut self, _call: u32, _headers: usize, size: usize, _: usize) {
        black_box(self.get_current_time());
        black_box(self.get_http_call_response_headers_bytes());
        let answer = self.get_http_call_response_body(0, size);
        // Nobody else writes there, so nothing can be in the way.
        let _ = self.set_shared_data(SHELF, answer.as_deref(), None);
        self.tell();
        for (name, value) in TOLD_OF_GRANT {
            self.add_http_request_header(name, value);
        }
        self.resume_http_request();
    }
}

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
                self.tell();
                Action::Continue
            }
            Duty::Ask => {
                black_box(self.get_current_time());
                black_box(self.get_http_request_headers_bytes());
                self.ask();
                Action::Pause
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
