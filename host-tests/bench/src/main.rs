//! Measures the filter in real Envoy, side by side with Envoy's own JWT filter.
//!
//! One Envoy with one worker has a listener for each [`contender`], and another with two workers has those that are measured there, too.
//! [`plan`] says what is measured, as groups of rows, and [`crowd`] who sends the requests; [`rounds`] measures each row in turn, again and
//! again, so that the machine's drift hits all alike; a [`premise`] that did not hold keeps a figure from being shown; [`report`] tells
//! medians and ratios, [`growth`] how cost and memory grow with what there is a lot of, [`memory`] what the proxy holds after many questions, [`startup`] how long it takes to start, and [`targets`] what is to be reached;
//! [`chart`] draws a picture of a report.
//!
//! Processes that this one starts die with it, however it ends: see [`hallpass_demo::process`].

mod answer;
mod chart;
mod cli;
mod contender;
mod counters;
mod crowd;
mod decider;
mod growth;
mod load;
mod memory;
mod plan;
mod premise;
mod proxy;
mod ratio;
mod report;
mod rounds;
mod sample;
mod selection;
mod startup;
mod targets;
mod tokens;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
