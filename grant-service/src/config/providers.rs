//! The issuers whose tokens are believed, as the filter's own configuration: the filter's code verifies them.
//!
//! Where the filter names a cluster of its proxy, there is a URL here, since nothing stands between this service and the issuer. In the
//! filter's terms, the cluster is the URL's scheme.

use std::sync::Arc;

use hallpass_core::config::Config;
use hallpass_core::config::fault::{Faults, Place};
use hallpass_core::config::field::Field;
use hallpass_core::origin::Origin;
use serde_json::{Map, Value, json};

/// Where keys are fetched from that will never be, since there is a fault.
const NOWHERE: &str = "https://invalid.invalid/";

/// Reads `providers`; `None` where there are none, or faults. Where people can be known in another way, none is needed.
pub(super) fn validate(
    field: Field<Value>,
    is_needed: bool,
    place: &Place,
    faults: &mut Faults,
) -> Option<Arc<Config>> {
    let mut providers = field.optional(place, faults).unwrap_or_else(|| json!([]));
    if let Value::Array(list) = &mut providers {
        if list.is_empty() {
            if is_needed {
                let expected =
                    "at least one provider, or `identity_headers`: otherwise nobody can be known";
                faults.push(place, "nothing", expected);
            }
            return None;
        }
        for (index, provider) in list.iter_mut().enumerate() {
            if let Value::Object(provider) = provider {
                translate(provider, &place.element(index), faults);
            }
        }
    }
    let text = json!({
        "providers": providers,
        "resources": [{ "name": "people", "access": "identity" }],
    });
    match Config::parse(text.to_string().as_bytes()) {
        Ok(config) => Some(Arc::new(config)),
        Err(found) => {
            for mut fault in found.iter().cloned() {
                fault.expected = fault.expected.replace("`cluster`, `uri`", "`url`");
                fault.expected = fault.expected.replace("`cluster`, ", "");
                faults.add(fault);
            }
            None
        }
    }
}

/// From what this service's configuration says to what the filter's would.
fn translate(provider: &mut Map<String, Value>, place: &Place, faults: &mut Faults) {
    let issuer = provider.get("issuer").and_then(Value::as_str);
    let scheme = issuer.map_or("https", scheme_of).to_owned();
    let place = place.member("jwks");
    let Some(Value::Object(jwks)) = provider.get_mut("jwks") else {
        return;
    };
    if let Some(Value::Object(remote)) = jwks.get_mut("remote") {
        let place = place.member("remote");
        refuse(remote, &["cluster", "uri"], "`url`", &place, faults);
        let url = url(remote.remove("url"), &place.member("url"), faults);
        let url = url.unwrap_or_else(|| NOWHERE.to_owned());
        remote.insert("cluster".to_owned(), scheme_of(&url).into());
        remote.insert("uri".to_owned(), url.into());
    }
    if let Some(Value::Object(discovery)) = jwks.get_mut("discovery") {
        let place = place.member("discovery");
        refuse(
            discovery,
            &["cluster"],
            "no cluster, since the issuer is asked itself",
            &place,
            faults,
        );
        discovery.insert("cluster".to_owned(), scheme.into());
    }
}

fn refuse(
    object: &Map<String, Value>,
    members: &[&str],
    expected: &str,
    place: &Place,
    faults: &mut Faults,
) {
    for member in members {
        if object.contains_key(*member) {
            faults.push(
                &place.member(member),
                "a field of the filter's configuration",
                expected,
            );
        }
    }
}

fn url(value: Option<Value>, place: &Place, faults: &mut Faults) -> Option<String> {
    const EXPECTED: &str = "a URL such as `https://idp.example/jwks.json`";
    let Some(value) = value else {
        faults.push(place, "nothing", EXPECTED);
        return None;
    };
    let url = value.as_str().filter(|url| Origin::of(url).is_some());
    if url.is_none() {
        faults.push_value(place, &value, EXPECTED);
    }
    url.map(str::to_owned)
}

fn scheme_of(url: &str) -> &'static str {
    if Origin::of(url).is_some_and(|(origin, _)| !origin.is_https()) {
        "http"
    } else {
        "https"
    }
}
