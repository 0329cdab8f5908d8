//! Pages for when there is no page: not signed in, not for this person, not there, not now.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::frame::bare;
use crate::desk::Fault;
use crate::life::Refusal;

/// Why there is no page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Nobody has signed in; where to, if that is configured.
    NotSignedIn(Option<String>),
    /// Keys to check who it is are not to be had now.
    Unknowable,
    /// A program looks, with its service token.
    NoPerson,
    /// It is for others; for whom.
    NotForYou(&'static str),
    /// There is no such thing, or it is not theirs to see.
    NotThere(&'static str),
    /// Another site sent the form, or nobody knows who did.
    ForeignForm,
    /// The address is where a form goes and nothing is to be seen, or the other way round.
    AnotherMethod,
    /// A form or an address that cannot be read.
    Unreadable,
    /// A form that says more than is read.
    TooLong,
    /// The database fails.
    Fails,
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Refused(Refusal::UnknownRequest) => Self::NotThere("request"),
            Fault::Refused(Refusal::UnknownGrant) => Self::NotThere("grant"),
            Fault::Refused(Refusal::NotAnApprover) => {
                Self::NotForYou("those who approve this access")
            }
            Fault::Refused(Refusal::Forbidden) => Self::NotForYou("administrators"),
            Fault::Refused(_) => Self::Unreadable,
            Fault::Store(fault) => {
                tracing::error!(%fault, "the database failed");
                Self::Fails
            }
        }
    }
}

impl From<crate::store::StoreFault> for Trouble {
    fn from(fault: crate::store::StoreFault) -> Self {
        Fault::Store(fault).into()
    }
}

impl Trouble {
    fn status(&self) -> StatusCode {
        match self {
            Self::NotSignedIn(_) => StatusCode::UNAUTHORIZED,
            Self::NoPerson | Self::NotForYou(_) | Self::ForeignForm => StatusCode::FORBIDDEN,
            Self::NotThere(_) => StatusCode::NOT_FOUND,
            Self::AnotherMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::Unreadable => StatusCode::BAD_REQUEST,
            Self::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unknowable | Self::Fails => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn page(&self) -> Markup {
        let again = html! { p class="deeds" { a class="button" href="/" { "Go to my grants" } } };
        match self {
            Self::NotSignedIn(way) => bare(
                "Sign in first",
                "enter",
                &html! {
                    p { "This is where access is requested, approved and taken back, so it must know who you are." }
                    @if let Some(way) = way {
                        p class="deeds" { a class="button" id="sign-in" href=(way) { "Sign in" } }
                    } @else {
                        p { "Sign in with your organization, then open this address again." }
                    }
                },
            ),
            Self::Unknowable => bare(
                "Who you are cannot be checked right now",
                "wait",
                &html! {
                    p { "The keys of the identity provider cannot be reached. This usually passes by itself: wait a moment, then reload this page." }
                },
            ),
            Self::NoPerson => bare(
                "These pages are for people",
                "stop",
                &html! {
                    p { "A service token opens the programs’ side of this service, not its pages." }
                },
            ),
            Self::NotForYou(whose) => bare(
                "This is not for you",
                "stop",
                &html! {
                    p { "It is for " (whose) ". If you should be one of them, ask whoever keeps the policy of this service." }
                    (again)
                },
            ),
            Self::NotThere(what) => bare(
                "There is nothing here",
                "odd",
                &html! {
                    p { "There is no such " (what) ", or it is not yours to see." }
                    (again)
                },
            ),
            Self::ForeignForm => bare(
                "The form was not sent from here",
                "stop",
                &html! {
                    p { "Nothing was changed. If you pressed the button on a page of this service, open that page again and repeat it." }
                    (again)
                },
            ),
            Self::AnotherMethod => bare(
                "There is nothing to see here",
                "odd",
                &html! {
                    p { "This address is not opened or sent in this way. Nothing was changed." }
                    (again)
                },
            ),
            Self::Unreadable => bare(
                "The form cannot be read",
                "odd",
                &html! {
                    p { "Nothing was changed. Go back, and try again." }
                    (again)
                },
            ),
            Self::TooLong => bare(
                "The form is too long",
                "odd",
                &html! {
                    p { "Nothing was changed. Go back, and say it in fewer words: a text has at most 1,000 characters." }
                    (again)
                },
            ),
            Self::Fails => bare(
                "That did not work",
                "wait",
                &html! {
                    p { "The database of this service fails. It is not known whether your change was kept: wait a moment, then look at the page again." }
                    (again)
                },
            ),
        }
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let mut response = (self.status(), self.page()).into_response();
        let told = match self {
            Self::NotSignedIn(_) => {
                Some((header::WWW_AUTHENTICATE, "Bearer realm=\"hallpass-grants\""))
            }
            Self::Unknowable | Self::Fails => Some((header::RETRY_AFTER, "1")),
            _ => None,
        };
        if let Some((name, value)) = told {
            response
                .headers_mut()
                .insert(name, HeaderValue::from_static(value));
        }
        response
    }
}
