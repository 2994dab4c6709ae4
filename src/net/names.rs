//! Addresses to names, in the background: nobody who measures waits for it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use tokio::task::JoinSet;

use super::Resolver;

/// Addresses whose names are asked for at most.
const MOST: usize = 512;
/// Octets that a name may have (RFC 1035 §2.3.4), as it is written with its escapes.
const MOST_NAME: usize = 1024;
/// Once nobody measures any more, names are waited for no longer than this.
const PATIENCE: Duration = Duration::from_millis(500);

/// The names of addresses: each is asked for once, many at a time.
pub struct Names {
    resolver: Resolver,
    known: HashMap<IpAddr, Option<String>>,
    asked: JoinSet<(IpAddr, Option<String>)>,
}

impl Names {
    /// Nothing known yet; `resolver` answers.
    pub fn new(resolver: Resolver) -> Self {
        Self { resolver, known: HashMap::new(), asked: JoinSet::new() }
    }

    /// Asks for the name of `address`, unless that was done or too many were.
    pub fn ask(&mut self, address: IpAddr) {
        if self.known.len() >= MOST || self.known.contains_key(&address) {
            return;
        }
        self.known.insert(address, None);
        let resolver = self.resolver.clone();
        self.asked.spawn(async move { (address, resolver.name(address).await) });
    }

    /// The next name that is found; for ever pending while none is asked for. Dropping the future loses nothing.
    pub async fn next(&mut self) -> (IpAddr, String) {
        loop {
            match self.asked.join_next().await {
                Some(Ok((address, Some(name)))) => {
                    let name: String = name.chars().take(MOST_NAME).collect();
                    self.known.insert(address, Some(name.clone()));
                    return (address, name);
                }
                Some(_) => {}
                None => std::future::pending().await,
            }
        }
    }

    /// Waits for what was asked, but not long, and gives all names that were found.
    pub async fn finish(mut self) -> HashMap<IpAddr, String> {
        let rest = async {
            while !self.asked.is_empty() {
                if let Some(Ok((address, name))) = self.asked.join_next().await {
                    self.known.insert(address, name);
                }
            }
        };
        let _ = tokio::time::timeout(PATIENCE, rest).await;
        self.known.into_iter().filter_map(|(address, name)| Some((address, name?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_is_asked_for_once_and_too_many_are_not() {
        let mut names = Names::new(Resolver::default());
        for n in 0..2 * MOST as u32 {
            let address = std::net::Ipv4Addr::from(0x7f00_0001 + n % (MOST as u32 + 9));
            names.ask(address.into());
        }
        assert_eq!((names.known.len(), names.asked.len()), (MOST, MOST));
    }
}
