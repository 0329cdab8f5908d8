//! The shared Envoy, and what stands around it. Tests keep apart by the user that they act as and the path that they ask for.

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{io, thread};

use hallpass_demo::grants::GrantService;
use hallpass_demo::idp::{IdentityProvider, signing_key, token_for};
use hallpass_demo::process::OwnedChild;
use hallpass_demo::upstream::Upstream;
use hallpass_envoy_tests::{Answer, Proxy, Setup};
use serde_json::json;

/// Servers inside this process, and an Envoy before them.
pub(crate) struct World {
    pub(crate) proxy: Proxy,
    pub(crate) upstream: Upstream,
    pub(crate) idp: IdentityProvider,
    pub(crate) grants: GrantService,
}

impl World {
    /// A world around the shipped configuration, with what a test changes in it.
    pub(crate) fn new(idp: IdentityProvider, change: impl FnOnce(Setup) -> Setup) -> Self {
        let upstream = Upstream::start(0).unwrap();
        let grants = GrantService::start(0).unwrap();
        let setup = Setup::shipped()
            .cluster("upstream", upstream.address())
            .cluster("idp", idp.address())
            .cluster("grants", grants.address());
        let proxy = change(setup).start();
        Self {
            proxy,
            upstream,
            idp,
            grants,
        }
    }
}

/// The world of all tests that change nothing in the shipped configuration. It ends with the process.
pub(crate) fn world() -> &'static World {
    static WORLD: LazyLock<World> =
        LazyLock::new(|| World::new(IdentityProvider::start(0).unwrap(), |setup| setup));
    &WORLD
}

/// A sound token of `user`.
pub(crate) fn token(user: &str) -> String {
    token_for(user).signed_by(signing_key())
}

/// Asks again and again until `wanted` takes the answer, and returns it.
pub(crate) fn ask_until(
    what: &str,
    patience: Duration,
    ask: impl Fn() -> Answer,
    wanted: impl Fn(&Answer) -> bool,
) -> Answer {
    let deadline = Instant::now() + patience;
    loop {
        let answer = ask();
        if wanted(&answer) {
            return answer;
        }
        assert!(
            Instant::now() < deadline,
            "not {what} after {patience:?}; the last answer: {answer:?}"
        );
        thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until `reached`.
pub(crate) fn wait_until(what: &str, patience: Duration, reached: impl Fn() -> bool) {
    let deadline = Instant::now() + patience;
    while !reached() {
        assert!(Instant::now() < deadline, "not {what} after {patience:?}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Says that something is over when it goes, also on a panic: what runs beside the test must not run on for ever.
pub(crate) struct Ends<'a>(pub(crate) &'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// One of the demo's servers as a process of its own, to be killed. It is killed (`SIGKILL`) when dropped.
pub(crate) struct Stub {
    _child: OwnedChild,
    pub(crate) address: SocketAddr,
}

impl Stub {
    /// Starts `server` (`upstream`, `idp` or `grants`) on `port`; 0 takes a free one.
    pub(crate) fn start(server: &str, port: u16) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hallpass-stub"));
        command
            .args([server, "--port", &port.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut child = OwnedChild::spawn(command).unwrap();
        let mut line = String::new();
        io::BufRead::read_line(
            &mut io::BufReader::new(child.take_stdout().unwrap()),
            &mut line,
        )
        .unwrap();
        let address = line.trim().strip_prefix("listening on http://");
        let address = address
            .unwrap_or_else(|| panic!("the {server} stub did not start: {line:?}"))
            .parse()
            .unwrap();
        Self {
            _child: child,
            address,
        }
    }

    /// Has a grant service give each of `users` the grant to read orders.
    pub(crate) fn give_all(&self, users: &[String]) {
        for user in users {
            let wish =
                json!({ "subject": user, "resource": "orders", "action": "read", "seconds": 600 });
            ureq::post(format!("http://{}/grants", self.address))
                .send_json(wish)
                .unwrap();
        }
    }
}
