//! The harness tried on a small module that asks a service on behalf of its requests, as the shipped module does.

use std::time::Duration;

use crate::{Caller, Cluster, Harness, HarnessBuilder, HostCalls, Outcome, Reply, Request, START};

fn builder() -> HarnessBuilder {
    Harness::builder()
        .module(&wat::parse_str(include_str!("tests/guest.wat")).expect("the text is a module"))
}

fn harness() -> Harness {
    builder().start("x").expect("the module starts")
}

fn forward() -> Request {
    Request::get("http://host.example/forward")
}

fn wait() -> Request {
    Request::get("http://host.example/wait")
}

fn trap() -> Request {
    Request::get("http://host.example/trap")
}

#[test]
fn a_request_is_forwarded_with_its_bytes_untouched() {
    let exchange = harness().request(forward().header_bytes("x-raw", b"\xff\x00"));
    assert_eq!(
        exchange.forwarded().get_bytes("x-raw"),
        Some(&b"\xff\x00"[..])
    );
}

#[test]
fn an_answer_keeps_its_status_and_body_and_ends_the_stream() {
    let answer = harness()
        .request(Request::get("http://host.example/answer"))
        .answer();
    assert_eq!(
        (answer.status, answer.text().as_str(), answer.grpc),
        (403, "svc", None)
    );
}

#[test]
fn a_callout_of_the_root_context_resumes_every_request_that_waits_for_it() {
    let harness = harness();
    let waiting = [harness.request(wait()), harness.request(wait())];
    assert!(waiting.iter().all(crate::Exchange::is_waiting));

    let call = &harness.callouts()[0];
    assert_eq!(
        (
            call.cluster.as_str(),
            call.method.as_str(),
            call.path.as_str()
        ),
        ("svc", "GET", "/x")
    );
    assert_eq!(
        (call.caller, call.timeout),
        (Caller::Root, Duration::from_millis(500))
    );
    call.reply(Reply::status(200));

    for exchange in waiting {
        assert_eq!(exchange.forwarded().all("x-seen"), ["1"]);
    }
}

#[test]
fn a_callout_outlives_the_request_that_caused_it() {
    let harness = harness();
    let first = harness.request(wait());
    let second = harness.request(wait());
    first.hang_up();
    harness.callouts()[0].reply(Reply::status(200));
    assert!(matches!(first.outcome(), Outcome::HungUp));
    assert!(second.is_forwarded());
}

#[test]
fn a_call_can_fail_in_both_shapes() {
    let harness = harness();
    let exchange = harness.request(wait());
    harness.callout().fail_with_no_headers();
    assert_eq!(exchange.answer().status, 503);

    let exchange = harness.request(wait());
    harness.callout().fail_like_envoy(504);
    assert!(
        exchange.is_forwarded(),
        "this module takes every response with headers"
    );
}

#[test]
fn a_callout_times_out_as_time_passes() {
    let harness = harness();
    let exchange = harness.request(wait());
    harness.advance(Duration::from_millis(499));
    assert!(exchange.is_waiting());
    harness.advance(Duration::from_millis(1));
    assert!(exchange.is_forwarded());
    assert!(harness.callouts().is_empty());
}

#[test]
fn a_proxy_may_forget_its_timeouts() {
    let harness = builder()
        .without_callout_timeouts()
        .start("x")
        .expect("the module starts");
    let exchange = harness.request(wait());
    harness.advance(Duration::from_mins(10));
    assert!(exchange.is_waiting());
}

#[test]
fn a_scripted_cluster_answers_by_itself() {
    let harness = harness();
    harness.set_cluster("svc", Cluster::answers(|_| Reply::status(200)));
    assert!(harness.request(wait()).is_forwarded());
    assert_eq!(harness.calls_to("svc").len(), 1);
}

#[test]
fn a_dispatch_is_refused_with_the_status_of_its_reason() {
    let harness = harness();
    harness.set_cluster("svc", Cluster::Unknown);
    assert_eq!(
        harness.request(wait()).answer().status,
        502,
        "BAD_ARGUMENT is 2"
    );
    harness.set_cluster("svc", Cluster::Refuses);
    assert_eq!(
        harness.request(wait()).answer().status,
        510,
        "INTERNAL_FAILURE is 10"
    );
    assert!(harness.calls_to("svc").is_empty());
}

#[test]
fn the_timer_fires_as_time_passes_and_on_demand() {
    let harness = harness();
    harness.advance(Duration::from_millis(3_999));
    assert_eq!(harness.metric("ticks"), 3);
    harness.tick();
    assert_eq!(harness.metric("ticks"), 4);
}

#[test]
fn setting_the_clock_fires_nothing() {
    let harness = harness();
    harness.at(START + 60_000);
    assert_eq!(
        (harness.now(), harness.metric("ticks")),
        (START + 60_000, 0)
    );
}

#[test]
fn a_refused_configuration_comes_with_the_log() {
    let refused = builder()
        .start("")
        .expect_err("the module refuses an empty configuration");
    assert_eq!(refused.log[0].text, "the configuration is empty");
}

#[test]
#[should_panic(expected = "the module trapped")]
fn a_trap_ends_the_test() {
    harness().request(trap());
}

#[test]
fn a_trap_can_be_an_outcome_and_takes_the_worker_with_it() {
    let harness = builder()
        .traps_are_outcomes()
        .start("x")
        .expect("the module starts");
    let waiting = harness.request(wait());
    let trapped = harness.request(trap());
    assert!(matches!(trapped.outcome(), Outcome::Trapped(_)));
    assert!(matches!(waiting.outcome(), Outcome::Trapped(_)));
    assert!(!harness.is_alive());
}

#[test]
#[should_panic(expected = "it resumed a request that is")]
fn a_module_that_resumes_a_request_twice_fails_the_test() {
    harness().request(Request::get("http://host.example/resume-twice"));
}

#[test]
fn workers_have_their_own_machines_and_share_the_world() {
    let first = builder()
        .traps_are_outcomes()
        .start("x")
        .expect("the module starts");
    let second = first.second_worker();
    first.request(trap());
    assert!(!first.is_alive());
    assert!(second.request(forward()).is_forwarded());
    second.advance(Duration::from_secs(1));
    assert_eq!(first.metric("ticks"), 1, "one worker is left to tick");
}

#[test]
fn every_call_of_the_host_is_counted_by_name_and_goes_where_it_went_before() {
    let harness = builder()
        .counting_host_calls()
        .start("x")
        .expect("the module starts");
    let calls = |counts: &[(&str, u64)]| {
        let counts = counts.iter();
        counts
            .map(|(name, count)| ((*name).to_owned(), *count))
            .collect::<HostCalls>()
    };
    let at_its_start = [("set_tick_period_milliseconds", 1), ("define_metric", 1)];
    assert_eq!(harness.take_host_calls(), calls(&at_its_start));

    let exchange = harness.request(wait());
    let served_by_the_host_crate_itself = ("set_effective_context", 2);
    let asking = [
        ("get_header_map_value", 1),
        served_by_the_host_crate_itself,
        ("http_call", 1),
    ];
    assert_eq!(harness.take_host_calls(), calls(&asking));

    harness.callout().reply(Reply::status(200));
    assert_eq!(exchange.forwarded().all("x-seen"), ["1"]);
    let telling = [
        ("set_effective_context", 1),
        ("add_header_map_value", 1),
        ("continue_stream", 1),
    ];
    assert_eq!(harness.take_host_calls(), calls(&telling));
    assert!(harness.log().is_empty());
}

#[test]
fn lines_of_the_log_are_written_as_before_where_calls_are_counted() {
    let refused = builder()
        .counting_host_calls()
        .start("")
        .expect_err("the module refuses an empty configuration");
    assert_eq!(refused.log.len(), 1);
    assert_eq!(refused.log[0].text, "the configuration is empty");
}
