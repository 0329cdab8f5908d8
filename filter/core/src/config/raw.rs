//! The shape of the configuration as it is written. What the members mean is decided where each is validated.
//!
//! The text above each member is its description in the JSON Schema, so it is written for whoever writes a configuration. What stands
//! behind `=` is there for the schema too: `required`, or the value that counts where the member is left out.

use std::collections::BTreeMap;

use serde_json::Value;

use super::AuditLog;
use super::field::{Field, object};
use super::otlp::Exported;
use super::span::Span;
use super::words::Word;
use crate::decision::FailureMode;
use crate::grant::service::Fact;
use crate::policy::{Access, Mode, Preflight, Streams};
use crate::token::Algorithm;

type List<T> = Vec<Field<T>>;

object! {
    /// The configuration of Hallpass: who may sign tokens, what is guarded, and where grants come from.
    RawConfig {
        /// `enforce` holds to every decision; with `monitor` everything is decided and recorded, and every request passes.
        mode: Word<Mode> = "enforce",
        /// The trusted issuers of tokens. Required unless no resource demands an identity.
        providers: List<RawProvider>,
        /// A token of more bytes than this is refused unread; from 256 to 65536.
        max_token_bytes: u64 = 8192,
        /// How many verified tokens each worker remembers.
        token_cache: RawTokenCache,
        /// What is guarded: the first resource whose host, path and method match decides, in the order written. A request that matches none is refused.
        resources: List<RawResource> = required,
        /// Where grants come from.
        grants: RawGrants,
        /// Headers that tell the upstream who asks. They are removed from every incoming request. `null` leaves one out.
        identity_headers: RawIdentityHeaders,
        /// Further headers that tell the upstream, each named for a claim: `{ "tenant": "x-tenant" }`.
        claim_headers: BTreeMap<String, Field<String>>,
        /// Whether the token is kept on the way upstream.
        forward_token: bool = false,
        /// How many proxies before this one are trusted to tell the client's address in `x-forwarded-for`, at most 16. With 0 it is the peer's address.
        trusted_hops: u64 = 0,
        /// The record of decisions.
        audit: RawAudit,
        /// What OAuth clients are told about where to sign in (RFC 9728).
        protected_resource: RawProtectedResource,
    }
}

object! {
    /// One trusted issuer of tokens.
    RawProvider {
        /// Its name in the log. No other provider may have it.
        name: String = required,
        /// The claim `iss` of its tokens, compared exactly. No other provider may have it.
        issuer: String = required,
        /// Any one of these must be in `aud`. At least one: otherwise tokens that are meant for others would be accepted.
        audiences: List<String> = required,
        /// The signature algorithms that are accepted.
        algorithms: List<Word<Algorithm>> = ["RS256", "ES256", "EdDSA"],
        /// Where its keys come from: one of `inline`, `remote` or `discovery`.
        jwks: RawJwks = required,
        /// Where its tokens may sit in a request. Two different tokens in one request are refused.
        token_sources: List<RawTokenSource> = [{ "header": "authorization", "scheme": "Bearer" }],
        /// Clocks may differ by this much, at most `5m`: it is added to `exp` and `max_token_age`, and taken from `nbf` and `iat`.
        clock_skew: Span = "30s",
        /// A token whose `iat` is older is refused, and one without `iat` too.
        max_token_age: Span,
        /// The `typ` headers that are accepted, without case, with or without `application/`. An absent `typ` counts as `JWT`.
        token_types: List<String> = ["JWT", "at+jwt"],
        /// Claims that a token must have: each with one value, or a list of which one must be there.
        required_claims: BTreeMap<String, Value>,
        /// The claims that tell who the subject is.
        claims: RawClaims,
    }
}

object! {
    /// Where an issuer's keys come from: exactly one of these.
    RawJwks {
        /// A JWK set (RFC 7517), here and now. A key in it that cannot be used is a fault.
        inline: Value,
        /// An address from which the keys are fetched.
        remote: RawRemoteJwks,
        /// OpenID Connect Discovery: the issuer's own document says where the keys are.
        discovery: RawDiscovery,
    }
}

object! {
    /// Keys that are fetched from a known address.
    RawRemoteJwks {
        /// The proxy's cluster that serves the keys.
        cluster: String = required,
        /// Where the keys are: a URL such as `https://idp.example/jwks.json`, or a path.
        uri: String = required,
        /// How long to wait for the answer; up to `1m`.
        timeout: Span = "2s",
        /// The keys are fetched again after this time; from `1s` to `24h`.
        refresh: Span = "5m",
        /// How much longer the last good keys serve while fetches fail; up to `7d`.
        max_stale: Span = "1h",
        /// After a fetch for a token that the keys did not verify, there is no other such fetch for this time; from `1s` to `5m`.
        cool_down: Span = "10s",
    }
}

object! {
    /// Keys that are found through the issuer's discovery document.
    RawDiscovery {
        /// The proxy's cluster that serves the document and the keys.
        cluster: String = required,
        /// Below which path of the issuer's server the document lies; the path of `issuer` where it is left out.
        issuer_path: String,
        /// How long to wait for each of the two answers; up to `1m`.
        timeout: Span = "2s",
        /// Document and keys are fetched again after this time; from `1s` to `24h`.
        refresh: Span = "5m",
        /// How much longer the last good keys serve while fetches fail; up to `7d`.
        max_stale: Span = "1h",
        /// After a fetch for a token that the keys did not verify, there is no other such fetch for this time; from `1s` to `5m`.
        cool_down: Span = "10s",
    }
}

object! {
    /// A place where a token may sit: a header, or a cookie.
    RawTokenSource {
        /// The header that holds it.
        header: String,
        /// The scheme before the token in the header, without case; `""` where the token is the whole value.
        scheme: String = "Bearer",
        /// The cookie that holds it.
        cookie: String,
    }
}

object! {
    /// How many verified tokens each worker remembers; 0 switches it off.
    RawTokenCache {
        /// How many tokens; up to a million.
        max_entries: u64 = 10000,
        /// How much memory: about three times a token's length and a kilobyte for each.
        max_bytes: u64 = 67_108_864,
    }
}

object! {
    /// The claims that tell who the subject is.
    RawClaims {
        /// The claim that names the subject.
        subject: String = "sub",
        /// The claim that holds the mail address.
        email: String = "email",
        /// The claim that lists the groups.
        groups: String = "groups",
    }
}

object! {
    /// A named part of what is behind the proxy, and what it demands.
    RawResource {
        /// The name that grants and records use. Several resources may share it.
        name: String = required,
        /// Which requests are for it. Left out, all are.
        r#match: RawMatch,
        /// What it demands: nothing (`public`), a valid identity (`identity`), a live grant too (`grant`), or the impossible (`deny`).
        access: Word<Access> = required,
        /// What a grant must allow. Left out, it is the method in lower case.
        action: String,
        /// A grant with more than this left is refused.
        max_grant_lifetime: Span,
        /// Under which circumstances it may be used, besides what `access` demands.
        conditions: RawConditions,
        /// Whether a request that is still open when its permission ends is cut.
        streams: Word<Streams> = "cut",
        /// Whether decisions about it are held to; the mode of the whole where it is left out.
        mode: Word<Mode>,
        /// Whether a browser's preflight for a request that this resource is for passes without a token (`public`), or is judged like any other request.
        preflight: Word<Preflight> = "judged",
    }
}

object! {
    /// Under which circumstances a resource may be used. All must hold, and one that cannot be evaluated does not.
    RawConditions {
        /// The request comes from one of these networks, such as `10.0.0.0/8`; one address is `10.0.0.1/32`.
        source_cidrs: List<String>,
        /// It is time: one of these windows is open.
        time_windows: List<RawTimeWindow>,
        /// Claims of the token, each with the values of which it must have one or, being an array, hold one: `{ "groups": ["oncall"] }`.
        claims: BTreeMap<String, Value>,
        /// How strongly the subject signed in: the token's `acr` is one of these.
        acr_values: List<String>,
        /// How long ago the subject signed in at most, by the token's `auth_time`.
        max_auth_age: Span,
        /// All of these hold.
        all_of: List<RawCondition>,
        /// At least one of these holds.
        any_of: List<RawCondition>,
        /// This certainly does not hold. What cannot be evaluated is not made true by it.
        not: RawCondition,
    }
}

object! {
    /// A time of some days of the week, by the clocks of a place.
    RawTimeWindow {
        /// Days and ranges of days, such as `mon-fri` or `sat`. Left out, all days.
        days: List<String>,
        /// When it opens, as `08:00`.
        from: String = required,
        /// When it closes, as `18:00`, at most `24:00`; if that is not later than `from`, on the next day.
        to: String = required,
        /// The place's IANA time zone, such as `Europe/Berlin`.
        time_zone: String = required,
    }
}

object! {
    /// One condition inside of others: what is tested, and for `claim`, `header` and `certificate` the test.
    RawCondition {
        /// The request comes from one of these networks.
        source_cidrs: List<String>,
        /// One of these windows is open.
        time_windows: List<RawTimeWindow>,
        /// The claim that is tested: its name, or a JSON pointer into it that begins with `/`.
        claim: String,
        /// The request header that is tested.
        header: String,
        /// What is tested of the client certificate: `sha256`, `uri_san` or `dns_san`.
        certificate: String,
        /// All of these hold.
        all_of: List<RawCondition>,
        /// At least one of these holds.
        any_of: List<RawCondition>,
        /// This certainly does not hold.
        not: Box<RawCondition>,
        /// Whether it is there.
        present: bool,
        /// It is this.
        equals: Value,
        /// It is one of these.
        one_of: List<Value>,
        /// It is an array, or a header with commas, that contains this.
        contains: Value,
        /// It begins with this.
        prefix: String,
    }
}

object! {
    /// Which requests a resource is for. A list that is left out matches all.
    RawMatch {
        /// Hosts, exact or `*.suffix` for every host below it; without case and port.
        hosts: List<String>,
        /// Paths: `/a`, `/a/{id}` for one segment, `/a/{*rest}` for one or more. `/a` and `/a/` are two paths.
        paths: List<String>,
        /// Methods, in upper case.
        methods: List<String>,
    }
}

object! {
    /// Where grants come from.
    RawGrants {
        /// The claim of the token that holds embedded grants.
        claim: String = "grants",
        /// The decision point (OpenID AuthZEN) that is asked where no grant is at hand. Without one, only embedded grants count.
        service: RawService,
        /// Where a person asks for access; `{resource}` and `{action}` are filled in.
        request_url: String,
    }
}

object! {
    /// How to ask the decision point.
    RawService {
        /// The proxy's cluster of the service.
        cluster: String = required,
        /// The authority of each question; the cluster's name where it is left out.
        authority: String,
        /// The path of each question.
        path: String = "/access/v1/evaluation",
        /// How long to wait for an answer; up to `1m`.
        timeout: Span = "500ms",
        /// The type of the resource in each question.
        resource_type: String = "http",
        /// Headers of each question, for example to authenticate.
        headers: BTreeMap<String, Field<String>>,
        /// Facts of the request that the service is told. Each is part of the key under which the answer is remembered.
        context: List<Word<Fact>>,
        /// An allow without an end is refused. `false` trusts it for `allow_ttl`.
        require_expiry: bool = true,
        /// What follows when the service does not decide: `deny` answers 503, `allow` lets the request pass.
        failure_mode: Word<FailureMode> = "deny",
        /// How long an answer is remembered.
        cache: RawCache,
        /// Questions that come while others are under way are put together in one call. Left out, each is put by itself.
        batch: RawBatch,
        /// The feed of what the service takes back. Left out, it is not asked, and a grant that is taken back counts until its end or that of `cache`.
        revocations: RawRevocations,
    }
}

object! {
    /// How questions are put together (the Access Evaluations API). A question that is alone is put by itself, to the service's `path`.
    RawBatch {
        /// The path of questions that are put together. Cluster, authority, headers and timeout are the service's.
        path: String = "/access/v1/evaluations",
        /// While a worker has fewer calls under way, a question leaves at once; while it has as many, questions wait for one of them to come back, and for 10 milliseconds at most. From 1 to 64.
        calls: u64 = 2,
        /// How many questions leave together at most; so many leave at once. From 2 to 100.
        max_questions: u64 = 32,
    }
}

object! {
    /// The feed of what the service takes back before its end. Each worker asks for it again and again.
    RawRevocations {
        /// Where it is. Cluster, authority, headers and timeout are the service's.
        path: String = "/revocations",
        /// It is asked for again after this time: what a revocation takes to be felt. From `500ms` to `5m`.
        interval: Span = "5s",
        /// What is known of it counts for so long while it cannot be read; then neither grants in tokens nor remembered answers do. At least twice `interval`, at most `1h`.
        max_stale: Span = "1m",
    }
}

object! {
    /// How long the service's answers are remembered.
    RawCache {
        /// How long an allow counts, at most: what a revocation takes to be felt, where `revocations` is left out. Up to `24h`.
        allow_ttl: Span = "30s",
        /// How long a denial counts: what a new grant takes to be felt. Up to `1h`.
        deny_ttl: Span = "2s",
        /// How much longer an allow counts when the service fails, never past its grant's or the token's end. Up to `24h`.
        stale_if_error: Span = "0s",
        /// Whether the workers of one proxy tell each other what was decided.
        shared: bool = true,
        /// How many decisions each worker remembers; up to a million.
        max_entries: u64 = 10000,
    }
}

object! {
    /// Headers that tell the upstream who asks.
    RawIdentityHeaders {
        /// The header for the subject.
        subject: Option<String> = "x-hallpass-subject",
        /// The header for the issuer.
        issuer: Option<String> = "x-hallpass-issuer",
        /// The header for the mail address.
        email: Option<String> = "x-hallpass-email",
        /// The header for the groups, joined with commas.
        groups: Option<String> = "x-hallpass-groups",
        /// The header for the name of the grant.
        grant_id: Option<String> = "x-hallpass-grant-id",
        /// The header for the end of the grant, in seconds since the epoch.
        grant_expires: Option<String> = "x-hallpass-grant-expires",
    }
}

object! {
    /// The protected resource as OAuth clients know it (RFC 9728): the filter tells them where to sign in.
    RawProtectedResource {
        /// Its identifier: an `https` URL without query and fragment.
        resource: String = required,
        /// The issuers that give tokens for it, each an `https` URL.
        authorization_servers: List<String> = required,
        /// What may be asked for there.
        scopes_supported: List<String>,
    }
}

object! {
    /// The record of decisions.
    RawAudit {
        /// Which decisions are written to the proxy's log.
        log: Word<AuditLog> = "all",
        /// How long a line may wait for others, to be written to the proxy's log with them; from `1ms` to `1s`. Left out, each is written
        /// by itself, and at once.
        flush_interval: Span,
        /// Whether each decision is left with its request, so that the proxy's access log can print it.
        filter_state: bool = false,
        /// A collector that records are sent to, whatever `log` says.
        otlp: RawOtlp,
    }
}

object! {
    /// A collector that takes logs by OTLP/HTTP in JSON.
    RawOtlp {
        /// The proxy's cluster that it belongs to.
        cluster: String = required,
        /// `:authority` of the requests to it. Left out, it is the cluster's name.
        authority: String,
        /// Where it takes logs.
        path: String = "/v1/logs",
        /// Headers that are sent with each batch, for example to authenticate.
        headers: BTreeMap<String, Field<String>>,
        /// How long to wait for the answer.
        timeout: Span = "5s",
        /// Which decisions it gets.
        decisions: Word<Exported> = "all",
        /// A batch leaves when so many records are there; from 1 to 1000.
        batch: u64 = 100,
        /// A batch leaves when the first of its records has waited so long; from `250ms` to `1m`.
        interval: Span = "1s",
        /// How many records may wait in each worker; no fewer than `batch`, at most 100000.
        max_queued: u64 = 10000,
        /// How many bytes of records may wait in each worker; from 65536 to 67108864.
        max_queued_bytes: u64 = 8_388_608,
    }
}
