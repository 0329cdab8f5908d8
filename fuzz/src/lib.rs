//! What must hold of the core for every input, however hostile.
//!
//! Each target is a function: it gives bytes to one of the core's readers and then asserts promises, of which "no panic" is the least.
//! Whether a promise was kept is found out with the plainest means at hand (`serde_json`, floats), never with the reader that is under
//! test. Being functions, the targets run under libFuzzer (`fuzz_targets/`), over the committed seeds in an ordinary test
//! (`tests/seeds.rs`), and on one file to replay a finding.
//!
//! Inputs are text that a person can read and change: a token target's input is not a token in base64, but its header and claims.

mod accepted;
mod claims;
mod configuration;
mod grant_reply;
mod input;
mod jwks;
mod promise;
mod replay;
mod request;
mod revocations;
pub mod seeds;
mod token;
mod world;

pub use claims::claims;
pub use configuration::configuration;
pub use grant_reply::grant_reply;
#[cfg(fuzzing)]
pub use libfuzzer_sys;
pub use replay::replay;
pub use request::request;
pub use revocations::revocations;
pub use token::token;

pub use jwks::jwks;

/// A target: takes any bytes, and panics if a promise is broken.
pub type Target = fn(&[u8]) -> Reached;

/// Every target by its name.
pub const TARGETS: [(&str, Target); 7] = [
    ("token", token),
    ("claims", claims),
    ("jwks", jwks),
    ("configuration", configuration),
    ("grant_reply", grant_reply),
    ("request", request),
    ("revocations", revocations),
];

/// How far an input got. A seed's name begins with it, so that a test can tell whether the seeds still lead where they should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// It could not be read.
    Unread,
    /// It was read, and did not lead to a yes.
    Refused,
    /// It led to a yes.
    Accepted,
}

impl Reached {
    /// The word with which a seed's name begins.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unread => "unread",
            Self::Refused => "refused",
            Self::Accepted => "accepted",
        }
    }
}

/// Makes a program of a target: a fuzzer with `--cfg fuzzing`, without it one that replays the files it is given.
#[macro_export]
macro_rules! program {
    ($target:path) => {
        #[cfg(fuzzing)]
        $crate::libfuzzer_sys::fuzz_target!(|data: &[u8]| {
            $target(data);
        });

        #[cfg(not(fuzzing))]
        fn main() -> std::process::ExitCode {
            $crate::replay($target)
        }
    };
}
