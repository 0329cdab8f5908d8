//! How many files the program may have open, of which each connection is one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::warn;

use crate::http::TURNS;

/// So many are kept for the database, which has a few for each of its connections, for fetching keys and for webhooks: whoever connects takes
/// none of these.
const KEPT: u64 = 128;
/// However many files there may be: each connection has a little memory, too.
const MOST: u32 = 16_384;
/// However few there may be: the service is to answer somebody.
const LEAST: u32 = 16;

/// Raises how many there may be as far as the system lets it, which is often far more than what a program begins with. How many that is.
pub(super) fn raise() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let (current, most) = (limit.current, limit.maximum);
    if current == most {
        return most.unwrap_or(u64::MAX);
    }
    let raised = Rlimit {
        current: most,
        maximum: most,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => most.unwrap_or(u64::MAX),
        Err(fault) => {
            warn!("the limit of open files cannot be raised: {fault}");
            current.unwrap_or(u64::MAX)
        }
    }
}

/// So many connections may be open at once, if there may be so many files.
pub(super) fn connections(files: u64) -> u32 {
    u32::try_from(files.saturating_sub(KEPT)).map_or(MOST, |left| left.clamp(LEAST, MOST))
}

/// What to tell the operator if these are too few for all that could be served at once.
pub(super) fn shortage(files: u64) -> Option<String> {
    let open = connections(files);
    if open as usize >= TURNS {
        return None;
    }
    let needed = KEPT.saturating_add(TURNS as u64);
    Some(format!(
        "the limit of open files is {files}, which leaves {open} connections at once: raise it to {needed} or more (`ulimit -n`, `LimitNOFILE`)"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_files_are_kept_from_connections() {
        for (files, expected) in [
            (0, 16),
            (128, 16),
            (1_024, 896),
            (4_096, 3_968),
            (1 << 20, 16_384),
            (u64::MAX, 16_384),
        ] {
            assert_eq!(connections(files), expected, "{files}");
        }
    }

    #[test]
    fn a_limit_with_which_not_all_turns_can_be_taken_is_told() {
        let told = shortage(1_024).unwrap();
        assert!(told.contains("896 connections"), "{told}");
        assert!(told.contains("raise it to 2304 or more"), "{told}");
        assert!(shortage(2_303).is_some());
        assert_eq!(shortage(2_304), None);
    }
}
