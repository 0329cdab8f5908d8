//! What is asked: may this subject do this to that resource. Members that are not known are ignored, as the specification says; those that it
//! names have the shape that it gives them, also where no rule looks at them.

use serde_json::Value;

use super::super::shape::{Misshapen, Node};
use crate::life::Target;

/// One question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) subject_type: String,
    pub(super) subject: String,
    /// `subject.properties.iss`.
    pub(super) issuer: Option<String>,
    /// `subject.properties.groups`, where the caller tells it as a list of strings.
    pub(super) groups: Option<Vec<String>>,
    pub(super) target: Target,
}

impl Question {
    /// Reads a question; what it leaves out is as the defaults say (section "Default values").
    pub(super) fn read(item: &Node<'_>, defaults: Option<&Node<'_>>) -> Result<Self, Misshapen> {
        let [subject, action, resource] = [
            Entity::read("subject", item, defaults)?,
            Entity::read("action", item, defaults)?,
            Entity::read("resource", item, defaults)?,
        ];
        for place in [Some(item), defaults].into_iter().flatten() {
            place.may_have_object("context")?;
        }
        let (issuer, groups) = subject.properties()?;
        Ok(Self {
            subject_type: subject.name("type")?,
            subject: subject.name("id")?,
            issuer,
            groups,
            target: Target {
                resource_type: resource.name("type")?,
                resource: resource.name("id")?,
                action: action.name("name")?,
            },
        })
    }
}

/// A subject, an action or a resource. One that an item names stands in the default's place as a whole, but for a required member that it leaves
/// out (so asks the certification scenario, "Batch with default value merging").
struct Entity<'a> {
    own: Node<'a>,
    default: Option<Node<'a>>,
}

impl<'a> Entity<'a> {
    fn read(which: &str, item: &Node<'a>, defaults: Option<&Node<'a>>) -> Result<Self, Misshapen> {
        let own = item.member(which)?;
        let default = defaults.map(|all| all.member(which)).transpose()?;
        let default = default.and_then(Node::present);
        for entity in [Some(&own), default.as_ref()].into_iter().flatten() {
            if !entity.is_absent() {
                entity.may_have_object("properties")?;
            }
        }
        Ok(match default {
            Some(default) if own.is_absent() => Self {
                own: default,
                default: None,
            },
            default => Self { own, default },
        })
    }

    fn name(&self, member: &str) -> Result<String, Misshapen> {
        let own = self.own.member(member)?;
        if own.is_absent()
            && let Some(default) = &self.default
            && let Some(default) = default.member(member)?.present()
        {
            return default.name().map(str::to_owned);
        }
        own.name().map(str::to_owned)
    }

    fn properties(&self) -> Result<(Option<String>, Option<Vec<String>>), Misshapen> {
        let Some(properties) = self.own.member("properties")?.present() else {
            return Ok((None, None));
        };
        let issuer = properties.member("iss")?.present();
        let issuer = issuer.map(|issuer| issuer.name()).transpose()?;
        // Claims have whatever shape their issuer gives them: what is no list of names says nothing here.
        let groups = properties.member("groups")?;
        let groups = groups.value().and_then(Value::as_array).and_then(|groups| {
            let name = |group: &Value| group.as_str().map(str::to_owned);
            groups.iter().map(name).collect::<Option<Vec<_>>>()
        });
        Ok((issuer.map(str::to_owned), groups))
    }
}
