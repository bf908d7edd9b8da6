//! Requests that carry an Idempotency-Key: done once, answered alike for a day, across restarts.
//!
//! The answer is kept in the database after the work, not with it: where the service dies between the two, the key is
//! in progress for ten more minutes and then free. A request that failed has changed nothing and gives its key up.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt;
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::auth::Project;
use crate::body::refuse;
use crate::db::Db;
use crate::error::{Code, Error, Result};
use crate::statement::{BEGIN_REQUEST, FINISH_REQUEST, SWEEP_REQUESTS};
use crate::timing::Spent;
use crate::types::get;

pub const HEADER: HeaderName = HeaderName::from_static("idempotency-key");

/// On an answer that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The largest answer that is kept, in bytes; far above what a hundred items come to.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// How often old answers are swept away.
const SWEEP_PAUSE: Duration = Duration::from_secs(600);

/// The key of one request, in the request's extensions.
pub struct Ticket {
    project: String,
    key: String,
    /// What is asked, but for the body.
    target: String,
    holder: [u8; 16],
    /// Set once the key is ours, or has an answer.
    state: OnceLock<Taken>,
}

enum Taken {
    Ours,
    Answered(StatusCode, String),
}

/// Run a request; under a key, apart from the connection, so that a client that leaves finds the answer later.
pub async fn layer(State(app): State<App>, mut request: Request, next: Next) -> Result<Response> {
    let ticket = match ticket(&request) {
        Ok(None) => return Ok(next.run(request).await),
        Ok(Some(ticket)) => Arc::new(ticket),
        Err(error) => return refuse(request, error).await,
    };
    request.extensions_mut().insert(ticket.clone());
    let work = async move {
        let outcome = AssertUnwindSafe(next.run(request)).catch_unwind().await;
        match outcome {
            Ok(response) => ticket.settle(&app, response).await,
            Err(panic) => {
                ticket.finish(&app, None).await;
                resume_unwind(panic)
            }
        }
    };
    let spent = Spent::current();
    match tokio::spawn(async move { spent.count(work).await }).await {
        Ok(response) => Ok(response),
        Err(failed) if failed.is_panic() => resume_unwind(failed.into_panic()),
        Err(_) => Err(Error::internal("a request was dropped")),
    }
}

fn ticket(request: &Request) -> Result<Option<Ticket>> {
    let mut values = request.headers().get_all(HEADER).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let refuse = |message: &str| Err(Error::invalid("Idempotency-Key", message));
    if values.next().is_some() {
        return refuse("the header Idempotency-Key is given twice");
    }
    let key = value.to_str().unwrap_or_default();
    if !(1..=255).contains(&key.len()) {
        return refuse("the header Idempotency-Key must have 1 to 255 visible ASCII characters");
    }
    let Some(Project(project)) = request.extensions().get() else { return Ok(None) };
    let mut holder = [0_u8; 16];
    getrandom::fill(&mut holder).map_err(|error| Error::internal(error.to_string()))?;
    let target = format!("{} {}", request.method(), request.uri());
    Ok(Some(Ticket { project: project.clone(), key: key.to_owned(), target, holder, state: OnceLock::new() }))
}

impl Ticket {
    /// Take the key for a request whose body is checked; an error ends the request here, one way or the other.
    pub async fn begin(&self, app: &App, body: &[u8]) -> Result<()> {
        let hash = Sha256::new().chain_update(&self.target).chain_update([0]).chain_update(body).finalize().to_vec();
        let row = app.db.one(BEGIN_REQUEST, &[&self.project, &self.key, &hash, &self.holder.as_slice()]).await?;
        let taken = match get::<String>(&row, "state")?.as_str() {
            "begun" => Taken::Ours,
            "done" => {
                let status = u16::try_from(get::<i32>(&row, "status")?).ok().and_then(|s| StatusCode::from_u16(s).ok());
                Taken::Answered(status.unwrap_or(StatusCode::OK), get(&row, "body")?)
            }
            "other" => {
                let message = "the Idempotency-Key was used for another request; use a new key";
                return Err(Error::new(Code::IdempotencyMismatch, message).at("Idempotency-Key"));
            }
            _ => {
                let message = "the request of this Idempotency-Key is in progress; try again";
                return Err(Error::new(Code::IdempotencyInFlight, message).at("Idempotency-Key"));
            }
        };
        let answered = matches!(taken, Taken::Answered(..));
        let _ = self.state.set(taken);
        // What comes of this error is replaced by the answer, in `settle`.
        if answered { Err(Error::internal("an answer that is known")) } else { Ok(()) }
    }

    /// Keep the answer, or give the one that was kept.
    async fn settle(&self, app: &App, response: Response) -> Response {
        match self.state.get() {
            None => response,
            Some(Taken::Answered(status, body)) => {
                app.metrics.replayed();
                let mut response = Response::new(Body::from(body.clone()));
                *response.status_mut() = *status;
                let headers = response.headers_mut();
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
                headers.insert(REPLAYED, HeaderValue::from_static("true"));
                response
            }
            Some(Taken::Ours) if response.status().is_success() => {
                let (parts, body) = response.into_parts();
                let bytes = to_bytes(body, MAX_ANSWER).await.unwrap_or_default();
                let text = String::from_utf8_lossy(&bytes);
                self.finish(app, Some((parts.status, &text))).await;
                Response::from_parts(parts, Body::from(bytes))
            }
            Some(Taken::Ours) => {
                self.finish(app, None).await;
                response
            }
        }
    }

    /// Keep an answer, or give the key up.
    async fn finish(&self, app: &App, answer: Option<(StatusCode, &str)>) {
        let (status, body) = answer.map(|(status, body)| (i32::from(status.as_u16()), body)).unzip();
        let holder = self.holder.as_slice();
        let kept = app.db.one(FINISH_REQUEST, &[&self.project, &self.key, &holder, &status, &body]).await;
        if let Err(error) = kept {
            let cause = error.cause.unwrap_or(error.message);
            tracing::warn!("an answer could not be kept under its Idempotency-Key: {cause}");
        }
    }
}

/// Forget old answers, now and from time to time, for as long as the service runs.
pub async fn sweep(db: Db) {
    let mut clock = tokio::time::interval(SWEEP_PAUSE);
    loop {
        clock.tick().await;
        // A database that is down is heard of in the requests; the next sweep catches up.
        let _ = db.rows(SWEEP_REQUESTS, &[]).await;
    }
}

#[cfg(test)]
mod tests {
    //! Guards which keys are taken.
    use super::*;

    fn keyed(values: &[&str]) -> Result<Option<Ticket>> {
        let mut request = Request::new(Body::empty());
        request.extensions_mut().insert(Project("prj_1".to_owned()));
        for value in values {
            request.headers_mut().append(HEADER, HeaderValue::from_bytes(value.as_bytes()).expect("a header"));
        }
        ticket(&request)
    }

    #[test]
    fn keys() {
        assert!(keyed(&[]).expect("none").is_none());
        assert_eq!(keyed(&["a b/c"]).expect("good").expect("a ticket").key, "a b/c");
        assert!(keyed(&[&"x".repeat(255)]).is_ok());
        let refused: [&[&str]; 4] = [&[""], &["é"], &[&"x".repeat(256)], &["a", "a"]];
        for bad in refused {
            let error = keyed(bad).err().expect("refused");
            assert_eq!(
                (error.code, error.param.as_deref()),
                (Code::InvalidRequest, Some("Idempotency-Key")),
                "{bad:?}"
            );
        }
    }
}
