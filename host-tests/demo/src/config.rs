//! The shipped Envoy configuration with other ports and paths in it.
//!
//! The YAML is read into a JSON value, changed there, and handed to Envoy as JSON, which it reads too.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

/// An Envoy configuration as `envoy-config/envoy.yaml` lays it out.
#[derive(Clone, Debug)]
pub struct EnvoyConfig(Value);

impl From<Value> for EnvoyConfig {
    /// A configuration of other make. What looks for a part of the shipped one in it may not find it.
    fn from(value: Value) -> Self {
        Self(value)
    }
}

impl EnvoyConfig {
    /// Reads a YAML file.
    ///
    /// # Errors
    /// When it cannot be read or is not YAML.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let value = serde_saphyr::from_str(&text)
            .with_context(|| format!("{} is not YAML", path.display()))?;
        Ok(Self(value))
    }

    /// Listens for clients on `127.0.0.1:port` and for the administrator on `127.0.0.1:admin_port`; 0 takes free ones.
    ///
    /// # Errors
    /// When the configuration has no listener or no admin address.
    pub fn listen_on(&mut self, port: u16, admin_port: u16) -> Result<()> {
        *self.at("/static_resources/listeners/0/address/socket_address/port_value")? = json!(port);
        *self.at("/admin/address/socket_address/port_value")? = json!(admin_port);
        Ok(())
    }

    /// Sends what is meant for `cluster` to `address`.
    ///
    /// # Errors
    /// When there is no such cluster with an endpoint.
    pub fn point_cluster(&mut self, cluster: &str, address: SocketAddr) -> Result<()> {
        let endpoint = self
            .cluster(cluster)?
            .pointer_mut(
                "/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address/socket_address",
            )
            .with_context(|| format!("the cluster `{cluster}` has no endpoint"))?;
        *endpoint = json!({ "address": address.ip().to_string(), "port_value": address.port() });
        Ok(())
    }

    /// Adds a cluster of one host.
    ///
    /// # Errors
    /// When the configuration has no clusters.
    pub fn add_cluster(&mut self, name: &str, address: SocketAddr) -> Result<()> {
        let socket = json!({ "address": address.ip().to_string(), "port_value": address.port() });
        let endpoint = json!({ "endpoint": { "address": { "socket_address": socket } } });
        let clusters = self.at("/static_resources/clusters")?;
        let clusters = clusters
            .as_array_mut()
            .context("the clusters are not a list")?;
        clusters.push(json!({
            "name": name,
            "type": "STATIC",
            "connect_timeout": "1s",
            "load_assignment": {
                "cluster_name": name,
                "endpoints": [{ "lb_endpoints": [endpoint] }],
            },
        }));
        Ok(())
    }

    /// One cluster.
    ///
    /// # Errors
    /// When there is no such cluster.
    pub fn cluster(&mut self, name: &str) -> Result<&mut Value> {
        named(self.at("/static_resources/clusters")?, name)
    }

    /// The listener for clients.
    ///
    /// # Errors
    /// When the configuration has none.
    pub fn listener(&mut self) -> Result<&mut Value> {
        self.at("/static_resources/listeners/0")
    }

    /// Has the proxy read its listeners from `file`, where others may take their place while it runs. Returns what must lie there.
    ///
    /// # Errors
    /// When the configuration has no listeners.
    pub fn listen_by_file(&mut self, file: &Path) -> Result<Value> {
        const LISTENER: &str = "type.googleapis.com/envoy.config.listener.v3.Listener";
        let listeners = self.at("/static_resources/listeners")?.take();
        let Value::Array(mut listeners) = listeners else {
            bail!("the listeners are not a list");
        };
        for listener in &mut listeners {
            listener["@type"] = json!(LISTENER);
        }
        let source =
            json!({ "path_config_source": { "path": file }, "resource_api_version": "V3" });
        self.0["dynamic_resources"]["lds_config"] = source;
        // Whoever asks for listeners has a name.
        self.0["node"] = json!({ "id": "hallpass", "cluster": "hallpass" });
        Ok(json!({ "resources": listeners }))
    }

    /// Loads the filter from `path`.
    ///
    /// # Errors
    /// When the configuration has no filter `hallpass`.
    pub fn load_module(&mut self, path: &Path) -> Result<()> {
        *self.filter("/vm_config/code/local/filename")? = json!(path);
        Ok(())
    }

    /// Changes the filter's own configuration.
    ///
    /// # Errors
    /// When the configuration has no filter `hallpass`, or its configuration is not JSON.
    pub fn edit_plugin(&mut self, edit: impl FnOnce(&mut Value)) -> Result<()> {
        let text = self.filter("/configuration/value")?;
        let mut plugin = serde_json::from_str(
            text.as_str()
                .context("the filter's configuration is not a string")?,
        )
        .context("the filter's configuration is not JSON")?;
        edit(&mut plugin);
        *text = json!(plugin.to_string());
        Ok(())
    }

    /// Envoy's HTTP connection manager on the listener for clients.
    ///
    /// # Errors
    /// When the configuration has none.
    pub fn http(&mut self) -> Result<&mut Value> {
        self.at("/static_resources/listeners/0/filter_chains/0/filters/0/typed_config")
    }

    /// The configuration as Envoy reads it from a `.json` file.
    pub fn to_json(&self) -> String {
        format!("{:#}", self.0)
    }

    fn filter(&mut self, pointer: &str) -> Result<&mut Value> {
        let filters = self
            .http()?
            .get_mut("http_filters")
            .context("the configuration has no HTTP filters")?;
        let full = format!("/typed_config/config{pointer}");
        named(filters, "hallpass")?
            .pointer_mut(&full)
            .with_context(|| format!("the filter `hallpass` has no {full}"))
    }

    fn at(&mut self, pointer: &str) -> Result<&mut Value> {
        self.0
            .pointer_mut(pointer)
            .with_context(|| format!("the configuration has no {pointer}"))
    }
}

fn named<'a>(list: &'a mut Value, name: &str) -> Result<&'a mut Value> {
    let found = list
        .as_array_mut()
        .and_then(|items| items.iter_mut().find(|item| item["name"] == name));
    found.with_context(|| format!("the configuration has no `{name}`"))
}
