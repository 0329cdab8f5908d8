//! The shape of the configuration as it is written. What the members mean is decided where each is validated.

use std::collections::BTreeMap;

use serde_json::Value;

use super::field::{Field, Span, object};

type List<T> = Vec<Field<T>>;

object! {
    /// The whole document.
    RawConfig {
        mode: String,
        providers: List<RawProvider>,
        max_token_bytes: u64,
        token_cache: RawTokenCache,
        resources: List<RawResource>,
        grants: RawGrants,
        identity_headers: RawIdentityHeaders,
        claim_headers: BTreeMap<String, Field<String>>,
        forward_token: bool,
        trusted_hops: u64,
        audit: RawAudit,
    }
}

object! {
    RawProvider {
        name: String,
        issuer: String,
        audiences: List<String>,
        algorithms: List<String>,
        jwks: RawJwks,
        token_sources: List<RawTokenSource>,
        clock_skew: Span,
        max_token_age: Span,
        token_types: List<String>,
        required_claims: BTreeMap<String, Value>,
        claims: RawClaims,
    }
}

object! {
    RawJwks {
        inline: Value,
        remote: RawRemoteJwks,
        discovery: RawDiscovery,
    }
}

object! {
    RawRemoteJwks {
        cluster: String,
        uri: String,
        timeout: Span,
        refresh: Span,
        max_stale: Span,
        cool_down: Span,
    }
}

object! {
    RawDiscovery {
        cluster: String,
        issuer_path: String,
        timeout: Span,
        refresh: Span,
        max_stale: Span,
        cool_down: Span,
    }
}

object! {
    RawTokenSource {
        header: String,
        scheme: String,
        cookie: String,
    }
}

object! {
    RawTokenCache {
        max_entries: u64,
        max_bytes: u64,
    }
}

object! {
    RawClaims {
        subject: String,
        email: String,
        groups: String,
    }
}

object! {
    RawResource {
        name: String,
        r#match: RawMatch,
        access: String,
        action: String,
        max_grant_lifetime: Span,
        conditions: RawConditions,
        streams: String,
    }
}

object! {
    RawConditions {
        source_cidrs: List<String>,
        time_windows: List<RawTimeWindow>,
        claims: BTreeMap<String, Value>,
        acr_values: List<String>,
        max_auth_age: Span,
        all_of: List<RawCondition>,
        any_of: List<RawCondition>,
        not: RawCondition,
    }
}

object! {
    RawTimeWindow {
        days: List<String>,
        from: String,
        to: String,
        time_zone: String,
    }
}

object! {
    /// One condition inside of others: what is tested, and for `claim`, `header` and `certificate` the test.
    RawCondition {
        source_cidrs: List<String>,
        time_windows: List<RawTimeWindow>,
        claim: String,
        header: String,
        certificate: String,
        all_of: List<RawCondition>,
        any_of: List<RawCondition>,
        not: Box<RawCondition>,
        present: bool,
        equals: Value,
        one_of: List<Value>,
        contains: Value,
        prefix: String,
    }
}

object! {
    RawMatch {
        hosts: List<String>,
        paths: List<String>,
        methods: List<String>,
    }
}

object! {
    RawGrants {
        claim: String,
        service: RawService,
        request_url: String,
    }
}

object! {
    RawService {
        cluster: String,
        authority: String,
        path: String,
        timeout: Span,
        resource_type: String,
        headers: BTreeMap<String, Field<String>>,
        context: List<String>,
        require_expiry: bool,
        failure_mode: String,
        cache: RawCache,
    }
}

object! {
    RawCache {
        allow_ttl: Span,
        deny_ttl: Span,
        stale_if_error: Span,
        shared: bool,
        max_entries: u64,
    }
}

object! {
    RawIdentityHeaders {
        subject: Option<String>,
        issuer: Option<String>,
        email: Option<String>,
        groups: Option<String>,
        grant_id: Option<String>,
        grant_expires: Option<String>,
    }
}

object! {
    RawAudit {
        log: String,
    }
}
