//! Whatever happens in whatever order, each record is exported once or counted as dropped, in its order, and never more of them wait than
//! may.
#![cfg(not(target_arch = "wasm32"))]

use std::collections::BTreeSet;
use std::time::Duration;

use chacha20::ChaCha8Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use hallpass_core::audit::Record;
use hallpass_core::audit::export::{Delivery, Exporter};
use hallpass_core::audit::otlp::LogRecord;
use hallpass_core::config::Config;
use hallpass_core::denial::Reason;
use hallpass_core::time::UnixMillis;
use serde_json::{Value, json};

const EVENTS: usize = 2_000;
const MAX_BYTES: usize = 64 << 10;

fn exporter(random: &mut ChaCha8Rng) -> Exporter {
    let batch = 1 + below(random, 8);
    let config = json!({
        "resources": [{ "name": "all", "match": { "paths": ["/{*rest}"] }, "access": "public" }],
        "audit": { "otlp": {
            "cluster": "collector", "batch": batch, "interval": "1s",
            "max_queued": batch + below(random, 60), "max_queued_bytes": MAX_BYTES,
        } },
    });
    let config = Config::parse(config.to_string().as_bytes()).expect("a sound configuration");
    Exporter::new(config.audit.otlp.expect("it exports"), "")
}

fn below(random: &mut ChaCha8Rng, bound: u32) -> usize {
    usize::try_from(random.next_u32() % bound).expect("a small number")
}

fn record(name: usize, size: usize, now: UnixMillis) -> LogRecord {
    let id = name.to_string();
    let mut record = Record::new(Reason::Public, "c0ffee", now);
    record.request_id = Some(&id);
    LogRecord::new(&record, &"x".repeat(size))
}

fn names(body: &[u8]) -> Vec<usize> {
    let sent: Value = serde_json::from_slice(body).expect("a batch is JSON");
    let records = sent["resourceLogs"][0]["scopeLogs"][0]["logRecords"].as_array();
    let records = records.expect("a batch has records").iter();
    records
        .map(|record| {
            let attributes = record["attributes"].as_array().expect("attributes");
            let id = attributes
                .iter()
                .find(|attribute| attribute["key"] == "hallpass.request_id");
            let id = id.expect("a name")["value"]["stringValue"].as_str();
            id.and_then(|id| id.parse().ok()).expect("a number")
        })
        .collect()
}

#[test]
fn each_record_is_exported_once_or_dropped_and_counted_and_the_queue_keeps_its_bounds() {
    for seed in 0..20 {
        let random = &mut ChaCha8Rng::seed_from_u64(seed);
        let mut exporter = exporter(random);
        let most = exporter.settings().bounds.max_entries;
        let mut now = UnixMillis::new(1_790_000_000_000);
        let (mut pushed, mut taken, mut dropped) = (0, 0, 0);
        let mut under_way: Option<Vec<usize>> = None;
        let mut arrived = BTreeSet::new();
        let mut last_first = 0;
        for _ in 0..EVENTS {
            match below(random, 10) {
                0..=4 => {
                    let size = if below(random, 10) == 0 { 9_000 } else { 10 };
                    exporter.push(record(pushed, size, now));
                    pushed += 1;
                }
                5 | 6 => {
                    if let Some(body) = exporter.start(now) {
                        assert_eq!(under_way, None, "seed {seed}: one at a time");
                        let names = names(&body);
                        assert!(names.is_sorted() && names[0] >= last_first, "seed {seed}");
                        last_first = names[0];
                        under_way = Some(names);
                    }
                }
                7 | 8 => {
                    let status = [200, 200, 200, 204, 503, 429, 400, 0][below(random, 8)];
                    let delivery = if status == 0 {
                        Delivery::Failed("nobody answered")
                    } else {
                        Delivery::Answered {
                            status,
                            retry_after: None,
                            body: b"{}",
                        }
                    };
                    exporter.ended(&delivery, now);
                    if let Some(names) = under_way.take()
                        && (200..300).contains(&status)
                    {
                        for name in names {
                            assert!(arrived.insert(name), "seed {seed}: {name} twice");
                        }
                    }
                }
                _ => {
                    let step = Duration::from_millis(u64::from(random.next_u32() % 40_000));
                    // Now and then the clock is set back.
                    now = match below(random, 8) {
                        0 => now.saturating_sub(step),
                        _ => now.saturating_add(step),
                    };
                }
            }
            let news = exporter.take_news();
            taken += news.exported;
            dropped += news.dropped;
            assert_eq!(taken, arrived.len(), "seed {seed}");
            assert_eq!(taken + dropped + exporter.queued(), pushed, "seed {seed}");
            assert!(exporter.queued() <= most, "seed {seed}");
        }
        assert!(taken > 0, "seed {seed}: the collector took something");
    }
}
