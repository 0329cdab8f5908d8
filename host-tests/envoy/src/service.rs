//! The grant service as people run it, with the shipped configuration.

use std::env;
use std::net::SocketAddr;
use std::ops::Deref;
use std::path::PathBuf;
use std::thread;

use hallpass_demo::envoy::built;
use hallpass_demo::service::{Service, ServiceConfig};
use serde_json::Value;
use tempfile::TempDir;

use crate::proxy::{directory, root};

/// A running grant service with a database of its own. Dropping it ends the process.
#[derive(Debug)]
pub struct GrantProgram {
    service: Service,
    // After the service, which writes into it.
    _directory: TempDir,
}

impl GrantProgram {
    /// Starts it on a free port with the shipped configuration, the keys of the identity provider at `idp`, and what a test changes.
    ///
    /// # Panics
    /// When it is not built, or does not start.
    pub fn start(idp: SocketAddr, edit: impl FnOnce(&mut Value)) -> Self {
        let program = env::var_os("HALLPASS_GRANTS")
            .map_or_else(|| root().join("dist/hallpass-grants"), PathBuf::from);
        let program = built("grant service", &program).unwrap_or_else(|fault| panic!("{fault:#}"));
        let mut config = ServiceConfig::read(&root().join("envoy-config/grants.json"))
            .expect("the configuration is sound");
        config.listen_anywhere().expect("a port is free");
        config.trust(idp);
        config.edit(edit);
        let directory = directory();
        let service = Service::start(&program, config, directory.path())
            .unwrap_or_else(|fault| panic!("{fault:#}"));
        Self {
            service,
            _directory: directory,
        }
    }
}

impl Deref for GrantProgram {
    type Target = Service;

    fn deref(&self) -> &Service {
        &self.service
    }
}

impl Drop for GrantProgram {
    /// A failed test shows the end of the log.
    fn drop(&mut self) {
        if thread::panicking() {
            let lines = self.service.log().so_far();
            let end = lines.len().saturating_sub(20);
            eprintln!(
                "the end of the grant service's log:\n{}",
                lines[end..].join("\n")
            );
        }
    }
}
