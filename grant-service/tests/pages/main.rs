//! The pages, asked for as a browser asks, and looked at in one.

mod browser;
mod world;
