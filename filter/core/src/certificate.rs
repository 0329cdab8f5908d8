//! What the host shows of a client's certificate.
//!
//! It shows less than there is: of several names the first, and of a certificate that nobody asked for or that it will not tell of,
//! nothing. So what is not shown is not known, rather than absent.

/// The certificate that the client proved to have when the connection began.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The SHA-256 of its DER form, in lower-case hexadecimal.
    pub sha256: Option<String>,
    /// A URI among its subject alternative names (RFC 5280, section 4.2.1.6).
    pub uri_san: Option<String>,
    /// A DNS name among its subject alternative names.
    pub dns_san: Option<String>,
}
