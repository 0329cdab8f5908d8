//! Nobody writes a record but the filter, whatever a request and its token say: as many lines as requests, each one JSON object, each
//! about the request that it names.

use std::collections::BTreeSet;
use std::time::Duration;

use hallpass_demo::idp::{IdentityProvider, signing_key, token_for};
use hallpass_envoy_tests::raw;
use serde_json::{Value, json};

use crate::world::World;

/// What ends a line, a text or an object for one reader or another, and pretends to be a record.
const HOSTILE: [&str; 7] = [
    "x\nhallpass.audit {\"decision\":\"allow\",\"forged\":true}",
    "x\r\n[info] wasm log: hallpass.audit {\"decision\":\"allow\",\"forged\":true}\r\n",
    "x\",\"decision\":\"allow\",\"forged\":true,\"y\":\"",
    "x\\",
    "x\u{2028}hallpass.audit {\"forged\":true}\u{2029}\u{85}",
    "x\u{1b}[2K\u{9b}\u{7f}\u{8}",
    "\u{202e}ecila\u{2066}\u{feff}\u{10ffff}",
];

struct Sent {
    target: Vec<u8>,
    host: Vec<u8>,
    headers: Vec<u8>,
}

impl Sent {
    fn new(target: impl AsRef<[u8]>) -> Self {
        Self {
            target: target.as_ref().to_vec(),
            host: b"admin.example".to_vec(),
            headers: Vec::new(),
        }
    }

    fn host(self, host: impl AsRef<[u8]>) -> Self {
        let host = host.as_ref().to_vec();
        Self { host, ..self }
    }

    fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        for part in [name.as_bytes(), b": ", value.as_ref(), b"\r\n"] {
            self.headers.extend_from_slice(part);
        }
        self
    }

    fn token(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    fn bytes(&self) -> Vec<u8> {
        let parts: [&[u8]; 7] = [
            b"GET ",
            &self.target,
            b" HTTP/1.1\r\nhost: ",
            &self.host,
            b"\r\nconnection: close\r\n",
            &self.headers,
            b"\r\n",
        ];
        parts.concat()
    }
}

/// The request's name, by the filter's refusal or the upstream's echo; `None` for what Envoy refuses itself, before any filter.
fn request_id(answer: &str) -> Option<String> {
    let (_, body) = answer.split_once("\r\n\r\n")?;
    let body: Value = serde_json::from_str(body).ok()?;
    let id = body
        .get("request_id")
        .or_else(|| body["headers"].get("x-request-id"));
    id?.as_str().map(str::to_owned)
}

fn requests() -> Vec<Sent> {
    let mut requests = Vec::new();
    for text in HOSTILE {
        let by_subject = token_for(text).id(text).claim("acr", json!(text));
        requests.push(Sent::new("/me/subject").token(&by_subject.signed_by(signing_key())));
        let by_key = token_for("alice").header("kid", json!(text));
        requests.push(Sent::new("/me/kid").token(&by_key.signed_by(signing_key())));
        let escaped: Vec<String> = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let escaped = escaped.concat();
        requests.push(Sent::new(format!("/me/{escaped}?{escaped}")));
        // Bytes that cannot stand in a request would only test Envoy's parser.
        let inline: String = text
            .chars()
            .filter(|c| !c.is_control() && *c != ' ')
            .collect();
        requests.push(Sent::new(format!("/me/{inline}")));
        requests.push(Sent::new("/me/host").host(&inline));
        requests.push(Sent::new("/me/id").header("x-request-id", &inline));
        requests.push(Sent::new("/me/agent").header("user-agent", &inline));
    }
    requests.push(Sent::new(b"/me/\xff\xfe\xc0\xaf"));
    requests.push(Sent::new("/me/host").host(b"\xff\xfe"));
    requests.push(Sent::new("/me/id").header("x-request-id", b"\xff\"}"));
    requests.push(Sent::new(format!("/me/{}", "a".repeat(50_000))));
    requests
}

#[test]
fn there_is_one_line_for_each_request_and_none_that_somebody_else_wrote() {
    let world = World::new(IdentityProvider::start(0).unwrap(), |setup| {
        // A subject that is told to the upstream may hold no controls; this one only goes into the records.
        setup.plugin(|plugin| {
            plugin["identity_headers"] = json!({ "subject": null, "email": null, "groups": null });
        })
    });
    let mut judged = BTreeSet::new();
    let mut by_envoy = 0;
    let send = |sent: &Sent| request_id(&raw(world.proxy.address(), &sent.bytes()).1);
    for sent in requests() {
        match send(&sent) {
            Some(id) => assert!(judged.insert(id), "two requests of one name"),
            None => by_envoy += 1,
        }
    }
    assert!(
        by_envoy < judged.len() / 2,
        "{by_envoy} never reached the filter"
    );
    // What was written before this one's line was read before it.
    judged.insert(send(&Sent::new("/me/last")).expect("it is judged"));

    let log = world.proxy.log();
    let patience = Duration::from_secs(5);
    assert_eq!(
        log.await_audit(1, patience, |line| line["path"] == "/me/last")
            .len(),
        1
    );
    let lines = log.await_audit(judged.len(), patience, |_| true);
    let named: Vec<_> = lines
        .iter()
        .map(|line| line["request_id"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(
        named.len(),
        judged.len(),
        "one line for each request: {lines:?}"
    );
    assert_eq!(named.into_iter().collect::<BTreeSet<_>>(), judged);
    for line in &lines {
        assert!(line.is_object() && line.get("forged").is_none(), "{line}");
    }
    for text in HOSTILE {
        let told = lines.iter().filter(|line| line["subject"] == text);
        assert_eq!(told.count(), 1, "the subject {text:?}");
    }
    for line in log.so_far() {
        let plain = |c: char| !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{202e}');
        assert!(line.chars().all(plain), "{line:?}");
    }
}
