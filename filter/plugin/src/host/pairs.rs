//! The wire form of a header map: a count, the lengths of all names and values, then the bytes, each ended by a zero (proxy-wasm ABI
//! 0.2.1, "Serialization").

use hallpass_core::headers::{Entry, HeaderList};

/// Reads a map; `None` if the lengths do not fit the bytes. Names and values stay where they are.
pub(super) fn decode(bytes: Vec<u8>) -> Option<HeaderList> {
    let (count, rest) = bytes.split_first_chunk::<4>()?;
    let count = length(*count).checked_mul(8)?;
    let (lengths, _) = rest.get(..count)?.as_chunks::<4>();
    let (pairs, _) = lengths.as_chunks::<2>();

    let mut start = count.checked_add(4)?;
    let mut place = |text: [u8; 4]| {
        let place = start..start.checked_add(length(text))?;
        start = place.end.checked_add(1)?;
        Some(place)
    };
    let mut entries = Vec::with_capacity(pairs.len());
    for [name, value] in pairs {
        entries.push(Entry::new(place(*name)?, place(*value)?));
    }
    HeaderList::within(bytes, entries)
}

fn length(bytes: [u8; 4]) -> usize {
    usize::try_from(u32::from_le_bytes(bytes)).unwrap_or(usize::MAX)
}

/// Writes a map. Besides its names and values it takes 4 bytes, and 10 for each pair.
pub(super) fn encode(headers: &[(&[u8], &[u8])]) -> Vec<u8> {
    let sizes = headers
        .iter()
        .map(|(name, value)| name.len().saturating_add(value.len()));
    let size = sizes.fold(4, |sum: usize, size| {
        sum.saturating_add(size).saturating_add(10)
    });
    let mut bytes = Vec::with_capacity(size);
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
