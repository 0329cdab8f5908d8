//! The proxy's counters, and how much each grew meanwhile.

use std::collections::HashMap;

/// The proxy's counters at one moment, or the growth of each between two.
#[derive(Debug, Default)]
pub(crate) struct Counters(HashMap<String, u64>);

impl Counters {
    /// Reads what the proxy's console shows: `name: number`, a line each. Lines of another kind are not about counters.
    pub(crate) fn parse(text: &str) -> Self {
        let line = |line: &str| {
            let (name, number) = line.split_once(": ")?;
            Some((name.to_owned(), number.parse().ok()?))
        };
        Self(text.lines().filter_map(line).collect())
    }

    /// How much each has grown since `before`.
    pub(crate) fn since(&self, before: &Self) -> Self {
        let growth = |(name, now): (&String, &u64)| {
            let grown = now.saturating_sub(before.get(name));
            (name.clone(), grown)
        };
        Self(self.0.iter().map(growth).collect())
    }

    /// The counter of this name. One that the proxy does not know has never counted anything.
    pub(crate) fn get(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or(0)
    }

    /// How many requests the listener answered with a status of this class, such as `4xx`.
    pub(crate) fn answers(&self, listener: &str, class: &str) -> u64 {
        self.get(&format!("http.{listener}.downstream_rq_{class}"))
    }

    /// A counter of the filter's.
    pub(crate) fn hallpass(&self, name: &str) -> u64 {
        self.get(&format!("wasmcustom.hallpass.{name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_what_came_since_and_what_was_unknown_before_grew_from_nothing() {
        let before = Counters::parse("http.plain.downstream_rq_2xx: 5\n");
        let after = Counters::parse(
            "http.plain.downstream_rq_2xx: 12\nwasmcustom.hallpass.tokens.hit: 3\nhistogram: No recorded values\n",
        );
        let grown = after.since(&before);
        assert_eq!(grown.answers("plain", "2xx"), 7);
        assert_eq!(grown.hallpass("tokens.hit"), 3);
        assert_eq!(grown.get("histogram"), 0);
    }
}
