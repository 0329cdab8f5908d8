//! How entries are chained: each one's hash is the SHA-256 of the hash before it and of its own text.

use std::fmt;

use sha2::{Digest, Sha256};

use super::Entry;

/// So many of a hash's digits tell entries of different records from each other.
const SEAL_DIGITS: usize = 16;

/// A link's hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hash([u8; 32]);

impl Hash {
    /// Before the first entry.
    pub const GENESIS: Self = Self([0; 32]);

    /// The hash of the entry with this text, behind the entry with this hash.
    #[must_use]
    pub fn of(self, text: &str) -> Self {
        Self(
            Sha256::new()
                .chain_update(self.0)
                .chain_update(text)
                .finalize()
                .into(),
        )
    }

    /// From its 64 hexadecimal digits.
    pub fn parse(digits: &str) -> Option<Self> {
        let mut hash = [0; 32];
        if digits.len() != 64 || !digits.is_ascii() {
            return None;
        }
        let (pairs, _) = digits.as_bytes().as_chunks::<2>();
        for (byte, pair) in hash.iter_mut().zip(pairs) {
            *byte = u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(hash))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// An entry as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The entry's JSON.
    pub text: String,
    /// Its hash, in hexadecimal digits.
    pub hash: String,
}

impl Link {
    /// From a line of the record's export, `{"entry":...,"hash":"..."}`, exactly as it was written: what is hashed is the entry's text, and
    /// reading and writing it anew could change it.
    pub fn from_line(line: &str) -> Option<Self> {
        let rest = line.strip_prefix(r#"{"entry":"#)?.strip_suffix(r#""}"#)?;
        let (text, hash) = rest.rsplit_once(r#","hash":""#)?;
        Some(Self {
            text: text.to_owned(),
            hash: hash.to_owned(),
        })
    }
}

/// An entry's name: its place and the beginning of its hash. In another record, such as one that went on from a backup which was put back, the
/// entry in this place has another name. Of a `hash` that is too short for that, only the place is told.
pub fn name_of(position: u64, hash: &str) -> String {
    let seal = hash.get(..SEAL_DIGITS).unwrap_or_default();
    format!("{position}-{seal}")
}

/// Where the chain does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The place in the record.
    pub position: u64,
    /// What is wrong there.
    pub fault: &'static str,
}

/// Follows one more link; the chain up to `previous` holds.
///
/// # Errors
/// When the link does not belong there.
pub fn verify(previous: (u64, Hash), link: &Link) -> Result<(u64, Hash), Broken> {
    let position = previous.0.saturating_add(1);
    let broken = |fault| Broken { position, fault };
    let entry: Entry =
        serde_json::from_str(&link.text).map_err(|_| broken("the entry is not as entries are"))?;
    if entry.position != position {
        return Err(broken("an entry is missing, or stands in another's place"));
    }
    let hash = previous.1.of(&link.text);
    if Hash::parse(&link.hash) != Some(hash) {
        return Err(broken(
            "the hash is not that of the entry and the one before",
        ));
    }
    Ok((position, hash))
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "entry {}: {}", self.position, self.fault)
    }
}

impl std::error::Error for Broken {}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(position: u64) -> String {
        format!(
            r#"{{"position":{position},"time":"2026-11-23T20:00:00.000Z","event":"grant_given","actor":"itself"}}"#
        )
    }

    fn chain() -> Vec<Link> {
        let mut hash = Hash::GENESIS;
        let link = |position| {
            let text = text(position);
            hash = hash.of(&text);
            Link {
                hash: hash.to_string(),
                text,
            }
        };
        (1..=4).map(link).collect()
    }

    fn follow(links: &[Link]) -> Result<(u64, Hash), Broken> {
        links.iter().try_fold((0, Hash::GENESIS), verify)
    }

    #[test]
    fn a_chain_holds_as_it_was_written_and_breaks_where_it_was_touched() {
        let sound = chain();
        assert_eq!(follow(&sound).map(|(position, _)| position), Ok(4));

        let mut changed = sound.clone();
        changed[1].text = changed[1].text.replace("given", "expired");
        assert_eq!(follow(&changed).unwrap_err().position, 2);
        changed[1].hash = Hash::parse(&sound[0].hash)
            .unwrap()
            .of(&changed[1].text)
            .to_string();
        assert_eq!(
            follow(&changed).unwrap_err().position,
            3,
            "with its hash made anew"
        );

        let mut removed = sound.clone();
        removed.remove(2);
        assert_eq!(follow(&removed).unwrap_err().position, 3);
        let mut exchanged = sound;
        exchanged.swap(0, 1);
        assert_eq!(follow(&exchanged).unwrap_err().position, 1);
    }
}
