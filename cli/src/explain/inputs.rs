//! What is decided about: the configuration with its keys at hand, the request, the time, and what the grant service says.

use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use hallpass_core::config::{Config, JwksSource, Provider};
use hallpass_core::jwks::KeySet;
use hallpass_core::request::RequestHead;
use hallpass_core::time::UnixMillis;
use hallpass_core::token::{TokenParts, TokenSource, UntrustedToken};

use crate::args::{ExplainArgs, Unreachable};
use crate::check::{self, Checked};
use crate::documents;

/// Everything that the decision depends on.
pub(super) struct Inputs {
    pub(super) config: Arc<Config>,
    pub(super) head: RequestHead,
    pub(super) now: UnixMillis,
    pub(super) service: Service,
    /// Whether keys that are not at hand cannot be had at all.
    pub(super) keys_are_unreachable: bool,
}

/// What becomes of a question to the grant service.
pub(super) enum Service {
    /// Nobody knows.
    Unknown,
    /// It cannot be reached.
    Unreachable,
    /// It answers with this body.
    Replies(Vec<u8>),
}

impl Inputs {
    pub(super) fn read(args: &ExplainArgs, mut config: Config) -> Result<Self> {
        let keys_are_unreachable = args.unreachable.contains(&Unreachable::Keys);
        if keys_are_unreachable && !args.jwks.is_empty() {
            bail!("--jwks gives keys, and --unreachable keys says that there are none");
        }
        for given in &args.jwks {
            give_keys(&mut config, given)?;
        }
        let now = match &args.at {
            Some(text) => UnixMillis::from_rfc3339(text)
                .context("--at is not an RFC 3339 time, such as 2026-11-23T20:34:08Z")?,
            None => now()?,
        };
        let service = match &args.grant_reply {
            Some(_) if args.unreachable.contains(&Unreachable::Grants) => {
                bail!(
                    "--grant-reply is an answer, and --unreachable grants says that there is none"
                )
            }
            Some(file) => Service::Replies(documents::read(file)?.into_bytes()),
            None if args.unreachable.contains(&Unreachable::Grants) => Service::Unreachable,
            None => Service::Unknown,
        };
        Ok(Self {
            head: head(args, &config)?,
            config: Arc::new(config),
            now,
            service,
            keys_are_unreachable,
        })
    }
}

/// The configuration, or what is wrong with it.
pub(super) fn config(file: &Path) -> Result<Result<Config, Checked>> {
    let name = file.display().to_string();
    let documents = documents::find(documents::read(file)?).with_context(|| name.clone())?;
    let document = documents.into_iter().next();
    let document = document.context("there is no configuration")?;
    Ok(Config::parse(document.text.as_bytes()).map_err(|_| check::checked(&name, document)))
}

/// Puts keys in the place of those that would be fetched.
fn give_keys(config: &mut Config, given: &str) -> Result<()> {
    let named = given.split_once('=');
    let is_provider = |name: &str| config.providers.iter().any(|p| p.name == name);
    let (name, file) = match named {
        Some((name, file)) if is_provider(name) => (Some(name), file),
        // A file may have such a name too.
        Some((name, _)) if !Path::new(given).exists() => return Err(no_provider(name, config)),
        _ => (None, given),
    };
    let set = documents::read(Path::new(file))?;
    let parsed = KeySet::parse(set.as_bytes())
        .map_err(|fault| anyhow::anyhow!("{file} is no JWK set: {fault}"))?;
    let takes = |provider: &&mut Provider| match name {
        Some(name) => provider.name == name,
        None => provider.jwks.remote().is_some(),
    };
    for provider in config.providers.iter_mut().filter(takes) {
        provider.jwks = JwksSource::Inline(parsed.keys.clone());
    }
    Ok(())
}

fn no_provider(name: &str, config: &Config) -> anyhow::Error {
    let there_are: Vec<&str> = config.providers.iter().map(|p| p.name.as_str()).collect();
    let there_are = if there_are.is_empty() {
        "the configuration has none".to_owned()
    } else {
        format!("the configuration has {}", there_are.join(", "))
    };
    anyhow::anyhow!("--jwks: no provider is named {name}; {there_are}")
}

fn now() -> Result<UnixMillis> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(UnixMillis::new(u64::try_from(since.as_millis())?))
}

fn head(args: &ExplainArgs, config: &Config) -> Result<RequestHead> {
    let mut head = RequestHead {
        source_ip: args.source_ip,
        ..RequestHead::default()
    };
    let (scheme, rest) = args
        .url
        .split_once("://")
        .context("the URL must be absolute, such as https://admin.example/orders/7")?;
    let (authority, target) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let slash = if target.starts_with('/') { "" } else { "/" };
    let headers = &mut head.headers;
    headers.push(b":method", args.method.as_bytes());
    headers.push(b":scheme", scheme.as_bytes());
    headers.push(b":authority", authority.as_bytes());
    headers.push(b":path", format!("{slash}{target}").as_bytes());
    for header in &args.header {
        let (name, value) = header
            .split_once(':')
            .filter(|(name, _)| !name.is_empty())
            .context("a --header is `name: value`")?;
        headers.push(name.trim().as_bytes(), value.trim().as_bytes());
    }
    if let Some(file) = &args.token {
        let token = documents::read(file)?;
        let token = token.trim();
        let (name, value) = place(token, config);
        headers.push(name.as_bytes(), value.as_bytes());
    }
    Ok(head)
}

/// The header in which a token travels: where the issuer that it names has its tokens, or else where any issuer has.
fn place(token: &str, config: &Config) -> (String, String) {
    let source = sources_of_issuer(token, config)
        .and_then(|sources| config.token_sources.get(*sources.first()?))
        .or(config.token_sources.first());
    match source {
        Some(TokenSource::Header { name, scheme }) if scheme.is_empty() => {
            (name.to_string(), token.to_owned())
        }
        Some(TokenSource::Header { name, scheme }) => {
            (name.to_string(), format!("{scheme} {token}"))
        }
        Some(TokenSource::Cookie { name }) => ("cookie".to_owned(), format!("{name}={token}")),
        None => ("authorization".to_owned(), format!("Bearer {token}")),
    }
}

fn sources_of_issuer<'a>(token: &str, config: &'a Config) -> Option<&'a [usize]> {
    let parts = TokenParts::decode(token.as_bytes()).ok()?;
    let token = UntrustedToken::read(&parts).ok()?;
    let mut providers = config.providers.iter();
    let provider = providers.find(|p| token.issuer() == Some(p.rules.issuer.as_str()))?;
    Some(&provider.token_sources)
}
