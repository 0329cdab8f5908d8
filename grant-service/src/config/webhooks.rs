//! Who is told what happens, and how they know that it is true.

use hallpass_core::config::fault::{Faults, Place};
use hallpass_core::config::field::{Field, elements, filled};
use url::Url;

use super::shape::{List, RawWebhook};
use super::{Secret, secret, web_url};
use crate::audit::Event;

/// Someone who is told what happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its name in logs.
    pub name: String,
    /// Where it is told. It may hold the key to a chat room, so it is not for the log.
    pub url: Url,
    /// What proves that it was this service that told it.
    pub secret: Secret,
    /// What it is told of; empty stands for everything.
    pub events: Vec<Event>,
}

pub(super) fn validate(
    field: Field<List<RawWebhook>>,
    place: &Place,
    faults: &mut Faults,
) -> Vec<Webhook> {
    let list = field.optional(place, faults).unwrap_or_default();
    let mut webhooks: Vec<Webhook> = Vec::new();
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
        let secret = secret::validate(raw.secret, &place.member("secret"), faults);
        let events = events(raw.events, &place.member("events"), faults);
        let (Some(name), Some(url), Some(secret)) = (name, url, secret) else {
            continue;
        };
        if webhooks.iter().any(|other| other.name == name) {
            let expected = "a name that no other webhook has";
            faults.push_value(&place.member("name"), &name.into(), expected);
            continue;
        }
        webhooks.push(Webhook {
            name,
            url,
            secret,
            events,
        });
    }
    webhooks
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
