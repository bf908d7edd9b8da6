//! HTTP as a hub speaks it: redirects to other hosts that must not learn the token, limits on rates, cut connections.

use std::io::Read;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use ureq::http::{Response, Uri, header};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body};

use super::Hub;

/// Redirects that are followed.
const MAX_REDIRECTS: usize = 5;
/// Failures in a row, without a byte in between, that end a pull.
const ATTEMPTS: u32 = 6;
/// The longest pause, whatever a server asks for.
const MAX_PAUSE: Duration = Duration::from_secs(120);
/// How long a connection and an answer are waited for, and the next bytes of one.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection to one hub.
pub struct Client {
    agent: Agent,
    hub: Hub,
}

/// Why a request was not answered.
#[derive(Debug)]
pub enum Trouble {
    /// It may be answered later; with the pause that the server asked for.
    Passing(anyhow::Error, Option<Duration>),
    /// It will not be answered.
    Lasting(anyhow::Error),
}

impl Client {
    /// A client; SSL_CERT_FILE may name further authorities, one below the other in PEM form.
    pub fn new(hub: &Hub) -> Result<Client> {
        let config = Agent::config_builder()
            .user_agent(concat!("vw-engine/", env!("CARGO_PKG_VERSION")))
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .tls_config(tls()?)
            .timeout_connect(Some(PATIENCE))
            .timeout_recv_response(Some(PATIENCE))
            .timeout_per_read(Some(PATIENCE));
        Ok(Client { agent: config.build().into(), hub: hub.clone() })
    }

    /// Read a whole answer of at most `limit` bytes, over passing troubles.
    pub fn small(&self, path: &str, limit: u64) -> Result<Vec<u8>> {
        self.repeat(&mut || 0, &mut || {
            let (_, body) = self.get(path, 0)?;
            let mut text = Vec::new();
            let read = body.into_reader().take(limit + 1).read_to_end(&mut text);
            read.map_err(|error| Trouble::Passing(error.into(), None))?;
            if text.len() as u64 > limit {
                return Err(Trouble::Lasting(anyhow!("the answer has more than {limit} bytes")));
            }
            Ok(text)
        })
    }

    /// Do `work` until it is done or its trouble lasts. Where `progress` grew meanwhile, the attempts begin anew.
    pub fn repeat<T>(
        &self,
        progress: &mut dyn FnMut() -> u64,
        work: &mut dyn FnMut() -> Result<T, Trouble>,
    ) -> Result<T> {
        let mut failures = 0;
        loop {
            let before = progress();
            let (error, asked) = match work() {
                Ok(done) => return Ok(done),
                Err(Trouble::Lasting(error)) => return Err(error),
                Err(Trouble::Passing(error, asked)) => (error, asked),
            };
            failures = if progress() > before { 1 } else { failures + 1 };
            if failures >= ATTEMPTS {
                return Err(error.context(format!("given up after {ATTEMPTS} attempts; start again to go on")));
            }
            let pause = self.hub.pause.saturating_mul(1 << (failures - 1));
            std::thread::sleep(asked.unwrap_or(pause).min(MAX_PAUSE));
        }
    }

    /// Ask for what lies at `path` below the endpoint, from byte `from` on. The status is 200 or, of a part, 206.
    pub fn get(&self, path: &str, from: u64) -> Result<(Response<()>, Body), Trouble> {
        let mut address: Uri = format!("{}{path}", self.hub.endpoint).parse().map_err(lasting)?;
        for _ in 0..=MAX_REDIRECTS {
            let response = self.one(&address, from)?;
            match response.status().as_u16() {
                200 | 206 => {
                    let (parts, body) = response.into_parts();
                    return Ok((Response::from_parts(parts, ()), body));
                }
                301 | 302 | 303 | 307 | 308 => address = redirect(&address, &response).map_err(Trouble::Lasting)?,
                status => return Err(refusal(status, &address, &response, self.hub.token.is_some())),
            }
        }
        Err(Trouble::Lasting(anyhow!("more than {MAX_REDIRECTS} redirects, the last one to {}", place(&address))))
    }

    /// Send one request; the token goes to the endpoint only.
    fn one(&self, address: &Uri, from: u64) -> Result<Response<Body>, Trouble> {
        // A compressed answer would have another length and other ranges.
        let mut request = self.agent.get(address.clone()).header(header::ACCEPT_ENCODING, "identity");
        if from > 0 {
            request = request.header(header::RANGE, format!("bytes={from}-"));
        }
        let own = self.hub.endpoint.parse::<Uri>().map_err(lasting)?;
        if let Some(token) = self.hub.token.as_ref().filter(|_| origin(&own) == origin(address)) {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        request.call().map_err(|error| match error {
            ureq::Error::BadUri(_) | ureq::Error::Http(_) | ureq::Error::Tls(_) | ureq::Error::TlsRequired => {
                Trouble::Lasting(anyhow!("{}: {error}", place(address)))
            }
            error => Trouble::Passing(anyhow!("{}: {error}", place(address)), None),
        })
    }
}

fn lasting(error: ureq::http::uri::InvalidUri) -> Trouble {
    Trouble::Lasting(error.into())
}

/// The authorities that are trusted: those of the web, or those of the file that SSL_CERT_FILE names.
fn tls() -> Result<TlsConfig> {
    let Some(path) = std::env::var_os("SSL_CERT_FILE") else { return Ok(TlsConfig::default()) };
    let read = || {
        let text = std::fs::read(&path)?;
        let mut found = Vec::new();
        for item in parse_pem(&text) {
            if let PemItem::Certificate(certificate) = item? {
                found.push(certificate);
            }
        }
        anyhow::Ok(found)
    };
    let found = read().with_context(|| format!("cannot read SSL_CERT_FILE, {}", path.display()))?;
    Ok(TlsConfig::builder().root_certs(RootCerts::new_with_certs(&found)).build())
}

/// Scheme, host and port.
fn origin(address: &Uri) -> (Option<&str>, Option<String>, Option<u16>) {
    let usual = if address.scheme_str() == Some("https") { 443 } else { 80 };
    let host = address.host().map(str::to_ascii_lowercase);
    (address.scheme_str(), host, Some(address.port_u16().unwrap_or(usual)))
}

/// An address without its query, which may hold a signature.
fn place(address: &Uri) -> String {
    let (scheme, host) = (address.scheme_str().unwrap_or_default(), address.host().unwrap_or_default());
    let port = address.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{scheme}://{host}{port}{}", address.path())
}

/// Where a redirect leads; never from https to anything less, and to no other scheme than the web's.
fn redirect(from: &Uri, response: &Response<Body>) -> Result<Uri> {
    let target = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
    let target = target.with_context(|| format!("{}: a redirect that leads nowhere", place(from)))?;
    let scheme = from.scheme_str().unwrap_or_default();
    let authority = from.authority().map_or("", |authority| authority.as_str());
    let whole = match target {
        _ if target.starts_with("//") => format!("{scheme}:{target}"),
        _ if target.starts_with('/') => format!("{scheme}://{authority}{target}"),
        _ => target.to_owned(),
    };
    let to: Uri = whole.parse().with_context(|| format!("{}: a redirect that cannot be read", place(from)))?;
    let good = to.scheme_str() == Some("https") || to.scheme_str() == Some("http") && scheme == "http";
    if !good || to.host().is_none() || to.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        bail!("{}: a redirect to {} is not followed", place(from), place(&to));
    }
    Ok(to)
}

/// Tell what a status other than success means.
fn refusal(status: u16, address: &Uri, response: &Response<Body>, has_token: bool) -> Trouble {
    let place = place(address);
    let text = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    let code = text("x-error-code").filter(|code| code.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let login = match has_token {
        true => "the token of HF_TOKEN is not accepted there, or may not read it",
        false => "there is no such thing, or it is private: set HF_TOKEN",
    };
    let message = match (status, code) {
        (401 | 403, Some("GatedRepo")) => {
            "its terms have to be accepted on the hub first; then set HF_TOKEN".to_owned()
        }
        (401 | 403, _) => login.to_owned(),
        (404, Some("RevisionNotFound")) => "there is no such revision".to_owned(),
        (404, _) => "there is no such thing".to_owned(),
        (429, _) => "too many requests".to_owned(),
        _ => "the hub cannot answer".to_owned(),
    };
    let error = anyhow!("{place}: {message} (status {status})");
    match status {
        408 | 429 | 500..=599 => {
            let asked = text("retry-after").and_then(|seconds| seconds.trim().parse().ok());
            Trouble::Passing(error, asked.map(Duration::from_secs))
        }
        _ => Trouble::Lasting(error),
    }
}

/// Write a text as part of an address; slashes stay in a path, and are written as %2F in a name.
pub fn escape(text: &str, path: bool) -> String {
    let keep =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') || path && byte == b'/';
    text.bytes().map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn led(from: &str, to: &str) -> Result<String> {
        let response = Response::builder().header(header::LOCATION, to).body(Body::builder().data(""))?;
        Ok(redirect(&from.parse()?, &response)?.to_string())
    }

    #[test]
    fn redirects_lead_to_the_web_and_never_out_of_encryption() {
        let follow = |from: &str, to: &str| led(from, to).unwrap_or_else(|error| panic!("{from} {to}: {error}"));
        assert_eq!(follow("https://a/b", "/c?d"), "https://a/c?d");
        assert_eq!(follow("https://a/b", "https://cdn:8443/c"), "https://cdn:8443/c");
        assert_eq!(follow("http://a:81/b", "//cdn/c"), "http://cdn/c");
        assert_eq!(follow("http://a/b", "https://a/b"), "https://a/b");
        for (from, to) in [
            ("https://a/b", "http://a/b"),
            ("https://a/b", "//user:word@a/b"),
            ("https://a/b", "file:///etc/passwd"),
            ("https://a/b", "ftp://a/b"),
            ("https://a/b", ""),
            ("https://a/b", "c d"),
        ] {
            assert!(led(from, to).is_err(), "{from} {to}");
        }
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let same = |a: &str, b: &str| {
            let (a, b): (Uri, Uri) = (a.parse().expect("an address"), b.parse().expect("an address"));
            origin(&a) == origin(&b)
        };
        assert!(same("https://a/b", "https://A:443/c"));
        for other in ["http://a/b", "https://b/b", "https://a:444/b", "https://a.b/b"] {
            assert!(!same("https://a/b", other), "{other}");
        }
    }

    #[test]
    fn names_are_escaped() {
        assert_eq!(escape("refs/pr/1", false), "refs%2Fpr%2F1");
        assert_eq!(escape("a b/ü?#%.onnx", true), "a%20b/%C3%BC%3F%23%25.onnx");
    }
}
