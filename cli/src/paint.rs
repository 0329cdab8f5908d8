//! Text for a terminal: colours, and nothing that a stranger could make the terminal do.

use anstyle::{AnsiColor, Style};
pub(crate) use hallpass_core::printable::{printable, printable_json};

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const ODD: Style = AnsiColor::Yellow.on_default().bold();
const PLACE: Style = AnsiColor::Cyan.on_default();
const FAINT: Style = Style::new().dimmed();

fn painted(style: Style, text: &str) -> String {
    format!("{style}{}{style:#}", printable(text))
}

pub(crate) fn good(text: &str) -> String {
    painted(GOOD, text)
}

pub(crate) fn bad(text: &str) -> String {
    painted(BAD, text)
}

pub(crate) fn odd(text: &str) -> String {
    painted(ODD, text)
}

pub(crate) fn place(text: &str) -> String {
    painted(PLACE, text)
}

pub(crate) fn faint(text: &str) -> String {
    painted(FAINT, text)
}

pub(crate) fn error(text: &str) -> String {
    format!("{} {}", bad("error:"), printable(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_act_on_is_escaped_in_colour_too() {
        assert!(good("a\u{1b}[2Jb").contains("a\\u{1b}[2Jb"));
    }
}
