//! How much one project may ask for, and how much is in progress at all. Counts are kept in this process: of several
//! processes each has its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;

use crate::app::App;
use crate::auth::Project;
use crate::body::refuse;
use crate::error::{Code, Error, Result};
use crate::metrics::Metrics;
use crate::sqlstate;
use crate::window::{self, Room, WINDOW, Windows};

/// The kinds of request that are counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Category {
    Search,
    Index,
    Read,
    Write,
    Admin,
}

impl Category {
    pub const ALL: [Category; 5] =
        [Category::Search, Category::Index, Category::Read, Category::Write, Category::Admin];

    /// The word for it in settings and headers.
    pub fn word(self) -> &'static str {
        match self {
            Category::Search => "search",
            Category::Index => "index",
            Category::Read => "read",
            Category::Write => "write",
            Category::Admin => "admin",
        }
    }

    /// The scope that a key needs for it.
    pub fn scope(self) -> &'static str {
        match self {
            Category::Search | Category::Read => "read",
            Category::Index | Category::Write => "write",
            Category::Admin => "admin",
        }
    }

    /// Tell what kind of request it is.
    pub fn of(method: &Method, path: &str) -> Category {
        match path.rsplit('/').next() {
            _ if path.starts_with("/v1/admin/") => Category::Admin,
            Some("search") if method == Method::POST => Category::Search,
            Some("index") if method == Method::POST => Category::Index,
            _ if method == Method::GET || method == Method::HEAD => Category::Read,
            _ => Category::Write,
        }
    }
}

/// Requests a minute for each kind; 0 is without limit.
#[derive(Clone, Debug, PartialEq)]
pub struct Rates([u32; Category::ALL.len()]);

impl Rates {
    pub fn all(rate: u32) -> Rates {
        Rates([rate; Category::ALL.len()])
    }

    pub fn set(&mut self, category: Category, rate: u32) {
        if let Some(place) = self.0.get_mut(category as usize) {
            *place = rate;
        }
    }

    pub fn of(&self, category: Category) -> u32 {
        self.0.get(category as usize).copied().unwrap_or(0)
    }
}

/// What is counted.
pub struct Limits {
    rates: Rates,
    windows: Windows<(String, Category)>,
    in_flight: Semaphore,
}

/// What a project may still do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    pub category: Category,
    pub limit: u32,
    pub remaining: u32,
    /// Until the oldest request of the window leaves it.
    pub reset: Duration,
    pub allowed: bool,
}

impl Limits {
    pub fn new(rates: Rates, max_in_flight: usize) -> Limits {
        Limits { rates, windows: Windows::new(), in_flight: Semaphore::new(max_in_flight) }
    }

    /// Count a request of a project; None where there is no limit. A request that is refused does not count.
    fn count(&self, project: &str, category: Category, now: Instant) -> Option<Standing> {
        let limit = Some(self.rates.of(category)).filter(|limit| *limit > 0)?;
        let Room { left, reset } = self.windows.count((project.to_owned(), category), limit, now);
        let remaining = u32::try_from(left.saturating_sub(1)).unwrap_or(u32::MAX);
        Some(Standing { category, limit, remaining, reset, allowed: left > 0 })
    }
}

impl Standing {
    /// Tell the client: as other services of this kind do, and as the IETF's draft has it.
    fn show(&self, headers: &mut HeaderMap) {
        let Standing { limit, remaining, .. } = self;
        let (word, seconds) = (self.category.word(), window::seconds(self.reset));
        let lines = [
            ("x-ratelimit-limit-requests", limit.to_string()),
            ("x-ratelimit-remaining-requests", remaining.to_string()),
            ("x-ratelimit-reset-requests", format!("{seconds}s")),
            ("ratelimit-policy", format!("\"{word}\";q={limit};w={}", WINDOW.as_secs())),
            ("ratelimit", format!("\"{word}\";r={remaining};t={seconds}")),
        ];
        for (name, value) in lines {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}

/// A request's place among those in progress. It has none while its client is waited for, so that clients who send
/// slowly keep nobody out.
pub struct Place {
    limits: Arc<Limits>,
    metrics: Arc<Metrics>,
    held: AtomicBool,
}

impl Place {
    fn take(app: &App) -> Option<Arc<Place>> {
        let (limits, metrics) = (app.limits.clone(), app.metrics.clone());
        let place = Place { limits, metrics, held: AtomicBool::new(false) };
        place.retake().then(|| Arc::new(place))
    }

    /// Leave the place to others for now.
    pub fn give_up(&self) {
        if self.held.swap(false, Ordering::SeqCst) {
            self.limits.in_flight.add_permits(1);
        }
    }

    /// Take a place again; false where there is none.
    pub fn retake(&self) -> bool {
        if let Ok(permit) = self.limits.in_flight.try_acquire() {
            permit.forget();
            self.held.store(true, Ordering::SeqCst);
            return true;
        }
        self.metrics.shed();
        false
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.give_up();
    }
}

/// What a request is told that finds no place.
pub fn full() -> Error {
    sqlstate::overloaded("too many requests in progress".to_owned())
}

/// Turn requests away at once where too many are in progress, before they cost a statement or memory.
pub async fn shed(State(app): State<App>, mut request: Request, next: Next) -> Result<Response> {
    // Whether the process lives is told also when it is full.
    if request.uri().path() == "/livez" {
        return Ok(next.run(request).await);
    }
    let Some(place) = Place::take(&app) else { return refuse(request, full()).await };
    request.extensions_mut().insert(place.clone());
    let response = next.run(request).await;
    drop(place);
    Ok(response)
}

/// Count a request against its project's limit.
pub async fn guard(State(app): State<App>, request: Request, next: Next) -> Result<Response> {
    let Some(Project(project)) = request.extensions().get() else { return Ok(next.run(request).await) };
    let category = Category::of(request.method(), request.uri().path());
    let Some(standing) = app.limits.count(project, category, Instant::now()) else {
        return Ok(next.run(request).await);
    };
    let mut response = if standing.allowed {
        next.run(request).await
    } else {
        app.metrics.rate_limited(category);
        let message = format!("more than {} {} requests in a minute", standing.limit, category.word());
        let error = Error::new(Code::RateLimited, message).retry_after(window::seconds(standing.reset));
        refuse::<Response>(request, error).await.into_response()
    };
    standing.show(response.headers_mut());
    Ok(response)
}

#[cfg(test)]
mod tests {
    //! Guards what is counted: each project's and each kind's requests apart, and none where there is no limit.
    use super::*;

    #[test]
    fn projects_and_kinds_are_counted_apart() {
        let (limits, now) = (Limits::new(Rates::all(2), 1), Instant::now());
        let count = |project: &str, category| limits.count(project, category, now).expect("a limit");
        let read = |project: &str| count(project, Category::Read);
        assert_eq!([read("a").remaining, read("a").remaining], [1, 0]);
        assert!(!read("a").allowed && read("b").allowed && count("a", Category::Write).allowed);
    }

    #[test]
    fn without_a_limit_nothing_is_kept() {
        let limits = Limits::new(Rates::all(0), 1);
        assert_eq!(limits.count("a", Category::Search, Instant::now()), None);
        assert_eq!(limits.windows.len(), 0);
    }

    #[test]
    fn kinds() {
        let of = |method: &str, path: &str| Category::of(&method.parse().expect("a method"), path);
        assert_eq!(of("POST", "/v1/vectors/collections/col_1/search"), Category::Search);
        assert_eq!(of("POST", "/v1/vectors/collections/col_1/index"), Category::Index);
        assert_eq!(of("GET", "/v1/vectors/collections/col_1/items"), Category::Read);
        assert_eq!(of("DELETE", "/v1/vectors/collections/col_1/items"), Category::Write);
        assert_eq!(of("POST", "/v1/vectors/collections"), Category::Write);
        assert_eq!(of("GET", "/v1/admin/keys"), Category::Admin);
    }
}
