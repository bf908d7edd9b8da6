//! Names into addresses, every one of them checked. A connection is made to what this gave and to nothing else, so a name
//! server that answers differently the next time (DNS rebinding) changes nothing.

use std::error::Error;
use std::fmt;
use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::is_public;

/// Resolves as the system does, and refuses a name of which one address is not public.
#[derive(Debug)]
pub struct PublicOnly;

/// A host of which one address is not public.
#[derive(Debug)]
pub struct NotPublic;

/// A name that the system's resolver does not know, or that it could not ask for.
#[derive(Debug)]
pub struct Unresolved(std::io::Error);

impl fmt::Display for NotPublic {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("an address of the host is not public")
    }
}

impl fmt::Display for Unresolved {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        write!(out, "the host's name cannot be resolved: {}", self.0)
    }
}

impl Error for NotPublic {}

impl Error for Unresolved {}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await.map_err(Unresolved)?.collect();
            Ok(Box::new(checked(found)?.into_iter()) as Addrs)
        })
    }
}

/// Give the addresses back where all are public.
fn checked(addresses: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, NotPublic> {
    if addresses.is_empty() || !addresses.iter().all(|address| is_public(address.ip())) {
        return Err(NotPublic);
    }
    Ok(addresses)
}

#[cfg(test)]
mod tests {
    //! Guards against a name with one good address and one that leads inside.
    use super::*;

    #[test]
    fn one_inner_address_is_enough_to_refuse() {
        let addresses =
            |words: &[&str]| words.iter().map(|word| word.parse().expect(word)).collect::<Vec<SocketAddr>>();
        assert!(checked(addresses(&["8.8.8.8:0", "[2606:4700::1111]:0"])).is_ok());
        assert!(checked(addresses(&["8.8.8.8:0", "127.0.0.1:0"])).is_err());
        assert!(checked(addresses(&["[::ffff:10.0.0.1]:0"])).is_err());
        assert!(checked(Vec::new()).is_err());
    }

    #[tokio::test]
    async fn localhost_is_refused() {
        let name = "localhost".parse().expect("a name");
        assert!(PublicOnly.resolve(name).await.is_err());
    }
}
