//! The Envoy under measurement: a listener for each contender, and every answer made by the proxy itself, so that no upstream is measured
//! with it.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use hallpass_demo::config::EnvoyConfig;
use hallpass_demo::envoy::{Envoy, built};
use serde_json::{Value, json};

use crate::contender::{Contender, GRANT_CLUSTER, KEY_CLUSTER, Setting};
use crate::counters::Counters;

/// Envoy compiles the filter before it serves, once for each contender and thread.
const START: Duration = Duration::from_mins(5);

/// A serving Envoy. Dropping it ends the process.
#[derive(Debug)]
pub(crate) struct Proxy {
    envoy: Envoy,
    admin: SocketAddr,
    listeners: HashMap<String, SocketAddr>,
}

/// How many kilobytes of headers a request may have, at any listener.
const MOST_HEADERS_KB: u32 = 256;
/// How many headers it may have.
const MOST_HEADERS: u32 = 256;

/// What is in each audit line and in no other.
const AUDIT_MARKER: &[u8] = b"hallpass.audit ";

impl Proxy {
    /// Starts `program` with so many workers and a listener for each of these contenders, and waits until it serves.
    pub(crate) fn start(
        program: &Path,
        workers: u32,
        setting: &Setting,
        contenders: &BTreeSet<Contender>,
        directory: &Path,
    ) -> Result<Self> {
        let program = built("Envoy", program)?;
        let config = EnvoyConfig::from(configuration(setting, contenders)?);
        let mut envoy = Envoy::start_unfollowed(&program, &config, workers, directory)?;
        let admin = envoy.await_ready(START)?.admin;
        Ok(Self {
            envoy,
            admin,
            listeners: listeners(admin).context("cannot find Envoy's listeners")?,
        })
    }

    /// Where a contender listens.
    pub(crate) fn address(&self, contender: Contender) -> Result<SocketAddr> {
        let name = contender.listener();
        let address = self.listeners.get(&*name).copied();
        address.with_context(|| format!("Envoy has no listener `{name}`"))
    }

    /// Its counters now.
    pub(crate) fn counters(&self) -> Result<Counters> {
        let url = format!("http://{}/stats?usedonly", self.admin);
        let mut answer = ureq::get(&url)
            .call()
            .context("Envoy does not tell its stats")?;
        Ok(Counters::parse(&answer.body_mut().read_to_string()?))
    }

    /// How long its log is, in bytes.
    pub(crate) fn log_length(&self) -> Result<u64> {
        let path = self.envoy.log_file();
        let metadata = path.metadata();
        Ok(metadata
            .with_context(|| format!("cannot read {}", path.display()))?
            .len())
    }

    /// How many audit lines there are in its log from this byte on.
    pub(crate) fn audit_lines_from(&self, start: u64) -> Result<u64> {
        let mut log = File::open(self.envoy.log_file())?;
        log.seek(SeekFrom::Start(start))?;
        let mut count = 0;
        for line in BufReader::new(log).split(b'\n') {
            let line = line?;
            let mut parts = line.windows(AUDIT_MARKER.len());
            count += u64::from(parts.any(|part| part == AUDIT_MARKER));
        }
        Ok(count)
    }

    /// How much of its memory is resident, in KiB.
    pub(crate) fn resident_kib(&self) -> Result<u64> {
        let path = format!("/proc/{}/status", self.envoy.id());
        let status =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        number.with_context(|| format!("{path} tells no resident memory"))
    }

    /// The processor time that its threads have used.
    pub(crate) fn cpu_time(&self) -> Result<Duration> {
        let tasks = format!("/proc/{}/task", self.envoy.id());
        let mut nanoseconds = 0;
        for task in std::fs::read_dir(&tasks).with_context(|| format!("cannot read {tasks}"))? {
            // A thread may end between being listed and being read.
            let Ok(text) = std::fs::read_to_string(task?.path().join("schedstat")) else {
                continue;
            };
            let used = text.split(' ').next().and_then(|first| first.parse().ok());
            nanoseconds += used.unwrap_or(0);
        }
        Ok(Duration::from_nanos(nanoseconds))
    }
}

fn listeners(admin: SocketAddr) -> Result<HashMap<String, SocketAddr>> {
    let url = format!("http://{admin}/listeners?format=json");
    let statuses: Value = ureq::get(&url).call()?.body_mut().read_json()?;
    let statuses = statuses["listener_statuses"].as_array();
    let named = |status: &Value| {
        let socket = status.pointer("/local_address/socket_address")?;
        let ip = socket["address"].as_str()?.parse().ok()?;
        let port = socket["port_value"].as_u64()?.try_into().ok()?;
        Some((
            status["name"].as_str()?.to_owned(),
            SocketAddr::new(ip, port),
        ))
    };
    Ok(statuses.into_iter().flatten().filter_map(named).collect())
}

fn configuration(setting: &Setting, contenders: &BTreeSet<Contender>) -> Result<Value> {
    let mut listeners = Vec::new();
    for contender in contenders {
        listeners.push(listener(&contender.listener(), setting.chain(*contender)?));
    }
    Ok(json!({
        "admin": { "address": loopback(0) },
        "static_resources": { "listeners": listeners, "clusters": [cluster(KEY_CLUSTER, setting.idp), cluster(GRANT_CLUSTER, setting.grants)] },
    }))
}

fn listener(name: &str, mut filters: Vec<Value>) -> Value {
    filters.push(json!({
        "name": "envoy.filters.http.router",
        "typed_config": { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
    }));
    let answer = json!({ "status": 200, "body": { "inline_string": "ok" } });
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        // Some requests have a hundred kilobytes of headers.
        "max_request_headers_kb": MOST_HEADERS_KB,
        "common_http_protocol_options": { "max_headers_count": MOST_HEADERS },
        "http_filters": filters,
        "route_config": { "virtual_hosts": [{
            "name": "bench",
            "domains": ["*"],
            "routes": [{ "match": { "prefix": "/" }, "direct_response": answer }],
        }] },
    });
    json!({
        "name": name,
        "stat_prefix": name,
        "address": loopback(0),
        // Of several workers each gets as many connections as the others.
        "enable_reuse_port": false,
        "connection_balance_config": { "exact_balance": {} },
        "filter_chains": [{ "filters": [{ "name": "envoy.filters.network.http_connection_manager", "typed_config": manager }] }],
    })
}

fn cluster(name: &str, server: SocketAddr) -> Value {
    let endpoint = json!({ "endpoint": { "address": loopback(server.port()) } });
    json!({
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": { "cluster_name": name, "endpoints": [{ "lb_endpoints": [endpoint] }] },
    })
}

/// A port on the loopback address; 0 takes a free one.
fn loopback(port: u16) -> Value {
    json!({ "socket_address": { "address": "127.0.0.1", "port_value": port } })
}
