//! Who may request what, who may approve it, and within which bounds.

use std::collections::BTreeSet;
use std::time::Duration;

use regex::Regex;

use super::{Person, Target};

/// All rules.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// In the order written: the first that is about a target decides.
    pub rules: Vec<Rule>,
    /// Who may revoke anything, and decide nothing more than others.
    pub administrators: Who,
    /// Who may read the record of everything.
    pub auditors: Who,
}

/// What holds for some actions on one resource.
#[derive(Debug, Clone)]
pub struct Rule {
    /// As [`Target::resource_type`].
    pub resource_type: String,
    /// As [`Target::resource`].
    pub resource: String,
    /// The actions; empty stands for any.
    pub actions: BTreeSet<String>,
    /// What people call the resource.
    pub title: String,
    /// Who may request.
    pub requesters: Who,
    /// Who may approve what others request.
    pub approvers: Who,
    /// How many of them it takes, at least one.
    pub approvals: u32,
    /// The longest grant.
    pub max_duration: Duration,
    /// What is offered to whoever names no duration.
    pub default_duration: Duration,
    /// How long a request may wait for its decision.
    pub pending_for: Duration,
    /// What a reason must match, a ticket's number for example.
    pub reason: Option<Regex>,
    /// What to tell those whose reason does not, and the form.
    pub reason_hint: Option<String>,
    /// Who gets what they ask for at once.
    pub automatic: Option<Shortcut>,
    /// Who may help themselves in an emergency. It leaves a louder trail.
    pub break_glass: Option<Shortcut>,
}

/// A way to a grant that no one approves.
#[derive(Debug, Clone)]
pub struct Shortcut {
    /// For whom.
    pub who: Who,
    /// The longest grant on this way.
    pub max_duration: Duration,
}

/// Some people.
#[derive(Debug, Clone, Default)]
pub struct Who {
    /// Everyone who can sign in.
    pub everyone: bool,
    /// Members of any of these groups.
    pub groups: BTreeSet<String>,
    /// These subjects.
    pub subjects: BTreeSet<String>,
    /// Only people of these issuers, since the same name may be another person elsewhere; empty stands for any.
    pub issuers: BTreeSet<String>,
}

impl Policy {
    /// The rule about a target.
    pub fn rule(&self, target: &Target) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.is_about(target))
    }
}

impl Rule {
    fn is_about(&self, target: &Target) -> bool {
        self.resource_type == target.resource_type
            && self.resource == target.resource
            && (self.actions.is_empty() || self.actions.contains(&target.action))
    }
}

impl Who {
    /// Whether this person is one of them.
    pub fn includes(&self, person: &Person) -> bool {
        let from_here = self.issuers.is_empty() || self.issuers.contains(&person.id.issuer);
        from_here
            && (self.everyone
                || self.subjects.contains(&person.id.subject)
                || person
                    .groups
                    .iter()
                    .any(|group| self.groups.contains(group)))
    }
}
