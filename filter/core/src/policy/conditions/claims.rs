//! What a token's claims must be.
//!
//! They cannot change while the token holds, so each test is made once, when the token is verified, and what is kept of it is the verdict.
//! A request then costs a look at a byte, and no claim has to be kept for it.

use std::fmt;
use std::sync::Arc;

use serde_json::Number;

use super::Verdict;
use crate::json::borrowed::Value;
use crate::token::VerifiedClaims;

/// Deeper paths lead nowhere that a token has.
const MAX_PATH_PARTS: usize = 16;

/// Where a claim stands in a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimPath {
    first: Box<str>,
    further: Box<[Box<str>]>,
}

impl ClaimPath {
    /// Reads the name of a claim, whatever characters it has; or, if it begins with `/`, a JSON pointer (RFC 6901) into the claims:
    /// `/realm_access/roles`, `/roles/0`, with `~1` for `/` and `~0` for `~` in a name.
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const EXPECTED: &str =
            "the name of a claim, or a JSON pointer such as `/realm_access/roles`";
        let Some(pointer) = text.strip_prefix('/') else {
            return match text {
                "" => Err(EXPECTED),
                name => Ok(Self {
                    first: name.into(),
                    further: Box::default(),
                }),
            };
        };
        let mut parts = pointer
            .split('/')
            .map(|part| unescaped(part).ok_or(EXPECTED));
        let first = parts.next().unwrap_or(Err(EXPECTED))?;
        let further: Vec<Box<str>> = parts.collect::<Result<_, _>>()?;
        if further.len() >= MAX_PATH_PARTS {
            return Err("a path of at most 16 parts");
        }
        Ok(Self {
            first,
            further: further.into(),
        })
    }

    fn find<'a>(&self, claims: &'a VerifiedClaims<'_>) -> Option<&'a Value<'a>> {
        let mut value = claims.get(&self.first)?;
        for part in &self.further {
            value = match value {
                Value::Object(members) => members.get(part)?,
                Value::Array(elements) => elements.get(index(part)?)?,
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Str(_) => return None,
            };
        }
        // Nothing is said by a claim that is null.
        (!value.is_null()).then_some(value)
    }
}

/// RFC 6901, section 3. `None` for a `~` that escapes nothing.
fn unescaped(part: &str) -> Option<Box<str>> {
    let mut pieces = part.split('~');
    let mut name = pieces.next()?.to_owned();
    for piece in pieces {
        let (escaped, rest) = match (piece.strip_prefix('0'), piece.strip_prefix('1')) {
            (Some(rest), _) => ('~', rest),
            (_, Some(rest)) => ('/', rest),
            (None, None) => return None,
        };
        name.push(escaped);
        name.push_str(rest);
    }
    Some(name.into())
}

/// RFC 6901, section 4: digits without a leading zero.
fn index(part: &str) -> Option<usize> {
    let is_plain = part == "0" || !part.starts_with('0');
    let is_number = is_plain && part.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| part.parse().ok()).flatten()
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.further.is_empty() {
            return write!(f, "{}", self.first.escape_debug());
        }
        let parts = std::iter::once(&self.first).chain(&self.further);
        for part in parts {
            let part = part.replace('~', "~0").replace('/', "~1");
            write!(f, "/{}", part.escape_debug())?;
        }
        Ok(())
    }
}

/// A value that claims are compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scalar {
    /// A string, compared exactly.
    Text(Box<str>),
    /// A number, compared by its value: `1` is `1.0`.
    Number(Number),
    /// `true` or `false`.
    Flag(bool),
}

impl Scalar {
    /// The value, if it is a string, a number, `true` or `false`.
    pub fn new(value: serde_json::Value) -> Option<Self> {
        match value {
            serde_json::Value::String(text) => Some(Self::Text(text.into())),
            serde_json::Value::Number(number) => Some(Self::Number(number)),
            serde_json::Value::Bool(flag) => Some(Self::Flag(flag)),
            serde_json::Value::Null
            | serde_json::Value::Array(_)
            | serde_json::Value::Object(_) => None,
        }
    }

    /// Whether a claim is this. One of another type cannot be compared: who expects `true` and gets `"true"` knows nothing.
    fn judge(&self, claim: &Value<'_>) -> Verdict {
        match (self, claim) {
            (Self::Text(text), Value::Str(claim)) => Verdict::of(**text == **claim),
            (Self::Flag(flag), Value::Bool(claim)) => Verdict::of(flag == claim),
            (Self::Number(number), claim @ Value::Number(_)) => {
                same_number(number, claim).map_or(Verdict::Unknown, Verdict::of)
            }
            (
                Self::Text(_) | Self::Flag(_) | Self::Number(_),
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::Str(_)
                | Value::Array(_)
                | Value::Object(_),
            ) => Verdict::Unknown,
        }
    }
}

/// Whole numbers are compared exactly; with a fraction in play, only as far as a double tells whole numbers apart.
fn same_number(number: &Number, claim: &Value<'_>) -> Option<bool> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let whole = |signed: Option<i64>, unsigned: Option<u64>| {
        signed.map(i128::from).or(unsigned.map(i128::from))
    };
    let numbers = (
        whole(number.as_i64(), number.as_u64()),
        whole(claim.as_i64(), claim.as_u64()),
    );
    if let (Some(one), Some(other)) = numbers {
        return Some(one == other);
    }
    let (one, other) = (number.as_f64()?, claim.as_f64()?);
    if one.abs() >= EXACT && other.abs() >= EXACT {
        return None;
    }
    #[expect(
        clippy::float_cmp,
        reason = "both are what stands written, and not computed"
    )]
    Some(one == other)
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Number(number) => number.fmt(f),
            Self::Flag(flag) => flag.fmt(f),
        }
    }
}

/// What a claim must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueTest {
    /// There, or not there.
    Present(bool),
    /// This.
    Equals(Scalar),
    /// One of these.
    OneOf(Box<[Scalar]>),
    /// A text that begins with this.
    Prefix(Box<str>),
    /// An array that holds this.
    Contains(Scalar),
    /// One of these, or an array that holds one of them.
    AnyOf(Box<[Scalar]>),
}

impl ValueTest {
    /// A claim that is absent, or of a kind that the test is not for, cannot be judged.
    fn judge(&self, claim: Option<&Value<'_>>) -> Verdict {
        let claim = match (self, claim) {
            (Self::Present(expected), claim) => {
                return Verdict::of(claim.is_some() == *expected);
            }
            (_, None) => return Verdict::Unknown,
            (_, Some(claim)) => claim,
        };
        match (self, claim) {
            (Self::Equals(expected), claim) => expected.judge(claim),
            (Self::Prefix(prefix), Value::Str(text)) => Verdict::of(text.starts_with(&**prefix)),
            (Self::Contains(expected), Value::Array(elements)) => {
                Verdict::any(elements.iter().map(|element| expected.judge(element)))
            }
            (Self::AnyOf(expected), Value::Array(elements)) => {
                Verdict::any(elements.iter().map(|element| any(expected, element)))
            }
            (Self::OneOf(expected) | Self::AnyOf(expected), claim) => any(expected, claim),
            (Self::Present(_) | Self::Prefix(_) | Self::Contains(_), _) => Verdict::Unknown,
        }
    }
}

fn any(expected: &[Scalar], claim: &Value<'_>) -> Verdict {
    Verdict::any(expected.iter().map(|one| one.judge(claim)))
}

impl fmt::Display for ValueTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Present(true) => f.write_str("is present"),
            Self::Present(false) => f.write_str("is absent"),
            Self::Equals(value) => write!(f, "is {value}"),
            Self::OneOf(values) => {
                f.write_str("is one of ")?;
                super::list(f, &**values, ", ")
            }
            Self::Prefix(prefix) => write!(f, "begins with {prefix:?}"),
            Self::Contains(value) => write!(f, "contains {value}"),
            Self::AnyOf(values) => {
                f.write_str("is or contains one of ")?;
                super::list(f, &**values, ", ")
            }
        }
    }
}

/// One claim, and what it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimTest {
    /// Where it stands.
    pub path: ClaimPath,
    /// What it must be.
    pub test: ValueTest,
}

impl fmt::Display for ClaimTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "claim {} {}", self.path, self.test)
    }
}

/// Every test of a claim that some condition needs, each once.
#[derive(Debug, Default)]
pub struct ClaimTests(Vec<Arc<ClaimTest>>);

impl ClaimTests {
    /// A condition that `test` holds.
    pub fn add(&mut self, test: ClaimTest) -> ClaimCondition {
        let known = self.0.iter().position(|known| **known == test);
        let place = known.unwrap_or_else(|| {
            self.0.push(Arc::new(test.clone()));
            self.0.len().saturating_sub(1)
        });
        let shared = self.0.get(place).cloned();
        ClaimCondition {
            place,
            test: shared.unwrap_or_else(|| Arc::new(test)),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Makes each test.
    pub fn judge(&self, claims: &VerifiedClaims<'_>) -> ClaimVerdicts {
        let verdict = |test: &Arc<ClaimTest>| test.test.judge(test.path.find(claims));
        ClaimVerdicts(self.0.iter().map(verdict).collect())
    }
}

/// What one token's claims came to, in the order of the tests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClaimVerdicts(Box<[Verdict]>);

/// That a test of a claim holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimCondition {
    /// Its place among all tests.
    place: usize,
    test: Arc<ClaimTest>,
}

impl ClaimCondition {
    /// Without a token nothing is known.
    pub(super) fn judge(&self, verdicts: Option<&ClaimVerdicts>) -> Verdict {
        let verdict = verdicts.and_then(|verdicts| verdicts.0.get(self.place));
        verdict.copied().unwrap_or(Verdict::Unknown)
    }
}

impl fmt::Display for ClaimCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.test.fmt(f)
    }
}

#[cfg(test)]
mod tests;
