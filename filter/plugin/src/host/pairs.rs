//! The wire form of a header map: a count, the lengths of all names and values, then the bytes, each ended by a zero (proxy-wasm ABI
//! 0.2.1, "Serialization").

use hallpass_core::headers::HeaderList;

/// Reads a map; `None` if the lengths do not fit the bytes.
pub(super) fn decode(bytes: &[u8]) -> Option<HeaderList> {
    let mut lengths = bytes;
    let count = take_length(&mut lengths)?;
    let mut texts = lengths.get(count.checked_mul(8)?..)?;
    let mut headers = HeaderList::with_capacity(count, texts.len());
    for _ in 0..count {
        let name_length = take_length(&mut lengths)?;
        let value_length = take_length(&mut lengths)?;
        let name = take_text(&mut texts, name_length)?;
        let value = take_text(&mut texts, value_length)?;
        headers.push(name, value);
    }
    Some(headers)
}

fn take_length(bytes: &mut &[u8]) -> Option<usize> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    *bytes = rest;
    usize::try_from(u32::from_le_bytes(*length)).ok()
}

fn take_text<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (text, rest) = bytes.split_at_checked(length)?;
    *bytes = rest.get(1..)?;
    Some(text)
}

/// Writes a map.
pub(super) fn encode(headers: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_length(&mut bytes, headers.len());
    for (name, value) in headers {
        put_length(&mut bytes, name.len());
        put_length(&mut bytes, value.len());
    }
    for text in headers.iter().flat_map(|(name, value)| [name, value]) {
        bytes.extend_from_slice(text);
        bytes.push(0);
    }
    bytes
}

fn put_length(bytes: &mut Vec<u8>, length: usize) {
    bytes.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
}
