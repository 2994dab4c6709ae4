//! Where a request goes: the addresses that may be tried, and who knew them.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::time::timeout;
use url::Host;

use super::linker::Linker;
use super::overrides::{ConnectTo, Resolve};
use super::report::{Leg, Lookup, Source};
use super::request::Ask;
use crate::failure::{Class, Failure};
use crate::net::{By, Found, RESOLUTION_DELAY, Service, system_resolvers};
use crate::sys::clock;

/// Addresses of one name that are tried at most.
const MOST_ADDRESSES: usize = 16;

/// Where a request goes.
pub(super) struct Place {
    /// The addresses that may be tried.
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) dns: Option<Lookup>,
    pub(super) dns_time: Option<Duration>,
}

impl Linker<'_> {
    /// Where `ask` goes; with `services` its name's HTTPS records are asked for, too.
    ///
    /// # Errors
    /// Class `resolve` for a name without addresses, class `usage` for one that may not be asked.
    pub(super) async fn place(&self, ask: &Ask, services: bool) -> Result<Place, Failure> {
        let port = ask.url.port_or_known_default().unwrap_or(80);
        let host = match ask.url.host() {
            Some(Host::Domain(name)) => name.to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            None => return Err(Class::Usage.because(format_args!("{ask}: names no host"))),
        };
        let (to, to_port) = ConnectTo::of(&self.connects, &host, port);
        // Whoever is sent elsewhere is not asked where else he is to be had, nor are this host's own names (`localhost`).
        let is_own = (to.as_str(), to_port) == (host.as_str(), port);
        let services = services && is_own && host.trim_end_matches('.').contains('.');
        self.place_of(&to, to_port, services).await
    }

    /// The same of any host.
    ///
    /// # Errors
    /// As [`place`](Self::place).
    pub(super) async fn place_of(&self, host: &str, port: u16, services: bool) -> Result<Place, Failure> {
        let lookup = |addresses, source| Lookup {
            name: host.to_owned(),
            addresses,
            source,
            answered_by: None,
            resolvers: Vec::new(),
            services: None,
        };
        let mut place = Place { addresses: Vec::new(), dns: None, dns_time: None };
        if let Some(given) = Resolve::of(&self.resolves, host, port) {
            place.dns = Some(lookup(given.iter().map(SocketAddr::ip).collect(), Source::Given));
            place.addresses = given;
        } else if let Ok(literal) = host.parse::<IpAddr>() {
            place.addresses.push(SocketAddr::new(literal.to_canonical(), port));
        } else {
            let began = clock::now().mono;
            let (found, services) = self.looked_up(host, port, services).await?;
            place.dns_time = Some(clock::now().mono.saturating_duration_since(began));
            place.addresses = found.addresses.iter().map(|ip| SocketAddr::new(*ip, port)).collect();
            let mut dns = lookup(found.addresses, Source::Resolvers);
            dns.services = services;
            match found.by {
                Some(By::Hosts) => dns.source = Source::Hosts,
                Some(By::Cache) => dns.source = Source::Cache,
                Some(By::Resolver(resolver)) => dns.answered_by = Some(resolver),
                None => {}
            }
            place.dns = Some(dns);
        }
        place.addresses = self.admitted(host, place.addresses, place.dns.is_some())?;
        Ok(place)
    }

    /// The addresses of `host`, and its HTTPS records where `services` are wanted and come in time.
    async fn looked_up(
        &self,
        host: &str,
        port: u16,
        services: bool,
    ) -> Result<(Found, Option<Vec<Service>>), Failure> {
        let resolver = &self.ctx.resolver;
        let finding = resolver.race(host, |address| self.asked.egress.admits(address));
        if !services {
            return Ok((finding.await?, None));
        }
        let mut finding = std::pin::pin!(finding);
        let mut asking = std::pin::pin!(resolver.services(host, port));
        let mut told = None;
        let found = loop {
            tokio::select! {
                found = &mut finding => break found?,
                services = &mut asking, if told.is_none() => told = Some(services),
            }
        };
        let told = match told {
            Some(told) => Some(told),
            None => timeout(RESOLUTION_DELAY, asking).await.ok(),
        };
        Ok((found, told.and_then(Result::ok)))
    }

    /// Those of `found` that this run may try; `is_name` where they are a name's.
    ///
    /// # Errors
    /// Why that is none of them.
    pub(super) fn admitted(
        &self,
        host: &str,
        mut found: Vec<SocketAddr>,
        is_name: bool,
    ) -> Result<Vec<SocketAddr>, Failure> {
        found.retain(|address| self.asked.egress.admits(&address.ip()));
        if found.is_empty() {
            return Err(match is_name {
                true => {
                    Class::Resolve.because(format_args!("resolve {host}: no address of the wanted family"))
                }
                false => Class::Usage.because(format_args!(
                    "{host} is not of the address family that -4, -6 or the source asks for"
                )),
            });
        }
        let (mut allowed, mut refused) = (Vec::new(), None);
        for address in found {
            match self.admission.check(address) {
                Ok(()) => allowed.push(address),
                Err(failure) => refused = refused.or(Some(failure)),
            }
        }
        allowed.truncate(MOST_ADDRESSES);
        match refused {
            Some(failure) if allowed.is_empty() => Err(failure),
            _ => Ok(allowed),
        }
    }
}

/// Adds whom this host asks for names to the look-ups that resolvers have answered.
pub(super) async fn name_resolvers(legs: &mut [Leg]) {
    let mut lookups = legs.iter_mut().filter_map(|leg| leg.dns.as_mut());
    let Some(first) = lookups.find(|lookup| lookup.source == Source::Resolvers) else { return };
    let resolvers = tokio::task::spawn_blocking(system_resolvers).await.unwrap_or_default();
    first.resolvers.clone_from(&resolvers);
    for lookup in lookups.filter(|lookup| lookup.source == Source::Resolvers) {
        lookup.resolvers.clone_from(&resolvers);
    }
}
