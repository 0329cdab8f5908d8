//! Envoy with the shipped configuration, ready to be asked.

use std::env;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output};
use std::thread;
use std::time::{Duration, Instant};

use hallpass_demo::config::EnvoyConfig;
use hallpass_demo::envoy::{Addresses, Envoy, built};
use hallpass_demo::log::Log;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::client::Request;
use crate::prometheus::{Sample, samples};

/// Two workers unless a test wants another number, as each has a VM and caches of its own.
const WORKERS: u32 = 2;
/// Envoy compiles the filter before it serves, on a machine that may be busy.
const START: Duration = Duration::from_mins(1);

/// The name of the file of a listener that can be replaced.
const LISTENERS: &str = "listeners.json";

/// The feed of revocations is asked at once, and answered by servers on this machine, which may be busy.
const FEED: Duration = Duration::from_secs(20);

/// Envoy finishes what is under way before it ends, on a machine that may be busy.
const END: Duration = Duration::from_secs(20);

/// An Envoy in the making: the shipped configuration, with what a test changes in it.
#[derive(Debug)]
pub struct Setup {
    config: EnvoyConfig,
    workers: u32,
}

impl Setup {
    /// The shipped configuration, on free ports, with the built filter.
    ///
    /// # Panics
    /// When the filter is not built, or the shipped configuration cannot be read.
    pub fn shipped() -> Self {
        Self::of("envoy-config/envoy.yaml")
    }

    /// The configuration in `file`, a path in the workspace, on free ports, with the built filter.
    ///
    /// # Panics
    /// When the filter is not built, or the file cannot be read or is laid out in another way than the shipped configuration.
    pub fn of(file: &str) -> Self {
        let module = env::var_os("HALLPASS_MODULE")
            .map_or_else(|| root().join("dist/hallpass.wasm"), PathBuf::from);
        let module = built("filter", &module).unwrap_or_else(|fault| panic!("{fault:#}"));
        let mut config = EnvoyConfig::read(&root().join(file)).expect("the configuration is sound");
        config.listen_on(0, 0).expect("it has a listener");
        config.load_module(&module).expect("it has the filter");
        Self {
            config,
            workers: WORKERS,
        }
    }

    /// Starts so many workers. With one of them, all requests meet in it.
    #[must_use]
    pub fn workers(self, workers: u32) -> Self {
        Self { workers, ..self }
    }

    /// Sends what is meant for `cluster` to `address`.
    ///
    /// # Panics
    /// When there is no such cluster.
    #[must_use]
    pub fn cluster(mut self, cluster: &str, address: SocketAddr) -> Self {
        self.config
            .point_cluster(cluster, address)
            .expect("the shipped configuration has this cluster");
        self
    }

    /// Adds a cluster of one host.
    ///
    /// # Panics
    /// When the configuration has no clusters.
    #[must_use]
    pub fn new_cluster(mut self, cluster: &str, address: SocketAddr) -> Self {
        self.config
            .add_cluster(cluster, address)
            .expect("the shipped configuration has clusters");
        self
    }

    /// Changes how Envoy treats `cluster`.
    ///
    /// # Panics
    /// When there is no such cluster.
    #[must_use]
    pub fn treating(mut self, cluster: &str, edit: impl FnOnce(&mut Value)) -> Self {
        edit(
            self.config
                .cluster(cluster)
                .expect("the shipped configuration has this cluster"),
        );
        self
    }

    /// Changes the listener for clients.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn listener(mut self, edit: impl FnOnce(&mut Value)) -> Self {
        edit(
            self.config
                .listener()
                .expect("the shipped configuration has a listener"),
        );
        self
    }

    /// Changes the filter's configuration.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn plugin(mut self, edit: impl FnOnce(&mut Value)) -> Self {
        self.config
            .edit_plugin(edit)
            .expect("the shipped configuration has the filter's");
        self
    }

    /// Changes Envoy's HTTP connection manager.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn http(mut self, edit: impl FnOnce(&mut Value)) -> Self {
        edit(
            self.config
                .http()
                .expect("the shipped configuration has a connection manager"),
        );
        self
    }

    /// Starts Envoy and waits until it serves, and until its workers know what is revoked.
    ///
    /// # Panics
    /// When it does not.
    pub fn start(mut self) -> Proxy {
        // What lies there is read at the start, and the log is kept in memory.
        let directory = directory();
        let follows = self.follows_revocations();
        self.serve(directory.path(), follows)
    }

    /// The same, of which the listener can be [replaced](Replaceable::replace).
    ///
    /// # Panics
    /// When it does not serve.
    pub fn start_replaceable(mut self) -> Replaceable {
        let directory = directory();
        let file = directory.path().join(LISTENERS);
        let follows = self.follows_revocations();
        self.lay_listeners(&file);
        Replaceable {
            proxy: self.serve(directory.path(), follows),
            file,
            _directory: directory,
        }
    }

    fn serve(self, directory: &Path, follows_revocations: bool) -> Proxy {
        let workers = self.workers;
        let mut envoy = self.launch(directory);
        let addresses = envoy
            .await_ready(START)
            .unwrap_or_else(|fault| panic!("{fault:#}"));
        let proxy = Proxy { envoy, addresses };
        if follows_revocations {
            proxy.await_revocations(workers);
        }
        proxy
    }

    /// Has listeners read from `file`, and puts them there at one stroke: it is a move that Envoy looks out for.
    fn lay_listeners(&mut self, file: &Path) {
        let listeners = self.config.listen_by_file(file);
        let listeners = listeners.expect("the shipped configuration has a listener");
        let next = file.with_extension("next");
        std::fs::write(&next, listeners.to_string()).expect("listeners can be written");
        std::fs::rename(&next, file).expect("a file can take another's place");
    }

    fn follows_revocations(&mut self) -> bool {
        let mut follows = false;
        self.config
            .edit_plugin(|plugin| {
                follows = plugin.pointer("/grants/service/revocations").is_some();
            })
            .is_ok_and(|()| follows)
    }

    /// Starts Envoy and waits until it gives up.
    ///
    /// # Panics
    /// When it does not give up.
    pub fn start_in_vain(self) -> Refused {
        let directory = directory();
        let mut envoy = self.launch(directory.path());
        let status = envoy
            .await_exit(START)
            .expect("the operating system says how it ended");
        let status = status.expect("Envoy runs with a configuration that should stop it");
        Refused {
            status,
            log: envoy.log().to_the_end(Duration::from_secs(5)),
        }
    }

    /// What Envoy says to it without serving: its verdict, and its log.
    ///
    /// # Panics
    /// When Envoy cannot be started.
    pub fn validate(self) -> Output {
        let directory = directory();
        let file = directory.path().join("envoy.json");
        std::fs::write(&file, self.config.to_json()).expect("a configuration can be written");
        let mut command = Command::new(program());
        command.args(["--mode", "validate", "--disable-hot-restart"]);
        command.arg("--config-path").arg(file);
        command.output().expect("Envoy can be started")
    }

    /// What Envoy says to the shipped file as it is: its verdict, and its log.
    ///
    /// # Panics
    /// When the filter is not built at `dist/hallpass.wasm`, where the file looks for it.
    pub fn validate_shipped() -> Output {
        built("filter", &root().join("dist/hallpass.wasm"))
            .unwrap_or_else(|fault| panic!("{fault:#}"));
        let mut command = Command::new(program());
        command.args([
            "--mode",
            "validate",
            "--disable-hot-restart",
            "--config-path",
            "envoy-config/envoy.yaml",
        ]);
        command
            .current_dir(root())
            .output()
            .expect("Envoy can be started")
    }

    fn launch(self, directory: &Path) -> Envoy {
        Envoy::start(&program(), &self.config, self.workers, directory)
            .unwrap_or_else(|fault| panic!("{fault:#}"))
    }
}

/// An Envoy that did not start.
#[derive(Debug)]
pub struct Refused {
    /// How it ended.
    pub status: ExitStatus,
    /// Every line that it wrote.
    pub log: Vec<String>,
}

/// A serving Envoy that reads its listeners from a file.
#[derive(Debug)]
pub struct Replaceable {
    proxy: Proxy,
    file: PathBuf,
    _directory: TempDir,
}

impl Replaceable {
    /// The Envoy.
    pub fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    /// Has the listener of `setup`, and the filter's configuration in it, take the place of the one that there is.
    ///
    /// # Panics
    /// When `setup` has no listener, or it cannot be written.
    pub fn replace(&self, mut setup: Setup) {
        setup.lay_listeners(&self.file);
    }
}

/// A serving Envoy. Dropping it ends the process.
#[derive(Debug)]
pub struct Proxy {
    envoy: Envoy,
    addresses: Addresses,
}

impl Proxy {
    /// Where it listens for clients.
    pub fn address(&self) -> SocketAddr {
        self.addresses.proxy
    }

    /// A GET request for `path`.
    pub fn get(&self, path: &str) -> Request {
        Request::new(self.addresses.proxy, "GET", path)
    }

    /// A request for `path`.
    pub fn request(&self, method: &str, path: &str) -> Request {
        Request::new(self.addresses.proxy, method, path)
    }

    /// A counter or a gauge of its stats, by its full name.
    ///
    /// # Panics
    /// When there is no such stat.
    pub fn stat(&self, name: &str) -> u64 {
        let value = self.addresses.stat(name);
        value.unwrap_or_else(|fault| panic!("{fault:#}"))
    }

    /// Its stats as Prometheus reads them.
    ///
    /// # Panics
    /// When they cannot be read.
    pub fn prometheus(&self) -> Vec<Sample> {
        let admin = self.addresses.admin;
        let mut answer = ureq::get(format!("http://{admin}/stats/prometheus"))
            .call()
            .expect("the administrator is answered");
        samples(&answer.body_mut().read_to_string().expect("stats are text"))
    }

    /// What it wrote.
    pub fn log(&self) -> &Log {
        self.envoy.log()
    }

    /// Asks it to end (`SIGTERM`), and returns all that it wrote.
    ///
    /// # Panics
    /// When it does not end.
    pub fn end(mut self) -> Vec<String> {
        let id = i32::try_from(self.envoy.id()).ok().and_then(Pid::from_raw);
        kill_process(id.expect("a process id"), Signal::TERM).expect("it runs");
        let ended = self.envoy.await_exit(END).expect("its status can be had");
        let status = ended.unwrap_or_else(|| panic!("it still runs {END:?} after `SIGTERM`"));
        assert!(status.success(), "it ended with {status}");
        self.log().to_the_end(END)
    }

    /// Waits until each of so many workers, and the main thread, which has a VM too, has asked what is revoked. Before, nothing is
    /// remembered. Where nobody answers, that is known after the service's timeout.
    ///
    /// # Panics
    /// When one of them does not know.
    fn await_revocations(&self, workers: u32) {
        let deadline = Instant::now() + FEED;
        let asked = || {
            let stats = ["ok", "error"];
            let read =
                stats.map(|end| self.stat(&format!("wasmcustom.hallpass.revocations.{end}")));
            read.iter().sum::<u64>()
        };
        let all = u64::from(workers) + 1;
        loop {
            let asked = asked();
            if asked >= all {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "the feed of revocations was read {asked} times in {FEED:?}, and {all} threads follow it"
            );
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Proxy {
    /// A failed test shows the end of the log.
    fn drop(&mut self) {
        if thread::panicking() {
            let lines = self.log().so_far();
            let end = lines.len().saturating_sub(20);
            eprintln!("the end of Envoy's log:\n{}", lines[end..].join("\n"));
        }
    }
}

/// The Envoy program.
pub(crate) fn program() -> PathBuf {
    let program = env::var_os("HALLPASS_ENVOY").map(PathBuf::from);
    let program = program
        .expect("HALLPASS_ENVOY is not set: it names the Envoy program; `make test-envoy` sets it");
    built("Envoy", &program).unwrap_or_else(|fault| panic!("{fault:#}"))
}

/// The workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A folder for one Envoy's files.
pub(crate) fn directory() -> TempDir {
    let parent = root().join("target/envoy-tests");
    std::fs::create_dir_all(&parent).expect("target/ can be written");
    tempfile::tempdir_in(parent).expect("target/envoy-tests can be written")
}
