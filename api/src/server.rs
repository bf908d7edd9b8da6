//! Connections: how many, how long they may stay silent, and how they end. Not what is said on them.
//!
//! hyper serves HTTP/1.1 directly, since `axum::serve` has no limit on the time that a client takes for its header
//! lines. The same limit also closes a connection that idles between requests. Bodies have a limit of their
//! own in `body`; statements one in `db`.

use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use socket2::SockRef;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::guests::{self, Guests};
use crate::peer::Peer;
use crate::settings::Settings;

/// How long a client may leave an answer unread, or be gone without a word, before the connection is cut.
const UNREAD_TIME: Duration = Duration::from_secs(60);

/// How long to wait after a connection could not be accepted, such as for lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serve until Ctrl-C or SIGTERM; then finish the requests in progress.
pub async fn serve(listener: TcpListener, router: Router, settings: &Settings) -> std::io::Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let graceful = GracefulShutdown::new();
    tokio::select! {
        () = accept(&listener, &router, &graceful, settings) => {}
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    drop(listener);
    tracing::info!("stopping; requests in progress have {} s", settings.drain_time.as_secs());
    tokio::select! {
        () = graceful.shutdown() => {}
        () = tokio::time::sleep(settings.drain_time) => tracing::warn!("some requests did not end in time"),
        _ = interrupt.recv() => tracing::warn!("interrupted again; requests in progress are dropped"),
    }
    Ok(())
}

/// Accept connections for as long as the service runs.
async fn accept(listener: &TcpListener, router: &Router, graceful: &GracefulShutdown, settings: &Settings) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(settings.header_time);
    let guests = Guests::new(guests::make_room(settings.max_connections, settings.pool_size));
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok((stream, address)) => (stream, Peer(address.ip())),
            Err(error) => {
                tracing::warn!("a connection cannot be accepted: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // Where these cannot be set, answers are slower, or a dead client is noticed later.
        let _ = stream.set_nodelay(true);
        let _ = SockRef::from(&stream).set_tcp_user_timeout(Some(UNREAD_TIME));
        let Some(place) = guests.place().await else { return };
        let guest = guests.enter(place);
        let (routes, asking) = (TowerToHyperService::new(router.clone()), guest.clone());
        let service = service_fn(move |mut request| {
            asking.asks();
            hyper::Request::extensions_mut(&mut request).insert(peer);
            let (answer, asking) = (routes.call(request), asking.clone());
            async move {
                let answer = answer.await;
                asking.ends();
                answer
            }
        });
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        // A client that leaves in the middle is no failure of ours.
        tokio::spawn(async move { guest.stay(connection).await });
    }
}
