//! The ways to set up the proxy that are measured: each is a chain of HTTP filters, or none, on a listener of its own.

mod native;
mod wasm;

use std::borrow::Cow;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use hallpass_demo::idp;
use hallpass_tokens::jwks;
use serde::Serialize;
use serde_json::{Value, json};

use native::{
    ext_authz, jwt_authn, jwt_authn_and_ext_authz, jwt_authn_cached,
    jwt_authn_cached_and_ext_authz, lua,
};
use wasm::{
    ASK, REFUSE, TELL, asking_about_each_path, asking_about_paths_together, empty, guarding,
    hallpass, remembering, with_embedded_grants, with_grants,
};

pub(crate) use wasm::{LAST_PATH, RESOURCE, granted_path};

/// The path that requests ask for, unless their row says otherwise.
pub(crate) const PATH: &str = "/me";
/// Another path with each request.
pub(crate) const NEW_PATHS: &str = "/many/{n}";
/// How long keys are not fetched again because of a token. Short, so that each measurement sees it end.
pub(crate) const COOL_DOWN: Duration = Duration::from_secs(1);
/// How many resources need a grant of the service.
pub(crate) const RESOURCES: usize = 5;
/// How long an answer of the grant service counts that is to be over soon.
pub(crate) const ALLOW_TTL: Duration = Duration::from_secs(5);
/// How many tokens Hallpass remembers, where tokens are to be new to it. They are the first that came, so they come again close together:
/// few, so that even in a slow measurement they are less than a hundredth.
pub(crate) const REMEMBERED: usize = 20;
/// The largest token that Hallpass can be told to take.
pub(crate) const MOST_TOKEN_BYTES: usize = 65_536;
/// The cluster of the service that decides, for grants and for `ext_authz`.
pub(crate) const GRANT_CLUSTER: &str = "grants";
/// The cluster of the server that publishes the keys.
pub(crate) const KEY_CLUSTER: &str = "idp";

/// A way to set up the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(into = "Cow<'static, str>")]
pub(crate) enum Contender {
    /// No filter: what the proxy and the load itself cost.
    Plain,
    /// A wasm filter that does nothing, as the SDK builds it.
    Empty,
    /// The same without the callbacks that it has no use for.
    EmptyStripped,
    /// The same, and it refuses every request as Hallpass refuses one without a token.
    Refusing,
    /// The same, and it makes the calls of the host that Hallpass makes for a known token, and decides nothing.
    Telling,
    /// The same, with those that Hallpass makes to ask the grant service, too.
    Asking,
    /// A script in Lua that reads the token's header and sets four others. For scale: it verifies nothing.
    Lua,
    /// `jwt_authn`, which verifies each token.
    Native,
    /// `jwt_authn` with its cache of verified tokens.
    NativeCached,
    /// `ext_authz`, which asks a service about each request.
    External,
    /// `jwt_authn`, which verifies each token, and then `ext_authz`.
    NativeAndExternal,
    /// `jwt_authn` with its cache, and then `ext_authz`.
    NativeCachedAndExternal,
    /// Hallpass, with the keys in its configuration. It tells the upstream who it is by four headers.
    Hallpass,
    /// Hallpass doing no more than `jwt_authn`: the upstream is not told who it is.
    HallpassUntold,
    /// Hallpass as it remembers tokens unless it is told otherwise: those of ten thousand users.
    HallpassManyUsers,
    /// Hallpass, which writes a line to the proxy's log for each request.
    HallpassAudited,
    /// The same, and lines wait for others, to be written together.
    HallpassAuditedTogether,
    /// Hallpass, which demands a grant in the token.
    HallpassEmbedded,
    /// Another build of Hallpass.
    OtherBuild,
    /// Hallpass, with keys that it fetches.
    HallpassRemote,
    /// Hallpass, which asks a grant service about [`RESOURCES`] resources and remembers the answers for an hour.
    HallpassGrants,
    /// The same, and it remembers them for [`ALLOW_TTL`].
    HallpassFleetingGrants,
    /// Hallpass, which asks about each path anew.
    HallpassManyQuestions,
    /// The same, and questions that come while others are under way are asked together.
    HallpassGathering,
    /// Hallpass with so many resources in its configuration; the one at [`LAST_PATH`] is the last.
    HallpassResources(usize),
    /// Hallpass, which demands a grant in the token and takes tokens of any size that it can be told to take. The users' tokens have so
    /// many grants: it is the same for each number, but has a listener of its own.
    HallpassEmbeddedGrants(usize),
    /// The same. All the users' tokens are of one length.
    HallpassLongTokens(usize),
    /// Hallpass with room for more tokens than there are, of which so many come. It is the same for each number, likewise.
    HallpassRemembering(usize),
}

impl Contender {
    /// The name of its listener, and of its part of the proxy's stats.
    pub(crate) fn listener(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Plain => "plain",
            Self::Empty => "empty",
            Self::EmptyStripped => "empty_stripped",
            Self::Refusing => "refusing",
            Self::Telling => "telling",
            Self::Asking => "asking",
            Self::Lua => "lua",
            Self::Native => "jwt_authn",
            Self::NativeCached => "jwt_authn_cached",
            Self::External => "ext_authz",
            Self::NativeAndExternal => "jwt_authn_and_ext_authz",
            Self::NativeCachedAndExternal => "jwt_authn_cached_and_ext_authz",
            Self::Hallpass => "hallpass",
            Self::HallpassUntold => "hallpass_untold",
            Self::HallpassManyUsers => "hallpass_many_users",
            Self::HallpassAudited => "hallpass_audited",
            Self::HallpassAuditedTogether => "hallpass_audited_together",
            Self::HallpassEmbedded => "hallpass_embedded",
            Self::OtherBuild => "hallpass_other_build",
            Self::HallpassRemote => "hallpass_remote",
            Self::HallpassGrants => "hallpass_grants",
            Self::HallpassFleetingGrants => "hallpass_fleeting_grants",
            Self::HallpassManyQuestions => "hallpass_many_questions",
            Self::HallpassGathering => "hallpass_gathering",
            Self::HallpassResources(number) => {
                return format!("hallpass_resources_{number}").into();
            }
            Self::HallpassEmbeddedGrants(number) => {
                return format!("hallpass_embedded_grants_{number}").into();
            }
            Self::HallpassLongTokens(number) => {
                return format!("hallpass_long_tokens_{number}").into();
            }
            Self::HallpassRemembering(number) => {
                return format!("hallpass_remembering_{number}").into();
            }
        })
    }
}

impl From<Contender> for Cow<'static, str> {
    fn from(contender: Contender) -> Self {
        contender.listener()
    }
}

/// The modules that are loaded.
#[derive(Debug)]
pub(crate) struct Modules {
    /// The filter.
    pub(crate) hallpass: PathBuf,
    /// The other build of it, if there is one.
    pub(crate) other_build: Option<PathBuf>,
    /// The empty filter, as the SDK builds it.
    pub(crate) empty: PathBuf,
    /// The empty filter, stripped.
    pub(crate) empty_stripped: PathBuf,
}

/// What the contenders need.
#[derive(Debug)]
pub(crate) struct Setting {
    /// What is loaded.
    pub(crate) modules: Modules,
    /// Where the keys are published.
    pub(crate) idp: SocketAddr,
    /// Who decides.
    pub(crate) grants: SocketAddr,
}

impl Setting {
    /// The HTTP filters of a contender, in their order; none for the proxy alone.
    ///
    /// # Errors
    /// When it is another build of the filter, and there is none.
    pub(crate) fn chain(&self, contender: Contender) -> Result<Vec<Value>> {
        let Modules {
            hallpass: module,
            other_build,
            empty: sdk_module,
            empty_stripped,
        } = &self.modules;
        let name = &*contender.listener();
        let with = |more| vec![hallpass(name, module, more)];
        Ok(match contender {
            Contender::Plain => Vec::new(),
            Contender::Empty => vec![empty(name, sdk_module, "")],
            Contender::EmptyStripped => vec![empty(name, empty_stripped, "")],
            Contender::Refusing => vec![empty(name, empty_stripped, REFUSE)],
            Contender::Telling => vec![empty(name, empty_stripped, TELL)],
            Contender::Asking => vec![empty(name, empty_stripped, ASK)],
            Contender::Lua => vec![lua()],
            Contender::Native => vec![jwt_authn()],
            Contender::NativeCached => vec![jwt_authn_cached()],
            Contender::External => vec![ext_authz()],
            Contender::NativeAndExternal => jwt_authn_and_ext_authz(),
            Contender::NativeCachedAndExternal => jwt_authn_cached_and_ext_authz(),
            Contender::Hallpass => with(json!({})),
            Contender::HallpassUntold => {
                let nothing =
                    json!({ "subject": null, "issuer": null, "email": null, "groups": null });
                with(json!({ "identity_headers": nothing }))
            }
            Contender::HallpassManyUsers => with(json!({ "token_cache": {} })),
            Contender::HallpassAudited => with(json!({ "audit": { "log": "all" } })),
            Contender::HallpassAuditedTogether => {
                with(json!({ "audit": { "log": "all", "flush_interval": "20ms" } }))
            }
            Contender::HallpassEmbedded => with(with_embedded_grants()),
            Contender::OtherBuild => {
                let module = other_build.as_deref().context("there is no other build")?;
                vec![hallpass(name, module, json!({}))]
            }
            Contender::HallpassRemote => {
                // No refresh falls into the measurement: what is fetched then is fetched because of a token.
                let cool_down = format!("{}s", COOL_DOWN.as_secs());
                let remote = json!({ "cluster": KEY_CLUSTER, "uri": "/jwks.json", "refresh": "1h", "cool_down": cool_down });
                let provider = wasm::provider(&json!({ "remote": remote }));
                with(json!({ "providers": [provider], "token_cache": {} }))
            }
            Contender::HallpassGrants => with(with_grants(Duration::from_hours(1))),
            Contender::HallpassFleetingGrants => with(with_grants(ALLOW_TTL)),
            Contender::HallpassManyQuestions => with(asking_about_each_path()),
            Contender::HallpassGathering => with(asking_about_paths_together()),
            Contender::HallpassResources(number) => with(guarding(number)),
            Contender::HallpassEmbeddedGrants(_) | Contender::HallpassLongTokens(_) => {
                let mut more = with_embedded_grants();
                more["max_token_bytes"] = json!(MOST_TOKEN_BYTES);
                with(more)
            }
            Contender::HallpassRemembering(_) => with(remembering()),
        })
    }
}

/// The algorithms that tokens are signed with, as JOSE names them.
pub(crate) const ALGORITHMS: [&str; 3] = ["RS256", "ES256", "EdDSA"];

fn key_set() -> Value {
    let keys: Vec<_> = ALGORITHMS.into_iter().filter_map(idp::key_for).collect();
    jwks(&keys)
}
