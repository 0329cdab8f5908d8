//! What a service says about how long its answer counts: the header `Cache-Control` (RFC 9111, section 5.2.2).
//!
//! It is advice that shortens what is configured; each reader decides which part of it matters there.

use std::time::Duration;

/// The directives that matter to someone who keeps an answer for himself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CacheControl {
    /// `no-store` or `no-cache`: the answer is meant for now only.
    pub is_for_now_only: bool,
    /// The shortest `max-age`. One that cannot be read is zero: it is no permission to keep anything (section 4.2.1).
    pub max_age: Option<Duration>,
}

impl CacheControl {
    /// Reads the header's value; what it does not know it passes over, as section 5.2 demands.
    pub fn parse(value: &[u8]) -> Self {
        let mut control = Self::default();
        let text = String::from_utf8_lossy(value).to_ascii_lowercase();
        for directive in text.split(',').map(str::trim) {
            match directive.split_once('=') {
                None if directive == "no-store" || directive == "no-cache" => {
                    control.is_for_now_only = true;
                }
                Some(("max-age", seconds)) => control.shorten(seconds),
                _ => {}
            }
        }
        control
    }

    fn shorten(&mut self, seconds: &str) {
        let age = Duration::from_secs(delta_seconds(seconds.trim_matches('"')));
        self.max_age = Some(self.max_age.map_or(age, |other| other.min(age)));
    }
}

/// A number of seconds; one that is larger than can be counted is very large (RFC 9111, section 1.2.2), and what is none is zero.
fn delta_seconds(text: &str) -> u64 {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return 0;
    }
    text.parse().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn the_shortest_age_counts_and_one_that_cannot_be_read_is_none() {
        for (value, for_now_only, max_age) in [
            ("", false, None),
            ("public, s-maxage=5", false, None),
            ("max-age=60", false, Some(60)),
            ("Max-Age=\"60\" , private", false, Some(60)),
            ("max-age=60, max-age=5", false, Some(5)),
            ("max-age=soon", false, Some(0)),
            ("max-age=-1", false, Some(0)),
            ("max-age=+5", false, Some(0)),
            ("max-age=", false, Some(0)),
            ("max-age=18446744073709551616", false, Some(u64::MAX)),
            ("no-store", true, None),
            ("No-Cache, max-age=60", true, Some(60)),
            ("no-cache=\"set-cookie\"", false, None),
        ] {
            let control = CacheControl::parse(value.as_bytes());
            let expected = CacheControl {
                is_for_now_only: for_now_only,
                max_age: max_age.map(Duration::from_secs),
            };
            assert_eq!(control, expected, "{value}");
        }
        assert_eq!(
            CacheControl::parse(b"max-age=60, \xff").max_age,
            Some(Duration::from_mins(1))
        );
    }
}
