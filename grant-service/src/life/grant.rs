//! A grant: permission that ends.

use hallpass_core::time::{UnixMillis, Window};

use super::{PersonId, RequestId, Target};

/// A grant's name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GrantId(pub String);

/// Permission for one person, with an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    /// It counts, within its window.
    Active(Active),
    /// It counts no longer.
    Ended(Ended),
}

/// A grant that counts within its window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Active {
    /// Its name.
    pub id: GrantId,
    /// The request that it came of.
    pub request: RequestId,
    /// Whose it is.
    pub holder: PersonId,
    /// What it allows.
    pub target: Target,
    /// From when, and until when: at `until` it is over.
    pub window: Window,
    /// Whether it was taken in an emergency.
    pub emergency: bool,
}

/// A grant that is over. There is no way back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// What it was.
    pub grant: Active,
    /// How it ended.
    pub end: End,
    /// When.
    pub at: UnixMillis,
}

/// How a grant ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// By itself.
    Expired,
    /// Someone took it back, or gave it up.
    Revoked,
}

impl Active {
    /// Ends it before its time.
    #[must_use]
    pub fn revoke(self, now: UnixMillis) -> Ended {
        Ended {
            grant: self,
            end: End::Revoked,
            at: now,
        }
    }

    /// Ends it if its time has come.
    pub fn expire(self, now: UnixMillis) -> Option<Ended> {
        (self.window.until <= now).then_some(Ended {
            grant: self,
            end: End::Expired,
            at: now,
        })
    }
}

impl Grant {
    /// What it is about, whether or not it still counts.
    pub fn facts(&self) -> &Active {
        match self {
            Self::Active(grant) => grant,
            Self::Ended(ended) => &ended.grant,
        }
    }

    /// Its state in one word.
    pub fn state(&self) -> &'static str {
        match self {
            Self::Active(_) => "active",
            Self::Ended(ended) => ended.end.word(),
        }
    }
}

impl End {
    /// In one word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}
