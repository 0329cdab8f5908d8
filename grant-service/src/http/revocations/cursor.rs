//! A place in the feed, as it is told: the position in the record, and the beginning of the hash of the entry there. A backup that was put back
//! has other entries from some position on, and whoever followed the record before must not take its positions for theirs.

use crate::desk::Fault;
use crate::http::problem::Problem;
use crate::store::Store;

/// So many digits of the hash.
const DIGITS: usize = 16;

/// The cursor of a position.
pub(super) async fn of(store: &Store, position: u64) -> Result<String, Problem> {
    let hash = store.hash_at(position).await.map_err(Fault::from)?;
    let seal = hash.as_deref().and_then(|hash| hash.get(..DIGITS));
    Ok(format!("{position}-{}", seal.unwrap_or_default()))
}

/// The position that a cursor stands for, if it is one of this very record.
pub(super) async fn position(store: &Store, cursor: &str) -> Result<Option<u64>, Problem> {
    let parts = cursor.split_once('-');
    let Some((position, seal)) =
        parts.and_then(|(position, seal)| Some((position.parse().ok()?, seal)))
    else {
        return Ok(None);
    };
    let hash = store.hash_at(position).await.map_err(Fault::from)?;
    let is_ours = hash.as_deref().and_then(|hash| hash.get(..DIGITS)) == Some(seal);
    Ok(Some(position).filter(|_| is_ours))
}
