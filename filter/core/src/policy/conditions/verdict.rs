//! Logic with three values. What cannot be evaluated is neither true nor false, and no combination makes it true by accident: its negation
//! is not known either.

/// What comes of judging a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Holds,
    /// It does not.
    Fails,
    /// It cannot be evaluated, and so does not count as held.
    Unknown,
}

impl Verdict {
    /// The verdict on something that can be told.
    pub const fn of(holds: bool) -> Self {
        if holds { Self::Holds } else { Self::Fails }
    }

    /// The verdict on the opposite.
    #[must_use]
    pub const fn negated(self) -> Self {
        match self {
            Self::Holds => Self::Fails,
            Self::Fails => Self::Holds,
            Self::Unknown => Self::Unknown,
        }
    }

    /// Whether all hold: one that fails decides, whatever else is unknown.
    pub fn all(verdicts: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Self::Holds;
        for verdict in verdicts {
            match verdict {
                Self::Holds => {}
                Self::Fails => return Self::Fails,
                Self::Unknown => all = Self::Unknown,
            }
        }
        all
    }

    /// Whether one holds, whatever else is unknown.
    pub fn any(verdicts: impl IntoIterator<Item = Self>) -> Self {
        let negated = verdicts.into_iter().map(Self::negated);
        Self::all(negated).negated()
    }
}

#[cfg(test)]
mod tests {
    use super::Verdict::{Fails, Holds, Unknown};
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn what_is_unknown_is_never_made_true() {
        assert_eq!(Unknown.negated(), Unknown);
        for (one, other, all, any) in [
            (Holds, Holds, Holds, Holds),
            (Holds, Fails, Fails, Holds),
            (Holds, Unknown, Unknown, Holds),
            (Fails, Fails, Fails, Fails),
            (Fails, Unknown, Fails, Unknown),
            (Unknown, Unknown, Unknown, Unknown),
        ] {
            for pair in [[one, other], [other, one]] {
                assert_eq!(Verdict::all(pair), all, "all of {pair:?}");
                assert_eq!(Verdict::any(pair), any, "any of {pair:?}");
            }
        }
    }
}
