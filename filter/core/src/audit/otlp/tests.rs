use super::*;
use crate::audit::Trace;
use crate::denial::Reason;
use crate::headers::HeaderList;
use serde_json::json;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const NOW: UnixMillis = UnixMillis::new(1_790_000_000_123);

fn full<'a>(reason: Reason) -> Record<'a> {
    let mut record = Record::new(reason, "c0ffee", NOW);
    record.subject = Some("alice");
    record.issuer = Some("https://idp.example");
    record.resource = Some("orders");
    record.action = Some("read");
    record.method = Some("GET".into());
    record.host = Some("admin.example".into());
    record.path = Some("/orders/7".into());
    record.source_ip = Some("10.1.2.3".parse().unwrap());
    record.request_id = Some("r-1");
    record.token_id = Some("t-1");
    record.acr = Some("phr");
    record.grant_id = Some("g-42");
    record.grant_expires = Some("2026-11-23T21:00:00.000Z".to_owned());
    record
}

fn sent(record: &Record<'_>) -> Value {
    let record = LogRecord::new(record, &record.to_line());
    serde_json::from_slice(&Envelope::new("").around(&[record])).unwrap()
}

fn only_record(sent: &Value) -> &Value {
    let records = sent["resourceLogs"][0]["scopeLogs"][0]["logRecords"].as_array();
    assert_eq!(records.unwrap().len(), 1);
    &records.unwrap()[0]
}

fn attribute<'a>(record: &'a Value, key: &str) -> &'a Value {
    let attributes = record["attributes"].as_array().unwrap();
    let found = attributes.iter().find(|attribute| attribute["key"] == key);
    &found.unwrap_or_else(|| panic!("no `{key}`: {record:#}"))["value"]
}

#[test]
fn a_record_is_sent_as_the_protocol_writes_it() {
    let record = full(Reason::GrantCached);
    let line = record.to_line();
    let sent = sent(&record);
    let one = only_record(&sent);
    assert_eq!(one["timeUnixNano"], "1790000000123000000");
    assert_eq!(one["observedTimeUnixNano"], "1790000000123000000");
    assert_eq!(one["severityNumber"], 9);
    assert_eq!(one["severityText"], "INFO");
    assert_eq!(one["eventName"], "hallpass.decision");
    assert_eq!(one["body"], json!({ "stringValue": line }));
    for (key, value) in [
        ("hallpass.reason", json!({ "stringValue": "grant_cached" })),
        ("hallpass.enforced", json!({ "boolValue": true })),
        ("http.response.status_code", json!({ "intValue": 200 })),
        ("enduser.id", json!({ "stringValue": "alice" })),
        ("client.address", json!({ "stringValue": "10.1.2.3" })),
    ] {
        assert_eq!(attribute(one, key), &value, "{key}");
    }
    let resource = &sent["resourceLogs"][0]["resource"];
    assert_eq!(
        resource["attributes"],
        json!([{ "key": "service.name", "value": { "stringValue": "hallpass" } }])
    );
    assert_eq!(
        sent["resourceLogs"][0]["scopeLogs"][0]["scope"]["name"],
        "hallpass"
    );
}

#[test]
fn a_refusal_is_a_warning() {
    let sent = sent(&full(Reason::GrantDenied));
    assert_eq!(only_record(&sent)["severityText"], "WARN");
    assert_eq!(only_record(&sent)["severityNumber"], 13);
}

#[test]
fn every_member_of_the_line_is_an_attribute() {
    let record = full(Reason::GrantCached);
    let line: Value = serde_json::from_str(&record.to_line()).unwrap();
    // The record has a time of its own.
    let members = line.as_object().unwrap().len() - 1;
    let sent = sent(&record);
    let attributes = only_record(&sent)["attributes"].as_array().unwrap();
    assert_eq!(attributes.len(), members, "{attributes:#?}");
}

#[test]
fn what_is_not_known_is_left_out() {
    let sent = sent(&Record::new(Reason::TokenMissing, "c0ffee", NOW));
    let record = only_record(&sent);
    assert_eq!(record["attributes"].as_array().unwrap().len(), 5);
    for member in ["traceId", "spanId", "flags"] {
        assert!(record.get(member).is_none(), "{member}");
    }
}

#[test]
fn a_record_belongs_to_the_trace_of_its_request() {
    let mut headers = HeaderList::default();
    let value = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    headers.push(b"traceparent", value);
    let mut record = full(Reason::GrantCached);
    record.trace = Trace::of(&headers);
    let sent = sent(&record);
    let record = only_record(&sent);
    assert_eq!(record["traceId"], "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(record["spanId"], "b7ad6b7169203331");
    assert_eq!(record["flags"], 1);
}

#[test]
fn nobody_can_write_a_record_into_another() {
    let forged = r#""}},{"timeUnixNano":"1","body":{"stringValue":"forged"}},{"x":{"y":""#;
    let mut record = full(Reason::GrantDenied);
    record.subject = Some(forged);
    record.path = Some(format!("/a\n\u{0}\u{2028}{forged}").into());
    let sent = sent(&record);
    let one = only_record(&sent);
    assert_eq!(attribute(one, "enduser.id")["stringValue"], forged);
}

#[test]
fn long_texts_are_shortened() {
    let long = "ë".repeat(40_000);
    let mut record = full(Reason::GrantDenied);
    record.path = Some(long.as_str().into());
    let sent = sent(&record);
    let one = only_record(&sent);
    let path = attribute(one, "url.path")["stringValue"].as_str().unwrap();
    assert_eq!(path, "ë".repeat(MAX_TEXT_BYTES / 2));
    assert!(sent.to_string().len() < 6_000);
}

#[test]
fn the_proxy_is_named_where_it_has_a_name() {
    let record = LogRecord::new(&full(Reason::Public), "{}");
    let body = Envelope::new("edge-\"1\"").around(&[record.clone(), record]);
    let sent: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        sent["resourceLogs"][0]["resource"]["attributes"][1],
        json!({ "key": "service.instance.id", "value": { "stringValue": "edge-\"1\"" } })
    );
    let records = &sent["resourceLogs"][0]["scopeLogs"][0]["logRecords"];
    assert_eq!(records.as_array().unwrap().len(), 2);
}

#[test]
fn a_collector_may_take_a_batch_in_part() {
    let large = json!({ "partialSuccess": { "rejectedLogRecords": 7, "errorMessage": "x".repeat(MAX_ANSWER_BYTES) } });
    for (body, rejected, message) in [
        ("", 0, ""),
        ("{}", 0, ""),
        ("<html>", 0, ""),
        (r#"{"partialSuccess":null}"#, 0, ""),
        (r#"{"partialSuccess":{}}"#, 0, ""),
        (
            r#"{"partialSuccess":{"rejectedLogRecords":"2","errorMessage":"too\nold"}}"#,
            2,
            r"too\nold",
        ),
        (r#"{"partialSuccess":{"rejectedLogRecords":2}}"#, 2, ""),
        (r#"{"partialSuccess":{"rejectedLogRecords":-2}}"#, 0, ""),
        (r#"{"partialSuccess":{"rejectedLogRecords":"-2"}}"#, 0, ""),
        (r#"{"partialSuccess":{"rejectedLogRecords":[]}}"#, 0, ""),
        (&large.to_string(), 0, ""),
    ] {
        let read = Acceptance::read(body.as_bytes());
        assert_eq!(read.rejected, rejected, "{body}");
        assert_eq!(read.message, message, "{body}");
    }
}
