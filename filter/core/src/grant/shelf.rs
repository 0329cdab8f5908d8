//! What the workers of one proxy tell each other of the grant service's answers: whoever asked puts the answer on the shelf, and the others
//! need not ask.
//!
//! The shelf is memory of the host that nothing ever leaves, so it has a fixed number of places: a key has one place, and the latest answer
//! takes it. What lies there is not trusted to be what was put there: an answer is taken only if all of it can be read, its whole key and its
//! configuration are those that are looked for, and it was not given in the future. It is kept as it came from the service and read as if it
//! had just come, so that it can say nothing else here than there.

use std::fmt;
use std::time::Duration;

use prost::Message;

use super::service::RawReply;
use super::{DecisionKey, GrantReply};
use crate::origin::Origin;
use crate::time::UnixMillis;

/// How many places there are: with more questions than a third of it, many an answer is gone before another worker looks.
pub const PLACES: u32 = 16_384;
/// A larger answer is not shared. With [`PLACES`], this bounds what the host holds for good.
const MAX_BODY_BYTES: usize = 2 * 1024;

/// So much later than a worker's own time another may have put an answer there a moment ago.
const CLOCKS_DIFFER: Duration = Duration::from_secs(1);

/// Memory that all workers of one proxy share, in numbered places.
pub trait SharedPlaces {
    /// What lies in a place.
    fn read(&self, place: u32) -> Option<Vec<u8>>;
    /// Puts something there, in place of what lay there.
    fn write(&self, place: u32, content: &[u8]);
}

/// The shelf of one configuration.
pub struct Shelf {
    places: Box<dyn SharedPlaces>,
    config: Vec<u8>,
}

/// An answer from the shelf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shelved {
    /// What the service said.
    pub reply: GrantReply,
    /// When it was asked.
    pub asked: UnixMillis,
    /// When it said so.
    pub given: UnixMillis,
}

/// What lies in a place.
#[derive(Clone, PartialEq, Message)]
struct Content {
    /// [`FORMAT`].
    #[prost(uint32, tag = "1")]
    format: u32,
    #[prost(bytes = "vec", tag = "2")]
    config: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    key: Vec<u8>,
    /// In milliseconds since the epoch.
    #[prost(uint64, tag = "4")]
    given: u64,
    /// In milliseconds since the epoch.
    #[prost(uint64, tag = "5")]
    asked: u64,
    #[prost(bytes = "vec", optional, tag = "6")]
    cache_control: Option<Vec<u8>>,
    /// The last: what was cut off cannot be read.
    #[prost(bytes = "vec", tag = "7")]
    body: Vec<u8>,
}

const FORMAT: u32 = 2;

impl Shelf {
    /// The shelf of the configuration with this hash.
    pub fn new(places: Box<dyn SharedPlaces>, config: &str) -> Self {
        Self {
            places,
            config: config.as_bytes().to_vec(),
        }
    }

    /// The answer to this question that some worker got last, whether or not it still counts. `own_forms` is as for [`GrantReply::parse`];
    /// what there is to remark was told by whoever got it.
    pub fn find(
        &self,
        key: &DecisionKey,
        own_forms: Option<&Origin>,
        now: UnixMillis,
    ) -> Option<Shelved> {
        let content = self.places.read(place_of(key))?;
        let content = Content::decode(&*content).ok()?;
        let given = UnixMillis::new(content.given);
        let asked = UnixMillis::new(content.asked);
        let is_the_one = content.format == FORMAT
            && content.config == self.config
            && content.key == key.as_bytes()
            && asked <= given;
        if !is_the_one {
            return None;
        }
        if given > now {
            if given.since(now) > CLOCKS_DIFFER {
                // The clock was set back. When it is as late again, nobody knows what has been taken back meanwhile.
                self.places.write(place_of(key), &[]);
            }
            return None;
        }
        let reply = RawReply {
            cache_control: content.cache_control.as_deref(),
            ..RawReply::json(&content.body)
        };
        let reply = GrantReply::parse(reply, own_forms).ok()?;
        Some(Shelved {
            reply,
            asked,
            given,
        })
    }

    /// Tells the others what the service has just answered to a question that was `asked` then. One that was asked later than now, the clock
    /// having been set back, is not comparable with what the others know.
    pub fn put(&self, key: &DecisionKey, reply: RawReply<'_>, asked: UnixMillis, now: UnixMillis) {
        if reply.body.len() > MAX_BODY_BYTES || asked > now {
            // What may lie there is older, and says perhaps what is true no longer.
            self.places.write(place_of(key), &[]);
            return;
        }
        let content = Content {
            format: FORMAT,
            config: self.config.clone(),
            key: key.as_bytes().to_vec(),
            given: now.as_millis(),
            cache_control: reply.cache_control.map(<[u8]>::to_vec),
            body: reply.body.to_vec(),
            asked: asked.as_millis(),
        };
        self.places.write(place_of(key), &content.encode_to_vec());
    }
}

impl fmt::Debug for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shelf").finish_non_exhaustive()
    }
}

/// A key is a digest, so any piece of it spreads evenly.
fn place_of(key: &DecisionKey) -> u32 {
    let piece = key.as_bytes().first_chunk::<4>().copied();
    u32::from_le_bytes(piece.unwrap_or_default()) & (PLACES - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::collections::HashMap;
    use std::rc::Rc;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    type Contents = Rc<RefCell<HashMap<u32, Vec<u8>>>>;

    struct Places(Contents);

    impl SharedPlaces for Places {
        fn read(&self, place: u32) -> Option<Vec<u8>> {
            self.0.borrow().get(&place).cloned()
        }

        fn write(&self, place: u32, content: &[u8]) {
            self.0.borrow_mut().insert(place, content.to_vec());
        }
    }

    const KEY: DecisionKey = DecisionKey::new([7; 32]);
    const NOW: UnixMillis = UnixMillis::new(1_000_000);
    const ASKED: UnixMillis = UnixMillis::new(999_990);
    const ALLOW: &str =
        r#"{"decision":true,"context":{"approval":{"approved_until":"2026-11-23T21:00:00Z"}}}"#;

    fn raw(body: &str) -> RawReply<'_> {
        RawReply {
            cache_control: Some(b"max-age=7"),
            ..RawReply::json(body.as_bytes())
        }
    }

    fn shelf(contents: &Contents, config: &str) -> Shelf {
        Shelf::new(Box::new(Places(contents.clone())), config)
    }

    fn filled() -> Contents {
        let contents = Contents::default();
        shelf(&contents, "c").put(&KEY, raw(ALLOW), ASKED, NOW);
        contents
    }

    #[test]
    fn what_one_worker_was_answered_another_finds_as_it_was() {
        let found = shelf(&filled(), "c").find(&KEY, None, NOW).unwrap();
        let reply = GrantReply::parse(raw(ALLOW), None).unwrap();
        assert_eq!(
            found,
            Shelved {
                reply,
                asked: ASKED,
                given: NOW,
            }
        );
    }

    #[test]
    fn an_answer_is_for_its_question_and_configuration_alone_and_not_from_the_future() {
        let contents = filled();
        // The same place, and another question.
        let mut digest = [7; 32];
        digest[31] = 8;
        let other = DecisionKey::new(digest);
        assert_eq!(place_of(&other), place_of(&KEY));
        assert_eq!(shelf(&contents, "c").find(&other, None, NOW), None);
        assert_eq!(shelf(&contents, "d").find(&KEY, None, NOW), None);
        let before = UnixMillis::new(NOW.as_millis() - 1);
        assert_eq!(shelf(&contents, "c").find(&KEY, None, before), None);

        shelf(&contents, "c").put(&other, raw(ALLOW), ASKED, NOW);
        assert_eq!(shelf(&contents, "c").find(&KEY, None, NOW), None, "taken");
    }

    #[test]
    fn an_answer_from_before_the_clock_was_set_back_does_not_come_to_life_later() {
        let ago = |millis| UnixMillis::new(NOW.as_millis() - millis);
        let contents = filled();
        let worker = shelf(&contents, "c");
        assert_eq!(worker.find(&KEY, None, ago(1_000)), None);
        assert!(worker.find(&KEY, None, NOW).is_some(), "another is ahead");
        assert_eq!(worker.find(&KEY, None, ago(1_001)), None);
        assert_eq!(worker.find(&KEY, None, NOW), None);
    }

    #[test]
    fn what_others_wrote_is_ignored() {
        let contents = filled();
        let sound = contents.borrow()[&place_of(&KEY)].clone();
        let find = |content: Vec<u8>| {
            contents.borrow_mut().insert(place_of(&KEY), content);
            shelf(&contents, "c").find(&KEY, None, NOW)
        };
        for length in 0..sound.len() {
            assert_eq!(find(sound[..length].to_vec()), None, "{length} bytes");
        }
        for content in [&b""[..], b"\xff\xff\xff", b"{}", &[0; 64]] {
            assert_eq!(find(content.to_vec()), None);
        }
        assert!(find(sound).is_some());
    }

    #[test]
    fn what_the_shelf_takes_is_bounded() {
        let contents = filled();
        let large = format!("{{\"decision\":false,\"x\":\"{}\"}}", "x".repeat(5_000));
        shelf(&contents, "c").put(&KEY, raw(&large), ASKED, NOW);
        assert_eq!(
            shelf(&contents, "c").find(&KEY, None, NOW),
            None,
            "the older answer"
        );
        for number in 0..40_000_u32 {
            let mut digest = [0; 32];
            digest[..4].copy_from_slice(&number.wrapping_mul(2_654_435_761).to_le_bytes());
            shelf(&contents, "c").put(&DecisionKey::new(digest), raw(ALLOW), ASKED, NOW);
        }
        let contents = contents.borrow();
        assert!(contents.len() <= PLACES as usize);
        assert!(contents.values().all(|content| content.len() < 2_500));
    }
}
