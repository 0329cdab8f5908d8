//! The way to an issuer's keys: straight to an address that is configured, or over the issuer's document.
//!
//! The document is asked anew with each fetch, so that an issuer who moves its keys is followed, whatever its old address goes on serving.

use super::discovery::{Address, Discovery};

/// Where an issuer's keys are, as far as the configuration says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// Here.
    Known(Address),
    /// Where the issuer's document says.
    Discovered(Discovery),
}

/// How far a fetch has come on its way to the keys: what to ask for next.
#[derive(Debug)]
pub struct Locator {
    location: Location,
    /// What the document said in the fetch that is under way.
    found: Option<Address>,
}

/// What to ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage<'a> {
    /// The document that says where the keys are.
    Document(&'a Discovery),
    /// The keys.
    Keys(&'a Address),
}

impl<'a> Stage<'a> {
    /// Where that is.
    pub fn address(self) -> &'a Address {
        match self {
            Self::Document(discovery) => discovery.document(),
            Self::Keys(address) => address,
        }
    }
}

impl Locator {
    /// The way as it is configured, before the first fetch.
    pub fn new(location: Location) -> Self {
        Self {
            location,
            found: None,
        }
    }

    /// What to ask for now. It changes only with [`Locator::found`] and [`Locator::start_over`], so what is asked now is what an answer is to.
    pub fn stage(&self) -> Stage<'_> {
        match (&self.location, &self.found) {
            (Location::Known(address), _) | (Location::Discovered(_), Some(address)) => {
                Stage::Keys(address)
            }
            (Location::Discovered(discovery), None) => Stage::Document(discovery),
        }
    }

    /// The document says that the keys are here: they are the fetch's next step.
    pub fn found(&mut self, address: Address) {
        self.found = Some(address);
    }

    /// The fetch has ended, well or not: the next one begins with the first step.
    pub fn start_over(&mut self) {
        self.found = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Issuer;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn keys() -> Address {
        Address {
            authority: "idp.example".to_owned(),
            path: "/keys".to_owned(),
        }
    }

    #[test]
    fn a_found_address_serves_the_fetch_that_found_it_and_no_other() {
        let discovery = Discovery::new(&Issuer::new("https://idp.example"), None).unwrap();
        let mut locator = Locator::new(Location::Discovered(discovery));
        assert!(matches!(locator.stage(), Stage::Document(_)));
        locator.found(keys());
        assert_eq!(locator.stage(), Stage::Keys(&keys()));
        locator.start_over();
        assert!(matches!(locator.stage(), Stage::Document(_)));
    }

    #[test]
    fn a_configured_address_is_the_only_step() {
        let mut locator = Locator::new(Location::Known(keys()));
        assert_eq!(locator.stage(), Stage::Keys(&keys()));
        locator.start_over();
        assert_eq!(locator.stage(), Stage::Keys(&keys()));
    }
}
