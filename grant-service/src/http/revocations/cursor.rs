//! A place in the feed, as it is told: the name of the entry of the record up to which it tells, and the time by the service's clock. A backup that
//! was put back has other entries from some position on, and whoever followed the record before must not take its positions for theirs. By a
//! clock that was ahead some of what was taken back seemed over, and was not told.

use hallpass_core::time::UnixMillis;

use crate::audit::name_of;
use crate::desk::{CLOCKS_DIFFER, Fault};
use crate::http::problem::Problem;
use crate::store::Store;

/// A place in the feed of this very record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cursor {
    /// The position in the record up to which everything is told.
    pub(super) position: u64,
    /// When it was told.
    pub(super) at: UnixMillis,
}

impl Cursor {
    /// As it is told.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn tell(self, store: &Store) -> Result<String, Problem> {
        let Self { position, at } = self;
        let hash = store.hash_at(position).await.map_err(Fault::from)?;
        let name = name_of(position, hash.as_deref().unwrap_or_default());
        Ok(format!("{name}-{}", at.as_millis()))
    }

    /// What a caller sends, if it is one of this very record.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn read(store: &Store, told: &str) -> Result<Option<Self>, Problem> {
        let parts = told.rsplit_once('-').and_then(|(name, at)| {
            let (position, _) = name.split_once('-')?;
            Some((name, position.parse().ok()?, at.parse().ok()?))
        });
        let Some((name, position, at)) = parts else {
            return Ok(None);
        };
        let hash = store.hash_at(position).await.map_err(Fault::from)?;
        let is_ours = hash.is_some_and(|hash| name_of(position, &hash) == name);
        let at = UnixMillis::new(at);
        Ok(Some(Self { position, at }).filter(|_| is_ours))
    }

    /// Whether the clock that it was told by was ahead, if it is `now`: then not all that still matters was told.
    pub(super) fn is_ahead(self, now: UnixMillis) -> bool {
        self.at > now.saturating_add(CLOCKS_DIFFER)
    }
}
