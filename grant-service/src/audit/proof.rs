//! Proving a record: the chain holds from its first entry to its last, and passes through what was noted earlier.

use std::fmt;
use std::str::FromStr;

use super::{Broken, Hash, Link, verify};

/// An entry's place and hash: noted somewhere else, it shows later that the record up to it was neither changed nor cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The place in the record; 0 before the first entry.
    pub position: u64,
    /// The hash of the entry there.
    pub hash: Hash,
}

/// Before the first entry, which is the same place in all records.
const BEGIN: Head = Head {
    position: 0,
    hash: Hash::GENESIS,
};

/// A record on its way to be proven.
#[derive(Debug, Clone)]
pub struct Proof {
    end: Head,
    noted: Vec<Head>,
}

impl Proof {
    /// At the beginning of a record that should pass through these.
    pub fn new(noted: Vec<Head>) -> Self {
        Self { end: BEGIN, noted }
    }

    /// As far as it is proven.
    pub fn end(&self) -> Head {
        self.end
    }

    /// Follows one more link.
    ///
    /// # Errors
    /// When it does not belong there, or another was noted in its place.
    pub fn follow(&mut self, link: &Link) -> Result<(), Broken> {
        let (position, hash) = verify((self.end.position, self.end.hash), link)?;
        let end = Head { position, hash };
        if self.was_noted_otherwise(end) {
            let fault = "the hash is not the one that was noted";
            return Err(Broken { position, fault });
        }
        self.end = end;
        Ok(())
    }

    /// Whether any note for this place has another hash.
    fn was_noted_otherwise(&self, head: Head) -> bool {
        let mut noted = self.noted.iter();
        noted.any(|noted| noted.position == head.position && noted.hash != head.hash)
    }

    /// That was all of it.
    ///
    /// # Errors
    /// When more was noted, or another beginning.
    pub fn finish(self) -> Result<Head, Broken> {
        if self.was_noted_otherwise(BEGIN) {
            let fault =
                "before the first entry the hash is 64 zeros, and not the one that was noted";
            let position = BEGIN.position;
            return Err(Broken { position, fault });
        }
        match self
            .noted
            .iter()
            .find(|head| head.position > self.end.position)
        {
            None => Ok(self.end),
            Some(_) => Err(Broken {
                position: self.end.position.saturating_add(1),
                fault: "the record ends before an entry that was noted: it was cut off",
            }),
        }
    }
}

impl FromStr for Head {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "expected POSITION:HASH, as `audit verify` prints it";
        let (position, hash) = text.split_once(':').ok_or(EXPECTED)?;
        Ok(Self {
            position: position.parse().map_err(|_| EXPECTED)?,
            hash: Hash::parse(hash).ok_or(EXPECTED)?,
        })
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.position, self.hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(length: u64) -> Vec<Link> {
        let mut hash = Hash::GENESIS;
        let link = |position| {
            let text = format!(
                r#"{{"position":{position},"time":"2026-11-23T20:00:00.000Z","event":"grant_given","actor":"itself","why":",\"hash\":\"x\"}}"}}"#
            );
            hash = hash.of(&text);
            let line = format!(r#"{{"entry":{text},"hash":"{hash}"}}"#);
            Link::from_line(&line).unwrap()
        };
        (1..=length).map(link).collect()
    }

    fn prove(record: &[Link], noted: Vec<Head>) -> Result<Head, Broken> {
        let mut proof = Proof::new(noted);
        for link in record {
            proof.follow(link)?;
        }
        proof.finish()
    }

    #[test]
    fn a_record_passes_through_what_was_noted_of_it() {
        let record = record(4);
        let noted = prove(&record[..2], Vec::new()).unwrap();
        let end = prove(&record, vec![noted]).unwrap();
        assert_eq!(end.position, 4);
        assert_eq!(end.to_string().parse(), Ok(end));
        assert_eq!(prove(&record, vec![end, noted]), Ok(end));
    }

    #[test]
    fn a_record_that_was_cut_off_or_made_anew_does_not() {
        let whole = record(4);
        let end = prove(&whole, Vec::new()).unwrap();
        assert_eq!(
            prove(&whole[..3], vec![end]).unwrap_err().position,
            4,
            "cut off"
        );
        assert_eq!(prove(&[], vec![end]).unwrap_err().position, 1, "emptied");
        let other = Head {
            hash: Hash::GENESIS.of("another"),
            ..end
        };
        let anew = prove(&whole, vec![other]).unwrap_err();
        assert_eq!(anew.position, 4, "made anew");
    }

    #[test]
    fn every_note_must_hold_also_another_one_of_a_place_and_one_of_before_the_first_entry() {
        let whole = record(4);
        let end = prove(&whole, Vec::new()).unwrap();
        let otherwise = |head| Head {
            hash: Hash::GENESIS.of("another"),
            ..head
        };
        assert_eq!(prove(&whole, vec![end, end]), Ok(end));
        for noted in [vec![end, otherwise(end)], vec![otherwise(end), end]] {
            assert_eq!(prove(&whole, noted).unwrap_err().position, 4);
        }
        for links in [&whole[..], &[]] {
            assert!(prove(links, vec![BEGIN]).is_ok());
            for noted in [vec![otherwise(BEGIN)], vec![BEGIN, otherwise(BEGIN)]] {
                assert_eq!(prove(links, noted).unwrap_err().position, 0);
            }
        }
    }

    #[test]
    fn what_is_no_line_of_an_export_is_no_link() {
        for line in ["", "{}", r#"{"entry":{}}"#, r#"{ "entry":{},"hash":"0"}"#] {
            assert_eq!(Link::from_line(line), None, "{line}");
        }
        for text in ["", "7", "7:", ":00", "x:00", "7:0g"] {
            assert!(text.parse::<Head>().is_err(), "{text}");
        }
    }
}
