//! What the tour walks through: the grant service, the servers around it and Envoy, wired together.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::Options;
use crate::config::EnvoyConfig;
use crate::envoy::{self, Addresses, Envoy};
use crate::idp::IdentityProvider;
use crate::log::Log;
use crate::service::{Service, ServiceConfig};
use crate::upstream::Upstream;

/// One worker, so that "one call" in the story is one call: each worker has a cache of its own.
const WORKERS: u32 = 1;
/// Envoy compiles the filter before it serves.
const START: Duration = Duration::from_mins(1);

/// Everything that runs. Dropping it ends everything.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) upstream: Upstream,
    pub(super) idp: IdentityProvider,
    pub(super) grants: Service,
    pub(super) addresses: Addresses,
    /// Where logs, configurations and the grant service's database lie.
    pub(super) directory: PathBuf,
    envoy: Envoy,
}

impl Stage {
    pub(super) fn set(options: &Options) -> Result<Self> {
        let module = envoy::built("filter", &options.module)?;
        let program = envoy::built("grant service", &options.grants)?;
        refuse_taken(options.port, "--port, or PORT= with make")?;
        refuse_taken(options.admin_port, "--admin-port, or ADMIN_PORT= with make")?;

        let upstream = Upstream::start(0)?;
        let idp = IdentityProvider::start(0)?;
        let mut service = ServiceConfig::read(&options.grants_config)?;
        service.listen_anywhere()?;
        service.trust(idp.address());
        let grants = Service::start(&program, service, &options.directory)?;

        let mut config = EnvoyConfig::read(&options.config)?;
        config.listen_on(options.port, options.admin_port)?;
        config.load_module(&module)?;
        config.point_cluster("upstream", upstream.address())?;
        config.point_cluster("idp", idp.address())?;
        config.point_cluster("grants", grants.address())?;
        let request_url = format!(
            "http://{}/request?resource={{resource}}&action={{action}}",
            grants.address()
        );
        config.edit_plugin(|plugin| plugin["grants"]["request_url"] = request_url.into())?;

        let mut envoy = Envoy::start(&options.envoy, &config, WORKERS, &options.directory)?;
        let addresses = envoy.await_ready(START)?;
        Ok(Self {
            upstream,
            idp,
            grants,
            addresses,
            directory: options.directory.clone(),
            envoy,
        })
    }

    pub(super) fn log(&self) -> &Log {
        self.envoy.log()
    }

    /// Where that lies.
    pub(super) fn log_file(&self) -> PathBuf {
        self.directory.join("envoy.log")
    }

    /// Stays until Envoy ends, which it does not do by itself.
    pub(super) fn stay_up(&mut self) -> Result<()> {
        while self.envoy.await_exit(Duration::from_hours(1))?.is_none() {}
        bail!("Envoy ended; its log is {}", self.log_file().display())
    }
}

/// Envoy itself would not notice a port that another Envoy listens on: both would get a share of the connections.
fn refuse_taken(port: u16, choose: &str) -> Result<()> {
    let attempt = TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    attempt.map(drop).with_context(|| {
        format!("port {port} on 127.0.0.1 cannot be used; choose another with {choose}")
    })
}
