//! Where in a text a member of its JSON stands.

use serde::Serialize;
use serde::de::IgnoredAny;

/// A line and a column, both from 1; columns are characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Position {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// Where the value at `path` (`providers[0].jwks`) stands in `text`; if there is none, the innermost that should hold it.
pub(crate) fn find(text: &str, path: &str) -> Option<Position> {
    // What follows relies on the text being JSON.
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    let mut value = text.trim_ascii_start();
    let mut rest = path;
    while !rest.is_empty() {
        let Some((next, after)) = step(value, rest) else {
            break;
        };
        (value, rest) = (next, after);
    }
    position(text.get(..text.len().checked_sub(value.len())?)?)
}

/// The member or element that a path begins with, from there to the end of the text, and what is left of the path. A name may hold dots,
/// so the longest that fits is taken.
fn step<'a, 'p>(value: &'a str, path: &'p str) -> Option<(&'a str, &'p str)> {
    let is_list = value.starts_with('[');
    let mut fits = None;
    let mut index = 0_usize;
    let mut text = value.get(1..)?.trim_ascii_start();
    while !text.starts_with([']', '}']) {
        let name = if is_list {
            format!("[{index}]")
        } else {
            let end = string_end(text)?;
            let name: String = serde_json::from_str(text.get(..end)?).ok()?;
            let after = text.get(end..)?.trim_ascii_start();
            text = after.strip_prefix(':')?.trim_ascii_start();
            // As the path spells it.
            name.escape_debug().to_string()
        };
        if let Some(rest) = path.strip_prefix(&name)
            && (rest.is_empty() || rest.starts_with(['.', '[']))
        {
            let rest = rest.strip_prefix('.').unwrap_or(rest);
            if fits.is_none_or(|(_, shortest): (_, &str)| rest.len() < shortest.len()) {
                fits = Some((text, rest));
            }
        }
        let after = text.get(value_end(text)?..)?.trim_ascii_start();
        text = after.strip_prefix(',').unwrap_or(after).trim_ascii_start();
        index += 1;
    }
    fits
}

/// How long the value is with which the text begins.
fn value_end(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    loop {
        let rest = text.get(at..)?;
        match rest.bytes().next()? {
            b'"' => at += string_end(rest)?,
            b'[' | b'{' => {
                depth += 1;
                at += 1;
                continue;
            }
            b']' | b'}' => {
                depth = depth.checked_sub(1)?;
                at += 1;
            }
            b',' | b':' | b' ' | b'\t' | b'\r' | b'\n' => {
                at += 1;
                continue;
            }
            _ => {
                at += rest
                    .find([',', ']', '}', ' ', '\t', '\r', '\n'])
                    .unwrap_or(rest.len());
            }
        }
        if depth == 0 {
            return Some(at);
        }
    }
}

/// How long the string is with which the text begins, quotes included.
fn string_end(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let ends = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        ends
    })?;
    Some(end + 2)
}

/// Where a text ends that begins at line 1, column 1.
fn position(before: &str) -> Option<Position> {
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    Some(Position {
        line: before.matches('\n').count() + 1,
        column: before.get(line_start..)?.chars().count() + 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_its_line_and_column() {
        let text =
            "{\n  \"a\": [1, {\n    \"b.c\": true, \"ü\\\"\": 7 }, [], \"]\", {}],\n\"z\" : null}";
        for (path, expected) in [
            ("", (1, 1)),
            ("a", (2, 8)),
            ("a[0]", (2, 9)),
            ("a[1].b.c", (3, 12)),
            ("a[1].ü\\\"", (3, 25)),
            ("a[3]", (3, 34)),
            ("z", (4, 7)),
            ("a[1].absent", (2, 12)),
            ("a[7].x", (2, 8)),
            ("a.b", (2, 8)),
        ] {
            let found = find(text, path).map(|at| (at.line, at.column));
            assert_eq!(found, Some(expected), "{path}");
        }
        assert_eq!(find("{", "a"), None);
    }
}
