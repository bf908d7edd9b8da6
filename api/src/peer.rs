//! Where a request comes from: the other end of the connection, or what a proxy that is trusted says. Nobody else is
//! believed, since any client may write any header.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use anyhow::{Context, Result};
use axum::http::HeaderMap;
use ipnet::IpNet;

/// The one header that is read of a proxy.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The other end of the connection, in the request's extensions.
#[derive(Clone, Copy)]
pub struct Peer(pub IpAddr);

/// The networks of the proxies that are trusted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Proxies(Vec<IpNet>);

impl Proxies {
    /// Read addresses and networks with commas between them.
    pub fn parse(text: &str) -> Result<Proxies> {
        let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
        let net = |word: &str| {
            let net = word.parse().or_else(|_| word.parse::<IpAddr>().map(IpNet::from));
            net.with_context(|| format!("trusted_proxies must be like \"10.0.0.0/8,::1\"; \"{word}\" is not"))
        };
        words.map(net).collect::<Result<_>>().map(Proxies)
    }

    fn trust(&self, address: IpAddr) -> bool {
        self.0.iter().any(|net| net.contains(&address))
    }

    /// The address that a request comes from. Each proxy writes behind the others whom it was asked by, so the last
    /// one that is no proxy of ours is it, and what stands before it is anybody's word.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut nearest = peer.to_canonical();
        let lines = headers.get_all(FORWARDED_FOR).iter().rev().map(|line| line.to_str().unwrap_or_default());
        let mut hops = lines.flat_map(|line| line.rsplit(','));
        while self.trust(nearest) {
            match hops.next().and_then(address) {
                Some(hop) => nearest = hop,
                None => break,
            }
        }
        nearest
    }
}

/// Read an address as proxies write them, some with a port.
fn address(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let address = hop.parse::<IpAddr>().or_else(|_| hop.parse::<SocketAddr>().map(|place| place.ip()));
    address.ok().map(|address| address.to_canonical())
}

/// What is given to one customer of a network: an address of IPv4, or 64 bits of IPv6.
pub fn site(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    //! Guards against clients that say that they are somebody else.
    use super::*;

    fn client(proxies: &str, peer: &str, lines: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, line.parse().expect("a header"));
        }
        let proxies = Proxies::parse(proxies).expect("good");
        proxies.client(peer.parse().expect("an address"), &headers).to_string()
    }

    #[test]
    fn only_proxies_that_are_trusted_are_believed() {
        let ours = "10.0.0.0/8, ::1";
        assert_eq!(client("", "10.0.0.1", &["1.2.3.4"]), "10.0.0.1");
        assert_eq!(client(ours, "9.9.9.9", &["1.2.3.4"]), "9.9.9.9");
        assert_eq!(client(ours, "10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(client(ours, "10.0.0.1", &["1.2.3.4"]), "1.2.3.4");
        assert_eq!(client(ours, "::ffff:10.0.0.1", &["1.2.3.4:5678"]), "1.2.3.4", "mapped, and a port");
        assert_eq!(client(ours, "::1", &["[2001:db8::7]:80"]), "2001:db8::7");
        assert_eq!(
            client(ours, "10.0.0.1", &["6.6.6.6, 1.2.3.4, 10.0.0.2"]),
            "1.2.3.4",
            "6.6.6.6 is the client's word"
        );
        assert_eq!(client(ours, "10.0.0.1", &["6.6.6.6", "1.2.3.4", "10.0.0.2"]), "1.2.3.4", "the same in three lines");
        assert_eq!(client(ours, "10.0.0.1", &["6.6.6.6, nonsense"]), "10.0.0.1");
        assert_eq!(client(ours, "10.0.0.1", &["10.0.0.3, 10.0.0.2"]), "10.0.0.3", "all are ours");
    }

    #[test]
    fn bad_networks_are_refused() {
        for bad in ["10.0.0.0/33", "proxy.internal", "10.0.0", "*"] {
            assert!(Proxies::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_customer_of_ipv6_has_many_addresses() {
        let site_of = |text: &str| site(text.parse().expect("an address")).to_string();
        assert_eq!(site_of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(site_of("192.0.2.7"), "192.0.2.7");
    }
}
