//! What the service counts of itself, for Prometheus. No label carries what a client chose.

use std::collections::BTreeMap;
use std::time::Duration;

use prometheus::core::Collector;
use prometheus::proto::MetricFamily;
use prometheus::{
    HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

use crate::error::Code;
use crate::fetch::Failure;
use crate::limits::Category;
use crate::requests::Kind;

/// The upper ends of the histogram's buckets, in seconds.
const BUCKETS: [f64; 14] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0];

/// The counters of one process.
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    seconds: HistogramVec,
    in_flight: IntGauge,
    limited: IntCounterVec,
    shed: IntCounter,
    replayed: IntCounter,
    auth_refused: IntCounterVec,
    fetches: IntCounterVec,
    media_rejected: IntCounterVec,
    pool_size: IntGauge,
    pool_idle: IntGauge,
    pool_waiting: IntGauge,
}

/// The pool of connections at one moment.
pub struct PoolState {
    pub size: usize,
    pub idle: usize,
    pub waiting: usize,
}

/// One number of one tower of the engine.
pub struct TowerNumber<'a> {
    pub name: &'static str,
    pub help: &'static str,
    pub model: &'a str,
    pub modality: &'a str,
    pub value: u64,
}

impl Metrics {
    /// Make all counters; fails only where two have the same name.
    pub fn new() -> prometheus::Result<Metrics> {
        let registry = Registry::new();
        let kept = |name: &str, help: &str, labels: &[&str]| {
            let counter = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(counter.clone())).map(|()| counter)
        };
        let single = |name: &str, help: &str| {
            let counter = IntCounter::new(name, help)?;
            registry.register(Box::new(counter.clone())).map(|()| counter)
        };
        let gauge = |name: &str, help: &str| {
            let gauge = IntGauge::new(name, help)?;
            registry.register(Box::new(gauge.clone())).map(|()| gauge)
        };
        let options = HistogramOpts::new("vw_http_request_seconds", "Time from a request's head to its response's.");
        let seconds = HistogramVec::new(options.buckets(BUCKETS.to_vec()), &["method", "route"])?;
        registry.register(Box::new(seconds.clone()))?;
        Ok(Metrics {
            requests: kept(
                "vw_http_requests_total",
                "Requests answered; 499: the client left.",
                &["method", "route", "status"],
            )?,
            limited: kept("vw_http_rate_limited_total", "Requests beyond their project's limit.", &["kind"])?,
            shed: single("vw_http_shed_total", "Requests turned away since too many were in progress.")?,
            replayed: single("vw_http_replayed_total", "Requests answered again under their Idempotency-Key.")?,
            auth_refused: kept(
                "vw_auth_refused_total",
                "Requests without a key in force: missing, malformed, invalid, or limited, which were too many to look at.",
                &["reason"],
            )?,
            fetches: kept("vw_fetches_total", "URLs fetched, or why not.", &["outcome"])?,
            media_rejected: kept("vw_media_rejected_total", "Media that could not be embedded.", &["kind", "reason"])?,
            in_flight: gauge("vw_http_in_flight", "Requests in progress.")?,
            pool_size: gauge("vw_pool_connections", "Connections to the database.")?,
            pool_idle: gauge("vw_pool_idle", "Connections to the database that nobody uses.")?,
            pool_waiting: gauge("vw_pool_waiting", "Statements that wait for a connection.")?,
            seconds,
            registry,
        })
    }

    pub fn started(&self) {
        self.in_flight.inc();
    }

    /// Count a request that is over; the route is a pattern of ours, not a path.
    pub fn ended(&self, method: &str, route: &str, status: u16, time: Duration) {
        self.in_flight.dec();
        self.requests.with_label_values(&[method, route, &status.to_string()]).inc();
        self.seconds.with_label_values(&[method, route]).observe(time.as_secs_f64());
    }

    pub fn rate_limited(&self, category: Category) {
        self.limited.with_label_values(&[category.word()]).inc();
    }

    pub fn shed(&self) {
        self.shed.inc();
    }

    pub fn replayed(&self) {
        self.replayed.inc();
    }

    /// Count a request without a key in force; the reason is one of four words.
    pub fn auth_refused(&self, reason: &'static str) {
        self.auth_refused.with_label_values(&[reason]).inc();
    }

    /// Count a URL that was fetched, or why it was not.
    pub fn fetched(&self, failure: Option<&Failure>) {
        self.fetches.with_label_values(&[failure.map_or("ok", |failure| failure.reason.word())]).inc();
    }

    /// Count a medium that could not be embedded, where that is why.
    pub fn media_rejected(&self, kind: Kind, code: Code) {
        if matches!(code, Code::MediaTooLarge | Code::UnsupportedMedia | Code::DecodeFailed) {
            self.media_rejected.with_label_values(&[kind.word(), code.parts().1]).inc();
        }
    }

    /// Write everything in Prometheus's text format.
    pub fn text(&self, pool: &PoolState, towers: &[TowerNumber]) -> prometheus::Result<String> {
        let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        self.pool_size.set(number(pool.size));
        self.pool_idle.set(number(pool.idle));
        self.pool_waiting.set(number(pool.waiting));
        let mut families = self.registry.gather();
        families.extend(engine(towers)?);
        TextEncoder::new().encode_to_string(&families)
    }
}

/// The engine counts for itself and may have been started anew: its numbers are shown as they are.
fn engine(towers: &[TowerNumber]) -> prometheus::Result<Vec<MetricFamily>> {
    let labels = ["model", "modality"];
    let names: BTreeMap<&str, &str> = towers.iter().map(|tower| (tower.name, tower.help)).collect();
    let mut families = Vec::new();
    for (name, help) in names {
        let own = towers.iter().filter(|tower| tower.name == name);
        if name.ends_with("_total") {
            let counter = IntCounterVec::new(Opts::new(name, help), &labels)?;
            own.for_each(|tower| counter.with_label_values(&[tower.model, tower.modality]).inc_by(tower.value));
            families.extend(counter.collect());
        } else {
            let gauge = IntGaugeVec::new(Opts::new(name, help), &labels)?;
            let number = |tower: &TowerNumber| i64::try_from(tower.value).unwrap_or(i64::MAX);
            own.for_each(|tower| gauge.with_label_values(&[tower.model, tower.modality]).set(number(tower)));
            families.extend(gauge.collect());
        }
    }
    Ok(families)
}

#[cfg(test)]
mod tests {
    //! Guards the names that dashboards ask for.
    use super::*;

    #[test]
    fn the_text_has_all_names() {
        let metrics = Metrics::new().expect("distinct names");
        metrics.started();
        metrics.ended("GET", "/livez", 200, Duration::from_millis(3));
        metrics.rate_limited(Category::Search);
        metrics.auth_refused("invalid");
        metrics.fetched(None);
        metrics.media_rejected(Kind::Audio, Code::DecodeFailed);
        metrics.media_rejected(Kind::Image, Code::FetchFailed);
        let tower =
            TowerNumber { name: "vw_engine_inputs_total", help: "Inputs.", model: "m", modality: "text", value: 7 };
        let text = metrics.text(&PoolState { size: 3, idle: 2, waiting: 0 }, &[tower]).expect("text");
        for line in [
            "vw_http_requests_total{method=\"GET\",route=\"/livez\",status=\"200\"} 1",
            "vw_http_request_seconds_bucket{method=\"GET\",route=\"/livez\",le=\"0.005\"} 1",
            "vw_http_rate_limited_total{kind=\"search\"} 1",
            "vw_auth_refused_total{reason=\"invalid\"} 1",
            "vw_fetches_total{outcome=\"ok\"} 1",
            "vw_media_rejected_total{kind=\"audio\",reason=\"decode_failed\"} 1",
            "vw_http_in_flight 0",
            "vw_http_shed_total 0",
            "vw_pool_connections 3",
            "vw_engine_inputs_total{modality=\"text\",model=\"m\"} 7",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
    }
}
