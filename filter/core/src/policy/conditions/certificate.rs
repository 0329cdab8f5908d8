//! What the client's certificate must be.

use std::fmt;

use super::Verdict;
use super::text::TextTest;
use crate::certificate::ClientCertificate;

/// What of it is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateField {
    /// The fingerprint.
    Sha256,
    /// A URI among its names.
    UriSan,
    /// A DNS name among its names.
    DnsSan,
}

impl CertificateField {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Sha256, Self::UriSan, Self::DnsSan];

    /// Its name in configurations.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::UriSan => "uri_san",
            Self::DnsSan => "dns_san",
        }
    }

    fn of(self, certificate: &ClientCertificate) -> Option<&str> {
        let shown = match self {
            Self::Sha256 => &certificate.sha256,
            Self::UriSan => &certificate.uri_san,
            Self::DnsSan => &certificate.dns_san,
        };
        shown.as_deref().filter(|shown| !shown.is_empty())
    }

    /// A certificate has one fingerprint, but may have more names than the host shows.
    const fn is_shown_whole(self) -> bool {
        match self {
            Self::Sha256 => true,
            Self::UriSan | Self::DnsSan => false,
        }
    }
}

/// One thing that the host shows of the certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateCondition {
    field: CertificateField,
    /// Without one it is enough that the host shows it.
    test: Option<TextTest>,
}

impl CertificateCondition {
    /// The host shows it.
    pub const fn present(field: CertificateField) -> Self {
        Self { field, test: None }
    }

    /// It passes `test`.
    pub const fn new(field: CertificateField, test: TextTest) -> Self {
        Self {
            field,
            test: Some(test),
        }
    }

    /// What is not shown is not known. Nor is whether another name, which the host does not show, would pass.
    pub(super) fn judge(&self, certificate: Option<&ClientCertificate>) -> Verdict {
        let Some(shown) = certificate.and_then(|shown| self.field.of(shown)) else {
            return Verdict::Unknown;
        };
        let passes = match &self.test {
            None => Some(true),
            Some(test) => test.judge(shown),
        };
        match passes {
            Some(true) => Verdict::Holds,
            Some(false) if self.field.is_shown_whole() => Verdict::Fails,
            Some(false) | None => Verdict::Unknown,
        }
    }
}

impl fmt::Display for CertificateCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = self.field.name();
        match &self.test {
            None => write!(f, "certificate {field} is present"),
            Some(test) => write!(f, "certificate {field} {test}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn what_the_host_does_not_show_is_not_known() {
        let shown = ClientCertificate {
            sha256: Some("ab".into()),
            uri_san: Some("spiffe://corp/ops/1".into()),
            dns_san: Some(String::new()),
        };
        let equals =
            |field, text: &str| CertificateCondition::new(field, TextTest::Equals(text.into()));
        let prefix =
            |field, text: &str| CertificateCondition::new(field, TextTest::Prefix(text.into()));
        let (sha256, uri, dns) = (
            CertificateField::Sha256,
            CertificateField::UriSan,
            CertificateField::DnsSan,
        );
        for (condition, expected) in [
            (equals(sha256, "ab"), Verdict::Holds),
            (equals(sha256, "cd"), Verdict::Fails),
            (CertificateCondition::present(sha256), Verdict::Holds),
            (prefix(uri, "spiffe://corp/ops/"), Verdict::Holds),
            // It may have a second name, which is not shown.
            (prefix(uri, "spiffe://corp/dev/"), Verdict::Unknown),
            (CertificateCondition::present(dns), Verdict::Unknown),
            (equals(dns, ""), Verdict::Unknown),
        ] {
            assert_eq!(condition.judge(Some(&shown)), expected, "{condition}");
            assert_eq!(condition.judge(None), Verdict::Unknown, "{condition}");
            let nothing = ClientCertificate::default();
            assert_eq!(
                condition.judge(Some(&nothing)),
                Verdict::Unknown,
                "{condition}"
            );
        }
    }
}
