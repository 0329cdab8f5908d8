//! What a proxy that is trusted says: who has signed in, and where the request came from.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName};
use percent_encoding::percent_decode_str;

use super::Stranger;
use crate::config::TrustedProxies;
use crate::life::{MAX_NAME_BYTES, Person, PersonId};

/// Someone in more groups than fit here has too many.
const MAX_GROUPS_BYTES: usize = 16 * 1_024;

/// Who has signed in; `None` where the proxy names nobody.
///
/// # Errors
/// When it could be read in two ways, or not at all.
pub(super) fn person(
    proxies: &TrustedProxies,
    headers: &HeaderMap,
) -> Result<Option<Person>, Stranger> {
    let names = &proxies.headers;
    let subject = text(headers, &names.subject, MAX_NAME_BYTES)?;
    let issuer = text(headers, &names.issuer, MAX_NAME_BYTES)?;
    let email = text(headers, &names.email, MAX_NAME_BYTES)?;
    let groups = text(headers, &names.groups, MAX_GROUPS_BYTES)?;
    match (subject, issuer) {
        (Some(_), Some(issuer)) if !proxies.may_name(issuer) => Err(Stranger::Refused(
            "The proxy names someone of an issuer that is not known here.".to_owned(),
        )),
        (Some(subject), Some(issuer)) => Ok(Some(Person {
            id: PersonId {
                issuer: issuer.to_owned(),
                subject: subject.to_owned(),
            },
            email: email.map(str::to_owned),
            groups: self::groups(groups.unwrap_or_default(), &names.groups)?,
        })),
        (None, None) if email.is_none() && groups.is_none() => Ok(None),
        (None, _) => Err(unsound(&names.subject)),
        (_, None) => Err(unsound(&names.issuer)),
    }
}

fn text<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
    longest: usize,
) -> Result<Option<&'a str>, Stranger> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let text = std::str::from_utf8(value.as_bytes()).ok();
    let is_alone = values.next().is_none();
    let text = text.filter(|text| is_alone && text.len() <= longest);
    let text = text.ok_or_else(|| unsound(name))?;
    // Some proxies write nothing where they know nothing.
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// The filter writes `%`, commas and spaces inside of a group's name as escapes, so that no name can pass for two. Around
/// a name only the optional whitespace of HTTP (RFC 9110, section 5.6.3) is none of it: a name may well end in another space.
fn groups(list: &str, header: &HeaderName) -> Result<Vec<String>, Stranger> {
    let names = list.split(',').map(|name| name.trim_matches([' ', '\t']));
    names
        .filter(|name| !name.is_empty())
        .map(|name| {
            let decoded = percent_decode_str(name).decode_utf8();
            decoded.map(String::from).map_err(|_| unsound(header))
        })
        .collect()
}

fn unsound(header: &HeaderName) -> Stranger {
    Stranger::Refused(format!(
        "The proxy does not tell who has signed in: `{header}` must be there once, in UTF-8 and not too long."
    ))
}

/// Where the request came from: each proxy appends to `x-forwarded-for` whom it saw, so from the right it is the first address that is not
/// itself a trusted proxy's. `None` where that entry is no address. Without the header, the proxy itself asks.
pub(super) fn source(
    proxies: &TrustedProxies,
    headers: &HeaderMap,
    peer: IpAddr,
) -> Option<IpAddr> {
    let mut farthest = peer.to_canonical();
    let lines = headers.get_all("x-forwarded-for").iter().rev();
    for entry in lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b',')) {
        let text = std::str::from_utf8(entry.trim_ascii()).ok()?;
        farthest = text.parse::<IpAddr>().ok()?.to_canonical();
        if !proxies.include(farthest) {
            break;
        }
    }
    Some(farthest)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;
    use crate::config::IdentityHeaders;

    fn headers(list: &[(&'static str, &[u8])]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in list {
            headers.append(*name, HeaderValue::from_bytes(value).unwrap());
        }
        headers
    }

    fn proxies(issuers: &[&str]) -> TrustedProxies {
        TrustedProxies {
            networks: vec!["10.0.0.0/24".parse().unwrap()],
            headers: IdentityHeaders::default(),
            issuers: issuers.iter().map(ToString::to_string).collect(),
        }
    }

    fn told(list: &[(&'static str, &[u8])]) -> Result<Option<Person>, Stranger> {
        person(&proxies(&[]), &headers(list))
    }

    const ALICE: (&str, &[u8]) = ("x-hallpass-subject", b"alice");
    const IDP: (&str, &[u8]) = ("x-hallpass-issuer", b"https://idp.example");

    #[test]
    fn a_proxy_names_a_person_with_address_and_groups() {
        let person = told(&[
            ALICE,
            IDP,
            ("x-hallpass-email", "älice@example.com".as_bytes()),
            ("x-hallpass-groups", b"dev,on%20call, a%2Cb,100%25"),
        ]);
        let person = person.unwrap().unwrap();
        assert_eq!(person.id.subject, "alice");
        assert_eq!(person.id.issuer, "https://idp.example");
        assert_eq!(person.email.as_deref(), Some("älice@example.com"));
        assert_eq!(person.groups, ["dev", "on call", "a,b", "100%"]);
        assert_eq!(told(&[ALICE, IDP]).unwrap().unwrap().groups, [""; 0]);
        let nothing = told(&[
            ALICE,
            IDP,
            ("x-hallpass-email", b""),
            ("x-hallpass-groups", b""),
        ]);
        assert_eq!(nothing, told(&[ALICE, IDP]));
        assert_eq!(told(&[("x-other", b"alice")]), Ok(None));
        assert_eq!(
            told(&[("x-hallpass-subject", b""), ("x-hallpass-issuer", b"")]),
            Ok(None)
        );
    }

    #[test]
    fn a_group_keeps_every_space_that_is_part_of_its_name() {
        let groups = "dev,lead\u{a0},\u{2003}staff, \tops\t ,\u{3000},".as_bytes();
        let person = told(&[ALICE, IDP, ("x-hallpass-groups", groups)]);
        assert_eq!(
            person.unwrap().unwrap().groups,
            ["dev", "lead\u{a0}", "\u{2003}staff", "ops", "\u{3000}"]
        );
    }

    #[test]
    fn where_issuers_are_named_no_other_is_believed() {
        let told = |issuers: &[&str]| person(&proxies(issuers), &headers(&[ALICE, IDP]));
        assert!(told(&["https://idp.example"]).unwrap().is_some());
        for others in [
            &["https://partner.example"][..],
            &["https://idp.example/", "https://IDP.example"],
        ] {
            assert!(matches!(told(others), Err(Stranger::Refused(_))));
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_or_not_at_all_is_refused() {
        let long = vec![b'a'; MAX_NAME_BYTES + 1];
        let many = vec![b'a'; MAX_GROUPS_BYTES + 1];
        for list in [
            &[ALICE][..],
            &[IDP],
            &[("x-hallpass-groups", b"lead")],
            &[("x-hallpass-email", b"alice@example.com")],
            &[ALICE, ALICE, IDP],
            &[ALICE, IDP, IDP],
            &[
                ALICE,
                IDP,
                ("x-hallpass-groups", b"dev"),
                ("x-hallpass-groups", b"lead"),
            ],
            &[ALICE, IDP, ("x-hallpass-groups", b"\xff")],
            &[ALICE, IDP, ("x-hallpass-groups", b"%ff")],
            &[ALICE, IDP, ("x-hallpass-groups", &many)],
            &[("x-hallpass-subject", b"\xff"), IDP],
            &[("x-hallpass-subject", b""), IDP],
            &[("x-hallpass-subject", &long), IDP],
            &[ALICE, ("x-hallpass-issuer", &long)],
        ] {
            assert!(matches!(told(list), Err(Stranger::Refused(_))), "{list:?}");
        }
    }

    #[test]
    fn the_source_is_the_first_from_the_right_that_is_no_trusted_proxy() {
        let proxies = proxies(&[]);
        for (lines, expected) in [
            (&[][..], Some("10.0.0.2")),
            (&[&b"203.0.113.9"[..]], Some("203.0.113.9")),
            (&[b"6.6.6.6, 203.0.113.9,10.0.0.7"], Some("203.0.113.9")),
            (&[b"6.6.6.6", b"203.0.113.9"], Some("203.0.113.9")),
            (&[b"\xff, 203.0.113.9"], Some("203.0.113.9")),
            (&[b"::ffff:203.0.113.9"], Some("203.0.113.9")),
            (&[b"10.0.0.9"], Some("10.0.0.9")),
            (&[b"unknown"], None),
            (&[b"203.0.113.9, unknown, 10.0.0.7"], None),
            (&[b""], None),
        ] {
            let list: Vec<_> = lines
                .iter()
                .map(|line| ("x-forwarded-for", *line))
                .collect();
            let source = source(&proxies, &headers(&list), "10.0.0.2".parse().unwrap());
            let source = source.map(|address| address.to_string());
            assert_eq!(source.as_deref(), expected, "{lines:?}");
        }
    }
}
