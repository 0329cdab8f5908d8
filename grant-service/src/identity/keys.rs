//! Fetching an issuer's keys: one question and its answer. What it means is the filter's code to say.

use std::time::Duration;

use hallpass_core::flow::{KeysReply, KeysRequest};
use hallpass_core::jwks::MAX_SET_BYTES;
use ureq::Agent;

/// What an issuer is asked.
#[derive(Debug)]
pub(super) struct Question {
    url: String,
    patience: Duration,
}

/// What it answered.
#[derive(Debug)]
pub(super) struct Answer {
    status: u16,
    cache_control: Option<Vec<u8>>,
    body: Vec<u8>,
}

impl From<KeysRequest<'_>> for Question {
    /// The cluster of the filter's terms is the URL's scheme, see the configuration of providers.
    fn from(request: KeysRequest<'_>) -> Self {
        let address = request.address;
        Self {
            url: format!(
                "{}://{}{}",
                request.cluster, address.authority, address.path
            ),
            patience: request.timeout,
        }
    }
}

impl Question {
    /// Asks.
    ///
    /// # Errors
    /// In words, when there is no whole answer in time or it is too large.
    pub(super) async fn ask(self, agent: Agent) -> Result<Answer, String> {
        let asked = tokio::task::spawn_blocking(move || self.ask_blocking(&agent)).await;
        match asked {
            Ok(answer) => answer.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn ask_blocking(&self, agent: &Agent) -> Result<Answer, ureq::Error> {
        let request = agent
            .get(&self.url)
            .header("accept", "application/json")
            .config()
            .timeout_global(Some(self.patience))
            .build();
        let mut response = request.call()?;
        let cache_control = response.headers().get("cache-control");
        Ok(Answer {
            status: response.status().as_u16(),
            cache_control: cache_control.map(|value| value.as_bytes().to_vec()),
            body: response
                .body_mut()
                .with_config()
                .limit(MAX_SET_BYTES as u64)
                .read_to_vec()?,
        })
    }
}

impl Answer {
    /// In the filter's terms.
    pub(super) fn reply(&self) -> KeysReply<'_> {
        KeysReply {
            status: self.status,
            cache_control: self.cache_control.as_deref(),
            body: &self.body,
        }
    }
}
