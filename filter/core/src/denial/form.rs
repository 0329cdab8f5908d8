//! In which form a client reads a refusal: as problem details, as a page, or as the message of a gRPC status.

use crate::headers::HeaderList;

/// How a refusal is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// Problem details (RFC 9457), for whoever asks for nothing else.
    #[default]
    Problem,
    /// A page, for a person with a browser.
    Page,
    /// One line of text, which the proxy makes the message of a gRPC status.
    Grpc,
}

impl Form {
    /// The form that fits a request with these headers.
    pub fn wanted(headers: &HeaderList) -> Self {
        if is_grpc(headers) {
            Self::Grpc
        } else if prefers_page(headers) {
            Self::Page
        } else {
            Self::Problem
        }
    }
}

/// Whether the proxy takes the request for a gRPC call, and makes trailers of the answer: by the media type, alone or with a suffix, as
/// Envoy does. A call of gRPC-Web has another one, and is answered like other requests of browsers.
fn is_grpc(headers: &HeaderList) -> bool {
    let named = headers.all("content-type").next();
    let rest = named.and_then(|media_type| media_type.strip_prefix(b"application/grpc"));
    rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+')))
}

/// Whether `accept` names pages, and likes nothing that the problem details are better (RFC 9110, section 12.5.1). What stands for
/// anything (`*/*`) names no page: programs send it, and browsers name `text/html`.
fn prefers_page(headers: &HeaderList) -> bool {
    let mut page = 0;
    let mut problem = 0;
    for range in headers
        .all("accept")
        .flat_map(|value| value.split(|byte| *byte == b','))
    {
        let mut parts = range.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let media_type = parts.next().unwrap_or_default();
        let is = |name: &str| media_type.eq_ignore_ascii_case(name.as_bytes());
        let liking = if is("text/html") {
            &mut page
        } else if is("application/problem+json") || is("application/json") {
            &mut problem
        } else {
            continue;
        };
        *liking = weight(parts).max(*liking);
    }
    page > problem
}

/// The weight among the parameters of a media range, in thousandths (RFC 9110, section 12.4.2); 0 where it is none.
fn weight<'a>(mut parameters: impl Iterator<Item = &'a [u8]>) -> u16 {
    let is_weight = |parameter: &&[u8]| {
        let name = parameter.get(..2);
        name.is_some_and(|name| name.eq_ignore_ascii_case(b"q="))
    };
    let Some(weight) = parameters.find(is_weight).and_then(|found| found.get(2..)) else {
        return 1000;
    };
    thousandths(weight).unwrap_or(0)
}

fn thousandths(weight: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(weight).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_sound = fraction.len() <= 3 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    match whole {
        "0" if is_sound => format!("{fraction:0<3}").parse().ok(),
        "1" if is_sound && fraction.bytes().all(|byte| byte == b'0') => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn form(headers: &[(&str, &str)]) -> Form {
        let mut list = HeaderList::default();
        for (name, value) in headers {
            list.push(name.as_bytes(), value.as_bytes());
        }
        Form::wanted(&list)
    }

    #[test]
    fn a_client_gets_a_page_if_it_names_pages_and_likes_nothing_better() {
        for (accept, is_page) in [
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
                true,
            ),
            ("TEXT/HTML", true),
            ("text/html;charset=utf-8;q=0.1", true),
            ("application/json;q=0.5, text/html;q=0.9", true),
            ("application/json;q=0, text/html;q=0.001", true),
            ("text/html;q=1.000", true),
            ("application/json, text/html;q=0.1", false),
            ("application/problem+json, text/html", false),
            ("application/json, text/html;q=0", false),
            ("text/html;level=1;Q=0.000", false),
            ("text/html;q=1.1", false),
            ("text/html;q=NaN", false),
            ("text/html;q=", false),
            ("text/html;q=0.0001", false),
            ("text/html;q=-1", false),
            ("text/htmlx", false),
            ("*/*", false),
            ("text/*", false),
            ("application/json", false),
            ("", false),
        ] {
            let expected = if is_page { Form::Page } else { Form::Problem };
            assert_eq!(form(&[("accept", accept)]), expected, "{accept}");
        }
        assert_eq!(form(&[]), Form::Problem);
        let apart = [("accept", "text/html"), ("accept", "application/json")];
        assert_eq!(form(&apart), Form::Problem);
    }

    #[test]
    fn a_grpc_call_is_told_by_its_media_type() {
        for (content_type, is_grpc) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("application/grpc;charset=utf-8", false),
            ("application/grpc-web", false),
            ("application/grpc-web+proto", false),
            ("application/grpcx", false),
            ("application/json", false),
        ] {
            let expected = if is_grpc { Form::Grpc } else { Form::Problem };
            assert_eq!(
                form(&[("content-type", content_type)]),
                expected,
                "{content_type}"
            );
        }
    }
}
