//! From what was asked to whom is measured: lists are read, networks written out, names looked up, addresses checked.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};

use tokio::task::JoinSet;

use super::expand::{MOST_TARGETS, Range, UNASKED};
use super::plan::Host;
use super::{Mode, Ping};
use crate::failure::{Class, Failure};
use crate::net::Policy;
use crate::probe::Ctx;
use crate::probe::list::{listed, read};

/// Names that are looked up at the same time.
const LOOKUPS: usize = 64;

/// Whom a run measures, and whom it cannot.
#[derive(Debug)]
pub(super) struct Hosts {
    pub(super) hosts: Vec<Host>,
    /// Where each stands among all, what it is called, and why it cannot be measured.
    pub(super) unmeasured: Vec<(usize, Box<str>, Failure)>,
}

impl Ping {
    /// Everybody who is to be measured.
    ///
    /// # Errors
    /// Where a list cannot be read or is too long, and where nobody is left.
    pub(super) async fn hosts(&self, ctx: &Ctx) -> Result<Hosts, Failure> {
        let names = self.names(ctx).await?;
        let found = self.look_up(ctx, names).await;
        let mut seen = HashSet::new();
        let mut hosts = Hosts { hosts: Vec::new(), unmeasured: Vec::new() };
        let total = found.len();
        for (at, (name, found)) in found.into_iter().enumerate() {
            match found.and_then(|address| self.admit(ctx, address).map(|()| address)) {
                // Names share addresses: connections tell them apart, datagrams do not.
                Ok(address) if self.mode().connects() || seen.insert(address) => {
                    hosts.hosts.push(Host { name, address });
                }
                Ok(address) => {
                    let again = Class::Usage.because(format_args!("{address} is among the targets already"));
                    hosts.unmeasured.push((at, name, again));
                }
                Err(failure) => hosts.unmeasured.push((at, name, failure)),
            }
        }
        match (hosts.hosts.is_empty(), hosts.unmeasured.first()) {
            (false, _) => Ok(hosts),
            (true, Some((.., failure))) if total == 1 => Err(failure.clone()),
            (true, Some((.., failure))) => Err(Failure {
                class: failure.class,
                detail: format!("none of {total} targets can be measured; the first: {}", failure.detail),
            }),
            (true, None) => Err(Class::Usage.because("there is no target in the list")),
        }
    }

    /// What is to be measured, ranges written out, in the order given.
    async fn names(&self, ctx: &Ctx) -> Result<Vec<Box<str>>, Failure> {
        let mut names = Names { all: Vec::new(), generated: 0, yes: self.yes };
        match (self.generate, self.more.as_slice()) {
            (true, [last]) => names.ends(self.target.as_str(), last.as_str())?,
            _ => {
                let mut given =
                    std::iter::once(&self.target).chain(&self.more).filter(|target| !target.is_open());
                given.try_for_each(|target| names.add(target.as_str()))?;
            }
        }
        if let Some(file) = &self.file {
            if *ctx.policy == Policy::Remote {
                return Err(Class::Permission.because("--file is for this host's own users"));
            }
            let file = file.clone();
            let text = tokio::task::spawn_blocking(move || read(&file)).await;
            let text = text.map_err(|_| Class::Internal.because("the reading thread panicked"))??;
            listed(&text).try_for_each(|name| names.add(name))?;
        }
        Ok(names.all)
    }

    async fn look_up(&self, ctx: &Ctx, names: Vec<Box<str>>) -> Vec<(Box<str>, Result<SocketAddr, Failure>)> {
        let mut found: Vec<(Box<str>, Result<SocketAddr, Failure>)> = Vec::with_capacity(names.len());
        let mut running = JoinSet::new();
        let port = self.port.unwrap_or(self.mode().port());
        for (at, name) in names.into_iter().enumerate() {
            let (host, port) = match self.mode() {
                Mode::Http => super::connections::place(&name, self.port),
                _ => (name.to_string(), port),
            };
            if host.parse::<IpAddr>().is_err() {
                while running.len() >= LOOKUPS {
                    take(&mut running, &mut found).await;
                }
                let (resolver, egress, host) = (ctx.resolver.clone(), self.egress.clone(), host);
                running.spawn(async move {
                    let admits = |address: &IpAddr| egress.admits(address);
                    (at, resolver.first(&host, port, admits).await)
                });
                let waits = Class::Cancelled.because("interrupted before its address was known");
                found.push((name, Err(waits)));
                continue;
            }
            let admits = |address: &IpAddr| self.egress.admits(address);
            let literal = ctx.resolver.first(&host, port, admits).await;
            found.push((name, literal));
        }
        while !running.is_empty() {
            tokio::select! {
                () = take(&mut running, &mut found) => {}
                () = ctx.cancel.cancelled() => break,
            }
        }
        found
    }

    /// Whether `address` may be measured, by who asks and by what was asked.
    fn admit(&self, ctx: &Ctx, address: SocketAddr) -> Result<(), Failure> {
        let ip = address.ip();
        let is_broadcast = matches!(ip, IpAddr::V4(ip) if ip.is_broadcast());
        if (ip.is_multicast() || is_broadcast) && !self.broadcast {
            return Err(
                Class::Usage.because(format_args!("{ip} is not one host: -b allows to ask everybody"))
            );
        }
        ctx.policy.check(ip)
    }
}

type LookedUp = (usize, Result<SocketAddr, Failure>);

async fn take(running: &mut JoinSet<LookedUp>, found: &mut [(Box<str>, Result<SocketAddr, Failure>)]) {
    if let Some(Ok((at, address))) = running.join_next().await {
        found[at].1 = address;
    }
}

/// A list in the making.
struct Names {
    all: Vec<Box<str>>,
    generated: u64,
    yes: bool,
}

impl Names {
    /// Adds what `text` stands for.
    fn add(&mut self, text: &str) -> Result<(), Failure> {
        match Range::parse(text) {
            Some(range) => self.range(text, range),
            None => {
                self.all.push(text.into());
                self.check_length(1)
            }
        }
    }

    /// Adds the addresses between two.
    fn ends(&mut self, first: &str, last: &str) -> Result<(), Failure> {
        let range =
            first.parse().ok().zip(last.parse().ok()).and_then(|(first, last)| Range::between(first, last));
        let wrong = || {
            Class::Usage.because(format_args!(
                "--generate takes the first and the last address of a range, not {first} and {last}"
            ))
        };
        self.range(&format!("{first} to {last}"), range.ok_or_else(wrong)?)
    }

    fn range(&mut self, text: &str, range: Range) -> Result<(), Failure> {
        self.generated = self.generated.saturating_add(range.count());
        if self.generated > UNASKED && !self.yes && range.count() <= MOST_TARGETS {
            let generated = self.generated;
            return Err(Class::Usage.because(format_args!(
                "{text} makes it {generated} addresses: --yes measures more than {UNASKED}"
            )));
        }
        self.check_length(range.count())?;
        self.all.extend(range.addresses().map(|address| address.to_string().into_boxed_str()));
        Ok(())
    }

    fn check_length(&self, more: u64) -> Result<(), Failure> {
        if (self.all.len() as u64).saturating_add(more) > MOST_TARGETS {
            return Err(Class::Usage.because(format_args!("{MOST_TARGETS} targets at most, in one run")));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(texts: &[&str], yes: bool) -> Result<usize, String> {
        let mut names = Names { all: Vec::new(), generated: 0, yes };
        let added = texts.iter().try_for_each(|text| names.add(text));
        added.map(|()| names.all.len()).map_err(|failure| failure.detail)
    }

    #[test]
    fn many_generated_addresses_are_asked_about_and_too_many_refused() {
        assert_eq!(names(&["a.example", "10.0.0.0/24", "10.1.0.0/24"], false), Ok(509));
        assert_eq!(names(&["10.0.0.0/20"], false), Ok(4094));
        let asked = names(&["10.0.0.0/20", "10.1.0.0/29"], false).expect_err("more than 4096");
        assert_eq!(asked, "10.1.0.0/29 makes it 4100 addresses: --yes measures more than 4096");
        assert_eq!(names(&["127.2.0.0/16"], true), Ok(65_534));
        for text in ["10.0.0.0/8", "::/0"] {
            assert_eq!(names(&[text], true), Err("1048576 targets at most, in one run".to_owned()));
        }
    }
}
