//! What servers take a path for: every reading that one of them has, and all of these one after the other.

use std::collections::BTreeSet;

use percent_encoding::percent_decode;

use crate::{GUARDED_HOST, GUARDED_PATHS};

/// More readings than any path of the table has; one that has more is cut off there.
const MOST: usize = 5_000;

/// What a server makes of a path.
type Step = fn(&[u8]) -> Vec<u8>;

/// Every path that a server could take `path` for. Each step is one that some server takes, and a chain of servers takes several.
pub fn readings(path: &[u8]) -> BTreeSet<Vec<u8>> {
    const STEPS: [Step; 8] = [
        decoded,
        without_overlong_forms,
        with_slashes_for_backslashes,
        without_parameters,
        without_the_rest,
        with_slashes_merged,
        with_names_cut_short,
        without_dot_segments,
    ];
    let mut known = BTreeSet::new();
    let mut open = vec![path.to_ascii_lowercase()];
    while let Some(reading) = open.pop() {
        if known.len() < MOST && known.insert(reading.clone()) {
            open.extend(STEPS.map(|step| step(&reading).to_ascii_lowercase()));
        }
    }
    known
}

/// Whether a server could take a request for one to the guarded host, or for the guarded folder.
pub fn is_guarded(host: &str, target: &[u8]) -> bool {
    let name = host.rsplit('@').next().unwrap_or_default();
    let name = name.split(':').next().unwrap_or_default();
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    // Some have the whole URL in the target.
    let path = target
        .windows(3)
        .position(|window| window == b"://")
        .filter(|place| *place < 8)
        .map_or(target, |place| &target[place + 3..]);
    // Everyone ends a path at its first question mark.
    let path = path.split(|byte| *byte == b'?').next().unwrap_or_default();
    let is_guarded = |reading: &Vec<u8>| {
        let mut folders = GUARDED_PATHS.iter();
        folders.any(|folder| {
            let below = reading.strip_prefix(folder.as_bytes());
            below.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
        })
    };
    name == GUARDED_HOST || readings(path).iter().any(is_guarded)
}

fn decoded(path: &[u8]) -> Vec<u8> {
    percent_decode(path).collect()
}

/// Bytes that lax decoders take for `/`, `.` and `\`, though UTF-8 forbids them.
fn without_overlong_forms(path: &[u8]) -> Vec<u8> {
    const FORMS: [(&[u8], u8); 6] = [
        (b"\xc0\xaf", b'/'),
        (b"\xe0\x80\xaf", b'/'),
        (b"\xf0\x80\x80\xaf", b'/'),
        (b"\xc0\xae", b'.'),
        (b"\xe0\x80\xae", b'.'),
        (b"\xc1\x9c", b'\\'),
    ];
    let mut read = Vec::new();
    let mut rest = path;
    while let Some(first) = rest.first() {
        let form = FORMS.iter().find(|(form, _)| rest.starts_with(form));
        let (byte, length) = form.map_or((*first, 1), |(form, byte)| (*byte, form.len()));
        read.push(byte);
        rest = &rest[length..];
    }
    read
}

fn with_slashes_for_backslashes(path: &[u8]) -> Vec<u8> {
    path.iter()
        .map(|byte| if *byte == b'\\' { b'/' } else { *byte })
        .collect()
}

/// Path parameters: what stands between `;` and the next `/`.
fn without_parameters(path: &[u8]) -> Vec<u8> {
    each_segment(path, |segment| {
        segment
            .split(|byte| *byte == b';')
            .next()
            .unwrap_or_default()
    })
}

/// What stands behind a `?`, a `#`, a NUL or a line break.
fn without_the_rest(path: &[u8]) -> Vec<u8> {
    path.split(|byte| b"?#\0\r\n".contains(byte))
        .next()
        .unwrap_or_default()
        .to_vec()
}

fn with_slashes_merged(path: &[u8]) -> Vec<u8> {
    let mut read = path.to_vec();
    read.dedup_by(|second, first| *second == b'/' && *first == b'/');
    read
}

/// Windows takes `admin.` and `admin ` for `admin`.
fn with_names_cut_short(path: &[u8]) -> Vec<u8> {
    each_segment(path, |segment| {
        let end = segment.iter().rposition(|byte| !b". ".contains(byte));
        match end {
            Some(end) => &segment[..=end],
            // A dot segment is another matter.
            None if segment.starts_with(b"..") => b"..",
            None => segment,
        }
    })
}

/// RFC 3986, section 5.2.4.
fn without_dot_segments(path: &[u8]) -> Vec<u8> {
    let mut read: Vec<&[u8]> = Vec::new();
    let mut segments = path.split(|byte| *byte == b'/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            b"." | b".." => {
                if segment == b".." {
                    read.pop();
                }
                if last {
                    read.push(b"");
                }
            }
            name => read.push(name),
        }
    }
    [b"/", read.join(&b'/').as_slice()].concat()
}

fn each_segment(path: &[u8], read: impl Fn(&[u8]) -> &[u8]) -> Vec<u8> {
    path.split(|byte| *byte == b'/')
        .map(read)
        .collect::<Vec<_>>()
        .join(&b'/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_around_that_is_known_leads_to_the_guarded_folder() {
        for path in [
            &b"/admin"[..],
            b"/ADMIN/x",
            b"/public/../admin/x",
            b"/public/%2e%2e/admin",
            b"/public/%252e%252e%252fadmin",
            b"/public/..;/admin",
            b"/public/..;x=y/admin",
            b"/public/..%3bx/admin",
            b"/public/..%20/admin",
            b"/public\\..\\admin",
            b"/public%5c..%5cadmin",
            b"/public/..%c0%afadmin",
            b"/public/%c0%ae%c0%ae/admin",
            b"//admin",
            b"/./admin",
            b"/admin;x",
            b"/admin%00",
            b"/admin%3fx",
            b"/admin.",
            b"/admin%20/x",
            b"/%61dmin",
        ] {
            assert!(is_guarded("open.example", path), "{}", path.escape_ascii());
        }
        assert!(is_guarded("user@Guarded.example.:80", b"/"));
        assert!(is_guarded("open.example", b"http://open.example/../admin"));
    }

    #[test]
    fn what_leads_elsewhere_does_not() {
        for path in [
            &b"/public/x"[..],
            b"/public/admin",
            b"/administrator",
            b"/public/x?next=/admin",
            b"/",
        ] {
            assert!(!is_guarded("open.example", path), "{}", path.escape_ascii());
        }
        assert!(!is_guarded("not-guarded.example", b"/"));
    }
}
