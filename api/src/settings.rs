//! What can be set: by flags, by the environment, and by a file, in that order of precedence. Checked before anything runs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use serde::Deserialize;

use crate::limits::{Category, Rates};
use crate::media::settings as media;
use crate::peer::Proxies;

/// The settings as given; a name in the file is the flag's with underscores.
#[derive(Args, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// A PostgreSQL URL or connection string
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// The most connections to the database, 1 to 1000 [default: 16]
    #[arg(long, env = "VW_POOL_SIZE")]
    pub pool_size: Option<u16>,
    /// Whether a pooler such as PgBouncer stands before the database: no options are sent as a connection starts
    #[arg(long, env = "VW_POOLER", num_args = 0..=1, default_missing_value = "true")]
    pub pooler: Option<bool>,
    /// The address and port to listen on; port 0 picks a free one [default: 127.0.0.1:8080]
    #[arg(long, env = "VW_LISTEN")]
    pub listen: Option<String>,
    /// Requests a minute, for each project and kind of request, 0 to 100000; 0 is without limit [default: 120]
    #[arg(long, env = "VW_RATE_LIMIT")]
    pub rate_limit: Option<u32>,
    /// Limits for some kinds of request (search, index, read, write, admin): "search=600,index=60"
    #[arg(long, env = "VW_RATE_LIMITS")]
    pub rate_limits: Option<String>,
    /// Requests a minute with keys that are not in force, for each address, 0 to 100000; 0 is without limit [default: 30]
    #[arg(long, env = "VW_AUTH_FAILURES")]
    pub auth_failures: Option<u32>,
    /// Proxies whose X-Forwarded-For is believed, addresses and networks: "10.0.0.0/8,::1" [default: none]
    #[arg(long, env = "VW_TRUSTED_PROXIES", value_name = "NETWORK,…")]
    pub trusted_proxies: Option<String>,
    /// The most connections of clients at one time, 1 to 100000; of more, the longest silent one is closed [default: 4096]
    #[arg(long, env = "VW_MAX_CONNECTIONS")]
    pub max_connections: Option<usize>,
    /// The most requests in progress, 1 to 100000; further ones are answered 503 at once [default: 256]
    #[arg(long, env = "VW_MAX_IN_FLIGHT")]
    pub max_in_flight: Option<usize>,
    /// Seconds for a client's header lines, and that a connection may idle, 1 to 3600 [default: 30]
    #[arg(long, env = "VW_HEADER_SECONDS")]
    pub header_seconds: Option<u64>,
    /// Seconds for a client's body, 1 to 3600 [default: 60]
    #[arg(long, env = "VW_BODY_SECONDS")]
    pub body_seconds: Option<u64>,
    /// Seconds that requests in progress have once the service is told to stop, 0 to 3600 [default: 30]
    #[arg(long, env = "VW_DRAIN_SECONDS")]
    pub drain_seconds: Option<u64>,
    /// The form of the log's lines [default: text]
    #[arg(long, env = "VW_LOG_FORMAT", value_enum)]
    pub log_format: Option<LogFormat>,
    /// Where the media of items are kept: a folder, or s3://bucket/prefix with the usual AWS_… variables [default: vw-media]
    #[arg(long, env = "VW_MEDIA_STORE")]
    pub media_store: Option<String>,
    /// Seconds for which a content URL is good, 1 to 604800 [default: 3600]
    #[arg(long, env = "VW_CONTENT_SECONDS")]
    pub content_seconds: Option<u64>,
    /// The URL at which clients reach this service; content URLs begin with it [default: as the client wrote it]
    #[arg(long, env = "VW_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// Hosts that media may be fetched from though they are not public: "media.internal,10.1.2.3:8080"
    #[arg(long, env = "VW_FETCH_ALLOW", value_name = "HOST[:PORT],…")]
    pub fetch_allow: Option<String>,
}

/// The form of the log's lines.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

/// Where the settings of a file come from.
#[derive(Args, Debug, Default)]
pub struct Sources {
    /// A TOML file of settings; flags and the environment have precedence
    #[arg(long, env = "VW_CONFIG")]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    pub given: Given,
}

/// The settings, checked.
#[derive(Debug, PartialEq)]
pub struct Settings {
    pub database_url: String,
    pub pool_size: usize,
    pub pooler: bool,
    pub listen: String,
    pub rates: Rates,
    /// Failures to authenticate a minute for each address; 0 is without limit.
    pub auth_failures: u32,
    pub proxies: Proxies,
    pub max_connections: usize,
    pub max_in_flight: usize,
    pub header_time: Duration,
    pub body_time: Duration,
    pub drain_time: Duration,
    pub log_format: LogFormat,
    pub media: media::Settings,
}

impl Sources {
    /// Join flags and environment with the file, and check all of it.
    pub fn settings(self) -> anyhow::Result<Settings> {
        let file = self.config.as_deref().map(read).transpose()?.unwrap_or_default();
        check(self.given.or(file))
    }
}

fn read(path: &Path) -> anyhow::Result<Given> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("{} cannot be used", path.display()))
}

impl Given {
    /// Fill what is not given here from elsewhere.
    fn or(self, other: Given) -> Given {
        Given {
            database_url: self.database_url.or(other.database_url),
            pool_size: self.pool_size.or(other.pool_size),
            pooler: self.pooler.or(other.pooler),
            listen: self.listen.or(other.listen),
            rate_limit: self.rate_limit.or(other.rate_limit),
            rate_limits: self.rate_limits.or(other.rate_limits),
            auth_failures: self.auth_failures.or(other.auth_failures),
            trusted_proxies: self.trusted_proxies.or(other.trusted_proxies),
            max_connections: self.max_connections.or(other.max_connections),
            max_in_flight: self.max_in_flight.or(other.max_in_flight),
            header_seconds: self.header_seconds.or(other.header_seconds),
            body_seconds: self.body_seconds.or(other.body_seconds),
            drain_seconds: self.drain_seconds.or(other.drain_seconds),
            log_format: self.log_format.or(other.log_format),
            media_store: self.media_store.or(other.media_store),
            content_seconds: self.content_seconds.or(other.content_seconds),
            public_url: self.public_url.or(other.public_url),
            fetch_allow: self.fetch_allow.or(other.fetch_allow),
        }
    }
}

fn check(given: Given) -> anyhow::Result<Settings> {
    let database_url = given.database_url;
    let database_url =
        database_url.context("database_url is not set: by --database-url, DATABASE_URL or in the file")?;
    Ok(Settings {
        database_url,
        pool_size: usize::from(within("pool_size", given.pool_size, 16, 1, 1000)?),
        pooler: given.pooler.unwrap_or(false),
        listen: given.listen.unwrap_or_else(|| "127.0.0.1:8080".to_owned()),
        rates: rates(given.rate_limit, given.rate_limits.as_deref())?,
        auth_failures: within("auth_failures", given.auth_failures, 30, 0, 100_000)?,
        proxies: Proxies::parse(given.trusted_proxies.as_deref().unwrap_or_default())?,
        max_connections: within("max_connections", given.max_connections, 4096, 1, 100_000)?,
        max_in_flight: within("max_in_flight", given.max_in_flight, 256, 1, 100_000)?,
        header_time: Duration::from_secs(within("header_seconds", given.header_seconds, 30, 1, 3600)?),
        body_time: Duration::from_secs(within("body_seconds", given.body_seconds, 60, 1, 3600)?),
        drain_time: Duration::from_secs(within("drain_seconds", given.drain_seconds, 30, 0, 3600)?),
        log_format: given.log_format.unwrap_or_default(),
        media: media::Settings {
            store: given.media_store.unwrap_or_else(|| "vw-media".to_owned()),
            life: Duration::from_secs(within("content_seconds", given.content_seconds, 3600, 1, 604_800)?),
            public_url: given.public_url.as_deref().map(media::public_url).transpose()?,
            allowed: media::allowed(given.fetch_allow.as_deref().unwrap_or_default())?,
        },
    })
}

fn within<T: PartialOrd + Copy + std::fmt::Display>(
    name: &str,
    value: Option<T>,
    default: T,
    low: T,
    high: T,
) -> anyhow::Result<T> {
    match value {
        Some(value) if !(low..=high).contains(&value) => bail!("{name} must be from {low} to {high}, not {value}"),
        value => Ok(value.unwrap_or(default)),
    }
}

/// One limit for all kinds of request, then those of some kinds.
fn rates(all: Option<u32>, some: Option<&str>) -> anyhow::Result<Rates> {
    let mut rates = Rates::all(within("rate_limit", all, 120, 0, 100_000)?);
    for part in some.unwrap_or_default().split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let known = || format!("rate_limits must be like \"search=600,index=60\"; \"{part}\" is not");
        let (word, number) = part.split_once('=').with_context(known)?;
        let category = Category::ALL.into_iter().find(|category| category.word() == word.trim());
        let number = number.trim().parse().with_context(known)?;
        rates.set(category.with_context(known)?, within("rate_limits", Some(number), 0, 0, 100_000)?);
    }
    Ok(rates)
}

#[cfg(test)]
mod tests {
    //! Guards precedence and ranges, and that a misspelt setting is not passed over.
    use super::*;

    fn from(file: &str, given: Given) -> anyhow::Result<Settings> {
        check(given.or(toml::from_str(file)?))
    }

    #[test]
    fn flags_come_before_the_file_and_the_file_before_defaults() {
        let file = "database_url = \"dbname=a\"\nlisten = \"127.0.0.1:1\"\nrate_limits = \"search=600, read=0\"\nlog_format = \"json\"";
        let given = Given { listen: Some("127.0.0.1:2".to_owned()), rate_limit: Some(7), ..Given::default() };
        let settings = from(file, given).expect("good");
        assert_eq!((settings.listen.as_str(), settings.pool_size), ("127.0.0.1:2", 16));
        assert_eq!(settings.log_format, LogFormat::Json);
        let rate = |category| settings.rates.of(category);
        assert_eq!([rate(Category::Search), rate(Category::Read), rate(Category::Index)], [600, 0, 7]);
    }

    #[test]
    fn bad_settings_are_refused() {
        let url = "database_url = \"dbname=a\"\n";
        for bad in [
            "pool_size = 0",
            "pool_size = 1001",
            "pool_sise = 5",
            "rate_limit = 100001",
            "rate_limit = -1",
            "rate_limits = \"searches=1\"",
            "rate_limits = \"search\"",
            "rate_limits = \"search=x\"",
            "auth_failures = 100001",
            "trusted_proxies = \"proxy.internal\"",
            "max_connections = 0",
            "header_seconds = 0",
            "body_seconds = 0",
            "drain_seconds = 3601",
            "log_format = \"xml\"",
            "listen = 8080",
            "content_seconds = 0",
            "content_seconds = 604801",
            "public_url = \"vectors.example.com\"",
            "public_url = \"ftp://example.com\"",
            "public_url = \"https://example.com/?a=b\"",
            "fetch_allow = \"http://a\"",
            "fetch_allow = \"a b\"",
        ] {
            assert!(from(&format!("{url}{bad}"), Given::default()).is_err(), "{bad}");
        }
        assert!(from("", Given::default()).expect_err("no database").to_string().contains("database_url"));
    }
}
