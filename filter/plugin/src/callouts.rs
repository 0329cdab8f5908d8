//! Questions to other services: what is sent for each purpose, and what came back.

use std::time::Duration;

use hallpass_core::config::{OtlpSettings, ServiceSettings};
use hallpass_core::flow::{FeedRequest, KeysRequest};
use hallpass_core::grant::gathering::Waiting;
use hallpass_core::grant::service::together;
use hallpass_core::grant::{Asker, DecisionKey, Query};
use hallpass_core::headers::HeaderList;
use hallpass_core::time::UnixMillis;

/// How much later than its timeout a call is given up that the host never answers.
pub(crate) const GRACE: Duration = Duration::from_secs(1);

/// When a call is given up that the host never answers.
pub(crate) fn deadline(timeout: Duration, sent: UnixMillis) -> UnixMillis {
    sent.saturating_add(timeout).saturating_add(GRACE)
}

/// What a question is for: whoever asks the same need not ask again while it is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Purpose {
    /// The keys of the provider at this place in the configuration.
    Keys(usize),
    /// The decision under this key.
    Grant(DecisionKey),
    /// Several decisions with one call, which has this number. Each of them is a purpose of its own, too.
    Grants(u64),
    /// What the grant service has taken back.
    Revocations,
    /// That a collector takes the next records.
    Export,
}

impl Purpose {
    /// Whether the grant service is asked to decide.
    pub(crate) fn is_question(self) -> bool {
        match self {
            Self::Grant(_) | Self::Grants(_) => true,
            Self::Keys(_) | Self::Revocations | Self::Export => false,
        }
    }

    /// Whether the call is counted with those that decide about a request. The others go on all the time, and have counters of their own.
    pub(crate) fn is_about_requests(self) -> bool {
        match self {
            Self::Keys(_) | Self::Grant(_) | Self::Grants(_) => true,
            Self::Revocations | Self::Export => false,
        }
    }
}

/// A question to the grant service.
#[derive(Debug)]
pub(crate) struct Enquiry {
    pub(crate) key: DecisionKey,
    pub(crate) asker: Asker,
    pub(crate) body: Vec<u8>,
    /// The `x-request-id` of the request that asked first, if one did and has one.
    pub(crate) request_id: Option<String>,
    /// Since when it waits to be put.
    pub(crate) since: UnixMillis,
    /// It had no answer together with others, and is put by itself.
    pub(crate) is_alone: bool,
}

impl Enquiry {
    /// What is asked by a request, or for nobody in particular.
    pub(crate) fn new(query: &Query, request_id: Option<&str>, now: UnixMillis) -> Self {
        Self {
            key: query.key(),
            asker: query.asker(),
            body: query.to_body(),
            request_id: request_id.map(str::to_owned),
            since: now,
            is_alone: false,
        }
    }
}

impl Waiting for Enquiry {
    fn asker(&self) -> Asker {
        self.asker
    }

    fn bytes(&self) -> usize {
        self.body.len()
    }

    fn since(&self) -> UnixMillis {
        self.since
    }

    fn is_alone(&self) -> bool {
        self.is_alone
    }
}

/// A question that is ready to be sent.
#[derive(Debug)]
pub(crate) struct Callout {
    pub(crate) purpose: Purpose,
    pub(crate) cluster: String,
    pub(crate) timeout: Duration,
    pub(crate) body: Option<Vec<u8>>,
    request_id: Option<String>,
    headers: Vec<(String, String)>,
    /// When the decision point is asked: what it answers knows of what was taken back by then.
    asked: Option<UnixMillis>,
    /// What it is asked.
    pub(crate) enquiries: Vec<Enquiry>,
}

/// A question under way.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) purpose: Purpose,
    /// When it is given up, if the host never answers it.
    pub(crate) deadline: UnixMillis,
    /// It was made under a configuration that is gone: its answer is nobody's.
    pub(crate) is_orphan: bool,
    /// Whom it is about, if the decision point was asked.
    pub(crate) askers: Vec<Asker>,
    pub(crate) sent: UnixMillis,
    /// When the decision point was asked, if it was.
    pub(crate) asked: Option<UnixMillis>,
    /// The `x-request-id` that it was sent with.
    pub(crate) request_id: Option<String>,
}

impl Callout {
    /// Asks an issuer for its keys, or on the way to them.
    pub(crate) fn for_keys(provider: usize, request: KeysRequest<'_>) -> Self {
        Self {
            purpose: Purpose::Keys(provider),
            cluster: request.cluster.to_owned(),
            timeout: request.timeout,
            body: None,
            request_id: None,
            headers: owned(&[
                (":method", "GET"),
                (":path", &request.address.path),
                (":authority", &request.address.authority),
                ("accept", "application/json"),
            ]),
            asked: None,
            enquiries: Vec::new(),
        }
    }

    /// Asks the decision point.
    pub(crate) fn for_grant(
        mut enquiry: Enquiry,
        service: &ServiceSettings,
        request_id: String,
        asked: UnixMillis,
    ) -> Self {
        let purpose = Purpose::Grant(enquiry.key);
        let body = std::mem::take(&mut enquiry.body);
        let mut callout =
            Self::to_service(purpose, service, &service.path, body, request_id, asked);
        callout.enquiries.push(enquiry);
        callout
    }

    /// Asks the decision point several questions with one call, which has this number.
    pub(crate) fn for_grants(
        number: u64,
        enquiries: Vec<Enquiry>,
        service: &ServiceSettings,
        path: &str,
        request_id: String,
        asked: UnixMillis,
    ) -> Self {
        let bodies = enquiries.iter().map(|enquiry| &*enquiry.body);
        let body = together::body_of(bodies);
        let purpose = Purpose::Grants(number);
        let mut callout = Self::to_service(purpose, service, path, body, request_id, asked);
        callout.enquiries = enquiries;
        callout
    }

    fn to_service(
        purpose: Purpose,
        service: &ServiceSettings,
        path: &str,
        body: Vec<u8>,
        request_id: String,
        asked: UnixMillis,
    ) -> Self {
        let mut headers = owned(&[
            (":method", "POST"),
            (":path", path),
            (":authority", &service.authority),
            ("content-type", "application/json"),
            ("accept", "application/json"),
            ("x-request-id", &request_id),
        ]);
        headers.extend(service.headers.iter().cloned());
        Self {
            purpose,
            cluster: service.cluster.clone(),
            timeout: service.timeout,
            body: Some(body),
            request_id: Some(request_id),
            headers,
            asked: Some(asked),
            enquiries: Vec::new(),
        }
    }

    /// Asks what the grant service has taken back.
    pub(crate) fn for_revocations(request: &FeedRequest<'_>) -> Self {
        let service = request.service;
        let mut headers = owned(&[
            (":method", "GET"),
            (":path", &request.path),
            (":authority", &service.authority),
            ("accept", "application/json"),
        ]);
        if let Some(tag) = request.tag {
            headers.push(("if-none-match".to_owned(), tag.to_owned()));
        }
        headers.extend(service.headers.iter().cloned());
        Self {
            purpose: Purpose::Revocations,
            cluster: service.cluster.clone(),
            timeout: service.timeout,
            body: None,
            request_id: None,
            headers,
            asked: None,
            enquiries: Vec::new(),
        }
    }

    /// Brings records to their collector.
    pub(crate) fn for_export(collector: &OtlpSettings, body: Vec<u8>) -> Self {
        let mut headers = owned(&[
            (":method", "POST"),
            (":path", &collector.path),
            (":authority", &collector.authority),
            ("content-type", "application/json"),
            ("accept", "application/json"),
        ]);
        headers.extend(collector.headers.iter().cloned());
        Self {
            purpose: Purpose::Export,
            cluster: collector.cluster.clone(),
            timeout: collector.timeout,
            body: Some(body),
            request_id: None,
            headers,
            asked: None,
            enquiries: Vec::new(),
        }
    }

    /// What is to be known of it until its answer comes, and what it asks the decision point.
    pub(crate) fn sent(self, now: UnixMillis) -> (Call, Vec<Enquiry>) {
        let call = Call {
            purpose: self.purpose,
            deadline: deadline(self.timeout, now),
            is_orphan: false,
            askers: self.enquiries.iter().map(|enquiry| enquiry.asker).collect(),
            sent: now,
            request_id: self.request_id,
            asked: self.asked,
        };
        (call, self.enquiries)
    }

    /// What the decision point was to be asked by a call that was not sent.
    pub(crate) fn into_enquiries(mut self) -> Vec<Enquiry> {
        if let (Purpose::Grant(_), [alone], Some(body)) =
            (self.purpose, &mut *self.enquiries, self.body)
        {
            alone.body = body;
            alone.request_id = self.request_id;
        }
        self.enquiries
    }

    /// The headers as the host takes them.
    pub(crate) fn header_pairs(&self) -> Vec<(&str, &str)> {
        let pairs = self.headers.iter();
        pairs
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect()
    }
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// What came of a question.
#[derive(Debug)]
pub(crate) enum Arrival {
    /// Something answered: the service, or the host in its place (a timeout is a 504, a refused connection a 503).
    Reply(Reply),
    /// Nothing did, for this reason.
    Nothing(&'static str),
}

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderList,
    pub(crate) body: Vec<u8>,
    /// The `x-request-id` of the question.
    pub(crate) asked_as: Option<String>,
    asked: Option<UnixMillis>,
}

impl Reply {
    /// Reads the status from the headers; an answer without one is none.
    pub(crate) fn new(headers: HeaderList, body: Vec<u8>, call: Call) -> Option<Self> {
        let status = headers.all(":status").next()?;
        let status = std::str::from_utf8(status).ok()?.parse().ok()?;
        Some(Self {
            status,
            headers,
            body,
            asked_as: call.request_id,
            asked: call.asked,
        })
    }

    /// When the decision point was asked. One that does not say was asked before anything was taken back.
    pub(crate) fn asked(&self) -> UnixMillis {
        self.asked.unwrap_or(UnixMillis::new(0))
    }

    /// All values of a header as one list (RFC 9110, section 5.3), if it is there.
    pub(crate) fn header(&self, name: &str) -> Option<Vec<u8>> {
        let values: Vec<&[u8]> = self.headers.all(name).collect();
        (!values.is_empty()).then(|| values.join(&b", "[..]))
    }
}
