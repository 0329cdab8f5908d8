//! Where grants come from: the token's claim, the grant service, and where a person asks for one.

use std::collections::BTreeMap;
use std::time::Duration;

use http::Uri;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::CALL_TIMEOUTS;
use super::batch::{self, BatchSettings};
use super::fault::{Faults, Place};
use super::field::{Field, elements, filled};
use super::headers::header_name;
use super::raw::{RawCache, RawGrants, RawService};
use super::revocations::{self, RevocationSettings};
use super::words::Word;
use crate::decision::{FailureMode, GrantRules};
use crate::grant::service::Fact;
use crate::identity::is_header_value;
use crate::origin::Origin;

/// Where grants come from.
#[derive(Debug)]
pub struct GrantSettings {
    /// The claim that holds embedded grants.
    pub claim: String,
    /// The decision point.
    pub service: Option<ServiceSettings>,
    /// Where a person asks for a grant.
    pub request_url: Option<RequestUrl>,
}

/// How to ask the decision point, and how long its word counts.
#[derive(Debug, PartialEq, Eq)]
pub struct ServiceSettings {
    /// The host's cluster.
    pub cluster: String,
    /// `:authority` of the request.
    pub authority: String,
    /// `:path` of the request.
    pub path: String,
    /// How long to wait for the answer.
    pub timeout: Duration,
    /// `resource.type` of the query.
    pub resource_type: String,
    /// Headers of the request, for example to authenticate.
    pub headers: Vec<(String, String)>,
    /// Facts of the client's request that the service is told.
    pub facts: Vec<Fact>,
    /// What counts as a decision to pass.
    pub rules: GrantRules,
    /// How long an allow counts at most.
    pub allow_ttl: Duration,
    /// How long a denial counts at most.
    pub deny_ttl: Duration,
    /// How much longer an allow counts when the service fails.
    pub stale_if_error: Duration,
    /// Whether the workers of one proxy tell each other what was decided.
    pub shared: bool,
    /// How many decisions each worker remembers.
    pub max_entries: usize,
    /// How questions are put together, if they are.
    pub batch: Option<BatchSettings>,
    /// The feed of what it takes back, if it is followed.
    pub revocations: Option<RevocationSettings>,
}

impl GrantSettings {
    /// The origin of the forms that people may be sent to, where it is certain.
    pub fn own_forms(&self) -> Option<&Origin> {
        self.request_url.as_ref()?.origin.as_ref()
    }

    /// The rules for decisions; without a service they are never asked for.
    pub fn rules(&self) -> GrantRules {
        let strict = GrantRules {
            require_expiry: true,
            failure_mode: FailureMode::Deny,
        };
        self.service
            .as_ref()
            .map_or(strict, |service| service.rules)
    }
}

const MAX_ENTRIES: u64 = 1_000_000;

pub(super) fn validate(field: Field<RawGrants>, faults: &mut Faults) -> GrantSettings {
    let place = Place::root().member("grants");
    let raw = field.optional(&place, faults).unwrap_or_default();
    raw.refuse_unknown(&place, faults);
    let claim = raw
        .claim
        .or("grants".to_owned(), &place.member("claim"), faults);
    let service_place = place.member("service");
    let service = raw
        .service
        .optional(&service_place, faults)
        .and_then(|raw| service(raw, &service_place, faults));
    let url_place = place.member("request_url");
    let request_url = raw
        .request_url
        .optional(&url_place, faults)
        .and_then(|text| match RequestUrl::parse(&text) {
            Ok(url) => Some(url),
            Err(expected) => {
                faults.push_value(&url_place, &text.into(), expected);
                None
            }
        });
    GrantSettings {
        claim,
        service,
        request_url,
    }
}

fn service(raw: RawService, place: &Place, faults: &mut Faults) -> Option<ServiceSettings> {
    raw.refuse_unknown(place, faults);
    let cluster = filled(raw.cluster, &place.member("cluster"), faults);
    let authority = match raw.authority {
        Field::Absent => cluster.clone(),
        authority => filled(authority, &place.member("authority"), faults),
    };
    let path = service_path(
        raw.path,
        "/access/v1/evaluation",
        &place.member("path"),
        faults,
    );
    let timeout = raw.timeout.within(
        CALL_TIMEOUTS,
        Duration::from_millis(500),
        &place.member("timeout"),
        faults,
    );
    let resource_type =
        raw.resource_type
            .or("http".to_owned(), &place.member("resource_type"), faults);
    let headers = headers(raw.headers, &place.member("headers"), faults);
    let facts = facts(raw.context, &place.member("context"), faults);
    let rules = GrantRules {
        require_expiry: raw
            .require_expiry
            .or(true, &place.member("require_expiry"), faults),
        failure_mode: raw
            .failure_mode
            .or(
                Word(FailureMode::Deny),
                &place.member("failure_mode"),
                faults,
            )
            .0,
    };
    let cache = cache(raw.cache, &place.member("cache"), faults);
    let batch = batch::validate(raw.batch, &place.member("batch"), faults);
    let revocations = revocations::validate(raw.revocations, &place.member("revocations"), faults);
    Some(ServiceSettings {
        cluster: cluster?,
        authority: authority?,
        path,
        timeout,
        resource_type,
        headers,
        facts,
        rules,
        allow_ttl: cache.allow_ttl,
        deny_ttl: cache.deny_ttl,
        stale_if_error: cache.stale_if_error,
        shared: cache.shared,
        max_entries: cache.max_entries,
        batch,
        revocations,
    })
}

/// The path of a service's requests.
pub(super) fn service_path(
    field: Field<String>,
    default: &str,
    place: &Place,
    faults: &mut Faults,
) -> String {
    let path = field.or(default.to_owned(), place, faults);
    if !path.starts_with('/') || path.parse::<Uri>().is_err() {
        let expected = "a path that begins with `/`";
        faults.push_value(place, &path.clone().into(), expected);
    }
    path
}

/// The headers of a service's requests, whose values may be secret.
pub(super) fn headers(
    field: Field<BTreeMap<String, Field<String>>>,
    place: &Place,
    faults: &mut Faults,
) -> Vec<(String, String)> {
    if matches!(field, Field::Faulty(_)) {
        faults.push_secret(place, "an object of header names and values");
        return Vec::new();
    }
    let mut headers = Vec::new();
    for (name, value) in field.optional(place, faults).unwrap_or_default() {
        let place = place.member(&name);
        let Some(header) = header_name(&name) else {
            faults.push(&place, "a name that no header has", "a header name");
            continue;
        };
        match value {
            Field::Read(value) if is_header_value(&value) => headers.push((header, value)),
            Field::Read(_) | Field::Faulty(_) | Field::Absent => {
                faults.push_secret(&place, "a string without control characters");
            }
        }
    }
    headers
}

fn facts(field: Field<Vec<Field<Word<Fact>>>>, place: &Place, faults: &mut Faults) -> Vec<Fact> {
    let list = field.optional(place, faults).unwrap_or_default();
    let facts = elements(list, place, faults);
    facts.into_iter().map(|(_, Word(fact))| fact).collect()
}

struct Cache {
    allow_ttl: Duration,
    deny_ttl: Duration,
    stale_if_error: Duration,
    shared: bool,
    max_entries: usize,
}

fn cache(field: Field<RawCache>, place: &Place, faults: &mut Faults) -> Cache {
    let raw = field.optional(place, faults).unwrap_or_default();
    raw.refuse_unknown(place, faults);
    let allow_ttl = raw.allow_ttl.within(
        (Duration::ZERO, Duration::from_hours(24)),
        Duration::from_secs(30),
        &place.member("allow_ttl"),
        faults,
    );
    let deny_ttl = raw.deny_ttl.within(
        (Duration::ZERO, Duration::from_hours(1)),
        Duration::from_secs(2),
        &place.member("deny_ttl"),
        faults,
    );
    let stale_if_error = raw.stale_if_error.within(
        (Duration::ZERO, Duration::from_hours(24)),
        Duration::ZERO,
        &place.member("stale_if_error"),
        faults,
    );
    let shared = raw.shared.or(true, &place.member("shared"), faults);
    let max_entries = raw.max_entries.within(
        0..=MAX_ENTRIES,
        10_000,
        &place.member("max_entries"),
        faults,
    );
    Cache {
        allow_ttl,
        deny_ttl,
        stale_if_error,
        shared,
        max_entries,
    }
}

/// The address of a form, with `{resource}` and `{action}` filled in for each refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestUrl {
    template: String,
    origin: Option<Origin>,
}

impl RequestUrl {
    /// Reads a template. Scheme and host must be fixed: whoever makes a request must not choose where its refusal leads.
    fn parse(text: &str) -> Result<Self, &'static str> {
        const EXPECTED: &str = "a URL such as `https://grants.example/request?resource={resource}&action={action}`, with nothing to fill in before its path";
        let sample = text.replace("{resource}", "r").replace("{action}", "a");
        let uri: Uri = sample.parse().map_err(|_| EXPECTED)?;
        let origin_end = text
            .split_once("://")
            .and_then(|(_, rest)| rest.find(['/', '?']))
            .ok_or(EXPECTED)?;
        let origin_is_fixed = text
            .split_once("://")
            .and_then(|(_, rest)| rest.get(..origin_end))
            .is_some_and(|origin| !origin.contains('{'));
        let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
        if !is_web || !origin_is_fixed || sample.contains(['{', '}']) {
            return Err(EXPECTED);
        }
        Ok(Self {
            template: text.to_owned(),
            origin: Origin::of(&sample).map(|(origin, _)| origin),
        })
    }

    /// The address for one resource and action, both percent-encoded.
    pub fn fill(&self, resource: &str, action: &str) -> String {
        let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        self.template
            .replace("{resource}", &encode(resource))
            .replace("{action}", &encode(action))
    }
}
