//! Which URLs may be fetched, by their looks. What a name resolves to is looked at in `resolve`, at connection time.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

use super::address::is_public;

/// The longest URL, in bytes.
pub const MAX_URL: usize = 2048;

/// The ports of hosts that no setting allows.
const PORTS: [u16; 2] = [80, 443];

/// What may be fetched from.
pub struct Rules {
    /// Hosts that a setting allows, wherever they are.
    pub allowed: Vec<Allowed>,
    /// The ports of all other hosts.
    pub ports: Vec<u16>,
}

impl Rules {
    /// The rules of a service with these settings.
    pub fn new(allowed: Vec<Allowed>) -> Rules {
        Rules { allowed, ports: PORTS.to_vec() }
    }
}

/// A host that may be fetched from though its addresses are not public: `host`, on ports 80 and 443, or `host:port`.
#[derive(Clone, Debug, PartialEq)]
pub struct Allowed {
    host: Host,
    port: Option<u16>,
}

impl FromStr for Allowed {
    type Err = String;

    fn from_str(text: &str) -> Result<Allowed, String> {
        let wrong = || format!("\"{text}\" is not like media.internal, 10.1.2.3:8080 or [fd00::1]:8080");
        let url = Url::parse(&["http://", text, "/"].concat()).map_err(|_| wrong())?;
        let bare = url.path() == "/" && url.query().is_none() && url.username().is_empty() && url.password().is_none();
        let host = url.host().filter(|_| bare && !text.contains(['/', '#', '?', '@'])).ok_or_else(wrong)?;
        // The URL forgets a port 80 that was written.
        let port = if text.ends_with(":80") { Some(80) } else { url.port() };
        Ok(Allowed { host: host.to_owned(), port })
    }
}

impl Allowed {
    fn covers(&self, host: &Host<&str>, port: u16) -> bool {
        self.host.to_string() == host.to_string() && self.port.map_or(PORTS.contains(&port), |known| known == port)
    }
}

/// Why a URL is not fetched; for the log only.
#[derive(Debug, PartialEq)]
pub enum Refused {
    Scheme,
    Host,
    UserInfo,
    Port,
    Address,
    Length,
}

impl fmt::Display for Refused {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str(match self {
            Refused::Scheme => "the scheme is not http or https",
            Refused::Host => "there is no host",
            Refused::UserInfo => "there is a user or a password",
            Refused::Port => "the port is not 80 or 443",
            Refused::Address => "the address is not public",
            Refused::Length => "the URL is too long",
        })
    }
}

/// Check a URL; tells whether its host is one that a setting allows, wherever it is.
///
/// The parser is that of browsers (WHATWG), so a host such as `0x7f.1`, `2130706433` or one in full-width digits is
/// here the address that it would be connected to.
pub fn check(url: &Url, rules: &Rules) -> Result<bool, Refused> {
    if url.as_str().len() > MAX_URL {
        return Err(Refused::Length);
    }
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Refused::Scheme);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Refused::UserInfo);
    }
    let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else { return Err(Refused::Host) };
    if rules.allowed.iter().any(|allowed| allowed.covers(&host, port)) {
        return Ok(true);
    }
    if !rules.ports.contains(&port) {
        return Err(Refused::Port);
    }
    let public = match host {
        Host::Domain(name) => !name.trim_matches('.').is_empty(),
        Host::Ipv4(address) => is_public(address.into()),
        Host::Ipv6(address) => is_public(address.into()),
    };
    if public { Ok(false) } else { Err(Refused::Address) }
}

#[cfg(test)]
mod tests {
    //! Guards the forms in which a URL hides where it leads; names are a matter of `resolve`.
    use super::*;

    fn verdict(text: &str) -> Result<bool, Refused> {
        check(&Url::parse(text).map_err(|_| Refused::Host)?, &Rules::new(Vec::new()))
    }

    /// The ways to write an inner address that filters were fooled by, each with all of the hosts below.
    #[test]
    fn hidden_addresses_are_seen() {
        let hosts = "127.0.0.1 127.1 127.0.1 0 0.0.0.0 0x7f.1 0x7f000001 0x7F.0x0.0x0.0x1 2130706433 017700000001 \
            0177.0.0.1 0177.0.0.01 00000177.0.0.1 127.0.0.1. 127.000.000.001 １２７.０.０.１ 127。0。0。1 127%2e0%2e0%2e1 ①②⑦.0.0.1 \
            %31%32%37.0.0.1 10.1 10.0.0.1 0xa.0.0.1 012.0.0.1 167772161 172.16.0.1 2886729729 192.168.1.1 192.168.257 \
            0xc0a80101 3232235777 169.254.169.254 0xa9fea9fe 2852039166 0251.0376.0251.0376 0xa9.0xfe.0xa9.0xfe 169.254.43518 \
            100.64.0.1 100.100.100.200 192.0.0.192 198.18.0.1 224.0.0.1 255.255.255.255 4294967295 168.63.129.16 \
            [::] [::1] [0:0:0:0:0:0:0:1] [0000::0001] [::127.0.0.1] [::ffff:127.0.0.1] [::ffff:7f00:1] [::FFFF:10.0.0.1] \
            [::ffff:a9fe:a9fe] [64:ff9b::127.0.0.1] [64:ff9b::a9fe:a9fe] [64:ff9b:1::a00:1] [2002:7f00:1::] [2002:a00:1::1] \
            [2001:0:7f00:1::] [fc00::1] [fd00:ec2::254] [fe80::1] [fec0::1] [ff02::1] [2001:db8::1] [100::1]";
        for host in hosts.split_whitespace() {
            for text in [format!("http://{host}/"), format!("https://{host}/a.png?b#c"), format!("http://{host}:443/")]
            {
                assert!(verdict(&text).is_err(), "{text}");
            }
        }
    }

    #[test]
    fn forms_that_are_refused() {
        for text in [
            "file:///etc/passwd",
            "ftp://example.com/a.png",
            "gopher://example.com:80/_x",
            "data:image/png;base64,AAAA",
            "jar:http://example.com!/a",
            "javascript:alert(1)",
            "ws://example.com/",
            "unix:/run/x",
            "blob:http://example.com/x",
            "dict://example.com:80/",
            "ldap://example.com/",
            "view-source:http://example.com/",
            "http:",
            "http://",
            "https:///",
            "http://user@example.com/",
            "http://user:pass@example.com/",
            "http://:pass@example.com/",
            "http://example.com@127.0.0.1/",
            "http://8.8.8.8@127.0.0.1/",
            "http://127.0.0.1\\@8.8.8.8/",
            "http://127.0.0.1#@8.8.8.8/",
            "http://127.0.0.1?@8.8.8.8/",
            "http:127.0.0.1/",
            "http:\\\\127.0.0.1/",
            "http://127.0.0.1%00.example.com/",
            "http:///127.0.0.1",
            "http://example.com:22/",
            "http://example.com:0/",
            "http://example.com:8080/",
            "http://example.com:65535/",
            "http://example.com:65536/",
            "https://example.com:6379/",
            "http://[::1/",
            "http://[fe80::1%25eth0]/",
            "http://./",
            "http://../",
            "http://256.1.1.1/",
            "http://1.2.3.4.5/",
            "http://0x100000000/",
            "http://a b/",
            "http://exa\0mple.com/",
            "//127.0.0.1/",
            "/etc/passwd",
        ] {
            assert!(verdict(text).is_err(), "{text}");
        }
        assert_eq!(verdict(&format!("http://example.com/{}", "a".repeat(MAX_URL))), Err(Refused::Length));
    }

    #[test]
    fn forms_that_are_fetched() {
        for text in [
            "http://example.com/a.png",
            "https://example.com:443/",
            "https://example.com:80/",
            "http://8.8.8.8/",
            "http://[2606:4700::1111]/",
            "HTTP://EXAMPLE.COM/",
            "http://bücher.example/",
            "http://example.com./",
        ] {
            assert_eq!(verdict(text), Ok(false), "{text}");
        }
    }

    #[test]
    fn a_setting_allows_a_host_and_no_other() {
        let allowed: Vec<Allowed> = ["media.internal", "10.1.2.3:8080", "[fd00::1]:80", "127.1:9000"]
            .map(|text| text.parse().expect(text))
            .to_vec();
        let rules = Rules::new(allowed);
        let verdict = |text: &str| check(&Url::parse(text).expect(text), &rules);
        for good in [
            "http://media.internal/a",
            "https://MEDIA.internal/a",
            "http://10.1.2.3:8080/",
            "http://[fd00::1]/",
            "http://127.0.0.1:9000/x",
        ] {
            assert_eq!(verdict(good), Ok(true), "{good}");
        }
        for bad in [
            "http://media.internal:81/",
            "http://10.1.2.3/",
            "http://10.1.2.4:8080/",
            "https://[fd00::1]/",
            "http://127.0.0.1:9001/",
            "http://u@media.internal/",
        ] {
            assert!(verdict(bad).is_err(), "{bad}");
        }
        assert_eq!(verdict("http://sub.media.internal/"), Ok(false));
        for bad in ["", "a/b", "http://a", "u@a", "a:b", "a?b", "*.example.com/x", "a#b", "a:99999"] {
            assert!(bad.parse::<Allowed>().is_err(), "{bad}");
        }
    }
}
