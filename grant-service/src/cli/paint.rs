//! Text for a terminal. Colour goes where a terminal is; strangers' words are made harmless everywhere.

use anstyle::{AnsiColor, Style};
use hallpass_core::printable::printable;

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const OPEN: Style = AnsiColor::Yellow.on_default().bold();
const FAINT: Style = Style::new().dimmed();

/// A word for a state or an event, in the colour of what it means.
pub(super) fn state(word: &str) -> String {
    painted(style(word), word)
}

/// What may be overlooked.
pub(super) fn faint(text: &str) -> String {
    painted(FAINT, text)
}

/// A table's line: the word that it begins with, if that is a state, in its colour.
pub(super) fn line(line: &str) -> String {
    let (word, rest) = line
        .find(' ')
        .and_then(|end| line.split_at_checked(end))
        .unwrap_or((line, ""));
    format!("{}{rest}", state(word))
}

/// What went wrong.
pub(super) fn error(text: &str) -> String {
    format!("{} {}", painted(BAD, "error:"), printable(text))
}

fn painted(style: Style, text: &str) -> String {
    format!("{style}{}{style:#}", printable(text))
}

fn style(word: &str) -> Style {
    match word {
        "active" | "approved" | "grant_given" | "request_approved" => GOOD,
        "pending" | "request_opened" | "request_seconded" => OPEN,
        "denied" | "revoked" | "glass_broken" | "request_denied" | "grant_revoked"
        | "subject_revoked" | "resource_revoked" | "everything_revoked" => BAD,
        "expired" | "cancelled" | "request_expired" | "grant_expired" | "request_withdrawn" => {
            FAINT
        }
        _ => Style::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_state_at_the_beginning_has_a_colour() {
        let painted = line("denied   r-1  active");
        assert_eq!(painted, format!("{BAD}denied{BAD:#}   r-1  active"));
        assert_eq!(line("         more"), "         more");
    }
}
