//! An answer that the module gave in place of the upstream.

use proxy_wasm_host::abi::v0_2_1::LocalResponse;
use serde_json::Value;

use crate::Headers;

/// A response made by the module, exactly as it handed it to the proxy.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u32,
    /// The headers.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
    /// The gRPC status, when the module gave one; otherwise the proxy derives it for a gRPC client.
    pub grpc: Option<u32>,
}

impl Answer {
    /// The body as text; bytes that are not UTF-8 are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When the body is not JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|fault| panic!("the body is not JSON ({fault}): {}", self.text()))
    }

    /// The member `reason` of a JSON body; empty when there is none.
    ///
    /// # Panics
    /// When the body is not JSON.
    #[track_caller]
    pub fn reason(&self) -> String {
        self.json()["reason"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}

impl From<LocalResponse<'_>> for Answer {
    fn from(response: LocalResponse<'_>) -> Self {
        Self {
            status: response.status_code,
            headers: response
                .headers
                .iter()
                .map(|(name, value)| (name, value))
                .collect(),
            body: response.body.into_owned(),
            grpc: response.grpc_status,
        }
    }
}
