//! The service as it is spoken to: requests in, answers out, and what has changed behind them.

mod asking;
mod authzen;
mod crowds;
mod deciding;
mod doors;
mod grants;
mod loops;
mod malformed;
mod record;
mod revocations;
mod world;
