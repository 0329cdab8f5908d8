//! One row of the table, and how it is written down.

use crate::OPEN_HOST;

/// A request as a client writes it, and what becomes of it.
#[derive(Clone, Debug)]
pub struct Row {
    /// What it is called.
    pub name: String,
    /// The method.
    pub method: &'static str,
    /// The request target, as it stands between the method and the version.
    pub target: Vec<u8>,
    /// The values of its `host` headers, in order.
    pub hosts: Vec<Vec<u8>>,
    /// Its other headers.
    pub headers: Vec<(&'static str, &'static str)>,
    /// Whether it says that it is HTTP/1.0.
    pub old: bool,
    expected: [Outcome; 3],
}

/// Who reads the request before the filter does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proxy {
    /// Nobody: the filter sees target and host as they are.
    Absent,
    /// Envoy, told to leave paths as they are.
    Bare,
    /// Envoy with its own normalisation: `normalize_path`, `merge_slashes`, `path_with_escaped_slashes_action: REJECT_REQUEST`.
    Normalising,
}

/// What becomes of a request without a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The filter refuses it because it could be read in two ways: 400, `request_ambiguous`.
    Ambiguous,
    /// The proxy refuses it before the filter sees it.
    Unread,
    /// No rule is for it: 403, `resource_unknown`.
    Unknown,
    /// A rule that guards is for it: 401, `token_missing`.
    Guarded,
    /// It goes upstream like this.
    Upstream {
        /// `:authority` there.
        host: String,
        /// `:path` there.
        target: String,
    },
}

impl Row {
    /// A GET request for `target` at the open host. It is [ambiguous](Outcome::Ambiguous) for everyone until said otherwise.
    pub(crate) fn get(name: impl Into<String>, target: impl AsRef<[u8]>) -> Self {
        Self {
            name: name.into(),
            method: "GET",
            target: target.as_ref().to_vec(),
            hosts: vec![OPEN_HOST.into()],
            headers: Vec::new(),
            old: false,
            expected: [Outcome::Ambiguous, Outcome::Ambiguous, Outcome::Ambiguous],
        }
    }

    /// A request for `/public/x` with these `host` headers.
    pub(crate) fn at<const COUNT: usize>(name: &str, hosts: [&[u8]; COUNT]) -> Self {
        let mut row = Self::get(name, "/public/x");
        row.hosts = hosts.map(<[u8]>::to_vec).into();
        row
    }

    pub(crate) fn by(mut self, method: &'static str) -> Self {
        self.method = method;
        self
    }

    pub(crate) fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn in_http_1_0(mut self) -> Self {
        self.old = true;
        self
    }

    /// What becomes of it, whoever reads it first.
    pub(crate) fn is(self, outcome: &Outcome) -> Self {
        self.in_envoy(outcome).alone(outcome)
    }

    /// It goes upstream as `target` at the open host.
    pub(crate) fn goes_as(self, target: &str) -> Self {
        self.is(&upstream(target))
    }

    /// What becomes of it where the filter reads it first.
    pub(crate) fn alone(mut self, outcome: &Outcome) -> Self {
        self.expected[Proxy::Absent as usize] = outcome.clone();
        self
    }

    /// What becomes of it in Envoy, normalising or not.
    pub(crate) fn in_envoy(self, outcome: &Outcome) -> Self {
        self.bare(outcome).normalised(outcome)
    }

    /// What becomes of it in an Envoy that leaves paths as they are.
    pub(crate) fn bare(mut self, outcome: &Outcome) -> Self {
        self.expected[Proxy::Bare as usize] = outcome.clone();
        self
    }

    /// What becomes of it in an Envoy that normalises.
    pub(crate) fn normalised(mut self, outcome: &Outcome) -> Self {
        self.expected[Proxy::Normalising as usize] = outcome.clone();
        self
    }

    /// What must become of it.
    pub fn expected(&self, proxy: Proxy) -> &Outcome {
        &self.expected[proxy as usize]
    }

    /// Its bytes on the wire, as the only request of a connection.
    pub fn to_bytes(&self) -> Vec<u8> {
        let version = if self.old { "1.0" } else { "1.1" };
        let mut bytes = [self.method.as_bytes(), b" ", &self.target].concat();
        bytes.extend_from_slice(format!(" HTTP/{version}\r\nconnection: close\r\n").as_bytes());
        for host in &self.hosts {
            bytes.extend_from_slice(&[b"host: ", &**host, b"\r\n"].concat());
        }
        for (name, value) in &self.headers {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes
    }
}

/// It goes upstream as `target` at the open host.
pub(crate) fn upstream(target: &str) -> Outcome {
    upstream_at(OPEN_HOST, target)
}

/// It goes upstream as `target` at `host`.
pub(crate) fn upstream_at(host: &str, target: &str) -> Outcome {
    Outcome::Upstream {
        host: host.to_owned(),
        target: target.to_owned(),
    }
}
