//! JSON that stays on its line, whoever reads it.
//!
//! JSON itself demands that controls below U+0020 are escaped, and no more. Some readers of logs also break lines at U+0085, U+2028 and
//! U+2029, terminals obey the controls from U+0080 on, and marks of direction show a text in another order than it has. So all of these
//! are escaped; a parser of JSON reads the same text.

use std::fmt::{Display, Write as _};
use std::io::{self, Write};
use std::net::IpAddr;

use serde::Serialize;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter};

/// The longest text that is repeated in a record, in bytes. It keeps a line within what collectors of logs take.
pub(super) const MAX_TEXT_BYTES: usize = 1024;

/// What most records need.
const USUAL_BYTES: usize = 512;

/// An object of JSON in the making.
///
/// A line is written for each request, and nearly all of its texts are of characters that stand for themselves. So these are copied, with
/// their names as they stand in the line, and the library, which looks at each character twice, writes the others.
pub(super) struct Line(String);

/// The name of a member as it stands in a line, after another member.
macro_rules! member {
    ($name:literal) => {
        concat!(",\"", $name, "\":")
    };
}
pub(super) use member;

impl Line {
    /// A line that begins with a member whose value needs no escapes.
    pub(super) fn beginning_with(name: &str, value: &str) -> Self {
        let mut line = String::with_capacity(USUAL_BYTES);
        for piece in ["{\"", name, "\":\"", value, "\""] {
            line.push_str(piece);
        }
        Self(line)
    }

    /// Adds a text, if there is one. One that goes on for too long is cut off, and then ends with `…`.
    pub(super) fn text(&mut self, member: &str, text: Option<&str>) {
        let Some(text) = text else {
            return;
        };
        self.0.push_str(member);
        if stands_for_itself(text) {
            self.0.push('"');
            self.0.push_str(text);
            self.0.push('"');
        } else {
            self.0.push_str(&quoted(text));
        }
    }

    /// Adds what JSON writes without quotes, and as it is displayed: a number, `true` or `false`.
    pub(super) fn plain(&mut self, member: &str, value: impl Display) {
        self.0.push_str(member);
        // Writing to a text does not fail.
        let _ = write!(self.0, "{value}");
    }

    /// Adds an address, if there is one.
    pub(super) fn address(&mut self, member: &str, address: Option<IpAddr>) {
        if let Some(address) = address {
            self.0.push_str(member);
            let _ = write!(self.0, "\"{address}\"");
        }
    }

    /// The whole of it.
    pub(super) fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// Whether a text is as long as it may be, and within the quotes of JSON is what it is.
fn stands_for_itself(text: &str) -> bool {
    let stands_for_itself = |byte| matches!(byte, b' ' | b'!' | b'#'..=b'[' | b']'..=b'~');
    text.len() <= MAX_TEXT_BYTES && text.bytes().all(stands_for_itself)
}

/// A text in the quotes of JSON, on one line.
fn quoted(text: &str) -> String {
    let mut quoted = Vec::new();
    let formatter = Plain { left: None };
    let mut serializer = serde_json::Serializer::with_formatter(&mut quoted, formatter);
    let written = text.serialize(&mut serializer).is_ok();
    let quoted = String::from_utf8(quoted).ok().filter(|_| written);
    // Neither fails; if one did, the line would still be one of JSON.
    quoted.unwrap_or_else(|| r#""""#.to_owned())
}

/// A text as it stands within the quotes of JSON.
pub(super) fn escaped(text: &str) -> String {
    if stands_for_itself(text) {
        return text.to_owned();
    }
    let quoted = quoted(text);
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
        let line = quoted(hostile);
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
        let mut line = Line::beginning_with("a", "b");
        line.text(member!("long"), Some(&format!("{most}y")));
        line.text(member!("short"), Some("z"));
        let expected = format!(r#"{{"a":"b","long":"{most}…","short":"z"}}"#);
        assert_eq!(line.end(), expected, "each has a bound of its own");
    }

    #[test]
    fn a_line_is_what_the_library_would_write() {
        let every_character: String = ('\0'..='\u{ff}').collect();
        for text in [
            "",
            "plain /text?~",
            "\"",
            "\\",
            "\u{7f}",
            "ë",
            &every_character,
        ] {
            let mut line = Line::beginning_with("a", "b");
            line.text(member!("text"), Some(text));
            line.text(member!("absent"), None);
            line.plain(member!("status"), 403_u16);
            line.plain(member!("enforced"), true);
            let line = line.end();
            let expected =
                serde_json::json!({ "a": "b", "text": text, "status": 403, "enforced": true });
            assert_eq!(
                serde_json::from_str::<serde_json::Value>(&line).unwrap(),
                expected
            );
            if stands_for_itself(text) {
                assert_eq!(quoted(text), format!("\"{text}\""));
            }
        }
    }
}
