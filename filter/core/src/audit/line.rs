//! JSON that stays on its line, whoever reads it.
//!
//! JSON itself demands that controls below U+0020 are escaped, and no more. Some readers of logs also break lines at U+0085, U+2028 and
//! U+2029, terminals obey the controls from U+0080 on, and marks of direction show a text in another order than it has. So all of these
//! are escaped; a parser of JSON reads the same text.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::{Serialize, Serializer};
use serde_json::ser::Formatter;

/// The longest text that is repeated in a record, in bytes. It keeps a line within what collectors of logs take.
pub(super) const MAX_TEXT_BYTES: usize = 1024;

/// The value as JSON, on one line.
pub(super) fn to_line(value: &impl Serialize) -> String {
    let mut line = Vec::with_capacity(USUAL_BYTES);
    let mut serializer = serde_json::Serializer::with_formatter(&mut line, Plain);
    match value.serialize(&mut serializer) {
        Ok(()) => String::from_utf8(line).unwrap_or_default(),
        Err(_) => String::new(),
    }
}

/// A text as it stands within the quotes of JSON.
pub(super) fn escaped(text: &str) -> String {
    let quoted = to_line(&bounded(text));
    let inner = quoted
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inner.unwrap_or_default().to_owned()
}

/// The text, cut off where it goes on for too long; then it ends with `…`.
fn bounded(text: &str) -> Cow<'_, str> {
    if text.len() <= MAX_TEXT_BYTES {
        return Cow::Borrowed(text);
    }
    let start = text.get(..text.floor_char_boundary(MAX_TEXT_BYTES));
    Cow::Owned(format!("{}…", start.unwrap_or_default()))
}

/// Writes a text into a record, within its bound.
#[expect(
    clippy::ref_option,
    reason = "serde hands out a reference to the whole member"
)]
pub(super) fn within_bound<T: AsRef<str>, S: Serializer>(
    text: &Option<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    text.as_ref()
        .map(|text| bounded(text.as_ref()))
        .serialize(serializer)
}

/// What most records need.
const USUAL_BYTES: usize = 512;

struct Plain;

impl Formatter for Plain {
    fn write_string_fragment<W: Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let is_plain = |byte: u8| byte.is_ascii() && byte != DELETE;
        if fragment.bytes().all(is_plain) {
            return writer.write_all(fragment.as_bytes());
        }
        let mut character_bytes = [0; 4];
        for character in fragment.chars() {
            if misleads(character) {
                // None of them lies beyond the first plane, so that one escape does.
                write!(writer, "\\u{:04x}", u32::from(character))?;
            } else {
                writer.write_all(character.encode_utf8(&mut character_bytes).as_bytes())?;
            }
        }
        Ok(())
    }
}

const DELETE: u8 = 0x7f;

/// Whether some reader takes it for something else than a character of the text.
fn misleads(character: char) -> bool {
    let breaks_lines = matches!(character, '\u{2028}' | '\u{2029}');
    // Unicode Standard Annex 9, section 2: the marks, embeddings, overrides and isolates; and the mark that begins a file.
    let turns = matches!(
        character,
        '\u{61c}' | '\u{feff}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    character.is_control() || breaks_lines || turns
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn no_text_breaks_its_line_or_its_quotes_and_all_are_read_as_they_were() {
        let hostile = "a\n\r\t\0\u{1b}\u{7f}\u{85}\u{9b}\u{2028}\u{2029}\u{202e}\u{2066}\u{200f}\"\\\u{e000}\u{10ffff}Zoë “7”";
        let line = to_line(&hostile);
        assert!(!line.contains(char::is_control), "{line:?}");
        assert!(
            !line.contains(['\u{2028}', '\u{2029}', '\u{202e}']),
            "{line:?}"
        );
        assert!(line.contains("Zoë “7”"), "{line}");
        let read: String = serde_json::from_str(&line).unwrap();
        assert_eq!(read, hostile);
    }

    #[test]
    fn what_goes_on_for_too_long_is_cut_off_between_characters() {
        let fits = "x".repeat(MAX_TEXT_BYTES);
        assert_eq!(escaped(&fits), fits);
        let long = format!("{}ë", "x".repeat(MAX_TEXT_BYTES - 1));
        assert_eq!(
            escaped(&long),
            format!("{}…", "x".repeat(MAX_TEXT_BYTES - 1))
        );
    }
}
