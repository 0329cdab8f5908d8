//! Where someone came from, to lead them back. Only to places that are known: a page that leads wherever its address says would lend this
//! service's good name to anyone.

use url::Url;

use crate::app::App;

/// The place, if it is on the host of this service or of an origin that is configured; written anew, so that no browser reads it otherwise.
pub(super) fn known(app: &App, text: &str) -> Option<Url> {
    if text.is_empty() {
        return None;
    }
    let place = app.public_url.join(text).ok()?;
    let is_here =
        place.host() == app.public_url.host() && place.scheme() == app.public_url.scheme();
    let is_known = is_here || app.return_origins.contains(&place.origin());
    let is_web = matches!(place.scheme(), "http" | "https");
    let is_plain = place.username().is_empty() && place.password().is_none();
    (is_known && is_web && is_plain).then_some(place)
}
