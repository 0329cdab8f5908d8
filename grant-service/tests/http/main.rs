//! The service as it is spoken to: requests in, answers out, and what has changed behind them.

mod authzen;
mod loops;
mod world;
