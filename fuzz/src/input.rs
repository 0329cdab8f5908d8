//! How the bytes of an input are divided.

use hallpass_core::headers::HeaderList;

/// The bytes up to the first line break, and those after it.
pub(crate) fn line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let mut parts = bytes.splitn(2, |byte| *byte == b'\n');
    (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    )
}

/// Adds one header for each line `name: value` to a list. A line without a colon is a header without a value.
pub(crate) fn add_headers(list: &mut HeaderList, lines: &[u8]) {
    for line in lines.split(|byte| *byte == b'\n') {
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let name = parts.next().unwrap_or_default();
        let value = parts.next().unwrap_or_default();
        if !name.is_empty() {
            list.push(name, value.strip_prefix(b" ").unwrap_or(value));
        }
    }
}
