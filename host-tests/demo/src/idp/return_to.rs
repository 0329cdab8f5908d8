//! Where a person goes after signing in: back to a page on this machine, and to no other.

use url::{Host, Url};

/// A page on this machine.
#[derive(Debug, Clone)]
pub(super) struct ReturnTo(Url);

impl ReturnTo {
    /// Takes the address of a page that the loopback interface serves by plain HTTP. Anything else would make the sign-in page a way to lead
    /// people wherever the maker of a link likes.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let here = match url.host()? {
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
            Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        };
        let plain = url.scheme() == "http" && url.username().is_empty() && url.password().is_none();
        (here && plain).then_some(Self(url))
    }

    /// The address, in ASCII.
    pub(super) fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Scheme, host and port.
    pub(super) fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_on_this_machine_are_returned_to() {
        for here in [
            "http://127.0.0.1:10000/orders/7?page=2",
            "http://localhost:10003/request?resource=orders&action=read",
            "http://grants.localhost/",
            "http://[::1]:8080/",
        ] {
            assert!(ReturnTo::parse(here).is_some(), "{here}");
        }
        for elsewhere in [
            "",
            "/request",
            "//evil.example/",
            "https://127.0.0.1/",
            "http://evil.example/",
            "http://127.0.0.1.evil.example/",
            "http://evillocalhost/",
            "http://localhost.evil.example/",
            "http://127.0.0.1@evil.example/",
            "http://evil.example\\@127.0.0.1/",
            "http://alice@127.0.0.1/",
            "http://10.0.0.1/",
            "http://0.0.0.0/",
            "javascript:alert(1)//127.0.0.1",
            "data:text/html,127.0.0.1",
        ] {
            assert!(ReturnTo::parse(elsewhere).is_none(), "{elsewhere}");
        }
    }

    #[test]
    fn an_address_that_is_returned_to_cannot_end_its_header() {
        let address = ReturnTo::parse("http://127.0.0.1:1/\r\nset-cookie: a=b\u{e9}").unwrap();
        assert_eq!(
            address.as_str(),
            "http://127.0.0.1:1/set-cookie:%20a=b%C3%A9"
        );
    }
}
