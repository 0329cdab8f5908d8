//! The files that pages load. Each has the hash of what it holds in its name, so that a browser may keep it for good and never has an old one.

use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest, Sha256};

use crate::app::App;

/// A file that pages load.
pub(super) struct File {
    name: String,
    hash: String,
    content_type: &'static str,
    text: &'static str,
}

pub(super) static STYLE: LazyLock<File> =
    LazyLock::new(|| File::new("css", "text/css; charset=utf-8", include_str!("page.css")));
pub(super) static SCRIPT: LazyLock<File> = LazyLock::new(|| {
    File::new(
        "js",
        "text/javascript; charset=utf-8",
        include_str!("page.js"),
    )
});
pub(super) static ICON: LazyLock<File> =
    LazyLock::new(|| File::new("svg", "image/svg+xml", include_str!("icon.svg")));

impl File {
    fn new(ending: &str, content_type: &'static str, text: &'static str) -> Self {
        let digest = Sha256::digest(text);
        let hash = digest.iter().take(8).fold(String::new(), |mut hash, byte| {
            let _ = write!(hash, "{byte:02x}");
            hash
        });
        Self {
            name: format!("page-{hash}.{ending}"),
            hash: format!("\"{hash}\""),
            content_type,
            text,
        }
    }

    /// Where it is.
    pub(super) fn path(&self) -> String {
        format!("/assets/{}", self.name)
    }

    fn answer(&self, asked: &HeaderMap) -> Response {
        let headers = [
            (header::CONTENT_TYPE, self.content_type),
            (header::ETAG, self.hash.as_str()),
            (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            // For whoever opens the drawing by itself.
            (
                header::CONTENT_SECURITY_POLICY,
                "default-src 'none'; frame-ancestors 'none'",
            ),
        ];
        let known = asked.get(header::IF_NONE_MATCH);
        if known.is_some_and(|known| known.as_bytes() == self.hash.as_bytes()) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        (headers, self.text).into_response()
    }
}

pub(super) fn routes() -> Router<App> {
    Router::new().route("/assets/{name}", get(file))
}

async fn file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let files: [&File; 3] = [&STYLE, &SCRIPT, &ICON];
    match files.iter().find(|file| file.name == name) {
        Some(file) => file.answer(&headers),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
