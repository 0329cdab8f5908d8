//! The calls under way, by the host's numbers, and how many of them ask the grant service about whom.

use std::collections::HashMap;

use hallpass_core::grant::UnderWay;

use crate::callouts::Call;

#[derive(Default)]
pub(super) struct Calls {
    calls: HashMap<u32, Call>,
    questions: UnderWay,
}

impl Calls {
    /// Those that ask the grant service.
    pub(super) fn questions(&self) -> &UnderWay {
        &self.questions
    }

    /// The host refused one of those: see [`UnderWay::refused`].
    pub(super) fn refused(&mut self) -> bool {
        self.questions.refused()
    }

    pub(super) fn insert(&mut self, number: u32, call: Call) {
        // The host gives no number twice, but nothing may be counted that is not there.
        self.remove(number);
        if call.purpose.is_question() {
            self.questions.begin(&call.askers);
        }
        self.calls.insert(number, call);
    }

    pub(super) fn remove(&mut self, number: u32) -> Option<Call> {
        let call = self.calls.remove(&number)?;
        self.over(&call);
        Some(call)
    }

    /// Takes out those that are meant.
    pub(super) fn take(&mut self, is_meant: impl Fn(&Call) -> bool) -> Vec<(u32, Call)> {
        let meant: Vec<_> = self.calls.extract_if(|_, call| is_meant(call)).collect();
        for (_, call) in &meant {
            self.over(call);
        }
        meant
    }

    /// Counts those of a worker that is gone, until they are over: they take room, and nothing else comes of them.
    pub(super) fn adopt(&mut self, calls: Vec<(u32, Call)>) {
        for (number, call) in calls {
            let orphan = Call {
                is_orphan: true,
                ..call
            };
            self.insert(number, orphan);
        }
    }

    fn over(&mut self, call: &Call) {
        if call.purpose.is_question() {
            self.questions.end(&call.askers);
        }
    }
}
