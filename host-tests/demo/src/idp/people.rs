//! The people of the demo, and what the provider says of each.

/// Someone who can sign in.
#[derive(Debug)]
pub(super) struct Human {
    /// The subject of their tokens.
    pub(super) name: &'static str,
    /// The groups in their tokens.
    pub(super) groups: &'static [&'static str],
    /// Their part in the story.
    pub(super) part: &'static str,
}

/// Everyone whom the sign-in page offers.
pub(super) const PEOPLE: [Human; 4] = [
    Human {
        name: "alice",
        groups: &["dev"],
        part: "Developer. Requests access when the need arises.",
    },
    Human {
        name: "bob",
        groups: &["dev"],
        part: "Developer, like Alice.",
    },
    Human {
        name: "lena",
        groups: &["lead"],
        part: "Team lead. Approves or denies what developers request.",
    },
    Human {
        name: "ada",
        groups: &["security"],
        part: "Security. Revokes access, and reads the record of everything.",
    },
];

/// The one of that name.
pub(super) fn person(name: &str) -> Option<&'static Human> {
    PEOPLE.iter().find(|person| person.name == name)
}

/// The groups of whoever has this name. Strangers get tokens too, as developers.
pub(super) fn groups_of(name: &str) -> &'static [&'static str] {
    person(name).map_or(&["dev"], |person| person.groups)
}
