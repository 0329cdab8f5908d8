//! One canonical request: the table of spellings, and what holds of every spelling.
#![cfg(not(target_arch = "wasm32"))]

use std::sync::{Arc, LazyLock};

use chacha20::ChaCha8Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use hallpass_core::config::Config;
use hallpass_core::denial::Reason;
use hallpass_core::edits::Edits;
use hallpass_core::flow::{Exchange, Gate, Step};
use hallpass_core::request::{CanonicalRequest, RequestHead};
use hallpass_core::time::UnixMillis;
use hallpass_core::token::signature::PureRust;
use hallpass_requests::{Outcome, Proxy, Row, is_guarded, policy, readings, rows};
use hallpass_tokens::{ISSUER, NOW, SigningKey, jwks};
use serde_json::json;

/// What a spelling is put together from: names, and everything that changes what a name means to somebody.
const PIECES: [&str; 54] = [
    "/",
    "/",
    "/",
    "/",
    "a",
    "b",
    "public",
    "admin",
    "ADMIN",
    ".",
    ".",
    "..",
    "...",
    "//",
    "\\",
    ";",
    ";x=y",
    "?",
    "#",
    "%",
    "%2e",
    "%2E",
    "%2f",
    "%2F",
    "%5c",
    "%25",
    "%252e",
    "%252f",
    "%3b",
    "%3f",
    "%23",
    "%20",
    "%00",
    "%09",
    "%0a",
    "%7f",
    "%41",
    "%61",
    "%c0%af",
    "%c0%ae",
    "%c3%a9",
    "%e0%80%af",
    "%ff",
    "%zz",
    "%u002e",
    "~",
    "%7e",
    "+",
    "&",
    ":",
    "%3a",
    "@",
    "%40",
    " ",
];

fn head(method: &str, authority: &[u8], target: &[u8]) -> RequestHead {
    let mut head = RequestHead::default();
    head.headers.push(b":method", method.as_bytes());
    head.headers.push(b":authority", authority);
    head.headers.push(b":path", target);
    head
}

fn canonical(target: &str) -> Option<CanonicalRequest> {
    head("GET", b"open.example", target.as_bytes())
        .canonical()
        .ok()
}

fn gate() -> Gate {
    static CONFIG: LazyLock<Arc<Config>> = LazyLock::new(|| {
        let provider = json!({
            "name": "corp", "issuer": ISSUER, "audiences": ["orders-api"],
            "jwks": { "inline": jwks(&[&SigningKey::es256("kid-1")]) },
        });
        let config = json!({ "providers": [provider], "resources": policy() }).to_string();
        Arc::new(Config::parse(config.as_bytes()).expect("the configuration is sound"))
    });
    Gate::new(CONFIG.clone(), Box::new(PureRust))
}

/// What becomes of a row where the filter is the first to read it.
fn outcome(row: &Row) -> Outcome {
    let [host, others @ ..] = row.hosts.as_slice() else {
        let mut head = RequestHead::default();
        head.headers.push(b":method", row.method.as_bytes());
        head.headers.push(b":path", &row.target);
        return judged(head, b"", row);
    };
    let mut head = head(row.method, host, &row.target);
    for other in others {
        head.headers.push(b":authority", other);
    }
    judged(head, host, row)
}

fn judged(mut head: RequestHead, host: &[u8], row: &Row) -> Outcome {
    for (name, value) in &row.headers {
        head.headers.push(name.as_bytes(), value.as_bytes());
    }
    let now = UnixMillis::new(u64::try_from(NOW * 1000).expect("after 1970"));
    match Exchange::new(head).start(&mut gate(), now) {
        Step::Continue(passage) => {
            let upstream = |name: &str, came: &[u8]| upstream(&passage.edits, name, came);
            Outcome::Upstream {
                host: upstream(":authority", host),
                target: upstream(":path", &row.target),
            }
        }
        Step::Respond(refusal) => match refusal.reason {
            Reason::RequestAmbiguous => Outcome::Ambiguous,
            Reason::ResourceUnknown => Outcome::Unknown,
            Reason::TokenMissing => Outcome::Guarded,
            other => panic!("{}: {}", row.name, other.as_str()),
        },
        Step::Wait(need) => panic!("{}: it waits for {need:?}", row.name),
    }
}

fn upstream(edits: &Edits, name: &str, came: &[u8]) -> String {
    let replaced = edits.replace.iter().find(|(other, _)| *other == name);
    let value = replaced.map_or(came, |(_, value)| value);
    String::from_utf8_lossy(value).into_owned()
}

#[test]
fn every_row_of_the_table_is_refused_or_goes_upstream_as_it_was_matched() {
    let wrong: Vec<String> = rows()
        .iter()
        .map(|row| (row, outcome(row)))
        .filter(|(row, outcome)| outcome != row.expected(Proxy::Absent))
        .map(|(row, outcome)| format!("{}: {outcome:.80?}", row.name))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_canonical_form_has_no_other_and_means_one_thing_to_every_server() {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut below = |bound: usize| random.next_u32() as usize % bound;
    let mut accepted = 0;
    for _ in 0..60_000 {
        let length = 1 + below(7);
        let pieces: Vec<&str> = (0..length).map(|_| PIECES[below(PIECES.len())]).collect();
        let target = format!("/{}", pieces.concat());
        let Some(one) = canonical(&target) else {
            continue;
        };
        accepted += 1;
        let again = canonical(&one.path).expect("a canonical form has one");
        assert_eq!(
            (&again.path, again.rewritten_target),
            (&one.path, None),
            "{target}"
        );
        let plain = percent_encoding::percent_decode_str(&one.path)
            .decode_utf8()
            .expect("escapes are text");
        for reading in readings(one.path.as_bytes()) {
            let known = [one.path.as_str(), &plain].map(str::to_ascii_lowercase);
            let shown = reading.escape_ascii();
            assert!(
                known.iter().any(|known| known.as_bytes() == reading),
                "{target} goes upstream as {}, and a server may read {shown}",
                one.path,
            );
        }
    }
    assert!(accepted > 3_000, "only {accepted} are canonical");
}

#[test]
fn no_spelling_reaches_a_guarded_folder_through_the_rule_for_another() {
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let mut below = |bound: usize| random.next_u32() as usize % bound;
    let (mut passed, mut guarded) = (0, 0);
    for _ in 0..20_000 {
        let between: Vec<&str> = (0..below(5)).map(|_| PIECES[below(PIECES.len())]).collect();
        let first = ["/public/", "/public", "/", "/admin"][below(4)];
        let target = format!("{first}{}/admin/x", between.concat());
        let row = head("GET", b"open.example", target.as_bytes());
        let now = UnixMillis::new(u64::try_from(NOW * 1000).expect("after 1970"));
        match Exchange::new(row).start(&mut gate(), now) {
            Step::Continue(passage) => {
                passed += 1;
                let arrived = upstream(&passage.edits, ":path", target.as_bytes());
                let reached = is_guarded("open.example", arrived.as_bytes());
                assert!(!reached, "{target} arrives as {arrived}");
            }
            Step::Respond(refusal) if refusal.reason == Reason::TokenMissing => guarded += 1,
            Step::Respond(_) => {}
            Step::Wait(need) => panic!("{target} waits for {need:?}"),
        }
    }
    assert!(passed > 100 && guarded > 100, "{passed} and {guarded}");
}
