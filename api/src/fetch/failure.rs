//! Why nothing was fetched: one word for the numbers, a sentence for the log, and nothing for the client.

use std::error::Error;
use std::fmt;

use super::resolve::{NotPublic, Unresolved};
use super::target::Refused;

/// What kept a fetch from its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The URL is none, or its scheme, user or length is not allowed.
    Url,
    Port,
    /// The host, or one of the addresses behind its name, is not public.
    Address,
    /// The name leads to no address.
    Name,
    /// No connection was made, or no TLS over it.
    Connect,
    Timeout,
    /// The answer is no 200.
    Status,
    /// A redirect that leads nowhere, from https to http, or one too many.
    Redirect,
    /// The body has a content coding.
    Coding,
    /// The body has more bytes than were allowed.
    Size,
    /// What was said is no HTTP, or ended too early.
    Exchange,
}

impl Reason {
    /// The word for it in the numbers.
    pub fn word(self) -> &'static str {
        match self {
            Reason::Url => "url",
            Reason::Port => "port",
            Reason::Address => "address",
            Reason::Name => "name",
            Reason::Connect => "connect",
            Reason::Timeout => "timeout",
            Reason::Status => "status",
            Reason::Redirect => "redirect",
            Reason::Coding => "coding",
            Reason::Size => "size",
            Reason::Exchange => "exchange",
        }
    }
}

/// Why nothing was fetched.
#[derive(Debug)]
pub struct Failure {
    pub reason: Reason,
    /// For the log.
    pub words: String,
}

impl Failure {
    pub fn new(reason: Reason, words: impl fmt::Display) -> Failure {
        Failure { reason, words: words.to_string() }
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Failure {
        let reason = match refused {
            Refused::Address => Reason::Address,
            Refused::Port => Reason::Port,
            Refused::Scheme | Refused::Host | Refused::UserInfo | Refused::Length => Reason::Url,
        };
        Failure::new(reason, refused)
    }
}

/// Join an error and its causes; the URL, which may hold a secret of the client's, is left out.
impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Failure {
        let mut reason = match () {
            () if error.is_timeout() => Reason::Timeout,
            () if error.is_connect() => Reason::Connect,
            () => Reason::Exchange,
        };
        let mut words = String::from("the exchange failed");
        let mut next = Error::source(&error);
        while let Some(cause) = next {
            if cause.is::<NotPublic>() {
                reason = Reason::Address;
            } else if cause.is::<Unresolved>() {
                reason = Reason::Name;
            }
            words.push_str(": ");
            words.push_str(&cause.to_string());
            next = cause.source();
        }
        Failure { reason, words }
    }
}
