//! The search for every path that load balancing offers: the Multipath Detection Algorithm (Augustin et al., E2EMON 2007;
//! Veitch et al., INFOCOM 2009), hop by hop as MDA-Lite (Vermeulen et al., IMC 2018), node by node where paths are meshed.
//!
//! A hop is done when as many flows as its stopping number were answered and no further address showed up. The search goes
//! in rounds: it asks all that it can use, waits for the answers, and looks what is missing. No socket, no clock, no
//! randomness of its own.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::carrier::Carrier;
use super::course::Course;
use super::engine::{Beside, Findings, MOST_GRACE, Plan};
use super::flights::{Flights, Heard, Says, State};
use super::multipath::{Link, Multipath, Node};
use super::options::Mda;
use super::tally::Tally;
use crate::net::engine::{Arrival, Draft, Engine, Next};
use crate::probe::Events;
use crate::units::Now;

/// Probes under way at once.
const WINDOW: usize = 64;
/// How often a flow asks a silent hop.
const TRIES: u8 = 3;
/// Probes of one flow that show whether its packets are balanced one by one.
const REPEATS: usize = 6;
/// Flows through a node that show where it leads, where paths are not meshed.
const LIGHT: usize = 2;
/// Silent flows after which a hop that has never answered is left alone.
const SILENT: usize = 2;
/// New flows tried in one round to find some that pass a node.
const MOST_NEW: usize = 64;
/// Decisions to stop, each with its own chance to miss a way, that the stated confidence covers together (Bonferroni): one
/// is taken at each width that a hop has had, so a diamond of 16 ways takes several.
const DECISIONS: f64 = 10.0;
/// Flows that a search may use.
pub(super) const MOST_FLOWS: u16 = 1024;
/// Probes that it may take.
const MOST_PROBES: u64 = 20_000;

/// How many flows must show only `k` interfaces behind a node, so that another one, if all are as likely, has stayed
/// unseen with a probability of `1 - confidence` at most (Veitch et al., INFOCOM 2009, §III).
pub(super) fn stopping(k: usize, confidence: f64) -> usize {
    let ways = k.max(1) as f64 + 1.0;
    let missed = |n: usize| -> f64 {
        // Inclusion and exclusion over which of the ways were missed; C(ways, i) grows as i does.
        let mut choose = 1.0;
        let mut sum = 0.0;
        for i in 1..=k.max(1) {
            let i = i as f64;
            choose *= (ways - i + 1.0) / i;
            let term = choose * ((ways - i) / ways).powf(n as f64);
            sum += if i as u64 % 2 == 1 { term } else { -term };
        }
        sum
    };
    // The first term alone bounds the sum: it says where to begin, so that the sum is small and exact.
    let first = (((1.0 - confidence) / ways).ln() / ((ways - 1.0) / ways).ln()).floor().max(1.0) as usize;
    (first.saturating_sub(2).max(1)..).find(|&n| missed(n) <= 1.0 - confidence).unwrap_or(first)
}

/// What a flow has seen at a distance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    /// Asked so often.
    Asked(u8),
    At(IpAddr),
    Silent,
}

/// One search.
pub(super) struct Search {
    plan: Plan,
    mode: Mda,
    confidence: f64,
    flights: Flights,
    tally: Tally,
    /// Flows that it may use.
    flows: usize,
    /// The first flow's path, which tells how far to look.
    course: Course,
    /// By distance, then by flow.
    seen: BTreeMap<u8, BTreeMap<usize, Seen>>,
    /// What the same flow saw again and again.
    repeats: BTreeMap<u8, Vec<IpAddr>>,
    /// What this round still has to ask: flow, distance, and whether that repeats a probe.
    queue: VecDeque<(usize, u8, bool)>,
    /// The flow behind all others that sees translators, until it was asked.
    witness: Option<usize>,
    /// Where each flow reached the target.
    ends: BTreeMap<usize, u8>,
    events: Events,
    cut: bool,
    stopped: bool,
    refused: Option<i32>,
}

/// The number that a repeated probe has as its cycle.
const REPEATED: u64 = 1;

impl Search {
    pub(super) fn new(
        plan: Plan,
        (mode, confidence): (Mda, f64),
        (carrier, beside): (Carrier, Beside),
        target: IpAddr,
        events: Events,
    ) -> Self {
        Self {
            flows: carrier.flows.len() - usize::from(beside.witness),
            witness: beside.witness.then(|| carrier.flows.len() - 1),
            course: Course::new(plan.first, plan.most, plan.unknown),
            flights: Flights::new(carrier, target, plan.timeout),
            tally: Tally::default(),
            seen: BTreeMap::new(),
            repeats: BTreeMap::new(),
            ends: BTreeMap::new(),
            events,
            queue: VecDeque::new(),
            cut: false,
            stopped: false,
            refused: None,
            plan,
            mode,
            confidence,
        }
    }

    /// Tells each new address to `news`.
    pub(super) fn tell_addresses(&mut self, news: mpsc::Sender<IpAddr>) {
        self.tally.news = Some(news);
    }

    /// What was found, and the paths.
    pub(super) fn finish(mut self) -> (Findings, Multipath) {
        let paths = self.paths();
        // The flow that is listed is the first: what the others saw is in the paths.
        self.flights.carrier.flows.truncate(1);
        let findings = Findings {
            tally: self.tally,
            courses: vec![self.course],
            cycles: 1,
            skipped: 0,
            ignored: self.flights.ignored(),
            all_kernel: self.flights.all_kernel,
            carrier: self.flights.carrier,
            check: None,
            refused: self.refused,
        };
        (findings, paths)
    }

    /// The stopping number at which `DECISIONS` of them together keep the confidence that is stated.
    fn stopping(&self, k: usize) -> usize {
        stopping(k, 1.0 - (1.0 - self.confidence) / DECISIONS)
    }

    fn grace(&self) -> Duration {
        self.plan.grace.unwrap_or(self.flights.grace())
    }

    /// The addresses at a distance.
    fn width(&self, ttl: u8) -> BTreeSet<IpAddr> {
        let flows = self.seen.get(&ttl).into_iter().flatten();
        flows.filter_map(|(_, seen)| if let Seen::At(ip) = seen { Some(*ip) } else { None }).collect()
    }

    fn address(&self, ttl: u8, flow: usize) -> Option<IpAddr> {
        match self.seen.get(&ttl)?.get(&flow)? {
            Seen::At(ip) => Some(*ip),
            _ => None,
        }
    }

    /// The farthest distance that a flow reaches: some may be longer than the first.
    fn last(&self) -> u8 {
        let mut last = self.course.known();
        let goes_on = |ttl: u8| {
            let flows = self.seen.get(&ttl).into_iter().flatten();
            self.course.target().is_some()
                && flows.clone().any(|(flow, seen)| {
                    let ends = self.ends.get(flow).is_some_and(|&end| end <= ttl);
                    matches!(seen, Seen::At(_)) && !ends
                })
        };
        while last < self.plan.most && goes_on(last) {
            last += 1;
        }
        last
    }

    /// Whether it is of use to ask with this flow at this distance: not yet asked, and the flow gets there.
    fn is_free(&self, ttl: u8, flow: usize) -> bool {
        let asked = self.seen.get(&ttl).is_some_and(|flows| flows.contains_key(&flow));
        !asked && self.ends.get(&flow).is_none_or(|&end| ttl <= end)
    }

    /// So many flows that are free at this distance.
    fn free(&self, ttl: u8, count: usize) -> Vec<usize> {
        (0..self.flows).filter(|&flow| self.is_free(ttl, flow)).take(count).collect()
    }

    /// Fills the queue with what the next round asks; it stays empty when all is known.
    fn next_round(&mut self, now: Instant) {
        self.ask_again();
        let open = self.course.open(now, self.grace());
        let first: Vec<u8> = (self.plan.first..=open).filter(|&ttl| self.is_free(ttl, 0)).collect();
        first.into_iter().for_each(|ttl| self.ask(0, ttl));
        for ttl in self.plan.first..=self.last() {
            self.ask_hop(ttl);
            self.ask_links(ttl);
            self.ask_nodes(ttl);
            self.ask_repeats(ttl);
        }
    }

    fn ask(&mut self, flow: usize, ttl: u8) {
        self.seen.entry(ttl).or_default().entry(flow).or_insert(Seen::Asked(0));
        self.queue.push_back((flow, ttl, false));
    }

    /// Flows whose probes were not answered, once more.
    fn ask_again(&mut self) {
        let last = self.course.last();
        for (&ttl, flows) in self.seen.range_mut(..=last) {
            for (&flow, seen) in flows.iter_mut() {
                match *seen {
                    Seen::Asked(tries) if tries >= TRIES => *seen = Seen::Silent,
                    Seen::Asked(_) => self.queue.push_back((flow, ttl, false)),
                    Seen::At(_) | Seen::Silent => {}
                }
            }
        }
    }

    /// Flows for the stopping number of the hop as a whole.
    fn ask_hop(&mut self, ttl: u8) {
        let count = |which: fn(&Seen) -> bool| {
            self.seen.get(&ttl).map_or(0, |flows| flows.values().filter(|&seen| which(seen)).count())
        };
        let answered = count(|seen| matches!(seen, Seen::At(_)));
        let under_way = count(|seen| matches!(seen, Seen::Asked(_)));
        let silent = count(|seen| *seen == Seen::Silent);
        let need = match (answered, silent) {
            // Probably it never speaks: a few flows, then it is let be.
            (0, 1..) => SILENT.saturating_sub(silent),
            _ => self.stopping(self.width(ttl).len()).saturating_sub(answered),
        };
        if answered > 0 && silent > self.stopping(self.width(ttl).len()) {
            self.cut |= need > 0;
            return;
        }
        let missing = need.saturating_sub(under_way);
        let free = self.free(ttl, missing);
        // Where flows run out because all others have ended before, nothing is missing.
        self.cut |= free.len() < missing && self.ends.len() < self.flows;
        free.into_iter().for_each(|flow| self.ask(flow, ttl));
    }

    /// Flows that were seen on one side of a hop that has several nodes, for the other side.
    fn ask_links(&mut self, ttl: u8) {
        let Some(before) = ttl.checked_sub(1).filter(|&before| before >= self.plan.first) else {
            return;
        };
        if self.width(before).len() < 2 && self.width(ttl).len() < 2 {
            return;
        }
        for (known, missing) in [(before, ttl), (ttl, before)] {
            let flows = self.seen.get(&known).into_iter().flatten().map(|(flow, _)| *flow);
            let free: Vec<usize> = flows.filter(|&flow| self.is_free(missing, flow)).collect();
            free.into_iter().for_each(|flow| self.ask(flow, missing));
        }
    }

    /// Flows through nodes that have shown too little of where they lead: node control. Which nodes a new flow passes is not
    /// known before; those behind follow in the next round.
    fn ask_nodes(&mut self, ttl: u8) {
        let Some(before) = ttl.checked_sub(1).filter(|&before| before >= self.plan.first) else {
            return;
        };
        let nodes = self.width(before);
        if nodes.len() < 2 || self.is_per_packet(before) || !self.is_settled(before) || !self.is_settled(ttl)
        {
            return;
        }
        let successors = self.successors(before);
        let meshed = successors.values().any(|(next, _)| next.len() > 1);
        let missing = |node: &IpAddr| {
            let (next, flows) = successors.get(node).map_or((0, 0), |(next, flows)| (next.len(), *flows));
            let need = match (self.mode, meshed) {
                (Mda::Lite, false) => LIGHT,
                _ => self.stopping(next),
            };
            need.saturating_sub(flows)
        };
        let most =
            nodes.iter().filter(|node| **node != self.flights.target()).map(missing).max().unwrap_or(0);
        // One of so many new flows passes the node, if all are as likely.
        let wanted = (most * nodes.len()).min(MOST_NEW);
        let free = self.free(before, wanted);
        self.cut |= free.len() < wanted;
        free.into_iter().for_each(|flow| self.ask(flow, before));
    }

    /// The same flow again, where paths part.
    fn ask_repeats(&mut self, ttl: u8) {
        let parts = self.width(ttl).len() > 1
            && ttl.checked_sub(1).is_none_or(|before| self.width(before).len() <= 1);
        if parts && !self.repeats.contains_key(&ttl) {
            self.repeats.insert(ttl, Vec::new());
            self.queue.extend((0..REPEATS).map(|_| (0, ttl, true)));
        }
    }

    /// At the end, the hops that have answered are asked whether probes come there translated, twice; whether there are any.
    fn ask_witness(&mut self) -> bool {
        let Some(witness) = self.witness.take() else { return false };
        let target = self.flights.target();
        let asked = (self.plan.first..=self.last()).filter(|&ttl| {
            let nodes = self.width(ttl);
            !nodes.is_empty() && !nodes.contains(&target) && self.tally.is_translated(ttl).is_none()
        });
        let asked: Vec<u8> = asked.collect();
        self.queue.extend(asked.iter().flat_map(|&ttl| [(witness, ttl, true); 2]));
        !asked.is_empty()
    }

    /// Nothing is under way at this distance.
    fn is_settled(&self, ttl: u8) -> bool {
        let mut flows = self.seen.get(&ttl).into_iter().flatten();
        !flows.any(|(_, seen)| matches!(seen, Seen::Asked(_)))
    }

    /// Where each node at a distance leads, and how many flows have shown it.
    fn successors(&self, ttl: u8) -> BTreeMap<IpAddr, (BTreeSet<IpAddr>, usize)> {
        let mut all: BTreeMap<IpAddr, (BTreeSet<IpAddr>, usize)> = BTreeMap::new();
        for &flow in self.seen.get(&ttl).into_iter().flatten().map(|(flow, _)| flow) {
            let Some(node) = self.address(ttl, flow) else { continue };
            let entry = all.entry(node).or_default();
            match self.seen.get(&(ttl + 1)).and_then(|flows| flows.get(&flow)) {
                Some(Seen::At(next)) => {
                    entry.0.insert(*next);
                    entry.1 += 1;
                }
                // It will not tell more by asking again.
                Some(Seen::Silent) => entry.1 += 1,
                _ => {}
            }
        }
        all
    }

    fn is_per_packet(&self, ttl: u8) -> bool {
        self.repeats.get(&ttl).is_some_and(|seen| seen.iter().collect::<BTreeSet<_>>().len() > 1)
    }

    fn send(&mut self, now: Now, (flow, ttl, repeats): (usize, u8, bool), out: &mut Draft) -> Next {
        let number = self.flights.launched();
        self.flights.launch(now, flow, ttl, if repeats { REPEATED } else { 0 }, out);
        if flow < self.flows {
            self.tally.sent(ttl, number);
        }
        if flow == 0 {
            self.course.asked(ttl, now.mono);
        }
        if let Some(Seen::Asked(tries)) =
            self.seen.get_mut(&ttl).and_then(|flows| flows.get_mut(&flow)).filter(|_| !repeats)
        {
            *tries += 1;
        }
        Next::Send
    }

    fn heard(&mut self, heard: &Heard) {
        self.tally.saw(heard);
        if heard.flow >= self.flows {
            return;
        }
        let _ = self.tally.heard(heard);
        if heard.round == REPEATED {
            if heard.was == State::Open {
                self.repeats.entry(heard.ttl).or_default().push(heard.from);
            }
            return;
        }
        if heard.flow == 0 {
            match heard.says {
                Says::Transit => self.course.passed(heard.ttl, heard.number),
                Says::Target => self.course.reached(heard.ttl, self.flights.launched()),
                Says::Barred(_) => self.course.barred(heard.ttl),
            }
        }
        if heard.says == Says::Target {
            let end = self.ends.entry(heard.flow).or_insert(heard.ttl);
            *end = (*end).min(heard.ttl);
        }
        let seen = self.seen.entry(heard.ttl).or_default().entry(heard.flow).or_insert(Seen::Silent);
        if !matches!(seen, Seen::At(_)) {
            *seen = Seen::At(heard.from);
            self.events.tell(heard.event());
        }
    }

    /// The nodes and links up to the end of each flow.
    fn paths(&self) -> Multipath {
        let last = self.last().max(self.plan.first);
        let mut nodes: Vec<Node> = Vec::new();
        let mut places: BTreeMap<(u8, Option<IpAddr>), usize> = BTreeMap::new();
        let mut links: BTreeMap<(usize, usize), u64> = BTreeMap::new();
        for (&ttl, flows) in self.seen.range(self.plan.first..=last) {
            let any = flows.values().any(|seen| matches!(seen, Seen::At(_)));
            for (&flow, seen) in flows {
                let beyond = self.ends.get(&flow).is_some_and(|&end| ttl > end);
                let ip = match seen {
                    Seen::At(ip) => Some(*ip),
                    // Some of its probes were lost, that is all.
                    _ if any => continue,
                    _ => None,
                };
                if beyond {
                    continue;
                }
                let place = *places.entry((ttl, ip)).or_insert_with(|| {
                    nodes.push(Node { ttl, ip, name: None, flows: 0, per_packet: self.is_per_packet(ttl) });
                    nodes.len() - 1
                });
                nodes[place].flows += 1;
                let before = ttl.checked_sub(1).and_then(|before| {
                    let was = match self.seen.get(&before)?.get(&flow)? {
                        Seen::At(ip) => Some(*ip),
                        _ => None,
                    };
                    places.get(&(before, was)).copied()
                });
                if let Some(before) = before {
                    *links.entry((before, place)).or_default() += 1;
                }
            }
        }
        let width = (self.plan.first..=last).map(|ttl| nodes.iter().filter(|node| node.ttl == ttl).count());
        let used: BTreeSet<usize> = self.seen.values().flat_map(|flows| flows.keys().copied()).collect();
        Multipath {
            confidence_ratio: self.confidence,
            width: width.max().unwrap_or(0) as u64,
            links: links
                .into_iter()
                .map(|((from, to), flows)| Link { from: from as u64, to: to as u64, flows })
                .collect(),
            probes: self.flights.launched(),
            flows: used.len() as u64,
            complete: !self.cut && !self.stopped,
            nodes,
        }
    }
}

impl Engine for Search {
    fn poll(&mut self, now: Now, out: &mut Draft) -> Next {
        let grace = self.grace();
        self.flights.expire(now.mono.checked_sub(grace), now.mono.checked_sub(grace + MOST_GRACE), |_| ());
        let spent = self.flights.launched() >= MOST_PROBES;
        self.cut |= spent;
        if self.stopped || spent {
            return Next::Done;
        }
        loop {
            let newest = self.flights.newest();
            if let Some(newest) =
                newest.filter(|_| self.queue.is_empty() || self.flights.pending().count() >= WINDOW)
            {
                return Next::Wait(newest + grace);
            }
            match self.queue.pop_front() {
                Some(probe) => return self.send(now, probe, out),
                None => self.next_round(now.mono),
            }
            if self.queue.is_empty() {
                return match self.course.settles(now.mono, grace) {
                    Some(settles) => Next::Wait(settles),
                    None if self.ask_witness() => continue,
                    None => Next::Done,
                };
            }
        }
    }

    fn receive(&mut self, now: Now, arrival: Arrival<'_>) {
        match arrival {
            Arrival::Stop => self.stopped = true,
            Arrival::NotSent { errno, .. } => {
                self.refused.get_or_insert(errno);
                let _ = self.flights.receive(now, arrival);
            }
            _ => {
                let mut next = self.flights.receive(now, arrival);
                while let Some(heard) = next {
                    self.heard(&heard);
                    next = self.flights.take_more();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stopping_numbers_are_the_published_ones() {
        let table = |confidence: f64| -> Vec<usize> { (1..=16).map(|k| stopping(k, confidence)).collect() };
        assert_eq!(table(0.95), [6, 11, 16, 21, 27, 33, 38, 44, 51, 57, 63, 70, 76, 83, 90, 96]);
        assert_eq!(table(0.99), [8, 15, 21, 28, 36, 43, 51, 58, 66, 74, 82, 90, 98, 106, 115, 123]);
    }
}
