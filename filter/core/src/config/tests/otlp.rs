use super::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn nothing_is_exported_unless_a_collector_is_named() {
    assert!(parse(&sound()).unwrap().audit.otlp.is_none());
    let config = parse(&with("/audit", json!({ "log": "none" }))).unwrap();
    assert!(config.audit.otlp.is_none());
}

#[test]
fn a_collector_needs_no_more_than_a_name() {
    let config = with(
        "/audit",
        json!({ "log": "none", "otlp": { "cluster": "collector" } }),
    );
    let config = parse(&config).unwrap();
    assert_eq!(config.audit.log, AuditLog::None);
    let otlp = config.audit.otlp.unwrap();
    assert_eq!(otlp.cluster, "collector");
    assert_eq!(otlp.authority, "collector");
    assert_eq!(otlp.path, "/v1/logs");
    assert_eq!(otlp.timeout, Duration::from_secs(5));
    assert_eq!(otlp.decisions, AuditLog::All);
    assert_eq!(otlp.batch, 100);
    assert_eq!(otlp.interval, Duration::from_secs(1));
    assert_eq!(otlp.bounds.max_entries, 10_000);
    assert_eq!(otlp.bounds.max_bytes, 8 << 20);
}

#[test]
fn every_fault_of_a_collector_is_told() {
    let told = faults(&with(
        "/audit",
        json!({ "otlp": {
            "cluster": "", "path": "v1/logs", "headers": { "authorization": "secret\n" }, "timeout": "0s", "decisions": "none",
            "batch": 0, "interval": "1ms", "max_queued": 0, "max_queued_bytes": 1, "url": "x",
        } }),
    ));
    for expected in [
        "`audit.otlp.cluster`: found an empty string",
        r#"`audit.otlp.path`: found `"v1/logs"`, expected a path"#,
        "`audit.otlp.headers.authorization`: found a value that is not shown",
        r#"`audit.otlp.timeout`: found `"0s"`"#,
        r#"`audit.otlp.decisions`: found `"none"`, expected `all` or `denied`"#,
        "`audit.otlp.batch`: found `0`, expected a number from `1` to `1000`",
        r#"`audit.otlp.interval`: found `"1ms"`"#,
        "`audit.otlp.max_queued`: found `0`",
        "`audit.otlp.max_queued_bytes`: found `1`",
        "`audit.otlp.url`: found an unknown field",
    ] {
        assert!(
            told.iter().any(|fault| fault.starts_with(expected)),
            "not told: {expected}\ntold: {told:#?}"
        );
    }
    assert_eq!(told.len(), 10, "{told:#?}");
    assert_eq!(
        faults(&with("/audit", json!({ "otlp": {} }))),
        ["`audit.otlp.cluster`: found nothing, expected a string"]
    );
    let told = faults(&with(
        "/audit",
        json!({ "otlp": { "cluster": "c", "batch": 50, "max_queued": 49 } }),
    ));
    assert_eq!(
        told,
        ["`audit.otlp.max_queued`: found `49`, expected at least as many as `batch`"]
    );
}
