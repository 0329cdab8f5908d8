//! The pages, asked for as a browser asks, and looked at in one.

mod asking;
mod browser;
mod deciding;
mod forms;
mod record;
mod strangers;
mod taking_back;
mod world;
