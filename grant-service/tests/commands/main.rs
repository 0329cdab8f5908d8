//! The program `hallpass-grants` as people and scripts use it: its commands against a running service of its own.

mod loops;
mod record;
mod service;
mod told;
mod trouble;
