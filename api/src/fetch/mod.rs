//! Fetching media by URL: the one place where the service connects to where a client says. What the bytes are is not
//! looked at here.
//!
//! The rules: http and https only, ports 80 and 443, addresses of the public internet only (`address`), in the URL
//! (`target`) and behind its name (`resolve`); each of at most three redirects by the same rules; no proxy, no cookies, no
//! referrer, no content coding; limits on time and size. Whatever fails, the client reads the same words, so that nobody
//! learns from them what is behind our network's edge; the log has the reason.

mod address;
mod failure;
mod resolve;
mod target;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use anyhow::Context;
use reqwest::header::{ACCEPT, CONTENT_ENCODING, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Response, StatusCode};
use tokio::sync::Semaphore;
use url::Url;

pub use failure::{Failure, Reason};
use target::Rules;
pub use target::{Allowed, MAX_URL};

/// How long a connection may take to be made, its TLS included.
const CONNECT_TIME: Duration = Duration::from_secs(3);

/// How long a fetch may take, redirects included.
const TOTAL_TIME: Duration = Duration::from_secs(10);

/// The most redirects that are followed.
const MAX_REDIRECTS: usize = 3;

/// The most fetches at one time for one project.
const PROJECT_FETCHES: usize = 32;

/// Fetches media; cheap to clone.
#[derive(Clone)]
pub struct Fetcher(Arc<Inner>);

struct Inner {
    /// Connects to public addresses only.
    public: Client,
    /// Connects to the hosts that a setting allows.
    trusted: Client,
    rules: Rules,
    /// One permit is one fetch under way; a project without fetches has no entry for long.
    projects: Mutex<HashMap<String, Weak<Semaphore>>>,
}

impl Fetcher {
    /// Make a fetcher that may also connect to `allowed`.
    pub fn new(allowed: Vec<Allowed>) -> anyhow::Result<Fetcher> {
        Fetcher::with(Rules::new(allowed))
    }

    fn with(rules: Rules) -> anyhow::Result<Fetcher> {
        choose_tls();
        let public = client(|| base().dns_resolver(Arc::new(resolve::PublicOnly)))?;
        let trusted = client(base)?;
        Ok(Fetcher(Arc::new(Inner { public, trusted, rules, projects: Mutex::default() })))
    }

    /// Fetch at most `limit` bytes; `accept` is the header of that name.
    pub async fn get(&self, project: &str, url: &str, accept: &str, limit: usize) -> Result<Vec<u8>, Failure> {
        let turns = self.turns(project);
        let _turn = turns.acquire().await.map_err(|error| Failure::new(Reason::Timeout, error))?;
        let fetching = async {
            let response = self.follow(url, accept).await?;
            read(response, limit).await
        };
        let outcome = tokio::time::timeout(TOTAL_TIME, fetching).await;
        let late = || Failure::new(Reason::Timeout, format_args!("it took longer than {} s", TOTAL_TIME.as_secs()));
        outcome.unwrap_or_else(|_| Err(late()))
    }

    fn turns(&self, project: &str) -> Arc<Semaphore> {
        let mut projects = self.0.projects.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turns) = projects.get(project).and_then(Weak::upgrade) {
            return turns;
        }
        projects.retain(|_, turns| turns.strong_count() > 0);
        let turns = Arc::new(Semaphore::new(PROJECT_FETCHES));
        projects.insert(project.to_owned(), Arc::downgrade(&turns));
        turns
    }

    /// Ask for a URL and where it leads, by hand, since every hop is checked like the first.
    async fn follow(&self, url: &str, accept: &str) -> Result<Response, Failure> {
        let mut url = Url::parse(url).map_err(|error| Failure::new(Reason::Url, error))?;
        for _ in 0..=MAX_REDIRECTS {
            let trusted = target::check(&url, &self.0.rules)?;
            let client = if trusted { &self.0.trusted } else { &self.0.public };
            let response = client.get(url.clone()).header(ACCEPT, accept).send().await?;
            let Some(next) = redirect(&url, &response)? else { return Ok(response) };
            if url.scheme() == "https" && next.scheme() == "http" {
                return Err(Failure::new(Reason::Redirect, "a redirect leads from https to http"));
            }
            url = next;
        }
        Err(Failure::new(Reason::Redirect, format_args!("more than {MAX_REDIRECTS} redirects")))
    }
}

/// Choose the cryptography of all TLS clients of this program; a second choice changes nothing.
pub fn choose_tls() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Make a client; on a machine without certificates of authorities, one that trusts no server of https.
fn client(settings: impl Fn() -> ClientBuilder) -> anyhow::Result<Client> {
    settings()
        .build()
        .or_else(|error| {
            tracing::warn!("https URLs cannot be fetched: {}", std::error::Error::source(&error).unwrap_or(&error));
            settings().tls_certs_only([]).build()
        })
        .context("no HTTP client can be made")
}

/// What both clients have in common. No idle connection is kept: each fetch resolves, checks and connects.
fn base() -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("vw-api/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .no_proxy()
        .referer(false)
        .http1_only()
        .retry(reqwest::retry::never())
        .pool_max_idle_per_host(0)
        .connect_timeout(CONNECT_TIME)
}

/// Give the place that a response leads to; None where it is the answer itself.
fn redirect(from: &Url, response: &Response) -> Result<Option<Url>, Failure> {
    match response.status() {
        StatusCode::OK => Ok(None),
        StatusCode::MOVED_PERMANENTLY
        | StatusCode::FOUND
        | StatusCode::SEE_OTHER
        | StatusCode::TEMPORARY_REDIRECT
        | StatusCode::PERMANENT_REDIRECT => {
            let place = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            let place = place.ok_or_else(|| Failure::new(Reason::Redirect, "a redirect leads nowhere"))?;
            from.join(place).map(Some).map_err(|error| Failure::new(Reason::Redirect, error))
        }
        status => Err(Failure::new(Reason::Status, format_args!("status {}", status.as_u16()))),
    }
}

/// Read a body up to its limit, whatever length it announces. A coded body is refused: none was asked for, and what
/// unfolds has no limit.
async fn read(mut response: Response, limit: usize) -> Result<Vec<u8>, Failure> {
    if response.headers().get(CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        return Err(Failure::new(Reason::Coding, "the body has a content coding"));
    }
    if response.content_length().is_some_and(|length| length > limit as u64) {
        return Err(too_large(limit));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if bytes.len() + chunk.len() > limit {
            return Err(too_large(limit));
        }
        bytes.try_reserve(chunk.len()).map_err(|error| Failure::new(Reason::Size, error))?;
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn too_large(limit: usize) -> Failure {
    Failure::new(Reason::Size, format_args!("the body has more than {limit} bytes"))
}

#[cfg(test)]
mod tests;
