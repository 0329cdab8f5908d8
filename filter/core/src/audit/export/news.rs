//! What is told of an export: numbers for the proxy's stats, and lines for its log, each once for what goes on for a while.

/// What happened since it was last asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Records that a collector took.
    pub exported: usize,
    /// Records that are lost.
    pub dropped: usize,
    /// Records that were sent again.
    pub retried: usize,
    /// What an operator should know.
    pub notices: Vec<String>,
}

/// Keeps the numbers, and knows what the log says already.
#[derive(Debug, Default)]
pub(super) struct Reporter {
    news: News,
    /// Records do not arrive; so many were dropped since.
    outage: Option<usize>,
    rejects: bool,
    overflows: bool,
}

impl Reporter {
    pub(super) fn take(&mut self) -> News {
        std::mem::take(&mut self.news)
    }

    pub(super) fn exported(&mut self, count: usize) {
        self.news.exported = self.news.exported.saturating_add(count);
    }

    pub(super) fn retried(&mut self, count: usize) {
        self.news.retried = self.news.retried.saturating_add(count);
    }

    pub(super) fn dropped(&mut self, count: usize) {
        self.news.dropped = self.news.dropped.saturating_add(count);
        if let Some(lost) = &mut self.outage {
            *lost = lost.saturating_add(count);
        }
    }

    /// A batch did not arrive.
    pub(super) fn outage(&mut self, cluster: &str, why: &str) {
        if self.outage.is_none() {
            self.outage = Some(0);
            self.news.notices.push(format!(
                "audit records do not reach the collector (cluster `{cluster}`): {why}; requests are not affected, and records that find no room are dropped"
            ));
        }
    }

    /// A batch did.
    pub(super) fn arrival(&mut self, cluster: &str) {
        if let Some(lost) = self.outage.take() {
            self.news.notices.push(format!(
                "audit records reach the collector again (cluster `{cluster}`); {lost} were dropped"
            ));
        }
    }

    /// The collector did not take so many of a batch, which may be none.
    pub(super) fn rejection(&mut self, cluster: &str, count: usize, message: &str) {
        self.dropped(count);
        let told_before = std::mem::replace(&mut self.rejects, count > 0);
        if count > 0 && !told_before {
            self.news.notices.push(format!(
                "the collector (cluster `{cluster}`) rejected {count} audit records: {message}"
            ));
        }
    }

    /// A record found no room. An outage, if there is one, is in the log already.
    pub(super) fn overflow(&mut self, cluster: &str) {
        self.dropped(1);
        if self.outage.is_none() && !std::mem::replace(&mut self.overflows, true) {
            self.news.notices.push(format!(
                "audit records come faster than the collector takes them (cluster `{cluster}`): what finds no room is dropped"
            ));
        }
    }

    /// There is room again.
    pub(super) fn room(&mut self) {
        self.overflows = false;
    }

    /// Nobody exports any longer.
    pub(super) fn end(&mut self, count: usize) {
        self.dropped(count);
        if count > 0 {
            self.news.notices.push(format!(
                "{count} audit records are dropped, since the new configuration exports none"
            ));
        }
    }
}
