//! The built filter in real Envoy, as a user and an operator see it.
//!
//! One test binary, so that most tests share one Envoy; see [`world`].

mod answers;
mod certificates;
mod conditions;
mod configuration;
mod crowd;
mod export;
mod fleet;
mod hostile;
mod http2;
mod keys;
mod metrics;
mod monitor;
mod outage;
mod record;
mod refusal;
mod replaced;
mod revocations;
mod rotation;
mod service;
mod spellings;
mod steady;
mod streams;
mod together;
mod world;
