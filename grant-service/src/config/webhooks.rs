//! Who is told what happens, and how they know that it is true.

use hallpass_core::config::fault::{Faults, Place};
use hallpass_core::config::field::{Field, elements, filled};

use super::shape::{List, RawWebhook};
use super::{Secret, secret, web_url};
use crate::audit::Event;
use crate::notify::{self, Receiver};

pub(super) fn validate(
    field: Field<List<RawWebhook>>,
    place: &Place,
    faults: &mut Faults,
) -> Vec<Receiver> {
    let list = field.optional(place, faults).unwrap_or_default();
    let mut webhooks: Vec<Receiver> = Vec::new();
    for (place, raw) in elements(list, place, faults) {
        raw.refuse_unknown(&place, faults);
        let name = filled(raw.name, &place.member("name"), faults);
        // Those who make URLs for chat rooms hide the key to the room in them.
        let url_place = place.member("url");
        let url = filled(raw.url, &url_place, faults).and_then(|text| {
            let url = web_url(&text);
            if url.is_none() {
                faults.push_secret(&url_place, "an `https` or `http` URL");
            }
            url
        });
        let secret_place = place.member("secret");
        let secret = secret::validate(raw.secret, &secret_place, faults)
            .and_then(|secret| signing(&secret, &secret_place, faults));
        let events = events(raw.events, &place.member("events"), faults);
        let (Some(name), Some(url), Some(secret)) = (name, url, secret) else {
            continue;
        };
        if webhooks.iter().any(|other| other.name == name) {
            let expected = "a name that no other webhook has";
            faults.push_value(&place.member("name"), &name.into(), expected);
            continue;
        }
        webhooks.push(Receiver {
            name,
            url,
            secret,
            events,
        });
    }
    webhooks
}

fn signing(secret: &Secret, place: &Place, faults: &mut Faults) -> Option<notify::Secret> {
    let secret = notify::Secret::parse(&String::from_utf8_lossy(secret.bytes()));
    match secret {
        Ok(secret) => Some(secret),
        Err(weak) => {
            faults.push_secret(place, &weak.to_string());
            None
        }
    }
}

fn events(
    field: Field<List<super::shape::Told>>,
    place: &Place,
    faults: &mut Faults,
) -> Vec<Event> {
    let Some(list) = field.optional(place, faults) else {
        return Vec::new();
    };
    if list.is_empty() {
        let expected = "at least one event, or no `events` to be told of all";
        faults.push(place, "an empty list", expected);
    }
    let events = elements(list, place, faults);
    events.into_iter().map(|(_, told)| told.0).collect()
}
