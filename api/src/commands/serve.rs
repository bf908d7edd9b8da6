//! `vw-api serve`.

use std::sync::Arc;

use anyhow::Context;
use tokio::net::TcpListener;

use crate::app::App;
use crate::db::Db;
use crate::media::sweep;
use crate::metrics::Metrics;
use crate::settings::{LogFormat, Settings};
use crate::{idempotency, routes, server};

/// Serve until a signal.
pub async fn run(settings: &Settings) -> anyhow::Result<()> {
    log(settings.log_format);
    let db = Db::new(&settings.database_url, settings.pool_size, settings.pooler)?;
    let metrics = Arc::new(Metrics::new()?);
    let media = settings.media.open(metrics.clone())?;
    let listen = &settings.listen;
    let listener = TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    tracing::info!("listening on http://{}", listener.local_addr()?);
    tokio::spawn(idempotency::sweep(db.clone()));
    tokio::spawn(sweep::forever(db.clone(), media.store.clone()));
    let router = routes::router(App::new(db, media, metrics, settings));
    server::serve(listener, router, settings).await.context("the service failed")
}

/// Log to stderr: a line an event.
fn log(format: LogFormat) {
    let lines = tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).with_target(false);
    match format {
        LogFormat::Text => lines.init(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).with_span_list(false).init(),
    }
}
