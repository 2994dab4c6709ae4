//! From what was asked to whom is measured: one list of words and files, looked up, each address once.

use std::collections::HashSet;
use std::net::SocketAddr;

use super::plan::Host;
use super::{Form, MOST_PAYLOAD, Mode, Ping};
use crate::failure::{Class, Failure};
use crate::probe::targets::{self, Admission, Audience, Guard, List, Per, Range, Search};
use crate::probe::{Ctx, Event};

/// Generated addresses that are measured without being asked twice.
const UNASKED: u64 = 4096;
/// Targets of one run.
const MOST_TARGETS: u64 = 1 << 20;

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
        let mut list = self.named().map_err(|why| Class::Usage.because(why))?;
        if let Some(file) = &self.file {
            targets::read(ctx, "--file", file, Per::Line, &mut list).await?;
        }
        let found = self.search(ctx).run(ctx, list).await;
        let mut seen = HashSet::new();
        let mut hosts = Hosts { hosts: Vec::new(), unmeasured: Vec::new() };
        let total = found.len();
        let is_repeated = self.mode().connects() || self.style == Form::Fping;
        for (at, (name, found)) in found.into_iter().enumerate() {
            let checked = found.map(|address| (address, self.fits(address)));
            let failure = match checked {
                // Names share addresses: who connects wants each, and fping's users are used to it.
                Ok((address, Ok(()))) if is_repeated || seen.insert(address) => {
                    let name = if self.addr { address.ip().to_string().into() } else { name };
                    hosts.hosts.push(Host { name, address });
                    continue;
                }
                // It was told already.
                Err(failure) => {
                    hosts.unmeasured.push((at, name, failure));
                    continue;
                }
                Ok((address, Ok(()))) => {
                    let address = address.ip();
                    Class::Usage.because(format_args!("{address} is among the targets already"))
                }
                Ok((_, Err(failure))) => failure,
            };
            if total > 1 {
                ctx.events.tell(Event::unmeasured(&name, &failure));
            }
            hosts.unmeasured.push((at, name, failure));
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

    /// What the command line names.
    ///
    /// # Errors
    /// That there are too many.
    pub(super) fn named(&self) -> Result<List, String> {
        let mut list = List::new(Guard {
            most: MOST_TARGETS,
            unasked: UNASKED,
            counts_names: false,
            yes: self.yes,
            urls: self.mode() == Mode::Http,
        });
        if let (true, [last]) = (self.generate, self.more.as_slice()) {
            let ends = self.target.as_str().parse().ok().zip(last.as_str().parse().ok());
            let range = ends.and_then(|(first, last)| Range::between(first, last));
            let (first, wrong) =
                (&self.target, "--generate takes the first and the last address of a range, not");
            let range = range.ok_or_else(|| format!("{wrong} {first} and {last}"))?;
            list.range(&format!("{first} to {last}"), range)?;
            return Ok(list);
        }
        let mut given = std::iter::once(&self.target).chain(&self.more).filter(|target| !target.is_open());
        given.try_for_each(|target| list.add(target.as_str()))?;
        Ok(list)
    }

    fn search<'a>(&'a self, ctx: &'a Ctx) -> Search<'a> {
        let audience = if self.broadcast { Audience::Everybody } else { Audience::One };
        Search {
            egress: &self.egress,
            admission: Admission::to(ctx, &self.egress, audience),
            place: match self.mode() {
                Mode::Http => Box::new(|name| super::connections::place(name, self.port)),
                _ => Box::new(|name| (name.to_owned(), self.port.unwrap_or(self.mode().port()))),
            },
            all: self.all_addresses,
        }
    }

    /// Whether an echo message as asked for can go to `address`.
    fn fits(&self, address: SocketAddr) -> Result<(), Failure> {
        let [most, _] = MOST_PAYLOAD;
        if self.mode() == Mode::Icmp && address.is_ipv4() && self.size > most {
            return Err(Class::Usage.because(format_args!(
                "{} --size {} is too large: an echo message over IPv4 carries at most {most} octets",
                address.ip(),
                self.size
            )));
        }
        Ok(())
    }
}
