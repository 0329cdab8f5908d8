//! The built filter in real Envoy, as a user and an operator see it.
//!
//! One test binary, so that most tests share one Envoy; see [`world`].

mod conditions;
mod configuration;
mod crowd;
mod hostile;
mod http2;
mod keys;
mod outage;
mod record;
mod refusal;
mod rotation;
mod service;
mod steady;
mod streams;
mod world;
