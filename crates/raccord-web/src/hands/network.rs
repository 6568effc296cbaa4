//! The network a visitor comes from: requests for links are counted by it.

use std::net::IpAddr;

use axum::http::request::Parts;

/// The machine at the other end of the connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// The network a request comes from, coarse enough that a house counts once. Behind a proxy it is the
/// last address that the proxy named; the word of anybody else is not taken.
pub(super) fn of(parts: &Parts, is_proxy: impl Fn(IpAddr) -> bool) -> String {
    // A socket of both families shows IPv4 peers as IPv6 addresses.
    let peer = parts.extensions.get::<Peer>();
    let peer = peer.map(|peer| peer.0.to_canonical());
    let behind = peer.is_none_or(is_proxy);
    let named = parts.headers.get_all("x-forwarded-for").iter().next_back();
    let named = named.and_then(|value| value.to_str().ok()?.rsplit(',').next());
    let named: Option<IpAddr> = named.and_then(|text| text.trim().parse().ok());
    let named = named.map(|ip| ip.to_canonical());
    match named.filter(|_| behind).or(peer) {
        Some(IpAddr::V4(ip)) => ip.to_string(),
        Some(IpAddr::V6(ip)) => {
            let [a, b, c, d, ..] = ip.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::")
        }
        None => String::new(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn what_a_caller_says_of_their_network_counts_behind_a_proxy_of_ours_only() {
        let from = |peer: &str, said: Option<&str>| {
            let mut request = axum::http::Request::new(());
            if let Some(said) = said {
                request
                    .headers_mut()
                    .insert("x-forwarded-for", said.parse().unwrap());
            }
            request.extensions_mut().insert(Peer(peer.parse().unwrap()));
            let bridge: IpAddr = "10.88.0.1".parse().unwrap();
            of(&request.into_parts().0, |peer| {
                peer.is_loopback() || peer == bridge
            })
        };
        for (peer, said, network) in [
            ("203.0.113.9", Some("198.51.100.1"), "203.0.113.9"),
            ("127.0.0.1", Some("1.2.3.4, 198.51.100.1"), "198.51.100.1"),
            ("127.0.0.1", Some("nonsense"), "127.0.0.1"),
            ("2001:db8:1:2:3:4:5:6", None, "2001:db8:1:2::"),
            // A socket that listens on `[::]`.
            ("::ffff:127.0.0.1", Some("198.51.100.1"), "198.51.100.1"),
            ("::ffff:203.0.113.9", Some("198.51.100.1"), "203.0.113.9"),
            ("127.0.0.1", Some("::ffff:198.51.100.1"), "198.51.100.1"),
            // A container, whose proxy is outside.
            ("10.88.0.1", Some("198.51.100.1"), "198.51.100.1"),
            ("::ffff:10.88.0.1", Some("198.51.100.1"), "198.51.100.1"),
        ] {
            assert_eq!(from(peer, said), network, "{peer} {said:?}");
        }
    }

    #[test]
    fn the_proxies_we_document_name_the_visitor() {
        let text = include_str!("../../../../deploy/README.md");
        let nginx = text.split("```nginx").nth(1).unwrap();
        let nginx = nginx.split("```").next().unwrap();
        let proxied: Vec<&str> = nginx
            .split("location ")
            .filter(|block| block.contains("proxy_pass"))
            .collect();
        assert_eq!(proxied.len(), 2);
        for block in proxied {
            assert!(
                block.contains("proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"),
                "{block}"
            );
        }
    }
}
