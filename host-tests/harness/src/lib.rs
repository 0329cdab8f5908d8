//! A scripted proxy for tests of the module: it runs `dist/hallpass.wasm` in wasmtime, with a clock, services and clients that the test moves.
//!
//! Nothing here waits for real time or opens a socket. A request goes as far as it can at once; when the module holds it back, the test answers the
//! module's callout or lets time pass, and looks again.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use hallpass_harness::{Harness, Request};
//! use serde_json::json;
//!
//! let key = hallpass_tokens::SigningKey::es256("kid-1");
//! let harness = Harness::start(json!({
//!     "providers": [{
//!         "name": "corp", "issuer": "https://idp.example", "audiences": ["orders-api"],
//!         "jwks": { "inline": hallpass_tokens::jwks(&[&key]) },
//!     }],
//!     "resources": [{ "name": "orders", "match": { "paths": ["/orders/{*rest}"] }, "access": "grant", "action": "read" }],
//!     "grants": { "service": { "cluster": "grants", "authority": "grants.internal", "path": "/access/v1/evaluation" } },
//! }))?;
//!
//! let token = hallpass_tokens::TokenBuilder::for_user("alice").signed_by(&key);
//! let exchange = harness.request(Request::get("https://admin.example/orders/7").bearer(&token));
//! assert!(exchange.is_waiting());
//!
//! harness.advance(Duration::from_millis(20));
//! let approval = json!({ "id": "g-42", "approved_until": "2026-09-21T15:00:00Z" });
//! harness.callout().reply_json(200, &json!({ "decision": true, "context": { "approval": approval } }));
//! assert_eq!(exchange.forwarded().get("x-hallpass-subject").as_deref(), Some("alice"));
//! # Ok::<_, hallpass_harness::Refused>(())
//! ```
//!
//! The module is found at `dist/hallpass.wasm`, or where the variable `HALLPASS_MODULE` says. All tests of a process share one compiled copy, so each
//! starts in milliseconds.
//!
//! Where hosts differ, this one is strict. A trap ends the test with the module's log, and so does a module that resumes or answers a request
//! twice, which a proxy may not survive. A failed callout comes in both shapes that hosts use: see [`Reply::failed_like_envoy`] and
//! [`Reply::failed_without_headers`].

mod answer;
mod calls;
mod clock;
mod exchange;
mod harness;
mod headers;
mod module;
mod records;
mod request;
mod store;
mod streams;
mod upstreams;
mod worker;
mod world;

pub use answer::Answer;
pub use calls::HostCalls;
pub use exchange::{Exchange, Outcome};
pub use harness::{Callout, Harness, HarnessBuilder, Refused, START};
pub use headers::Headers;
pub use proxy_wasm_host::abi::v0_2_1::types::{LogLevel, Status};
pub use records::LogLine;
pub use request::Request;
pub use streams::ForeignFunction;
pub use upstreams::{Call, Caller, Cluster, Reply};

#[cfg(test)]
mod tests;
