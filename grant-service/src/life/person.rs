//! Who does something, and from where.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// A person's name: a subject is one only together with its issuer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PersonId {
    /// `iss` of the identity token.
    pub issuer: String,
    /// `sub` of the identity token.
    pub subject: String,
}

/// A person who has signed in, as their identity token tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Who it is.
    pub id: PersonId,
    /// The e-mail address, if the token tells.
    pub email: Option<String>,
    /// The groups that the token tells.
    pub groups: Vec<String>,
}

/// Who did something that is on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// Someone who signed in.
    Person(PersonId),
    /// A program with a service token of this name.
    Service(String),
    /// Whoever may start the program on the service's machine.
    Operator,
    /// The service itself: time has passed, or a rule grants at once.
    Itself,
}

/// How a wish came in, for the record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The address of the client.
    pub source_ip: Option<IpAddr>,
    /// The client's or proxy's name for the HTTP request (`x-request-id`).
    pub request_id: Option<String>,
}
