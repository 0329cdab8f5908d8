//! Target `request`: a stranger's request, from its bytes to what the upstream would get.

use hallpass_core::denial::Reason;
use hallpass_core::edits::Edits;
use hallpass_core::flow::{Exchange, Gate, Step};
use hallpass_core::headers::HeaderList;
use hallpass_core::request::{CanonicalRequest, RequestHead};
use hallpass_core::token::signature::PureRust;
use percent_encoding::percent_decode_str;

use crate::{Reached, input, promise, world};

/// Reads a method, an authority and a target, a line each, and then lines of headers.
///
/// # Panics
/// When a canonical form is not the only one, or could be read in two ways; when a request without a token passes where it is not
/// public; and when what goes upstream still speaks for the filter.
pub fn request(data: &[u8]) -> Reached {
    let (method, rest) = input::line(data);
    let (authority, rest) = input::line(rest);
    let (target, lines) = input::line(rest);
    let mut head = head_of(method, authority, target);
    input::add_headers(&mut head.headers, lines);
    match head.canonical() {
        Ok(canonical) => {
            check_path(&canonical.path);
            check_host(&canonical.host);
            check_stability(&canonical, authority, target);
            check_passage(head, &canonical)
        }
        Err(ambiguous) => {
            promise::one_line(&ambiguous.to_string());
            let step = start(head);
            promise::step(&step);
            assert!(matches!(step, Step::Respond(_)), "ambiguous, and {step:?}");
            Reached::Unread
        }
    }
}

fn head_of(method: &[u8], authority: &[u8], target: &[u8]) -> RequestHead {
    let mut head = RequestHead::default();
    head.headers.push(b":method", method);
    head.headers.push(b":authority", authority);
    head.headers.push(b":path", target);
    head
}

/// However often an upstream decodes it, the path keeps its segments.
fn check_path(path: &str) {
    assert!(path.starts_with('/'), "{path}");
    let decoded = percent_decode_str(path)
        .decode_utf8()
        .expect("escapes are UTF-8");
    for spelling in [path, &decoded] {
        let mut segments: Vec<&str> = spelling.split('/').skip(1).collect();
        let last = segments.pop().expect("behind the first slash");
        let cut_short = |segment: &str| segment.ends_with(['.', ' ']);
        assert!(!cut_short(last), "{path}");
        let plain = |segment: &&str| !segment.is_empty() && !cut_short(segment);
        assert!(segments.iter().all(plain), "{path}");
    }
    let slashes = |text: &str| text.matches('/').count();
    assert_eq!(slashes(path), slashes(&decoded), "{path}");
    let dangerous = |c: char| c.is_ascii_control() || ['\\', '%', ';', '?', '#'].contains(&c);
    assert!(!decoded.contains(dangerous), "{path}");
}

fn check_host(host: &str) {
    assert_eq!(host, host.to_ascii_lowercase());
    assert!(!host.is_empty() && !host.contains(['@', '/', ',', ' ', '%']));
    assert!(host.starts_with('[') || !host.contains(':'), "{host}");
}

/// What goes upstream has the same canonical form, and its query is what came.
fn check_stability(canonical: &CanonicalRequest, authority: &[u8], target: &[u8]) {
    let at = match &canonical.rewritten_authority {
        Some(rewritten) => rewritten.as_bytes(),
        None => authority,
    };
    assert_eq!(at, at.to_ascii_lowercase());
    assert!(at.starts_with(canonical.host.as_bytes()));
    let upstream = match &canonical.rewritten_target {
        Some(rewritten) => rewritten.as_bytes(),
        None => target,
    };
    let query = |target: &[u8]| {
        let mark = target.iter().position(|byte| *byte == b'?');
        mark.map(|mark| target[mark..].to_vec())
    };
    assert_eq!(query(upstream), query(target));
    let again = head_of(canonical.method.as_bytes(), at, upstream);
    let again = again.canonical().expect("a canonical form has one");
    let expected = CanonicalRequest {
        rewritten_target: None,
        rewritten_authority: None,
        ..canonical.clone()
    };
    assert_eq!(again, expected);
}

/// A stranger passes where it is public, with nothing left by which he could speak for the filter.
fn check_passage(head: RequestHead, canonical: &CanonicalRequest) -> Reached {
    let headers = head.headers.clone();
    let step = start(head);
    let reached = promise::step(&step);
    match step {
        Step::Continue(passage) => {
            assert_eq!(passage.reason, Reason::Public);
            let path = &canonical.path;
            assert!(path == "/healthz" || path.starts_with("/public/"), "{path}");
            check_upstream(&headers, &passage.edits);
        }
        Step::Respond(_) => {}
        Step::Wait(need) => panic!("waits for {need:?} on behalf of a stranger"),
    }
    reached
}

fn check_upstream(headers: &HeaderList, edits: &Edits) {
    let sources = &world::config().token_sources;
    for (name, value) in headers.iter() {
        let removed = edits.remove.iter().any(|other| **other == *name);
        let replaced = edits
            .replace
            .iter()
            .any(|(other, _)| other.as_bytes() == name);
        if !removed && !replaced {
            assert!(!world::protected(name), "{}", name.escape_ascii());
            promise::no_token(name, value, sources);
            let added = edits.additions().any(|(other, _)| other.as_bytes() == name);
            assert!(!added, "{} stands twice", name.escape_ascii());
        }
    }
}

fn start(head: RequestHead) -> Step {
    let mut gate = Gate::new(world::config(), Box::new(PureRust));
    Exchange::new(head).start(&mut gate, world::now())
}
