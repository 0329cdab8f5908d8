//! What is the same on every page: the head, the ways to the other pages, and who has signed in.

use hallpass_core::time::UnixMillis;
use maud::{DOCTYPE, Markup, html};

use super::files::{ICON, SCRIPT, STYLE};
use super::notice::Notice;
use super::visitor::Visitor;
use crate::app::App;

/// Which of the ways leads here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Request,
    Grants,
    Approvals,
    Everyone,
    Record,
    Elsewhere,
}

/// A page to be.
pub(super) struct Page<'a> {
    pub(super) place: Place,
    pub(super) title: &'a str,
    pub(super) notice: &'a Notice,
    pub(super) body: Markup,
    /// A browser without script loads the page again after so many seconds.
    pub(super) reload: Option<u32>,
}

/// A page for someone who has signed in.
pub(super) fn page(app: &App, visitor: &Visitor, page: &Page<'_>) -> Markup {
    let rooms = visitor.rooms(app);
    let ways = [
        (Place::Grants, "/grants", "My grants", true),
        (Place::Request, "/request", "Request access", true),
        (Place::Approvals, "/approvals", "Approvals", rooms.approvals),
        (
            Place::Everyone,
            "/grants/all",
            "Everyone’s grants",
            rooms.everyone,
        ),
        (Place::Record, "/record", "Record", rooms.record),
    ];
    let header = html! {
        nav aria-label="Pages" {
            @for (place, path, name, _) in ways.into_iter().filter(|way| way.3) {
                a href=(path) aria-current=[(place == page.place).then_some("page")] { (name) }
            }
        }
        p class="visitor" {
            span class="hidden" { "Signed in as " }
            (visitor.person.email.as_deref().unwrap_or(&visitor.person.id.subject))
        }
    };
    let body = html! {
        h1 { (page.title) }
        (page.notice.render())
        (page.body)
    };
    document(
        page.title,
        &header,
        &body,
        page.reload,
        Some(app.desk.clock().now()),
    )
}

/// A page for whoever it is.
pub(super) fn bare(title: &str, tone: &str, body: &Markup) -> Markup {
    let body = html! {
        section class=(format!("card bare {tone}")) {
            h1 { (title) }
            (body)
        }
    };
    document(title, &html! {}, &body, None, None)
}

fn document(
    title: &str,
    header: &Markup,
    body: &Markup,
    reload: Option<u32>,
    now: Option<UnixMillis>,
) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · Hallpass" }
                link rel="icon" href=(ICON.path());
                link rel="stylesheet" href=(STYLE.path());
                script src=(SCRIPT.path()) defer {}
                @if let Some(seconds) = reload {
                    noscript { meta http-equiv="refresh" content=(seconds); }
                }
            }
            body {
                a class="skip" href="#main" { "Skip to the content" }
                header class="top" {
                    a class="brand" href="/" { (mark()) "Hallpass" }
                    (header)
                }
                main id="main" tabindex="-1" data-now=[now.map(UnixMillis::to_rfc3339)] { (body) }
                // What the script tells listeners.
                p id="news" class="hidden" role="status" {}
            }
        }
    }
}

fn mark() -> Markup {
    html! {
        svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" {
            path d="M6 11h12a1.5 1.5 0 0 1 1.5 1.500v7A1.5 1.5 0 0 1 18 21H6a1.5 1.5 0 0 1-1.500-1.500v-7A1.5 1.5 0 0 1 6 11zM8 11V7a4 4 0 0 1 7.700-1.500M9.500 16l2 2 3.500-3.500" {}
        }
    }
}
