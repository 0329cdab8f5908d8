//! Hosts as policies name them: one, or all below one.

use std::net::Ipv6Addr;

/// One host or all below it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HostPattern {
    /// This host.
    Exact(String),
    /// Every host that ends with this suffix, which begins with a dot: whole labels only, and never the bare domain itself.
    Below(String),
}

impl HostPattern {
    /// Reads `admin.example` or `*.admin.example`.
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let host = text.to_ascii_lowercase();
        let (name, below) = match host.strip_prefix("*.") {
            Some(suffix) => (suffix, true),
            None => (host.as_str(), false),
        };
        let plain = |label: &str| {
            !label.is_empty()
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        let address = name.strip_prefix('[').and_then(|n| n.strip_suffix(']'));
        let canonical = |text: &str| text.parse().is_ok_and(|a: Ipv6Addr| a.to_string() == text);
        let is_address = !below && address.is_some_and(canonical);
        if !is_address && !name.split('.').all(plain) {
            return Err("a host name without port, or `*.` and a host name");
        }
        Ok(if below {
            Self::Below(format!(".{name}"))
        } else {
            Self::Exact(name.to_owned())
        })
    }

    pub(crate) fn matches(&self, host: &str) -> bool {
        match self {
            Self::Exact(name) => name == host,
            Self::Below(suffix) => host.len() > suffix.len() && host.ends_with(suffix.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn hosts_match_by_label() {
        let exact = HostPattern::parse("Admin.Example").unwrap();
        let below = HostPattern::parse("*.admin.example").unwrap();
        for (host, is_exact, is_below) in [
            ("admin.example", true, false),
            ("eu.admin.example", false, true),
            ("a.eu.admin.example", false, true),
            ("eviladmin.example", false, false),
            ("admin.example.evil", false, false),
            (".admin.example", false, false),
        ] {
            assert_eq!(exact.matches(host), is_exact, "{host}");
            assert_eq!(below.matches(host), is_below, "{host}");
        }
        for bad in [
            "",
            "*",
            "a..b",
            "a.",
            "[0:0:0:0:0:0:0:1]",
            "[x]",
            "a:80",
            "*.*.a",
            "a.*",
            "http://a",
            "*.",
        ] {
            assert!(HostPattern::parse(bad).is_err(), "{bad}");
        }
    }
}
