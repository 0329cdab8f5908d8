use super::*;
use crate::audit::Record;
use crate::cache::Bounds;
use crate::config::AuditLog;
use crate::denial::Reason;
use serde_json::Value;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const OK: Delivery<'static> = answered(200);
const LOST: Delivery<'static> = Delivery::Failed("nobody answered");

const fn answered(status: u16) -> Delivery<'static> {
    Delivery::Answered {
        status,
        retry_after: None,
        body: b"",
    }
}

fn at(millis: u64) -> UnixMillis {
    UnixMillis::new(1_790_000_000_000 + millis)
}

fn settings(batch: usize, most: usize) -> OtlpSettings {
    OtlpSettings {
        cluster: "collector".to_owned(),
        authority: "collector".to_owned(),
        path: "/v1/logs".to_owned(),
        headers: Vec::new(),
        timeout: Duration::from_secs(5),
        decisions: AuditLog::All,
        batch,
        interval: Duration::from_secs(1),
        bounds: Bounds {
            max_entries: most,
            max_bytes: 8 << 20,
        },
    }
}

fn exporter(batch: usize, most: usize) -> Exporter {
    Exporter::new(settings(batch, most), "")
}

fn named(name: usize, made: UnixMillis) -> LogRecord {
    let id = name.to_string();
    let mut record = Record::new(Reason::Public, "c0ffee", made);
    record.request_id = Some(&id);
    LogRecord::new(&record, "{}")
}

impl Exporter {
    fn with(mut self, names: std::ops::Range<usize>, made: UnixMillis) -> Self {
        for name in names {
            self.push(named(name, made));
        }
        self
    }
}

/// The names of the records in a body.
fn names(body: &[u8]) -> Vec<usize> {
    let sent: Value = serde_json::from_slice(body).unwrap();
    let records = &sent["resourceLogs"][0]["scopeLogs"][0]["logRecords"];
    let name = |record: &Value| {
        let attributes = record["attributes"].as_array().unwrap();
        let id = attributes
            .iter()
            .find(|attribute| attribute["key"] == "hallpass.request_id");
        let id = id.unwrap()["value"]["stringValue"].as_str().unwrap();
        id.parse().unwrap()
    };
    records.as_array().unwrap().iter().map(name).collect()
}

fn started(exporter: &mut Exporter, now: UnixMillis) -> Option<Vec<usize>> {
    exporter.start(now).map(|body| names(&body))
}

#[test]
fn a_batch_leaves_when_it_is_full_or_its_first_record_has_waited() {
    let mut exporter = exporter(3, 100).with(0..2, at(0));
    assert_eq!(started(&mut exporter, at(999)), None);
    let mut exporter = exporter.with(2..4, at(999));
    assert_eq!(started(&mut exporter, at(999)), Some(vec![0, 1, 2]));
    exporter.ended(&OK, at(1_000));
    assert_eq!(started(&mut exporter, at(1_998)), None);
    assert_eq!(started(&mut exporter, at(1_999)), Some(vec![3]));
}

#[test]
fn one_batch_is_under_way_at_a_time() {
    let mut exporter = exporter(2, 100).with(0..6, at(0));
    assert_eq!(started(&mut exporter, at(0)), Some(vec![0, 1]));
    assert_eq!(started(&mut exporter, at(60_000)), None);
    assert_eq!(exporter.queued(), 6);
    exporter.ended(&OK, at(60_000));
    assert_eq!(exporter.queued(), 4);
    assert_eq!(started(&mut exporter, at(60_000)), Some(vec![2, 3]));
}

#[test]
fn what_the_collector_did_not_take_for_the_moment_is_sent_again_and_what_it_refuses_is_not() {
    for (delivery, again) in [
        (answered(429), true),
        (answered(502), true),
        (answered(503), true),
        (answered(504), true),
        (LOST, true),
        (answered(200), false),
        (answered(204), false),
        (answered(301), false),
        (answered(400), false),
        (answered(401), false),
        (answered(413), false),
        (answered(500), false),
    ] {
        let mut exporter = exporter(2, 100).with(0..2, at(0));
        exporter.start(at(0)).unwrap();
        exporter.ended(&delivery, at(0));
        let sent = started(&mut exporter, at(1_000));
        assert_eq!(sent.is_some(), again, "{delivery:?}");
        let news = exporter.take_news();
        let taken = matches!(
            delivery,
            Delivery::Answered {
                status: 200..=299,
                ..
            }
        );
        assert_eq!(news.exported, if taken { 2 } else { 0 }, "{delivery:?}");
        let lost = !taken && !again;
        assert_eq!(news.dropped, if lost { 2 } else { 0 }, "{delivery:?}");
        assert_eq!(news.retried, if again { 2 } else { 0 }, "{delivery:?}");
    }
}

#[test]
fn the_waits_grow_up_to_a_bound_and_a_batch_is_not_sent_for_ever() {
    let mut exporter = exporter(1, 100).with(0..2, at(0));
    let mut sent = Vec::new();
    for second in 0..400 {
        if let Some(names) = started(&mut exporter, at(second * 1_000)) {
            sent.push((second, names[0]));
            exporter.ended(&LOST, at(second * 1_000));
        }
    }
    let first: Vec<u64> = sent
        .iter()
        .filter(|(_, name)| *name == 0)
        .map(|(second, _)| *second)
        .collect();
    assert_eq!(first, [0, 1, 3, 7, 15, 31, 61, 91, 121, 151]);
    assert_eq!(exporter.take_news().dropped, 1);
    assert_eq!(
        sent[first.len()],
        (181, 1),
        "the next batch does not begin anew"
    );
    exporter.ended(&OK, at(400_000));
}

#[test]
fn the_collector_may_ask_for_a_longer_wait_within_bounds() {
    for (retry_after, wait) in [
        (&b"5"[..], 5_000),
        (b" 5 ", 5_000),
        (b"0", 1_000),
        (b"86400", 30_000),
        (b"99999999999999999999", 1_000),
        (b"Tue, 24 Nov 2026 10:00:00 GMT", 1_000),
        (b"\xff", 1_000),
    ] {
        let mut exporter = exporter(1, 100).with(0..1, at(0));
        exporter.start(at(0)).unwrap();
        let delivery = Delivery::Answered {
            status: 429,
            retry_after: Some(retry_after),
            body: b"",
        };
        exporter.ended(&delivery, at(0));
        assert!(exporter.start(at(wait - 1)).is_none(), "{retry_after:?}");
        assert!(exporter.start(at(wait)).is_some(), "{retry_after:?}");
    }
}

#[test]
fn a_clock_that_is_set_back_holds_nothing_up() {
    let mut exporter = exporter(10, 100).with(0..1, at(10_000));
    assert!(exporter.start(at(5_000)).is_some());
    exporter.ended(&LOST, at(5_000));
    assert!(exporter.start(at(0)).is_some());
}

#[test]
fn without_room_the_latest_records_are_dropped() {
    let mut exporter = exporter(2, 4).with(0..7, at(0));
    assert_eq!(exporter.queued(), 4);
    assert_eq!(exporter.take_news().dropped, 3);
    assert_eq!(started(&mut exporter, at(0)), Some(vec![0, 1]));
    exporter.push(named(7, at(0)));
    assert_eq!(
        exporter.take_news().dropped,
        1,
        "what is under way takes room"
    );
    exporter.ended(&OK, at(0));
    let mut exporter = exporter.with(8..10, at(0));
    assert_eq!(started(&mut exporter, at(0)), Some(vec![2, 3]));
    assert_eq!(exporter.take_news().dropped, 0);
}

#[test]
fn a_queue_is_bounded_in_bytes_too() {
    let one = named(10, at(0)).size();
    let mut narrow = settings(100, 1_000);
    narrow.bounds.max_bytes = one * 3;
    let mut exporter = Exporter::new(narrow, "").with(10..20, at(0));
    assert_eq!(exporter.queued(), 3);
    exporter.start(at(1_000)).unwrap();
    let mut exporter = exporter.with(20..30, at(1_000));
    assert_eq!(
        exporter.queued(),
        3,
        "what is under way takes as much room as what waits"
    );
    exporter.ended(&OK, at(1_000));
    let exporter = exporter.with(30..40, at(1_000));
    assert_eq!(exporter.queued(), 3);
}

#[test]
fn a_batch_of_huge_records_is_split() {
    let huge = |name: usize| {
        let id = name.to_string();
        let mut record = Record::new(Reason::Public, "c0ffee", at(0));
        record.request_id = Some(&id);
        LogRecord::new(&record, &"x".repeat(400_000))
    };
    let mut exporter = exporter(100, 1_000);
    (0..5).for_each(|name| exporter.push(huge(name)));
    let mut batches = Vec::new();
    while let Some(body) = exporter.start(at(1_000)) {
        assert!(body.len() <= MAX_BATCH_BYTES + 1_000);
        batches.push(names(&body));
        exporter.ended(&OK, at(1_000));
    }
    assert_eq!(batches, [vec![0, 1], vec![2, 3], vec![4]]);
}

#[test]
fn what_a_collector_rejects_is_lost_and_told_once() {
    let mut exporter = exporter(3, 100).with(0..9, at(0));
    let partly = Delivery::Answered {
        status: 200,
        retry_after: None,
        body: br#"{"partialSuccess":{"rejectedLogRecords":"2","errorMessage":"too old"}}"#,
    };
    for round in 0..3 {
        exporter.start(at(0)).unwrap();
        exporter.ended(&partly, at(0));
        let news = exporter.take_news();
        assert_eq!((news.exported, news.dropped), (1, 2));
        assert_eq!(news.notices.len(), usize::from(round == 0));
    }
    let mut exporter = exporter.with(9..10, at(0));
    exporter.start(at(1_000)).unwrap();
    let all = Delivery::Answered {
        status: 200,
        retry_after: None,
        body: br#"{"partialSuccess":{"rejectedLogRecords":"9999"}}"#,
    };
    exporter.ended(&all, at(1_000));
    let news = exporter.take_news();
    assert_eq!(
        (news.exported, news.dropped),
        (0, 1),
        "no more than there were"
    );
}

#[test]
fn an_outage_is_told_when_it_begins_and_when_it_ends() {
    let mut exporter = exporter(1, 3).with(0..3, at(0));
    let mut told = Vec::new();
    for second in 0..60 {
        if exporter.start(at(second * 1_000)).is_some() {
            exporter.ended(&answered(503), at(second * 1_000));
        }
        exporter.push(named(7, at(0)));
        told.extend(exporter.take_news().notices);
    }
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("do not reach the collector (cluster `collector`): status 503"));
    exporter.start(at(70_000)).unwrap();
    exporter.ended(&OK, at(70_000));
    exporter.start(at(70_000)).unwrap();
    exporter.ended(&OK, at(70_000));
    let told = exporter.take_news().notices;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("60 were dropped"), "{told:?}");
}

#[test]
fn records_that_come_too_fast_are_told_once() {
    let mut exporter = exporter(2, 4).with(0..20, at(0));
    assert_eq!(exporter.take_news().notices.len(), 1);
    let mut exporter = exporter.with(20..30, at(0));
    assert_eq!(exporter.take_news().notices.len(), 0);
    for _ in 0..2 {
        exporter.start(at(0)).unwrap();
        exporter.ended(&OK, at(0));
    }
    let mut exporter = exporter.with(30..40, at(0));
    assert_eq!(exporter.take_news().notices.len(), 1);
}

#[test]
fn an_answer_to_nothing_changes_nothing() {
    let mut exporter = exporter(1, 100).with(0..2, at(0));
    exporter.ended(&OK, at(0));
    assert_eq!(exporter.queued(), 2);
    exporter.start(at(0)).unwrap();
    exporter.ended(&LOST, at(0));
    exporter.ended(&OK, at(0));
    assert_eq!(
        exporter.queued(),
        2,
        "it is no answer to what waits to be sent again"
    );
}

#[test]
fn a_new_configuration_takes_over_what_is_queued_and_under_way() {
    let mut exporter = exporter(2, 100).with(0..10, at(0));
    exporter.start(at(0)).unwrap();
    let mut exporter = exporter.succeeded_by(settings(3, 6));
    assert_eq!(exporter.queued(), 6);
    assert_eq!(exporter.take_news().dropped, 4, "there is less room now");
    assert_eq!(started(&mut exporter, at(0)), None);
    exporter.ended(&OK, at(0));
    assert_eq!(started(&mut exporter, at(0)), Some(vec![2, 3, 4]));
}

#[test]
fn without_an_export_in_the_new_configuration_the_rest_is_counted_as_dropped() {
    let mut exporter = exporter(2, 100).with(0..10, at(0));
    exporter.start(at(0)).unwrap();
    exporter.abandon();
    assert_eq!((exporter.queued(), exporter.take_news().dropped), (0, 10));
    exporter.ended(&OK, at(0));
    assert_eq!(exporter.take_news(), News::default());
}
