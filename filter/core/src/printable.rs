//! What strangers wrote, as programs show it to people.
//!
//! Tokens, replies, configurations and reasons are others' text. A control character in one of them could move the cursor, change what stands
//! above or hide what follows, and a character for the direction of writing can make text look like other text.

/// The text with everything escaped that a terminal would act on.
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if acts_on_terminal(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// JSON in which nothing acts on a terminal either: what JSON lets stand in a string is escaped as JSON escapes.
///
/// # Errors
/// When the value cannot be written as JSON.
pub fn printable_json(value: &impl serde::Serialize) -> serde_json::Result<String> {
    let json = serde_json::to_string_pretty(value)?;
    let mut shown = String::with_capacity(json.len());
    for character in json.chars() {
        // The line breaks between members are ours: those in strings are escaped by now.
        if character != '\n' && acts_on_terminal(character) {
            let mut units = [0; 2];
            let units = character.encode_utf16(&mut units);
            shown.extend(units.iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            shown.push(character);
        }
    }
    Ok(shown)
}

fn acts_on_terminal(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn what_a_terminal_would_act_on_is_escaped() {
        for (text, shown) in [
            ("a\u{1b}[2Jb", "a\\u{1b}[2Jb"),
            ("a\r\nb", "a\\u{d}\\u{a}b"),
            ("a\u{9b}31m", "a\\u{9b}31m"),
            ("a\u{202e}b", "a\\u{202e}b"),
            ("Zoë, “7”", "Zoë, “7”"),
        ] {
            assert_eq!(printable(text), shown);
        }
    }

    #[test]
    fn json_stays_the_same_json() {
        let value = serde_json::json!({ "a": "\u{1b}\u{9b}\u{7f}\u{202e}\n\u{e0041}ë" });
        let shown = printable_json(&value).unwrap();
        assert!(
            !shown.chars().any(|c| c != '\n' && acts_on_terminal(c)),
            "{shown:?}"
        );
        let read: serde_json::Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(read, value);
    }
}
