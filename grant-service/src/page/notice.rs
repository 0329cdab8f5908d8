//! What a page tells of what was just done. The address after a form names it in a word of this list; it carries no text of its own, and no
//! word claims what matters in an incident: that is told with the answer to the form itself.

use maud::{Markup, html};

use super::words;

/// Something to tell at the top of a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Notice(Option<Told>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Told {
    is_done: bool,
    text: String,
    /// The request that it is about.
    request: Option<String>,
}

impl Notice {
    /// Something is done.
    pub(super) fn done(text: impl Into<String>) -> Self {
        Self::new(true, text.into())
    }

    /// Something is not done, and why.
    pub(super) fn not(text: impl Into<String>) -> Self {
        Self::new(false, text.into())
    }

    fn new(is_done: bool, text: String) -> Self {
        Self(Some(Told {
            is_done,
            text,
            request: None,
        }))
    }

    /// By its word in an address.
    pub(super) fn named(word: &str) -> Self {
        match word {
            "withdrawn" => Self::done("Your request is withdrawn."),
            "given-up" => Self::done("You have given up your access."),
            "revoked" => Self::done("The grant is revoked."),
            "approved" => Self::done("You approved the request: access is granted."),
            "seconded" => Self::done("You approved the request. It takes more approvals."),
            "denied" => Self::done("You denied the request."),
            _ => Self(None),
        }
    }

    /// With the way to the request that it is about, if there is one.
    #[must_use]
    pub(super) fn about(mut self, request: &str) -> Self {
        if let Some(told) = self.0.as_mut().filter(|_| !request.is_empty()) {
            told.request = Some(request.to_owned());
        }
        self
    }

    pub(super) fn render(&self) -> Markup {
        let Some(told) = &self.0 else {
            return html! {};
        };
        let (tone, role) = if told.is_done {
            ("done", "status")
        } else {
            ("not", "alert")
        };
        html! {
            p class=(format!("notice {tone}")) id="notice" role=(role) {
                (told.text)
                @if let Some(request) = &told.request {
                    " " a href=(format!("/requests/{}", words::encoded(request))) { "See the request" }
                }
            }
        }
    }
}
