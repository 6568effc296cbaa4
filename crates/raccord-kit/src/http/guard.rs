//! Which addresses may be reached.
//!
//! An address written in the configuration may be anywhere. An address that came from data (a
//! cell, an event, a redirect, a feed) may only be public, after name resolution, unless the
//! configuration allows its range. The address that was checked is the one that is connected to,
//! so a name cannot change its mind in between.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use raccord_model::{Blame, Failure, Words};

/// Who wrote an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Trust {
    /// The sysadmin, in the configuration.
    Configured,
    /// Somebody else.
    Data,
}

/// The private ranges that addresses from data may reach all the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guard {
    allowed: Vec<IpNet>,
}

impl Guard {
    /// A guard that lets `ranges` pass: `192.168.1.0/24`, or one address.
    pub(crate) fn new(ranges: &[String]) -> Result<Self, Failure> {
        let allowed = ranges
            .iter()
            .map(|range| {
                let range = range.trim();
                range
                    .parse::<IpNet>()
                    .or_else(|_| range.parse::<IpAddr>().map(IpNet::from))
                    .map_err(|_| {
                        Failure::new(
                            Blame::Data,
                            "settings.wrong",
                            Words::new(
                                "La clé « web.allow_private » ne contient pas ce qu’il faut.",
                                "The key “web.allow_private” does not hold what it should.",
                            ),
                            Words::new(
                                "Écrivez des plages d’adresses, par exemple \"192.168.1.0/24\".",
                                "Write address ranges, for example \"192.168.1.0/24\".",
                            ),
                        )
                    })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { allowed })
    }

    /// Whether an address written by `trust` may be connected to.
    pub(crate) fn permits(&self, trust: Trust, address: IpAddr) -> bool {
        let address = address.to_canonical();
        trust == Trust::Configured
            || is_public(address)
            || self.allowed.iter().any(|range| range.contains(&address))
    }
}

/// Whether `address` belongs to the public Internet: not to a private or local network, not to
/// this machine, not to a cloud's own services, not to anything reserved.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(v4: Ipv4Addr) -> bool {
    !matches!(
        v4.octets(),
        // This network, private, loopback.
        [0 | 10 | 127 | 224..=255, ..]
            | [172, 16..=31, ..]
            | [192, 168, ..]
            | [100, 64..=127, ..]
            | [169, 254, ..]
            | [192, 0, 0 | 2, _]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
            | [192, 88, 99, _]
            | [198, 18 | 19, ..]
            | [168, 63, 129, 16]
    )
}

fn is_public_v6(v6: Ipv6Addr) -> bool {
    match v6.segments() {
        // NAT64: what counts is the IPv4 address inside.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let [a, b] = high.to_be_bytes();
            let [c, d] = low.to_be_bytes();
            is_public_v4(Ipv4Addr::new(a, b, c, d))
        }
        // Inside the global unicast range: special assignments with Teredo, documentation, 6to4.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => false,
        // Only 2000::/3 is global unicast; the rest is local, reserved, multicast or mapped.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const PRIVATE: &[&str] = &[
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.100.100.200",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ];

    const PUBLIC: &[&str] = &[
        "1.1.1.1",
        "100.63.255.255",
        "100.128.0.1",
        "172.15.0.1",
        "172.32.0.1",
        "192.0.1.1",
        "198.20.0.1",
        "223.255.255.255",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
        "2606:4700::1111",
        "2a01:e0a::1",
    ];

    #[test]
    fn addresses_from_data_reach_only_the_public_internet() {
        let guard = Guard::default();
        for text in PRIVATE {
            let address: IpAddr = text.parse().unwrap();
            assert!(!guard.permits(Trust::Data, address), "{text}");
            assert!(guard.permits(Trust::Configured, address), "{text}");
        }
        for text in PUBLIC {
            let address: IpAddr = text.parse().unwrap();
            assert!(guard.permits(Trust::Data, address), "{text}");
        }
    }

    #[test]
    fn allowed_ranges_open_exactly_themselves_also_in_their_mapped_form() {
        let guard = Guard::new(&["192.168.1.0/24".into(), "10.0.0.7".into()]).unwrap();
        for (text, open) in [
            ("192.168.1.9", true),
            ("::ffff:192.168.1.9", true),
            ("192.168.2.9", false),
            ("10.0.0.7", true),
            ("10.0.0.8", false),
            ("127.0.0.1", false),
        ] {
            let address: IpAddr = text.parse().unwrap();
            assert_eq!(guard.permits(Trust::Data, address), open, "{text}");
        }
        let failure = Guard::new(&["everything".into()]).unwrap_err();
        assert!(failure.text.en.contains("allow_private"));
    }
}
