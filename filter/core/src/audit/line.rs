//! JSON that stays on its line, whoever reads it.
//!
//! JSON itself demands that controls below U+0020 are escaped, and no more. Some readers of logs also break lines at U+0085, U+2028 and
//! U+2029, terminals obey the controls from U+0080 on, and marks of direction show a text in another order than it has. So all of these
//! are escaped; a parser of JSON reads the same text.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter};

/// The longest text that is repeated in a record, in bytes. It keeps a line within what collectors of logs take.
pub(super) const MAX_TEXT_BYTES: usize = 1024;

/// What most records need.
const USUAL_BYTES: usize = 512;

/// The value as JSON, on one line. A text that goes on for too long is cut off, and then ends with `…`.
pub(super) fn to_line(value: &impl Serialize) -> String {
    let mut line = Vec::with_capacity(USUAL_BYTES);
    let formatter = Plain { left: None };
    let mut serializer = serde_json::Serializer::with_formatter(&mut line, formatter);
    match value.serialize(&mut serializer) {
        Ok(()) => String::from_utf8(line).unwrap_or_default(),
        Err(_) => String::new(),
    }
}

/// A text as it stands within the quotes of JSON.
pub(super) fn escaped(text: &str) -> String {
    let quoted = to_line(&text);
    let inner = quoted
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inner.unwrap_or_default().to_owned()
}

/// Writes texts that stay on their line and within their bound.
struct Plain {
    /// How many bytes of the text that is being written there is room for; `None` once it was cut off.
    left: Option<usize>,
}

impl Plain {
    /// As much of the piece as there is room for. Whether the text is to be cut off after it.
    fn take<'a>(&mut self, piece: &'a str) -> (&'a str, bool) {
        let Some(left) = self.left else {
            return ("", false);
        };
        self.left = left.checked_sub(piece.len());
        if self.left.is_some() {
            return (piece, false);
        }
        let fits = piece.get(..piece.floor_char_boundary(left));
        (fits.unwrap_or_default(), true)
    }
}

impl Formatter for Plain {
    fn begin_string<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.left = Some(MAX_TEXT_BYTES);
        CompactFormatter.begin_string(writer)
    }

    fn write_char_escape<W: Write + ?Sized>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        // Only characters of one byte are escaped so.
        match self.take(" ") {
            (_, true) => writer.write_all(CUT_OFF.as_bytes()),
            ("", false) => Ok(()),
            _ => CompactFormatter.write_char_escape(writer, escape),
        }
    }

    fn write_string_fragment<W: Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let (piece, is_cut_off) = self.take(fragment);
        write_plain(writer, piece)?;
        if is_cut_off {
            writer.write_all(CUT_OFF.as_bytes())?;
        }
        Ok(())
    }
}

fn write_plain<W: Write + ?Sized>(writer: &mut W, piece: &str) -> io::Result<()> {
    let is_plain = |byte: u8| byte.is_ascii() && byte != DELETE;
    if piece.bytes().all(is_plain) {
        return writer.write_all(piece.as_bytes());
    }
    for character in piece.chars() {
        if misleads(character) {
            // None of them lies beyond the first plane, so that one escape does.
            write!(writer, "\\u{:04x}", u32::from(character))?;
        } else {
            let mut bytes = [0; 4];
            writer.write_all(character.encode_utf8(&mut bytes).as_bytes())?;
        }
    }
    Ok(())
}

const CUT_OFF: &str = "…";
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
        let most = "x".repeat(MAX_TEXT_BYTES);
        let less = "x".repeat(MAX_TEXT_BYTES - 1);
        assert_eq!(escaped(&most), most);
        for (long, expected) in [
            (format!("{most}y"), format!("{most}…")),
            (format!("{most}\n\ny\n"), format!("{most}…")),
            (format!("{less}ë"), format!("{less}…")),
            (format!("{less}\n"), format!(r"{less}\n")),
            (format!("{less}\nyyy\n"), format!(r"{less}\n…")),
            (
                "\u{1}".repeat(5_000),
                format!("{}…", r"\u0001".repeat(MAX_TEXT_BYTES)),
            ),
        ] {
            assert_eq!(escaped(&long), expected);
        }
        let two = to_line(&[format!("{most}y"), "z".to_owned()]);
        assert_eq!(
            two,
            format!(r#"["{most}…","z"]"#),
            "each has a bound of its own"
        );
    }
}
