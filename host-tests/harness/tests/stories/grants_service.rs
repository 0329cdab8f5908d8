//! Grants that the decision point gives: asking once, remembering as long as allowed, and failing closed.

mod asking;
mod crowding;
mod deciding;
mod failing;
mod forms;
mod obligations;
mod refreshing;
mod remembering;
mod resting;
mod sharing;
mod together;
mod waiting;

use hallpass_harness::{Cluster, Harness, Reply};
use serde_json::Value;

use crate::setup::{GRANTS, config_with, start_with};

fn service(change: impl FnOnce(&mut Value)) -> Harness {
    start_with(&config_with(|config| {
        change(&mut config["grants"]["service"]);
    }))
}

fn asked(harness: &Harness) -> usize {
    harness.calls_to(GRANTS).len()
}

fn answers(harness: &Harness, reply: &Value) {
    let reply = reply.clone();
    harness.set_cluster(GRANTS, Cluster::answers(move |_| Reply::json(200, &reply)));
}
