//! How much is read of a body that someone sends, and for how long: the same for a program's JSON and a browser's form.

use std::time::Duration;

use tokio::time::error::Elapsed;
use tokio::time::timeout;

/// A larger body is not read.
pub(crate) const MAX_BYTES: usize = 64 * 1024;
/// A body that takes longer is not waited for: it would keep a turn from others.
const PATIENCE: Duration = Duration::from_secs(2);

/// What comes of reading a body, if it comes in time.
///
/// # Errors
/// When it does not.
pub(crate) async fn in_time<T>(reading: impl Future<Output = T>) -> Result<T, Elapsed> {
    timeout(PATIENCE, reading).await
}
