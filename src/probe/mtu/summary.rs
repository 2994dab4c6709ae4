//! What several methods found, brought into one report.

use std::net::{IpAddr, SocketAddr};

use super::CarriedBy;
use super::engine::Refusal;
use super::flight::{count, times};
use super::report::{BlackHole, Bound, Hop, Report, Size, TooBig, Way};
use super::run::Leg;
use super::search::{Verdict, Wall};
use super::trace::Trace;
use crate::failure::{Class, Failure};
use crate::probe::Counts;

/// What this host itself says about the way.
#[derive(Clone, Debug, Default)]
pub(super) struct Local {
    /// The address that packets leave with.
    pub(super) address: Option<IpAddr>,
    pub(super) interface: Option<String>,
    /// The MTU of that interface.
    pub(super) mtu: Option<u16>,
    /// The path MTU that the kernel believes in.
    pub(super) route: Option<u16>,
}

/// Sizes that a report lists at most.
const MOST_SIZES: usize = 128;

/// The report of a run.
///
/// # Errors
/// Why nothing could be measured.
pub(super) fn summarise(
    peer: SocketAddr,
    local: &Local,
    mut legs: Vec<Leg>,
    tcp: Option<(u16, u16)>,
    mut notes: Vec<String>,
) -> Result<Report, Failure> {
    let answered = legs.iter().any(|leg| leg.engine.search.low().is_some());
    if !answered {
        let failure = legs.iter_mut().find_map(|leg| leg.engine.failure.take());
        if let Some(failure) = failure {
            return Err(Failure { detail: format!("mtu {}: {}", peer.ip(), failure.detail), ..failure });
        }
        if legs.iter().all(|leg| leg.engine.flights.is_empty()) {
            return Err(Class::Cancelled.because("interrupted before anything was sent"));
        }
    }
    notes.extend(
        legs.iter().filter_map(|leg| leg.engine.failure.as_ref()).map(|failure| failure.detail.clone()),
    );
    let v6 = peer.is_ipv6();
    // The leg that says most of the way there: that of the largest that arrived, then one that knows on which way what
    // is larger vanishes, then the first.
    let whole = legs.iter().rev().filter(|leg| !leg.in_pieces && leg.engine.search.low().is_some());
    let main = whole.max_by_key(|leg| {
        let way = forward(leg);
        (way.pmtu, way.wall.is_none_or(|(_, way)| way != Way::Unknown))
    });
    let way = main.map(forward);
    let refusals = || legs.iter().flat_map(|leg| &leg.engine.refusals);
    let trace = legs.iter().find_map(|leg| leg.engine.trace.as_ref());
    let pmtu_bytes = way.as_ref().map(|way| way.pmtu);
    let flights: Vec<_> = legs.iter().flat_map(|leg| leg.engine.flights.iter().copied()).collect();
    let mut counts = Counts::default();
    for leg in &legs {
        let own = &leg.engine.counts;
        counts.duplicates += own.duplicates;
        counts.late += own.late;
        counts.send_errors += own.send_errors;
        counts.receive_overflow += own.receive_overflow;
    }
    count(&flights, &mut counts);
    let (rtt, clock) = times(&flights);
    // Who has seen the largest packet come back knows best; of equals a reflector, which comes last.
    let reverse = legs.iter().filter_map(|leg| leg.engine.reverse.as_ref());
    let reverse = reverse.filter(|search| search.low().is_some()).max_by_key(|search| search.low());
    let told = main.filter(|leg| leg.engine.crossed == Some(true)).and_then(|leg| leg.engine.search.low());
    let mut report = Report {
        pmtu_bytes,
        exact: way.as_ref().is_some_and(|way| way.exact),
        bounded_by: way.as_ref().and_then(|way| way.bound),
        icmp_pmtu_bytes: refusals().filter_map(|refusal| refusal.mtu).min(),
        reverse_pmtu_bytes: reverse.and_then(|search| search.low()).or(told),
        reverse_exact: reverse
            .map_or(told.is_some(), |search| matches!(search.verdict(), Some(Verdict::Found(_, Some(_))))),
        black_hole: None,
        too_big: merged(refusals()).iter().map(|refusal| too_big(refusal, trace, pmtu_bytes)).collect(),
        local_mtu_bytes: local.mtu,
        interface: local.interface.clone(),
        route_mtu_bytes: local.route,
        tcp_mss_bytes: tcp.map(|(_, mss)| mss),
        tcp_port: tcp.map(|(port, _)| port),
        carrier: main.map(|leg| leg.by),
        tried: legs.iter().filter(|leg| !leg.in_pieces).map(|leg| leg.by).collect(),
        overhead_guess: None,
        advice: None,
        hops: trace.map(|trace| hops(trace, told.is_some())).unwrap_or_default(),
        counts,
        rtt,
        clock,
        sizes: sizes(&legs),
        ignored: legs.iter().map(|leg| leg.engine.ignored).sum(),
        errors: legs.iter().flat_map(|leg| leg.engine.errors.iter().cloned()).collect(),
        notes,
    };
    let is_less = report.reverse_pmtu_bytes.zip(pmtu_bytes).is_some_and(|(back, there)| back < there);
    let is_narrow = is_less || way.as_ref().is_some_and(|way| way.is_narrow);
    report.black_hole = way.and_then(|way| way.hole(trace, local.address));
    if report.black_hole.is_none()
        && let Some(Verdict::Found(_, Some(wall @ Wall { is_refused: false, .. }))) =
            reverse.and_then(|search| search.verdict())
    {
        report.black_hole = Some(BlackHole::reverse(wall.size));
    }
    report.advise(v6, is_narrow);
    Ok(report)
}

/// What a leg knows of the way there.
struct WayThere {
    pmtu: u16,
    exact: bool,
    bound: Option<Bound>,
    /// Something is in the way of larger ones, whoever says so.
    is_narrow: bool,
    /// What vanishes.
    wall: Option<(Wall, Way)>,
}

fn forward(leg: &Leg) -> WayThere {
    let engine = &leg.engine;
    let low = engine.search.low().unwrap_or(0);
    let verdict = engine.search.verdict();
    let any = match verdict {
        Some(Verdict::Found(_, wall)) => wall,
        _ => None,
    };
    let wall = any.filter(|wall| !wall.is_refused);
    let is_exact = |verdict| matches!(verdict, Some(Verdict::Found(_, Some(_))));
    let bound = |verdict| matches!(verdict, Some(Verdict::Found(_, None))).then_some(engine.plan.bound);
    match (&engine.forward, wall) {
        (Some(search), Some(wall)) => WayThere {
            pmtu: search.low().unwrap_or(low),
            exact: is_exact(search.verdict()),
            bound: bound(search.verdict()),
            is_narrow: true,
            wall: Some((wall, Way::Reverse)),
        },
        (_, wall) => {
            let way = match engine.crossed {
                Some(false) => Way::Forward,
                _ if leg.by == CarriedBy::Reflector => Way::Forward,
                _ => Way::Unknown,
            };
            WayThere {
                pmtu: low,
                exact: is_exact(verdict),
                bound: bound(verdict),
                is_narrow: any.is_some(),
                wall: wall.map(|wall| (wall, way)),
            }
        }
    }
}

impl WayThere {
    /// Where packets vanish, if they do without anybody saying so.
    fn hole(&self, trace: Option<&Trace>, here: Option<IpAddr>) -> Option<BlackHole> {
        let (wall, direction) = self.wall?;
        if direction == Way::Reverse {
            return Some(BlackHole::reverse(wall.size));
        }
        let trace = trace.filter(|trace| trace.large() == wall.size);
        let at = |ttl: u8| trace.and_then(|trace| trace.hops.get(usize::from(ttl).checked_sub(1)?)?.address);
        let beyond = trace.and_then(Trace::beyond);
        let after_hop = trace.and_then(|trace| trace.reach().or(beyond.map(|_| 0)));
        Some(BlackHole {
            direction,
            from_bytes: wall.size,
            after_hop,
            after: after_hop.and_then(|ttl| if ttl == 0 { here } else { at(ttl) }),
            before_hop: beyond,
            before: beyond.and_then(at),
        })
    }
}

impl BlackHole {
    /// On the way back nothing tells where.
    fn reverse(from_bytes: u16) -> Self {
        Self {
            direction: Way::Reverse,
            from_bytes,
            after_hop: None,
            after: None,
            before_hop: None,
            before: None,
        }
    }
}

/// The same word of the same router once, whichever leg heard it.
fn merged<'a>(refusals: impl Iterator<Item = &'a Refusal>) -> Vec<Refusal> {
    let mut merged: Vec<Refusal> = Vec::new();
    for refusal in refusals {
        let same = |known: &&mut Refusal| (known.from, known.mtu) == (refusal.from, refusal.mtu);
        match merged.iter_mut().find(same) {
            Some(known) => {
                known.count += refusal.count;
                known.probe = known.probe.min(refusal.probe);
            }
            None => merged.push(*refusal),
        }
    }
    merged
}

fn too_big(refusal: &Refusal, trace: Option<&Trace>, pmtu: Option<u16>) -> TooBig {
    let hop = refusal.from.and_then(|from| trace.and_then(|trace| trace.hop_of(from)));
    TooBig {
        from: refusal.from,
        name: None,
        hop: hop.or_else(|| trace.and_then(Trace::refusing)),
        mtu_bytes: refusal.mtu,
        probe_bytes: refusal.probe,
        count: refusal.count,
        wrong: refusal.mtu.zip(pmtu).is_some_and(|(mtu, pmtu)| mtu < pmtu),
    }
}

/// The way; large packets `arrive` where another carrier has shown it.
fn hops(trace: &Trace, arrive: bool) -> Vec<Hop> {
    let known = trace.hops.iter().rposition(|hop| hop.small || hop.large).map_or(0, |at| at + 1);
    (1..)
        .zip(&trace.hops[..known])
        .map(|(ttl, hop)| Hop {
            ttl,
            address: hop.address,
            name: None,
            small: hop.small,
            large: hop.large || hop.is_target && arrive,
            size_bytes: trace.large(),
            target: hop.is_target,
        })
        .collect()
}

fn sizes(legs: &[Leg]) -> Vec<Size> {
    let mut all: Vec<Size> = Vec::new();
    let whole = legs.iter().filter(|leg| !leg.in_pieces);
    for (bytes, passed, lost, refused) in whole.flat_map(|leg| leg.engine.search.sizes()) {
        match all.iter_mut().find(|size| size.bytes == bytes) {
            Some(size) => {
                size.passed += passed;
                size.lost += lost;
                size.refused += refused;
            }
            None => all.push(Size { bytes, passed, lost, refused }),
        }
    }
    all.sort_unstable_by_key(|size| size.bytes);
    all.truncate(MOST_SIZES);
    all
}

/// A word for who carried the packets.
impl CarriedBy {
    /// As a person reads it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Icmp => "ICMP echo",
            Self::Reflector => "the reflector",
            Self::Udp => "UDP to closed ports",
            Self::Tcp => "TCP SYN",
        }
    }
}
