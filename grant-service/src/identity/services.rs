//! Programs, by their tokens.

use std::sync::LazyLock;

use hallpass_core::headers::HeaderList;
use hallpass_core::token::{Extracted, TokenSource, extract};
use sha2::{Digest, Sha256};

use crate::config::Service;

/// RFC 6750, section 2.1.
static BEARER: LazyLock<[TokenSource; 1]> = LazyLock::new(|| {
    [TokenSource::Header {
        name: "authorization".into(),
        scheme: "Bearer".to_owned(),
    }]
});

/// The program whose token this is.
pub(super) fn find<'a>(services: &'a [Service], headers: &HeaderList) -> Option<&'a Service> {
    let Extracted::One(found) = extract(headers, BEARER.as_slice()) else {
        return None;
    };
    let digest: [u8; 32] = Sha256::digest(found.text).into();
    services
        .iter()
        .find(|service| service.token_sha256 == digest)
}

/// Whether there is a token at all.
pub(super) fn has_token(headers: &HeaderList) -> bool {
    extract(headers, BEARER.as_slice()) != Extracted::Missing
}
