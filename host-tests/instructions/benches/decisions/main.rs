//! How many instructions the core takes for a request, counted by Valgrind: the same on a busy machine and on a quiet one.
//!
//! What is set up is not counted; a request is everything from its header map to what is done with it. `make bench-instructions` counts
//! and holds the counts against `figures.json`.

#![expect(
    missing_docs,
    reason = "gungraun's macros make public modules without docstrings"
)]

mod worker;

use gungraun::{library_benchmark, library_benchmark_group, main};
use worker::{Arrival, Worker, scenes};

// Requests the like of which were there before.
#[library_benchmark]
#[bench::identity_in_four_headers(scenes::identity(&scenes::quiet()))]
#[bench::identity_with_audit_line(scenes::identity(&scenes::audited()))]
#[bench::embedded_grant(scenes::embedded_grant(&scenes::quiet()))]
#[bench::embedded_grant_with_audit_line(scenes::embedded_grant(&scenes::audited()))]
#[bench::remembered_decision(scenes::remembered_decision(&scenes::quiet()))]
#[bench::remembered_decision_with_audit_line(scenes::remembered_decision(&scenes::audited()))]
#[bench::refusal_without_token(scenes::refusal(&scenes::quiet()))]
#[bench::refusal_without_token_with_audit_line(scenes::refusal(&scenes::audited()))]
fn hot((worker, arrival): (Worker, Arrival)) -> Worker {
    worker.judge(arrival)
}

// The same by how much there is of something: it should grow with none of it, or not by much.
#[library_benchmark]
#[bench::among_1_resource(scenes::last_of_resources(1))]
#[bench::among_100_resources(scenes::last_of_resources(100))]
#[bench::among_1000_resources(scenes::last_of_resources(1_000))]
#[bench::with_1_grant(scenes::last_of_grants(1))]
#[bench::with_100_grants(scenes::last_of_grants(100))]
#[bench::among_100_tokens(scenes::one_of_tokens(100))]
#[bench::among_100000_tokens(scenes::one_of_tokens(100_000))]
fn growth((worker, arrival): (Worker, Arrival)) -> Worker {
    worker.judge(arrival)
}

library_benchmark_group!(name = decisions, benchmarks = [hot, growth]);
main!(library_benchmark_groups = [decisions]);
