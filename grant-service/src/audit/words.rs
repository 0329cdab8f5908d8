//! An entry in words, for people: in chat tools and at the command line.

use super::{Entry, Event};
use crate::life::Actor;

impl Entry {
    /// What happened, in one sentence without its full stop. Who, what and until when, in the words of whoever was there: not made safe for any
    /// place where it is shown.
    pub fn sentence(&self) -> String {
        let actor = self.actor.name();
        let subject = self.subject.as_ref();
        let subject = subject.map_or("someone", |person| person.subject.as_str());
        let target = self.target.as_ref();
        let resource = target.map_or("something", |target| target.resource.as_str());
        let access = target.map_or("use something".to_owned(), |target| {
            format!("{} {}", target.action, target.resource)
        });
        let until = self.until.as_deref().unwrap_or("its end");
        match self.event {
            Event::RequestOpened => format!("{subject} asks to {access}"),
            Event::RequestSeconded => {
                format!("{actor} says yes to {subject}, who asks to {access}; it takes one more")
            }
            Event::RequestApproved if self.actor == Actor::Itself => {
                format!("{subject} may {access} by a rule")
            }
            Event::RequestApproved => format!("{actor} approved that {subject} may {access}"),
            Event::RequestDenied => format!("{actor} denied {subject} to {access}"),
            Event::RequestWithdrawn => format!("{subject} no longer asks to {access}"),
            Event::RequestExpired => {
                format!("nobody decided in time whether {subject} may {access}")
            }
            Event::GrantGiven => format!("{subject} may {access} until {until}"),
            Event::GlassBroken => {
                format!(
                    "EMERGENCY: {subject} took the right to {access} until {until}, approved by nobody"
                )
            }
            Event::GrantExpired => format!("{subject} may no longer {access}: the time is over"),
            Event::GrantRevoked => {
                format!("{actor} took back that {subject} may {access}")
            }
            Event::SubjectRevoked => format!("{actor} took back everything that {subject} holds"),
            Event::ResourceRevoked => {
                format!("{actor} took back everything that is held on {resource}")
            }
            Event::EverythingRevoked => format!("{actor} took back EVERYTHING"),
        }
    }
}

impl Actor {
    /// What to call them in a sentence.
    pub fn name(&self) -> &str {
        match self {
            Self::Person(person) => &person.subject,
            Self::Service(name) => name,
            Self::Operator => "the operator",
            Self::Itself => "the service itself",
        }
    }
}
