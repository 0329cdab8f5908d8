//! Requests that are still open when their permission ends are cut.

use hallpass_core::time::UnixMillis;

use crate::host;
use crate::sinks;
use crate::worker::{Shared, Worker};

/// Cuts every request whose permission has ended at `now`. The worker's context is `root`, and is the effective one afterwards.
pub(crate) fn cut_ended(root: u32, worker: &Shared, now: UnixMillis) {
    // A host may delete what is cut at once, and the SDK does not take that while a request's callback runs. The next tick is near.
    if worker.with(|worker| worker.is_within_request()) {
        return;
    }
    let over = worker.with(|worker| worker.streams.over(now));
    if !over.is_empty() {
        for id in over {
            cut(id, worker, now);
        }
        host::enter(root);
        worker.with(Worker::write_down);
    }
    worker.with(Worker::tell_open_streams);
}

fn cut(id: u32, worker: &Shared, now: UnixMillis) {
    // One that ended with another that was cut, being on the same connection, is over and was not cut.
    let Some(stream) = worker.with(|worker| worker.streams.close_over(&id, now)) else {
        return;
    };
    if !host::enter(id) {
        return;
    }
    if host::cut() {
        let audit = worker.with(|worker| stream.cut(&mut worker.gate, now));
        sinks::audit(audit.as_deref());
    } else if !worker.with(|worker| std::mem::replace(&mut worker.told_uncut, true)) {
        sinks::warn(
            "the proxy would not cut a request whose permission has ended: such requests go on for as long as client and upstream like",
        );
    }
}
