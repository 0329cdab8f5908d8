//! Grants that an identity token carries.
//!
//! Two forms: our own (`resource`, `actions`, `exp`) and RFC 9396 authorization details of type `hallpass` (`identifier` in place of
//! `resource`). A malformed grant grants nothing, is told, and never hides a sound one.
//!
//! They are read once and looked into with every request, so they are kept in the order in which that is quick: by resource, and of each resource
//! the one that ends last first.

use std::cmp::Reverse;
use std::time::Duration;

use serde::Deserialize;

use super::{Actions, Grant};
use crate::identity::is_header_value;
use crate::ids::{Action, GrantId, ResourceName};
use crate::json::borrowed::Value;
use crate::line::one_line;
use crate::time::{Phase, UnixMillis, Window};

/// The grants of one token.
#[derive(Debug, Clone, Default)]
pub struct EmbeddedGrants {
    /// By resource, then the one that ends last first; of those that end together the last of the token first.
    sound: Vec<Placed>,
    /// What was skipped, if anything was.
    pub skipped: Option<Skipped>,
}

/// A grant, and which of the sound ones of the token it is.
#[derive(Debug, Clone)]
struct Placed {
    place: usize,
    grant: Grant,
}

/// Grants that are malformed, and grant nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// How many.
    pub count: usize,
    /// Which is the first, and what is wrong with it: one line for the log.
    pub first: String,
}

/// What the token's grants say about one action on one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage<'a> {
    /// A grant holds now: of those that last no longer than is allowed, the one that ends last.
    Live(&'a Grant),
    /// Every grant that holds now lasts longer than is allowed: the one of them that ends first.
    TooLong(&'a Grant),
    /// Every grant that would hold now was taken back: the one of them that would end last.
    Revoked(&'a Grant),
    /// There was one, and it is over: the one that ended last.
    Over(&'a Grant),
    /// There is none, or none yet.
    None,
}

impl EmbeddedGrants {
    /// Reads the claim that holds the grants. An absent claim holds none.
    pub fn from_claim(claim: Option<&Value<'_>>) -> Self {
        let mut grants = Self::default();
        match claim {
            None | Some(Value::Null) => {}
            Some(Value::Array(elements)) => {
                for (index, element) in elements.iter().enumerate() {
                    match RawGrant::read(element) {
                        Ok(Some(grant)) => grants.sound.push(Placed {
                            place: index,
                            grant,
                        }),
                        Ok(None) => {}
                        Err(fault) => grants.skip(|| format!("grant {index}: {fault}")),
                    }
                }
            }
            Some(_) => grants.skip(|| "the claim is not an array".to_owned()),
        }
        grants.sound.sort_unstable_by(|one, other| {
            let last_first = |placed: &Placed| Reverse((placed.grant.window.until, placed.place));
            let resources = one.grant.resource.cmp(&other.grant.resource);
            resources.then_with(|| last_first(one).cmp(&last_first(other)))
        });
        grants
    }

    /// The sound ones, in the order of the token. For those who tell of them, not for decisions.
    pub fn iter(&self) -> impl Iterator<Item = &Grant> {
        let mut placed: Vec<&Placed> = self.sound.iter().collect();
        placed.sort_unstable_by_key(|placed| placed.place);
        placed.into_iter().map(|placed| &placed.grant)
    }

    /// Those for this resource, the one that ends last first.
    fn of(&self, resource: &ResourceName) -> impl Iterator<Item = &Grant> {
        let start = self
            .sound
            .partition_point(|placed| placed.grant.resource < *resource);
        let from_there = self.sound.get(start..).unwrap_or_default().iter();
        from_there
            .map(|placed| &placed.grant)
            .take_while(|grant| grant.resource == *resource)
    }

    fn skip(&mut self, why: impl FnOnce() -> String) {
        match &mut self.skipped {
            Some(skipped) => skipped.count = skipped.count.saturating_add(1),
            None => {
                self.skipped = Some(Skipped {
                    count: 1,
                    first: one_line(&why()),
                });
            }
        }
    }

    /// What these grants say about `action` on `resource` at `now`, where none may last longer than `longest` from then on.
    pub fn coverage(
        &self,
        resource: &ResourceName,
        action: &Action,
        longest: Option<Duration>,
        now: UnixMillis,
    ) -> Coverage<'_> {
        self.coverage_without(|_| false, resource, action, longest, now)
    }

    /// The same, where some were taken back.
    pub fn coverage_without(
        &self,
        is_revoked: impl Fn(&Grant) -> bool,
        resource: &ResourceName,
        action: &Action,
        longest: Option<Duration>,
        now: UnixMillis,
    ) -> Coverage<'_> {
        let mut too_long = None;
        let mut revoked = None;
        let mut over = None;
        for grant in self.of(resource).filter(|grant| grant.allows(action)) {
            match grant.window.phase(now) {
                Phase::Before => {}
                Phase::Within if is_revoked(grant) => {
                    revoked.get_or_insert(grant);
                }
                Phase::Within => {
                    let left = grant.window.until.since(now);
                    if longest.is_none_or(|longest| left <= longest) {
                        return Coverage::Live(grant);
                    }
                    // The last of these ends first.
                    too_long = Some(grant);
                }
                Phase::Over => {
                    over = Some(grant);
                    // Those that follow ended earlier.
                    break;
                }
            }
        }
        let none_holds = || over.map_or(Coverage::None, Coverage::Over);
        let none_counts = || revoked.map_or_else(none_holds, Coverage::Revoked);
        too_long.map_or_else(none_counts, Coverage::TooLong)
    }
}

#[derive(Deserialize)]
struct RawGrant<'a> {
    #[serde(rename = "type")]
    kind: Option<&'a str>,
    id: Option<&'a str>,
    resource: Option<&'a str>,
    identifier: Option<&'a str>,
    #[serde(borrow)]
    actions: Vec<&'a str>,
    nbf: Option<f64>,
    exp: f64,
}

impl<'a> RawGrant<'a> {
    /// `None` for an authorization detail of somebody else's type, which is not about us (RFC 9396, section 5).
    fn read(value: &'a Value<'a>) -> Result<Option<Grant>, String> {
        // serde would read a struct from an array just as well.
        let Value::Object(members) = value else {
            return Err("it is not an object".to_owned());
        };
        match members.get("type").and_then(Value::as_str) {
            Some(kind) if kind != "hallpass" => return Ok(None),
            _ => {}
        }
        let raw = Self::deserialize(value).map_err(|error| error.to_string())?;
        raw.into_grant().map(Some)
    }

    fn into_grant(self) -> Result<Grant, String> {
        let resource = match self.kind {
            Some(_) => self.identifier.ok_or("missing field `identifier`")?,
            None => self.resource.ok_or("missing field `resource`")?,
        };
        if self.id.is_some_and(|id| !is_header_value(id)) {
            return Err("`id` holds control characters".to_owned());
        }
        let from = self.nbf.map_or(Ok(UnixMillis::new(0)), numeric_date)?;
        let until = numeric_date(self.exp)?;
        Ok(Grant {
            id: self.id.map(GrantId::new),
            resource: ResourceName::new(resource),
            actions: actions(&self.actions)?,
            window: Window { from, until },
        })
    }
}

fn actions(names: &[&str]) -> Result<Actions, String> {
    match names {
        [] => Err("`actions` is empty".to_owned()),
        ["*"] => Ok(Actions::Any),
        names => Ok(Actions::Only(
            names.iter().map(|name| Action::new(name)).collect(),
        )),
    }
}

/// RFC 7519, section 2: seconds since the epoch, possibly with a fraction, which is dropped.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a float that does not fit becomes the nearest i64, which is out of range and refused"
)]
fn numeric_date(seconds: f64) -> Result<UnixMillis, String> {
    UnixMillis::from_seconds(seconds.floor() as i64).ok_or_else(|| "a date out of range".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value as Json, json};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn at(seconds: i64) -> UnixMillis {
        UnixMillis::from_seconds(seconds).unwrap()
    }

    fn read(claim: &Json) -> EmbeddedGrants {
        EmbeddedGrants::from_claim(Some(&claim.into()))
    }

    fn skipped(claim: &Json) -> usize {
        read(claim).skipped.map_or(0, |skipped| skipped.count)
    }

    fn coverage(claim: &Json, action: &str, now: i64) -> String {
        coverage_within(claim, action, None, now)
    }

    fn coverage_within(claim: &Json, action: &str, longest: Option<u64>, now: i64) -> String {
        let grants = read(claim);
        let longest = longest.map(Duration::from_secs);
        match grants.coverage(
            &ResourceName::new("orders"),
            &Action::new(action),
            longest,
            at(now),
        ) {
            Coverage::Live(grant) => format!("{:?}", grant.id.as_ref().map(GrantId::as_str)),
            Coverage::TooLong(_) => "too long".into(),
            Coverage::Revoked(_) => "revoked".into(),
            Coverage::Over(_) => "over".into(),
            Coverage::None => "none".into(),
        }
    }

    #[test]
    fn a_grant_holds_from_its_nbf_until_its_exp() {
        let claim = json!([{ "id": "g", "resource": "orders", "actions": ["read"], "nbf": 100, "exp": 200 }]);
        for (now, expected) in [
            (99, "none"),
            (100, r#"Some("g")"#),
            (199, r#"Some("g")"#),
            (200, "over"),
        ] {
            assert_eq!(coverage(&claim, "read", now), expected, "at {now}");
        }
        assert_eq!(coverage(&claim, "write", 150), "none");
    }

    #[test]
    fn the_grant_that_ends_last_is_used() {
        let claim = json!([
            { "id": "long", "resource": "orders", "actions": ["*"], "exp": 300 },
            { "id": "short", "resource": "orders", "actions": ["read"], "exp": 200 },
        ]);
        assert_eq!(coverage(&claim, "read", 150), r#"Some("long")"#);
    }

    fn grant(id: &str, resource: &str, action: &str, end: i64) -> Json {
        json!({ "id": id, "resource": resource, "actions": [action], "exp": end })
    }

    #[test]
    fn grants_are_told_in_the_order_of_the_token() {
        let claim = json!([
            grant("1", "orders", "read", 200),
            grant("2", "bills", "read", 300),
            7,
            grant("3", "orders", "read", 300),
            grant("4", "accounts", "read", 100),
            grant("5", "orders", "write", 200),
        ]);
        let grants = read(&claim);
        let told: Vec<&str> = grants
            .iter()
            .map(|grant| grant.id.as_ref().unwrap().as_str())
            .collect();
        assert_eq!(told, ["1", "2", "3", "4", "5"]);
    }

    #[test]
    fn of_grants_that_end_together_the_order_of_the_token_tells_which_one_is_named() {
        let claim = json!([
            grant("first", "orders", "read", 200),
            grant("other", "bills", "read", 200),
            grant("last", "orders", "read", 200),
        ]);
        let grants = read(&claim);
        let named = |revoked: bool, longest: Option<u64>, now: i64| {
            let coverage = grants.coverage_without(
                |_| revoked,
                &ResourceName::new("orders"),
                &Action::new("read"),
                longest.map(Duration::from_secs),
                at(now),
            );
            let (Coverage::Live(grant)
            | Coverage::TooLong(grant)
            | Coverage::Revoked(grant)
            | Coverage::Over(grant)) = coverage
            else {
                return "none";
            };
            grant.id.as_ref().unwrap().as_str()
        };
        for (revoked, longest, now, expected) in [
            (false, None, 150, "last"),
            (false, Some(10), 150, "first"),
            (true, None, 150, "last"),
            (false, None, 250, "last"),
        ] {
            let case = format!("{revoked}, {longest:?}, at {now}");
            assert_eq!(named(revoked, longest, now), expected, "{case}");
        }
    }

    #[test]
    fn it_is_only_asked_of_grants_that_would_count_whether_they_were_taken_back() {
        let mut elements = vec![
            grant("over", "orders", "read", 100),
            grant("elsewhere", "bills", "read", 300),
            grant("otherwise", "orders", "write", 300),
            grant("taken", "orders", "read", 300),
            grant("live", "orders", "read", 200),
        ];
        elements.push(
            json!({ "id": "later", "resource": "orders", "actions": ["*"], "nbf": 200, "exp": 400 }),
        );
        let grants = read(&elements.into());
        let asked = std::cell::RefCell::new(Vec::new());
        let is_revoked = |grant: &Grant| {
            let id = grant.id.as_ref().unwrap().as_str().to_owned();
            asked.borrow_mut().push(id.clone());
            id == "taken"
        };
        let (orders, read) = (ResourceName::new("orders"), Action::new("read"));
        let coverage = grants.coverage_without(is_revoked, &orders, &read, None, at(150));
        let Coverage::Live(grant) = coverage else {
            panic!("{coverage:?}");
        };
        assert_eq!(grant.id, Some(GrantId::new("live")));
        assert_eq!(asked.into_inner(), ["taken", "live"]);
    }

    #[test]
    fn a_grant_that_lasts_too_long_hides_no_shorter_one() {
        let claim = json!([
            { "id": "long", "resource": "orders", "actions": ["read"], "exp": 300 },
            { "id": "short", "resource": "orders", "actions": ["read"], "exp": 200 },
        ]);
        assert_eq!(
            coverage_within(&claim, "read", Some(200), 150),
            r#"Some("long")"#
        );
        assert_eq!(
            coverage_within(&claim, "read", Some(100), 150),
            r#"Some("short")"#
        );
        assert_eq!(coverage_within(&claim, "read", Some(10), 150), "too long");
    }

    #[test]
    fn a_star_stands_for_any_action_only_when_alone() {
        let alone = json!([{ "resource": "orders", "actions": ["*"], "exp": 200 }]);
        let among = json!([{ "resource": "orders", "actions": ["*", "read"], "exp": 200 }]);
        assert_eq!(coverage(&alone, "write", 150), "None");
        assert_eq!(coverage(&among, "write", 150), "none");
    }

    #[test]
    fn authorization_details_of_our_type_are_grants_and_others_are_not_about_us() {
        let ours = json!([{ "type": "hallpass", "identifier": "orders", "actions": ["read"], "exp": 200 }]);
        let other =
            json!([{ "type": "payment", "identifier": "orders", "actions": ["read"], "exp": 200 }]);
        assert_eq!(coverage(&ours, "read", 150), "None");
        assert_eq!(coverage(&other, "read", 150), "none");
        assert_eq!(skipped(&other), 0);
    }

    #[test]
    fn a_malformed_grant_is_told_and_hides_no_sound_one() {
        let sound = json!({ "id": "g", "resource": "orders", "actions": ["read"], "exp": 200 });
        for bad in [
            json!(7),
            json!([null, "g", "orders", null, ["read"], null, 200]),
            json!({ "resource": "orders", "actions": ["read"] }),
            json!({ "resource": "orders", "actions": [], "exp": 200 }),
            json!({ "resource": "orders", "actions": "read", "exp": 200 }),
            json!({ "resource": "orders", "actions": ["read"], "exp": "200" }),
            json!({ "resource": "orders", "actions": ["read"], "exp": 1e300 }),
            json!({ "actions": ["read"], "exp": 200 }),
            json!({ "id": "a\nb", "resource": "orders", "actions": ["read"], "exp": 200 }),
        ] {
            let claim = json!([bad, sound]);
            assert_eq!(skipped(&claim), 1, "{bad}");
            assert_eq!(coverage(&claim, "read", 150), r#"Some("g")"#, "{bad}");
        }
        assert_eq!(skipped(&json!("x")), 1);
    }
}
