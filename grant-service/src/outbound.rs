//! How the service calls others: no redirects, since the address is the operator's choice, and by the operator's certificate authorities.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use ureq::Agent;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

/// Names a file of certificate authorities that are trusted in place of those that browsers trust, as with OpenSSL.
const AUTHORITIES: &str = "SSL_CERT_FILE";

/// What calls others. Every status is an answer, also that of a redirect.
///
/// # Errors
/// When the certificate authorities cannot be read.
pub fn agent() -> Result<Agent> {
    let roots = match std::env::var_os(AUTHORITIES) {
        Some(path) => {
            let path = Path::new(&path);
            authorities(path).with_context(|| format!("{AUTHORITIES}={}", path.display()))?
        }
        None => RootCerts::WebPki,
    };
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .tls_config(TlsConfig::builder().root_certs(roots).build());
    Ok(config.build().into())
}

fn authorities(path: &Path) -> Result<RootCerts> {
    let text = std::fs::read(path)?;
    let mut found: Vec<Certificate<'static>> = Vec::new();
    for item in parse_pem(&text) {
        if let PemItem::Certificate(certificate) = item? {
            found.push(certificate.to_owned());
        }
    }
    ensure!(!found.is_empty(), "there is no certificate in it");
    Ok(RootCerts::from(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_certificate_is_no_list_of_authorities() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(authorities(file.path()).is_err());
        assert!(authorities(Path::new("/nowhere/ca.pem")).is_err());
    }
}
