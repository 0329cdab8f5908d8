//! Names for requests that come without one that can be repeated, and for calls that are about no request, or about several: whoever is
//! refused can tell which request it was, and what the grant service writes down can be found in the records of the proxy.

use sha2::{Digest as _, Sha256};

use crate::digest::{Digest, first_half};

/// The names that one worker gives, each once. They are no secret, and nobody can tell from one how many there were.
#[derive(Debug)]
pub struct RequestIds {
    worker: [u8; 32],
    given: u64,
}

impl RequestIds {
    /// The names of a worker that `parts` together tell from every other one, of this proxy and of others.
    pub fn of_worker(parts: &[&str]) -> Self {
        let mut worker = Digest::default();
        for part in parts {
            worker.part(part);
        }
        Self {
            worker: worker.finish(),
            given: 0,
        }
    }

    /// The next one.
    pub fn give(&mut self) -> String {
        self.given = self.given.wrapping_add(1);
        let digest = Sha256::new()
            .chain_update(self.worker)
            .chain_update(self.given.to_le_bytes())
            .finalize();
        format!("hallpass-{}", first_half(digest.into()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn no_name_is_given_twice_by_one_worker_or_by_two() {
        let mut workers = [["node", "1"], ["node", "2"], ["nod", "e1"]]
            .map(|parts| RequestIds::of_worker(&parts));
        let names: HashSet<String> = (0..300).map(|number| workers[number % 3].give()).collect();
        assert_eq!(names.len(), 300);
        assert!(
            names
                .iter()
                .all(|name| name.len() == "hallpass-".len() + 32)
        );
    }
}
