//! Connections: how many, how long they may stay silent, and how they end. Not what is said on them.
//!
//! hyper serves HTTP/1.1 directly, since `axum::serve` has no limit on the time that a client takes for its header
//! lines: here that is 30 s, which also closes a connection that idles between requests. Bodies have a limit of their
//! own in `body`; statements one in `db`.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;

/// The most connections at one time; further clients wait to be accepted.
const MAX_CONNECTIONS: usize = 1024;

/// How long a client may take for its header lines, and how long a connection may idle.
const HEADER_TIME: Duration = Duration::from_secs(30);

/// How long requests in progress may take once the service is told to stop.
const DRAIN_TIME: Duration = Duration::from_secs(30);

/// How long to wait after a connection could not be accepted, such as for lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serve until Ctrl-C or SIGTERM; then finish the requests in progress.
pub async fn serve(listener: TcpListener, router: Router) -> std::io::Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let graceful = GracefulShutdown::new();
    tokio::select! {
        () = accept(&listener, &router, &graceful) => {}
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    drop(listener);
    tracing::info!("stopping; requests in progress have {} s", DRAIN_TIME.as_secs());
    tokio::select! {
        () = graceful.shutdown() => {}
        () = tokio::time::sleep(DRAIN_TIME) => tracing::warn!("some requests did not end in time"),
        _ = interrupt.recv() => tracing::warn!("interrupted again; requests in progress are dropped"),
    }
    Ok(())
}

/// Accept connections for as long as the service runs.
async fn accept(listener: &TcpListener, router: &Router, graceful: &GracefulShutdown) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIME);
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    while let Ok(place) = places.clone().acquire_owned().await {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!("a connection cannot be accepted: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // Where it cannot be set, answers are slower and no less right.
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            // A client that leaves in the middle is no failure of ours.
            let _ = connection.await;
            drop(place);
        });
    }
}
