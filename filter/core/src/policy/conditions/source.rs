//! Where a request may come from.

use std::fmt;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

use super::Verdict;

/// The networks of which one must hold the source address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceNetworks(Box<[IpNet]>);

impl SourceNetworks {
    /// One of these.
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks.into())
    }

    /// An address that the host did not tell, or that is not certain, is in no network and outside of none.
    pub(super) fn judge(&self, source: Option<IpAddr>) -> Verdict {
        source.map_or(Verdict::Unknown, |source| {
            Verdict::of(self.0.iter().any(|network| network.contains(&source)))
        })
    }
}

impl fmt::Display for SourceNetworks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the source address is in one of")?;
        self.0
            .iter()
            .try_for_each(|network| write!(f, " {network}"))
    }
}

/// Reads `10.0.0.0/8` or `2001:db8::/32`. A network of mapped IPv4 addresses is that of the addresses themselves, since sources are
/// compared in that form.
///
/// # Errors
/// What is meant instead, as far as it can be guessed.
pub fn network(text: &str) -> Result<IpNet, String> {
    const EXPECTED: &str = "a network such as `10.0.0.0/8` or `2001:db8::/32`";
    if let Ok(network) = text.parse::<IpNet>() {
        let truncated = network.trunc();
        if truncated != network {
            return Err(format!(
                "a network without further bits set, such as `{truncated}`"
            ));
        }
        return Ok(unmapped(truncated));
    }
    match text.parse::<IpAddr>() {
        Ok(address) => Err(format!(
            "{EXPECTED}; one address is `{}`",
            IpNet::from(address)
        )),
        Err(_) => Err(EXPECTED.to_owned()),
    }
}

/// `::ffff:0:0/96` (RFC 4291, section 2.5.5.2).
const MAPPED_BITS: u8 = 96;

fn unmapped(network: IpNet) -> IpNet {
    let IpNet::V6(mapped) = network else {
        return network;
    };
    let address = mapped.addr().to_ipv4_mapped();
    let bits = mapped.prefix_len().checked_sub(MAPPED_BITS);
    match (address, bits) {
        (Some(address), Some(bits)) => Ipv4Net::new(address, bits).map_or(network, IpNet::V4),
        _ => network,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_source_is_in_a_network_or_not_and_an_unknown_one_is_neither() {
        let read = |text: &&str| network(text).unwrap();
        let networks = [
            "10.0.0.0/8",
            "2001:db8::/32",
            "192.0.2.7/32",
            "::ffff:198.51.100.0/120",
        ];
        let networks = SourceNetworks::new(networks.iter().map(read).collect());
        for (source, expected) in [
            ("10.255.255.255", Verdict::Holds),
            ("11.0.0.0", Verdict::Fails),
            ("9.255.255.255", Verdict::Fails),
            ("192.0.2.7", Verdict::Holds),
            ("192.0.2.8", Verdict::Fails),
            ("198.51.100.255", Verdict::Holds),
            ("2001:db8:ffff::1", Verdict::Holds),
            ("2001:db9::", Verdict::Fails),
            ("::1", Verdict::Fails),
        ] {
            assert_eq!(networks.judge(source.parse().ok()), expected, "{source}");
        }
        assert_eq!(networks.judge(None), Verdict::Unknown);
    }

    #[test]
    fn all_of_one_family_is_nothing_of_the_other() {
        let all = |text| SourceNetworks::new(vec![network(text).unwrap()]);
        let (four, six) = ("10.0.0.1".parse().ok(), "::1".parse().ok());
        assert_eq!(all("0.0.0.0/0").judge(four), Verdict::Holds);
        assert_eq!(all("0.0.0.0/0").judge(six), Verdict::Fails);
        assert_eq!(all("::/0").judge(six), Verdict::Holds);
        assert_eq!(all("::/0").judge(four), Verdict::Fails);
    }

    #[test]
    fn a_fault_says_what_was_meant() {
        for (text, hint) in [
            ("10.1.2.3/8", "`10.0.0.0/8`"),
            ("2001:db8::1/32", "`2001:db8::/32`"),
            ("10.1.2.3", "`10.1.2.3/32`"),
            ("::1", "`::1/128`"),
            ("10.0.0.0/33", "such as"),
            ("10.0.0/8", "such as"),
            ("example.org", "such as"),
            ("", "such as"),
        ] {
            let fault = network(text).unwrap_err();
            assert!(fault.contains(hint), "{text}: {fault}");
        }
    }
}
