//! When the verdict of some windows changes next, as it was found last: looking for it walks from event to event, and nearly every request
//! comes before the change that the one before it was told of.

use std::sync::Mutex;
use std::time::Duration;

use crate::time::UnixMillis;

/// A look that found no change is trusted this long.
const TRUSTED: Duration = Duration::from_hours(24);

/// What was found last. It is no part of what the windows are.
#[derive(Debug, Default)]
pub(super) struct LastChange(Mutex<Option<Found>>);

#[derive(Debug, Clone, Copy)]
struct Found {
    looked: UnixMillis,
    change: Option<UnixMillis>,
}

impl Found {
    /// No verdict changes between the look and what it found.
    fn is_of_use(self, now: UnixMillis) -> bool {
        let until = self
            .change
            .unwrap_or_else(|| self.looked.saturating_add(TRUSTED));
        self.looked <= now && now < until
    }
}

impl LastChange {
    /// The change after `now`: the last one found, or what `look` finds.
    pub(super) fn or_look(
        &self,
        now: UnixMillis,
        look: impl FnOnce() -> Option<UnixMillis>,
    ) -> Option<UnixMillis> {
        let Ok(mut last) = self.0.lock() else {
            return look();
        };
        if let Some(found) = last.filter(|found| found.is_of_use(now)) {
            return found.change;
        }
        let change = look();
        *last = Some(Found {
            looked: now,
            change,
        });
        change
    }
}

impl Clone for LastChange {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for LastChange {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for LastChange {}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_change_is_looked_for_once_until_it_has_come_or_the_clock_is_set_back() {
        let last = LastChange::default();
        let at = UnixMillis::new;
        let ask = |now, finds| {
            let mut looked = false;
            let change = last.or_look(at(now), || {
                looked = true;
                finds
            });
            (change, looked)
        };
        assert_eq!(ask(10, Some(at(20))), (Some(at(20)), true));
        assert_eq!(ask(19, None), (Some(at(20)), false));
        assert_eq!(ask(20, Some(at(30))), (Some(at(30)), true));
        assert_eq!(ask(15, Some(at(20))), (Some(at(20)), true));
        assert_eq!(ask(25, None), (None, true));
        assert_eq!(ask(26, Some(at(30))), (None, false));
        let day = 24 * 60 * 60 * 1_000;
        assert!(ask(25 + day, Some(at(u64::MAX))).1);
    }
}
