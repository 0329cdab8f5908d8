//! What the service does, told as stories at its desk.

mod loops;
mod races;
mod world;
