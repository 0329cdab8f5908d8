//! What the service does, told as stories at its desk.

mod bounds;
mod clocks;
mod failures;
mod feeds;
mod listener;
mod loops;
mod models;
mod races;
mod records;
mod refusals;
mod told;
mod world;
