//! The grant service as users run it: the program, on the network.
//!
//! [`Service`] runs it until it is dropped or killed, and [`Client`] asks it, as the filter and as people do. The program of this package sends it
//! a steady load and tells how fast it answers.

mod client;
mod load;
mod report;
mod service;

pub use client::{Client, Person};
pub use load::{Load, Measured};
pub use report::{Report, Series};
pub use service::Service;
