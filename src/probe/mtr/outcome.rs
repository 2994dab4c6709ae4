//! The report of what a trace has found.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use super::carrier::{self, Kind};
use super::engine::Findings;
use super::judge::{Verdict, judge};
use super::report::{Address, Check, Flow, Hop, HopCounts, Mark, Report};
use super::tally::HopTally;
use super::{Mtr, Strategy};
use crate::probe::counts::ratio;
use crate::probe::{Clock, Rtt};
use crate::stats::Sketch;
use crate::units::ms;
use crate::wire::icmp::Meaning;

/// Reports list every sample up to this many probes.
const MOST_SAMPLES: usize = 1000;
/// Changes of the path that a report tells; it counts those beyond.
const MOST_CHANGES: usize = 100;
/// TTLs that systems begin with.
const INITIAL: [u8; 3] = [64, 128, 255];

impl Findings {
    /// The report of the run that `asked` wanted, over `v6` or not.
    pub(super) fn report(self, asked: &Mtr, v6: bool) -> Report {
        let (last, reached) = self.length();
        let first = asked.first_ttl;
        let rows: Vec<HopTally> = (first..=last)
            .map(|ttl| self.tally.hops.get(usize::from(ttl)).cloned().unwrap_or_default())
            .collect();
        let counts: Vec<(u64, u64)> = rows.iter().map(|row| (row.sent, row.received)).collect();
        let verdicts = judge(&counts, self.check, reached);
        let mut hops: Vec<Hop> = (first..=last)
            .zip(rows.iter().zip(verdicts))
            .map(|(ttl, (row, verdict))| hop(ttl, row, verdict, self.tally.routes.is_balanced(ttl)))
            .collect();
        let translator = follow_translation(&mut hops);
        let mut changes = self.tally.routes.changes(last);
        let most = |ttl: u8| Some(hops.get(usize::from(ttl.checked_sub(first)?))?.addresses.first()?.ip);
        let latest = changes.last().map(|since| {
            let path = self.tally.routes.path_since(since, (first, last), most);
            fingerprint(path.into_iter(), reached)
        });
        let mut rtt_sketch = Sketch::default();
        let end = rows.last().filter(|_| reached);
        let times = end.into_iter().flat_map(|row| row.samples.iter().filter_map(|sample| sample.1));
        times.for_each(|rtt| rtt_sketch.push(rtt.as_secs_f64()));
        Report {
            translator,
            loop_ttl: (!reached).then(|| loop_ttl(&hops)).flatten(),
            send_error: self
                .refused
                .map(|errno| crate::failure::reason(&io::Error::from_raw_os_error(errno))),
            fingerprint: fingerprint((first..=last).filter_map(|ttl| Some((ttl, most(ttl)?))), reached),
            latest_fingerprint: latest,
            path_changes: changes.len() as u64,
            changes: {
                changes.truncate(MOST_CHANGES);
                changes
            },
            flows: self.flows(first, last),
            packet_bytes: self.packet_bytes(v6),
            hops,
            reached,
            cycles: self.cycles,
            skipped: self.skipped,
            interval: asked.interval.0,
            clock: if self.all_kernel { Clock::Kernel } else { Clock::User },
            ignored: self.ignored,
            fallback: None,
            check: self.check.map(|(sent, received)| Check { sent, received }),
            rtt_sketch,
            multipath: None,
        }
    }

    /// The TTL of the last hop to show, and whether it is the target.
    fn length(&self) -> (u8, bool) {
        if let Some(target) = self.courses.iter().filter_map(|course| course.target()).max() {
            return (target, true);
        }
        let barrier = self.courses.iter().filter_map(|course| course.barrier()).max();
        let known = self.courses.iter().map(|course| course.known()).max().unwrap_or(0);
        let last = self.courses.iter().map(|course| course.last()).max().unwrap_or(0);
        // One silent hop stands for those behind the last that speaks.
        (barrier.map_or((known + 1).min(last), |barrier| barrier.max(known)), false)
    }

    fn flows(&self, first: u8, last: u8) -> Vec<Flow> {
        let flows = self.carrier.flows.iter().take(self.courses.len());
        flows
            .enumerate()
            .map(|(n, flow)| {
                let has_ports = flow.kind != Kind::Echo;
                Flow {
                    protocol: flow.kind.name().to_owned(),
                    source_port: flow.from.map(|from| from.port()),
                    destination_port: has_ports.then(|| flow.to.port()),
                    path: (first..=last).map(|ttl| self.tally.routes.seen_by(n, ttl)).collect(),
                }
            })
            .collect()
    }

    /// Octets of each IP packet, where all have as many.
    fn packet_bytes(&self, v6: bool) -> Option<u16> {
        let header = if v6 { 40 } else { 20 };
        let body = match self.carrier.flows.first().map(|flow| flow.kind) {
            Some(Kind::Udp) if v6 && self.carrier.strategy == Strategy::Dublin => return None,
            Some(Kind::Quic) => 8 + carrier::QUIC,
            Some(Kind::Tcp) => crate::wire::tcp::SYN,
            _ => 8 + self.carrier.payload.max(carrier::LEAST),
        };
        u16::try_from(header + body).ok()
    }
}

fn hop(ttl: u8, row: &HopTally, verdict: Verdict, per_packet: bool) -> Hop {
    let answered: Vec<(u64, Duration)> =
        row.samples.iter().zip(0..).filter_map(|(sample, n)| Some((n, sample.1?))).collect();
    let mut addresses: Vec<Address> = row
        .addresses
        .iter()
        .map(|&(ip, count)| Address {
            ip,
            name: None,
            asn: None,
            country: None,
            prefix: None,
            share_ratio: ratio(count, row.received).unwrap_or(0.0),
        })
        .collect();
    addresses.sort_by(|a, b| b.share_ratio.total_cmp(&a.share_ratio));
    let samples = row.samples.iter().map(|sample| sample.1.map(ms::of));
    Hop {
        ttl,
        addresses,
        counts: HopCounts {
            sent: row.sent,
            received: row.received,
            late: row.late,
            duplicates: row.duplicates,
            send_errors: row.send_errors,
            pending: row.pending,
        },
        loss_ratio: verdict.loss_ratio,
        answered_ratio: ratio(row.received, row.sent),
        rtt: Rtt::of(&answered),
        last: row.last,
        rate_limited: verdict.rate_limited,
        per_packet,
        nat: row.translated,
        mark: row.bars.map(mark),
        return_ttl: row.back,
        return_hops: row.back.map(hops_back),
        mpls: row.labels.clone(),
        interfaces: row.interfaces.clone(),
        samples_ms: (row.samples.len() <= MOST_SAMPLES).then(|| samples.collect()),
    }
}

/// What is translated stays so to the end of the path: a hop that alone sees a change, and none beyond it, quotes wrongly.
/// Returns who translates: the hop before the first that sees the change.
fn follow_translation(hops: &mut [Hop]) -> Option<IpAddr> {
    let unchanged = hops.iter().rposition(|hop| hop.nat == Some(false)).map_or(0, |at| at + 1);
    hops[..unchanged].iter_mut().filter(|hop| hop.nat == Some(true)).for_each(|hop| hop.nat = None);
    let first = unchanged + hops[unchanged..].iter().position(|hop| hop.nat == Some(true))?;
    hops[first..].iter_mut().for_each(|hop| hop.nat = Some(true));
    hops[..first].last()?.addresses.first().map(|address| address.ip)
}

/// TTL of the first hop whose router answers again further out, with others between.
fn loop_ttl(hops: &[Hop]) -> Option<u8> {
    let path: Vec<(u8, IpAddr)> =
        hops.iter().filter_map(|hop| Some((hop.ttl, hop.addresses.first()?.ip))).collect();
    let returns = |at: usize| {
        let mut beyond = path[at..].iter().skip_while(|(_, ip)| *ip == path[at].1);
        beyond.any(|(_, ip)| *ip == path[at].1)
    };
    (0..path.len()).find(|&at| returns(at)).map(|at| path[at].0)
}

/// How many hops a reply that arrives with `ttl` has come, if it began with the next of the usual numbers.
fn hops_back(ttl: u8) -> u8 {
    let initial = INITIAL.into_iter().find(|&initial| initial >= ttl).unwrap_or(u8::MAX);
    (initial - ttl).saturating_add(1)
}

pub(super) fn mark(why: Meaning) -> Mark {
    match why {
        Meaning::NoRoute => Mark::Network,
        Meaning::HostUnreachable => Mark::Host,
        Meaning::ProtocolUnreachable => Mark::Protocol,
        Meaning::PortUnreachable => Mark::Port,
        Meaning::Prohibited => Mark::Prohibited,
        Meaning::TooBig => Mark::TooBig,
        _ => Mark::Other,
    }
}

/// FNV-1a (draft-eastlake-fnv) over who answers at which TTL, in this order, and the end: of a trace each hop's most frequent
/// address, of a search all nodes.
pub(super) fn fingerprint(seen: impl Iterator<Item = (u8, IpAddr)>, reached: bool) -> String {
    let octets = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let all = seen.flat_map(|(ttl, ip)| std::iter::once(ttl).chain(octets(ip))).chain([u8::from(reached)]);
    let hash = all.fold(0xcbf2_9ce4_8422_2325_u64, |hash, octet| {
        (hash ^ u64::from(octet)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_is_guessed_from_the_next_usual_ttl() {
        for (ttl, hops) in [(64, 1), (61, 4), (128, 1), (120, 9), (255, 1), (250, 6), (0, 65)] {
            assert_eq!(hops_back(ttl), hops, "{ttl}");
        }
    }

    #[test]
    fn a_translation_goes_on_and_one_hop_alone_is_wrong() {
        let judged = |seen: &[Option<bool>]| {
            let row = |(seen, n): (&Option<bool>, u8)| HopTally {
                translated: *seen,
                addresses: vec![(IpAddr::from([10, 0, 0, n]), 1)],
                ..HopTally::default()
            };
            let rows = seen.iter().zip(1..).map(row);
            let verdict = || Verdict { rate_limited: false, loss_ratio: None };
            let mut hops: Vec<Hop> = rows.map(|row| hop(1, &row, verdict(), false)).collect();
            let translator = follow_translation(&mut hops);
            (hops.iter().map(|hop| hop.nat).collect::<Vec<_>>(), translator)
        };
        let (yes, no) = (Some(true), Some(false));
        let second = Some(IpAddr::from([10, 0, 0, 2]));
        assert_eq!(judged(&[no, no, yes, None, yes, None]), (vec![no, no, yes, yes, yes, yes], second));
        assert_eq!(judged(&[no, yes, no, None]), (vec![no, None, no, None], None));
        assert_eq!(judged(&[None, None, yes]), (vec![None, None, yes], second));
        assert_eq!(
            judged(&[yes, yes]),
            (vec![yes, yes], None),
            "this host itself, or one before all routers"
        );
        assert_eq!(judged(&[]), (vec![], None));
    }
}
