//! The protected resource as OAuth sees it (RFC 9728): its identifier, and who issues tokens for it.

use serde_json::Value;

use super::fault::{Faults, Place};
use super::field::{Field, elements};
use super::raw::RawProtectedResource;
use crate::origin::Origin;
use crate::policy::HostPattern;
use crate::request::canonical_path;
use crate::resource_metadata::{Document, ResourceMetadata};
use crate::token::TokenSource;

/// The longest document that anybody needs has far fewer of each.
const MAX_ELEMENTS: usize = 64;

pub(super) fn validate(
    field: Field<RawProtectedResource>,
    token_sources: &[TokenSource],
    faults: &mut Faults,
) -> Option<ResourceMetadata> {
    let place = Place::root().member("protected_resource");
    let raw = field.optional(&place, faults)?;
    raw.refuse_unknown(&place, faults);
    let identifier = identifier(raw.resource, &place.member("resource"), faults);
    let authorization_servers = servers(
        raw.authorization_servers,
        &place.member("authorization_servers"),
        faults,
    );
    let scopes_supported = scopes(
        raw.scopes_supported,
        &place.member("scopes_supported"),
        faults,
    );
    let identifier = identifier?;
    let document = Document {
        resource: identifier.text,
        authorization_servers,
        scopes_supported,
        bearer_methods_supported: bearer_methods(token_sources),
    };
    Some(ResourceMetadata::new(
        identifier.host,
        &identifier.origin,
        &identifier.path,
        &document,
    ))
}

/// What a resource is called, and the server that this names.
struct Identifier {
    text: String,
    host: HostPattern,
    origin: String,
    path: String,
}

fn identifier(field: Field<String>, place: &Place, faults: &mut Faults) -> Option<Identifier> {
    const EXPECTED: &str = "an `https` URL such as `https://api.example/mcp`, without query and fragment, and spelt as requests are (`http` for `localhost` only)";
    let text = field.required(place, faults)?;
    let identifier = read_identifier(&text);
    if identifier.is_none() {
        faults.push_value(place, &Value::from(text), EXPECTED);
    }
    identifier
}

fn read_identifier(text: &str) -> Option<Identifier> {
    let origin = secure_origin(text)?;
    let (_, rest) = text.split_once("://")?;
    let path = rest.find('/').and_then(|start| rest.get(start..));
    let path = path.unwrap_or_default();
    // What requests can never ask for would be a document that nobody finds.
    let is_canonical = canonical_path(path.as_bytes()).is_ok_and(|canonical| canonical == path);
    if !path.is_empty() && !is_canonical {
        return None;
    }
    Some(Identifier {
        text: text.to_owned(),
        host: HostPattern::parse(origin.server().host()).ok()?,
        origin: origin.to_string(),
        path: path.to_owned(),
    })
}

/// The origin of a URL without query and fragment that nobody on the way can answer for.
fn secure_origin(url: &str) -> Option<Origin> {
    let (origin, _) = Origin::of(url)?;
    let is_local = matches!(origin.server().host(), "localhost" | "127.0.0.1" | "[::1]");
    let is_secure = origin.is_https() || is_local;
    (is_secure && !url.contains(['?', '#'])).then_some(origin)
}

/// RFC 8414, section 2: an issuer is an `https` URL without query and fragment.
fn servers(field: Field<Vec<Field<String>>>, place: &Place, faults: &mut Faults) -> Vec<String> {
    let expected =
        "an issuer's `https` URL, without query and fragment (`http` for `localhost` only)";
    let Some(list) = field.required(place, faults) else {
        return Vec::new();
    };
    if list.is_empty() {
        faults.push(place, "an empty list", "at least one issuer");
    }
    checked(
        list,
        place,
        expected,
        |url| secure_origin(url).is_some(),
        faults,
    )
}

/// RFC 6749, section 3.3: what a scope is made of.
fn scopes(field: Field<Vec<Field<String>>>, place: &Place, faults: &mut Faults) -> Vec<String> {
    let is_fit = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    let is_scope = |text: &str| !text.is_empty() && text.bytes().all(is_fit);
    let list = field.optional(place, faults).unwrap_or_default();
    let expected = "one scope, of visible ASCII without `\"` and `\\`";
    checked(list, place, expected, is_scope, faults)
}

fn checked(
    list: Vec<Field<String>>,
    place: &Place,
    expected: &str,
    is_sound: impl Fn(&str) -> bool,
    faults: &mut Faults,
) -> Vec<String> {
    if list.len() > MAX_ELEMENTS {
        let found = format!("{} elements", list.len());
        faults.push(place, &found, &format!("at most {MAX_ELEMENTS}"));
    }
    let mut sound = Vec::new();
    for (place, text) in elements(list, place, faults) {
        if is_sound(&text) {
            sound.push(text);
        } else {
            faults.push_value(&place, &text.into(), expected);
        }
    }
    sound
}

/// RFC 6750, section 2: `header` means `authorization` with the scheme `Bearer`, and nothing else that may be configured has a name.
fn bearer_methods(sources: &[TokenSource]) -> &'static [&'static str] {
    if sources.iter().any(TokenSource::is_bearer_header) {
        &["header"]
    } else {
        &[]
    }
}
