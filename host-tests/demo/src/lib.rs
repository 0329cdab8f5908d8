//! The demo around Hallpass: what a proxy needs on its three sides, real Envoy in the middle, and a guided tour.
//!
//! - [`upstream`] and [`idp`] are servers that run inside their caller (see [`server::Server`]) or as a program of their own (`hallpass-demo
//!   upstream`, `idp`), so that the same server can be asked about its calls by a test and killed by another.
//! - [`service`] runs the grant service, the program that people use. [`grants`] is its double in tests of the filter alone: it holds answers
//!   back and counts calls.
//! - [`config`] puts ports and paths into the shipped `envoy-config/envoy.yaml`; [`envoy`] runs the proxy with it, [`log`] is what it
//!   writes.
//! - [`tour`] walks through the story on a running set-up.
//!
//! Nothing here decides about access, and nothing here is fit to guard anything: the signing keys are published with the source.

pub mod cli;
pub mod config;
pub mod envoy;
pub mod grants;
pub mod idp;
pub mod log;
pub mod process;
pub mod server;
pub mod service;
pub mod tour;
pub mod upstream;
