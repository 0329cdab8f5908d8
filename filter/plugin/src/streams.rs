//! Requests that are still open when their permission ends, or is taken back, are cut.

use hallpass_core::time::UnixMillis;

use crate::host;
use crate::sinks;
use crate::worker::{Shared, Worker};

/// Ends the permission of open requests that was taken back, and says in the log what was. Nothing of it is looked at while nothing is.
pub(crate) fn end_revoked(worker: &mut Worker) {
    let taken_back = worker.gate.take_revocations();
    if taken_back.is_empty() {
        return;
    }
    let revoked = worker.gate.revoked();
    worker
        .streams
        .end_those(|stream| stream.is_revoked(revoked));
    for line in taken_back {
        sinks::inform(&line);
    }
}

/// Cuts requests whose permission has ended at `now`, at most so many. One of them is the effective context afterwards. Whether some are
/// left.
pub(crate) fn cut_ended(worker: &Shared, now: UnixMillis, most: usize) -> bool {
    let over = worker.with(|worker| worker.streams.over(now));
    let some_are_left = over.len() > most;
    if !over.is_empty() {
        for id in over.into_iter().take(most) {
            cut(id, worker, now);
        }
        worker.with(|worker| worker.write_down(now));
    }
    some_are_left
}

fn cut(id: u32, worker: &Shared, now: UnixMillis) {
    // One that ended with another that was cut, being on the same connection, is over and was not cut.
    let Some(stream) = worker.with(|worker| worker.streams.close_over(&id, now)) else {
        return;
    };
    if !host::enter(id) {
        return;
    }
    if !stream.is_enforced() || host::cut() {
        worker.with(|worker| {
            if let Some(written) = stream.ended(&mut worker.gate, now) {
                worker.record(*written, now);
            }
        });
    } else if !worker.with(|worker| std::mem::replace(&mut worker.told_uncut, true)) {
        sinks::warn(
            "the proxy would not cut a request whose permission has ended: such requests go on for as long as client and upstream like",
        );
    }
}
