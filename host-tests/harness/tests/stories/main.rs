//! What a user, an operator or an upstream can see of the module, told one behaviour a test against the shipped `dist/hallpass.wasm`.
//!
//! The stories assert outcomes and absent side effects, never the order of host calls.

mod answers;
mod audit;
mod conditions;
mod configuration;
mod decisions;
mod export;
mod grants_embedded;
mod grants_service;
mod headers;
mod host_calls;
mod host_crypto;
mod hostile;
mod identity;
mod keys;
mod known_tokens;
mod monitor;
mod resources;
mod revocations;
mod setup;
mod spellings;
mod streams;
