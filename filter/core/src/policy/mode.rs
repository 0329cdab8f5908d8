//! Whether a decision is held to.

/// What follows from a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// It is held to.
    #[default]
    Enforce,
    /// It is recorded and counted, and the request passes whatever it says.
    Monitor,
}

impl Mode {
    /// Whether decisions are held to.
    pub const fn enforces(self) -> bool {
        matches!(self, Self::Enforce)
    }
}
