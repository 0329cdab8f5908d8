//! The shared store and the metrics of all workers of one proxy, readable by name.

use std::collections::BTreeMap;
use std::sync::Mutex;

use proxy_wasm_host::abi::v0_2_1::types::{MetricType, Status};
use proxy_wasm_host::abi::v0_2_1::{
    InMemoryStore, Invocation, MetricId, QueueId, SharedServices, SharedValue,
};

/// The host crate's store, observed: it gives the test what the ABI gives a module, metrics by name.
#[derive(Default)]
pub(crate) struct Store {
    inner: InMemoryStore,
    metrics: Mutex<Metrics>,
}

#[derive(Default)]
struct Metrics {
    names: BTreeMap<u32, String>,
    values: BTreeMap<String, u64>,
    observations: BTreeMap<String, Vec<u64>>,
}

impl Store {
    /// Counters and gauges by name.
    pub(crate) fn values(&self) -> BTreeMap<String, u64> {
        self.metrics().values.clone()
    }

    /// What a histogram was given, in order.
    pub(crate) fn observations(&self, name: &str) -> Vec<u64> {
        self.metrics()
            .observations
            .get(name)
            .cloned()
            .unwrap_or_default()
    }

    fn metrics(&self) -> std::sync::MutexGuard<'_, Metrics> {
        self.metrics.lock().expect("no metric call panicked")
    }

    fn observe(&self, call: Invocation, metric: MetricId, given: Option<u64>) {
        let mut metrics = self.metrics();
        let Some(name) = metrics.names.get(&metric.get()).cloned() else {
            return;
        };
        match (self.inner.get_metric(call, metric), given) {
            (Ok(value), _) => {
                metrics.values.insert(name, value);
            }
            (Err(_), Some(value)) => metrics.observations.entry(name).or_default().push(value),
            (Err(_), None) => {}
        }
    }
}

impl SharedServices for Store {
    fn get_shared_data(
        &self,
        call: Invocation,
        vm_id: &[u8],
        key: &[u8],
    ) -> Result<SharedValue, Status> {
        self.inner.get_shared_data(call, vm_id, key)
    }

    fn set_shared_data(
        &self,
        call: Invocation,
        vm_id: &[u8],
        key: &[u8],
        value: &[u8],
        cas: Option<u32>,
    ) -> Result<(), Status> {
        self.inner.set_shared_data(call, vm_id, key, value, cas)
    }

    fn register_shared_queue(
        &self,
        call: Invocation,
        vm_id: &[u8],
        name: &[u8],
    ) -> Result<QueueId, Status> {
        self.inner.register_shared_queue(call, vm_id, name)
    }

    fn resolve_shared_queue(
        &self,
        call: Invocation,
        vm_id: &[u8],
        name: &[u8],
    ) -> Result<QueueId, Status> {
        self.inner.resolve_shared_queue(call, vm_id, name)
    }

    fn enqueue_shared_queue(
        &self,
        call: Invocation,
        queue: QueueId,
        value: &[u8],
    ) -> Result<(), Status> {
        self.inner.enqueue_shared_queue(call, queue, value)
    }

    fn dequeue_shared_queue(&self, call: Invocation, queue: QueueId) -> Result<Vec<u8>, Status> {
        self.inner.dequeue_shared_queue(call, queue)
    }

    fn define_metric(
        &self,
        call: Invocation,
        vm_id: &[u8],
        kind: MetricType,
        name: &[u8],
    ) -> Result<MetricId, Status> {
        let metric = self.inner.define_metric(call, vm_id, kind, name)?;
        let name = String::from_utf8_lossy(name).into_owned();
        self.metrics().names.insert(metric.get(), name);
        self.observe(call, metric, None);
        Ok(metric)
    }

    fn record_metric(&self, call: Invocation, metric: MetricId, value: u64) -> Result<(), Status> {
        self.inner.record_metric(call, metric, value)?;
        self.observe(call, metric, Some(value));
        Ok(())
    }

    fn increment_metric(
        &self,
        call: Invocation,
        metric: MetricId,
        delta: i64,
    ) -> Result<(), Status> {
        self.inner.increment_metric(call, metric, delta)?;
        self.observe(call, metric, None);
        Ok(())
    }

    fn get_metric(&self, call: Invocation, metric: MetricId) -> Result<u64, Status> {
        self.inner.get_metric(call, metric)
    }
}
