//! What strangers wrote, as it is repeated in the log: on one line, and not endlessly.
//!
//! An error may repeat names and values of the document that it is about. A line break in one of them would begin a line of its own, that
//! could look like one of the filter's.

/// How much is repeated, in characters.
const MAX_CHARS: usize = 300;

/// The text without line breaks and other control characters, cut off where it goes on for too long.
pub fn one_line(text: &str) -> String {
    let mut line = String::new();
    for character in text.chars().take(MAX_CHARS) {
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    if text.chars().nth(MAX_CHARS).is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_line_break_does_not_end_the_line() {
        assert_eq!(one_line("a\r\nb\u{85}\t"), r"a\r\nb\u{85}\t");
        assert_eq!(one_line("Zoë, “7”"), "Zoë, “7”");
    }

    #[test]
    fn what_goes_on_for_too_long_is_cut_off() {
        let long = "ë".repeat(MAX_CHARS);
        assert_eq!(one_line(&long), long);
        assert_eq!(one_line(&format!("{long}ë")), format!("{long}…"));
    }
}
