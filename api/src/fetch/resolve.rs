//! Names into addresses, every one of them checked. A connection is made to what this gave and to nothing else, so a name
//! server that answers differently the next time (DNS rebinding) changes nothing.

use std::io;
use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::is_public;

/// Resolves as the system does, and refuses a name of which one address is not public.
#[derive(Debug)]
pub struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(checked(found)?.into_iter()) as Addrs)
        })
    }
}

/// Give the addresses back where all are public.
fn checked(addresses: Vec<SocketAddr>) -> io::Result<Vec<SocketAddr>> {
    if addresses.is_empty() || !addresses.iter().all(|address| is_public(address.ip())) {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "an address of the host is not public"));
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
