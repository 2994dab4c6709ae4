//! What the hops have answered so far.

use std::net::IpAddr;
use std::time::Duration;

use tokio::sync::mpsc;

use super::flights::{Flight, Heard, Says, State};
use super::outcome::mark;
use super::report::{Label, NetInterface};
use super::route::Routes;
use crate::probe::Event;
use crate::wire::icmp::Meaning;
use crate::wire::icmp::extension::{Label as Entry, Object};

/// Addresses that one hop may have; those beyond are counted with none.
pub(super) const MOST_ADDRESSES: usize = 64;
/// Interfaces and labels that a hop may tell.
const MOST_TOLD: usize = 16;

/// The hops of a run, from TTL 0 on.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) hops: Vec<HopTally>,
    pub(super) routes: Routes,
    /// Who wants to know each new address.
    pub(super) news: Option<mpsc::Sender<IpAddr>>,
}

/// What one hop has answered.
#[derive(Clone, Debug, Default)]
pub(super) struct HopTally {
    pub(super) sent: u64,
    pub(super) received: u64,
    pub(super) late: u64,
    pub(super) duplicates: u64,
    pub(super) send_errors: u64,
    /// Probes still under way when the run was interrupted.
    pub(super) pending: u64,
    /// Number in the order of sending, and round trip; lost ones have none.
    pub(super) samples: Vec<(u64, Option<Duration>)>,
    pub(super) last: Option<Duration>,
    /// Who has answered, how often, by the order of appearance.
    pub(super) addresses: Vec<(IpAddr, u64)>,
    pub(super) labels: Vec<Label>,
    pub(super) interfaces: Vec<NetInterface>,
    pub(super) bars: Option<Meaning>,
    pub(super) back: Option<u8>,
    /// Probes arrive there translated, as far as that was seen.
    pub(super) translated: Option<bool>,
}

impl Tally {
    /// A probe was sent.
    pub(super) fn sent(&mut self, ttl: u8, number: u64) {
        let hop = self.hop(ttl);
        hop.sent += 1;
        hop.samples.push((number, None));
    }

    /// A reply came. Whether it is from somebody else than before, as [`Routes::follow`] says.
    pub(super) fn heard(&mut self, heard: &Heard) -> bool {
        let hop = self.hop(heard.ttl);
        match heard.was {
            State::Open => {}
            State::Lost => hop.late += 1,
            State::Answered | State::Refused => hop.duplicates += 1,
        }
        if heard.was != State::Open {
            return false;
        }
        hop.received += 1;
        hop.last = Some(heard.rtt);
        hop.back = heard.back.or(hop.back);
        if let Ok(at) = hop.samples.binary_search_by_key(&heard.number, |sample| sample.0) {
            hop.samples[at].1 = Some(heard.rtt);
        }
        let mut is_new = false;
        match hop.addresses.iter().position(|(known, _)| *known == heard.from) {
            Some(at) => hop.addresses[at].1 += 1,
            None if hop.addresses.len() < MOST_ADDRESSES => {
                hop.addresses.push((heard.from, 1));
                is_new = true;
            }
            None => {}
        }
        if let Says::Barred(why) = heard.says {
            hop.bars = Some(why);
        }
        hop.told(&heard.objects);
        if let Some(news) = self.news.as_ref().filter(|_| is_new) {
            // Lossy: nobody who measures waits for names.
            let _ = news.try_send(heard.from);
        }
        self.routes.follow(heard)
    }

    /// What a reply shows of translators before its hop: a change that was seen was there.
    pub(super) fn saw(&mut self, heard: &Heard) {
        let hop = self.hop(heard.ttl);
        hop.translated = match (hop.translated, heard.translated) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (before, now) => now.or(before),
        };
    }

    /// Whether probes arrive at a hop translated.
    pub(super) fn is_translated(&self, ttl: u8) -> Option<bool> {
        self.hops.get(usize::from(ttl))?.translated
    }

    /// This host refused to send a probe.
    pub(super) fn refused(&mut self, flight: &Flight) {
        let hop = self.hop(flight.ttl);
        hop.sent = hop.sent.saturating_sub(1);
        hop.send_errors += 1;
        hop.forget(flight.number);
    }

    /// A probe was under way when the run ended early.
    pub(super) fn interrupted(&mut self, flight: &Flight) {
        let hop = self.hop(flight.ttl);
        hop.sent = hop.sent.saturating_sub(1);
        hop.pending += 1;
        hop.forget(flight.number);
    }

    fn hop(&mut self, ttl: u8) -> &mut HopTally {
        let at = usize::from(ttl);
        if self.hops.len() <= at {
            self.hops.resize_with(at + 1, HopTally::default);
        }
        &mut self.hops[at]
    }
}

impl HopTally {
    fn forget(&mut self, number: u64) {
        if let Ok(at) = self.samples.binary_search_by_key(&number, |sample| sample.0) {
            self.samples.remove(at);
        }
    }

    fn told(&mut self, objects: &[Object]) {
        for object in objects {
            match object {
                Object::Mpls(stack) => self.labels = labels(stack),
                Object::Interface(told) => {
                    let told = NetInterface::from(told);
                    if !self.interfaces.contains(&told) && self.interfaces.len() < MOST_TOLD {
                        self.interfaces.push(told);
                    }
                }
                Object::Other(..) => {}
            }
        }
    }
}

fn labels(stack: &[Entry]) -> Vec<Label> {
    stack.iter().take(MOST_TOLD).map(|entry| Label::from(*entry)).collect()
}

impl Heard {
    /// The same for who watches the run.
    pub(super) fn event(&self) -> Event {
        let stack = self.objects.iter().rev().find_map(|object| match object {
            Object::Mpls(stack) => Some(labels(stack)),
            _ => None,
        });
        Event::Hop {
            ttl: self.ttl,
            at: self.at,
            from: Some(self.from),
            rtt: Some(self.rtt),
            is_target: self.says == Says::Target,
            mark: match self.says {
                Says::Barred(why) => Some(mark(why)),
                _ => None,
            },
            mpls: stack.unwrap_or_default(),
        }
    }
}

impl From<Entry> for Label {
    fn from(entry: Entry) -> Self {
        Self { label: entry.label, class: entry.class, is_last: entry.is_last, ttl: entry.ttl }
    }
}
