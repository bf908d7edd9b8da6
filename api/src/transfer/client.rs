//! Calls of the API that are tried again where that may help: the service is away, busy, or limits the rate.

use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use super::Place;
use crate::fetch::choose_tls;

/// Tries of one call; with the pauses between them, about two minutes.
const TRIES: u32 = 8;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const MOST_PAUSE: Duration = Duration::from_secs(30);

/// A service with a key, and one collection of it.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    key: String,
    collection: String,
}

/// What the service answered in the end: its JSON, and whether it was a success.
pub struct Answer {
    pub status: StatusCode,
    pub body: Value,
}

impl Client {
    /// Find the collection by its id or name; make it if it is missing and `create` says so.
    pub async fn open(place: &Place, create: bool) -> anyhow::Result<Client> {
        choose_tls();
        let http = reqwest::Client::builder().no_proxy().build().context("cannot make an HTTP client")?;
        let base = format!("{}/v1/vectors", place.url.trim_end_matches('/'));
        let mut client = Client { http, base, key: place.key.clone(), collection: String::new() };
        let listed = client.must(Method::GET, "collections", None).await?;
        let listed = listed.get("collections").and_then(Value::as_array);
        let named =
            |collection: &&Value| ["id", "name"].iter().any(|key| text(collection, key) == Some(&place.collection));
        let found = listed.into_iter().flatten().find(named);
        let made = match found {
            Some(found) => found.clone(),
            None if create => {
                client.must(Method::POST, "collections", Some(&json!({"name": place.collection}))).await?
            }
            None => bail!("there is no collection \"{}\"; --create makes it", place.collection),
        };
        client.collection = text(&made, "id").context("the service gave a collection without an id")?.to_owned();
        Ok(client)
    }

    /// Call something of the collection.
    pub async fn of_collection(&self, method: Method, tail: &str, body: Option<&Value>) -> anyhow::Result<Answer> {
        self.call(method, &format!("collections/{}/{tail}", self.collection), body).await
    }

    /// Call something that must succeed.
    async fn must(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let answer = self.call(method, path, body).await?;
        if answer.status.is_success() { Ok(answer.body) } else { bail!(answer.said()) }
    }

    /// Call; a refusal that will stay one is an answer, and what does not get better is an error.
    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Answer> {
        let url = format!("{}/{path}", self.base);
        let mut pause = FIRST_PAUSE;
        for left in (0..TRIES).rev() {
            let request = self.http.request(method.clone(), &url).bearer_auth(&self.key);
            let request = match body {
                Some(body) => request.json(body),
                None => request,
            };
            let wait = match request.send().await {
                Ok(response) if !again(response.status()) || left == 0 => {
                    let status = response.status();
                    let body =
                        response.json().await.with_context(|| format!("{url} answered {status} with no JSON"))?;
                    return Ok(Answer { status, body });
                }
                Ok(response) => retry_after(&response).unwrap_or(pause),
                Err(error) if left == 0 => return Err(error).with_context(|| format!("cannot reach {url}")),
                Err(_) => pause,
            };
            tokio::time::sleep(wait.min(MOST_PAUSE)).await;
            pause = (pause * 2).min(MOST_PAUSE);
        }
        bail!("{url} was not answered")
    }

    /// Download a content URL, which may be relative to the service.
    pub async fn download(&self, url: &str) -> anyhow::Result<Vec<u8>> {
        let whole = reqwest::Url::parse(&self.base).and_then(|base| base.join(url));
        let whole = whole.with_context(|| format!("the content URL {url} cannot be read"))?;
        let mut pause = FIRST_PAUSE;
        for left in (0..TRIES).rev() {
            match self.read(&whole).await {
                Err(error) if left == 0 || error.status().is_some_and(|status| !again(status)) => {
                    return Err(error).context("cannot download a content URL");
                }
                Err(_) => {}
                Ok(bytes) => return Ok(bytes),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(MOST_PAUSE);
        }
        bail!("a content URL was not answered")
    }

    async fn read(&self, url: &reqwest::Url) -> reqwest::Result<Vec<u8>> {
        let response = self.http.get(url.clone()).send().await?.error_for_status()?;
        response.bytes().await.map(|bytes| bytes.to_vec())
    }
}

impl Answer {
    /// The place of the item that a whole request was refused for, by a param such as `items[3].text`.
    pub fn refused_item(&self) -> Option<usize> {
        let (place, _) = text(self.body.get("error")?, "param")?.strip_prefix("items[")?.split_once(']')?;
        place.parse().ok()
    }

    /// The error's words.
    pub fn said(&self) -> String {
        let said = |field: &str| self.body.get("error").and_then(|error| text(error, field));
        let param = said("param").map(|param| format!(" ({param})")).unwrap_or_default();
        format!("{}: {}{param}", self.status, said("message").unwrap_or("no reason is given"))
    }
}

/// A field that is a string.
pub fn text<'a>(value: &'a Value, field: &str) -> Option<&'a str> {
    value.get(field)?.as_str()
}

/// Whether the same call may do better later.
fn again(status: StatusCode) -> bool {
    matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE | StatusCode::BAD_GATEWAY)
}

fn retry_after(response: &reqwest::Response) -> Option<Duration> {
    let seconds = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}
