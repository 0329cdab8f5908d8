//! The trace that a request belongs to: the header `traceparent` (W3C Trace Context, section 3.2).

use crate::headers::HeaderList;

/// The length of a `traceparent` of version 00; later versions may go on behind a further `-`.
const LENGTH: usize = 55;

/// The caller's place in a trace, in lower-case hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace<'a> {
    /// The trace: 16 bytes, not all zero.
    pub trace_id: &'a str,
    /// The caller's span: 8 bytes, not all zero.
    pub span_id: &'a str,
    /// The trace flags.
    pub flags: u8,
}

impl<'a> Trace<'a> {
    /// Reads the header; `None` where there is not just one, or it is not valid: then the request belongs to no trace (section 3.2.2.3).
    pub fn of(headers: &'a HeaderList) -> Option<Self> {
        let mut values = headers.all("traceparent");
        let value = values.next().filter(|_| values.next().is_none())?;
        Self::parse(value)
    }

    fn parse(value: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(value).ok()?;
        let mut parts = text.splitn(5, '-');
        let version = hexadecimal(parts.next()?, 2)?;
        let trace_id = hexadecimal(parts.next()?, 32)?;
        let span_id = hexadecimal(parts.next()?, 16)?;
        let flags = hexadecimal(parts.next()?, 2)?;
        let is_whole = match version {
            "ff" => false,
            "00" => text.len() == LENGTH,
            _ => true,
        };
        let is_zero = |id: &str| id.bytes().all(|digit| digit == b'0');
        if !is_whole || is_zero(trace_id) || is_zero(span_id) {
            return None;
        }
        Some(Self {
            trace_id,
            span_id,
            flags: u8::from_str_radix(flags, 16).ok()?,
        })
    }
}

fn hexadecimal(text: &str, digits: usize) -> Option<&str> {
    let is_digit = |digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    (text.len() == digits && text.bytes().all(is_digit)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const SPAN: &str = "b7ad6b7169203331";

    #[test]
    fn a_trace_is_believed_only_where_its_header_is_valid() {
        let sound = format!("00-{TRACE}-{SPAN}-01");
        let read = Trace::parse(sound.as_bytes()).unwrap();
        assert_eq!((read.trace_id, read.span_id, read.flags), (TRACE, SPAN, 1));
        for (value, valid) in [
            (format!("cc-{TRACE}-{SPAN}-00-what-comes-later"), true),
            (format!("00-{TRACE}-{SPAN}-01-more"), false),
            (format!("00-{TRACE}-{SPAN}-01-"), false),
            (format!("ff-{TRACE}-{SPAN}-01"), false),
            (format!("00-{}-{SPAN}-01", "0".repeat(32)), false),
            (format!("00-{TRACE}-{}-01", "0".repeat(16)), false),
            (format!("00-{}-{SPAN}-01", TRACE.to_uppercase()), false),
            (format!("00-{TRACE}-{SPAN}"), false),
            (format!("00-{TRACE}-{SPAN}-1"), false),
            (format!("00-{TRACE}\n-{SPAN}-01"), false),
            (String::new(), false),
        ] {
            assert_eq!(Trace::parse(value.as_bytes()).is_some(), valid, "{value}");
        }
        assert_eq!(Trace::parse(b"00-\xff"), None);
    }

    #[test]
    fn two_traces_are_none() {
        let mut headers = HeaderList::default();
        let sound = format!("00-{TRACE}-{SPAN}-01");
        headers.push(b"traceparent", sound.as_bytes());
        assert!(Trace::of(&headers).is_some());
        headers.push(b"traceparent", sound.as_bytes());
        assert_eq!(Trace::of(&headers), None);
    }
}
