//! The built filter in real Envoy: starts the proxy with the shipped configuration on free ports, and speaks HTTP to it.
//!
//! `HALLPASS_ENVOY` names the Envoy program, `HALLPASS_MODULE` the filter (`dist/hallpass.wasm` unless set), and `HALLPASS_GRANTS` the grant
//! service (`dist/hallpass-grants`). The tests tell what a user sees; what single decisions depend on is told by the tests of the core and
//! of the harness.

mod client;
mod lone;
mod prometheus;
mod proxy;
mod service;

pub use client::{Answer, Request, raw};
pub use lone::said_by_module;
pub use prometheus::Sample;
pub use proxy::{Proxy, Refused, Replaceable, Setup};
pub use service::GrantProgram;
