//! One run: resolve, ask whether it may be scanned, scan, report.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::fleet::{Fleet, Plan};
use super::ports::{Ports, compact};
use super::report::{Port, Proto, Summing, Unmeasured};
use super::{PortScan, REMOTE_PORTS, Report, Scan, banner, connect, services, syn, timing, udp};
use crate::failure::{Class, Failure};
use crate::net::Policy;
use crate::probe::own_thread::{on_own_thread, random};
use crate::probe::targets::{self, Admission, Audience, Per, Range, Search};
use crate::probe::{Ctx, Event, Found};
use crate::sys::clock::now;
use crate::sys::link;
use crate::sys::process::raise_descriptors;
use crate::sys::wait::Stop;

/// Ports that are asked before all others: their answers tell the round trip early.
const FIRST: usize = 16;

/// Whom a run scans, and whom it cannot.
#[derive(Default)]
struct Hosts {
    addresses: Vec<SocketAddr>,
    unmeasured: Vec<Unmeasured>,
}

impl PortScan {
    pub(super) async fn measure(&self, ctx: &Ctx) -> Found<Report> {
        if let Err(failure) = self.egress.check_here() {
            return Found::nothing(failure);
        }
        match self.resolve(ctx).await {
            Err(failure) => Found::nothing(failure),
            Ok(Hosts { addresses, unmeasured }) => {
                let address = addresses.first().filter(|_| addresses.len() == 1).map(SocketAddr::ip);
                let result = self.scan_hosts(ctx, addresses).await;
                Found { address, result: result.map(|report| Report { unmeasured, ..report }) }
            }
        }
    }

    /// The addresses of all hosts, each once, all of which may be scanned; and those who have none.
    async fn resolve(&self, ctx: &Ctx) -> Result<Hosts, Failure> {
        let mut list = self.named().map_err(|fault| fault.of_flag())?;
        if let Some(file) = &self.file {
            targets::read(ctx, "--file", file, Per::Word, &mut list).await?;
        }
        let search = |admission| Search {
            egress: &self.egress,
            admission,
            place: Box::new(|name| (name.to_owned(), 0)),
            all: false,
        };
        let total = list.count();
        let admission = Admission::to(ctx, &self.egress, Audience::One);
        let found = search(admission).run(ctx, list).await;
        let excluded = self.excluded().map_err(|fault| fault.of_flag())?;
        let mut left_out: Vec<Range> = excluded.ranges().collect();
        // Every address of a name is left out.
        let names = excluded.only_names();
        let without = Search { all: true, ..search(Admission::watching(ctx)) };
        for (name, found) in without.run(ctx, names).await {
            let address = found.map_err(|failure| Failure {
                detail: format!("--exclude {name}: {}", failure.detail),
                ..failure
            })?;
            left_out.extend(Range::between(address.ip(), address.ip()));
        }
        let mut hosts = Hosts::default();
        let mut seen = HashSet::new();
        for (name, found) in found {
            match found {
                Err(failure) => hosts.unmeasured.push(Unmeasured { target: name.into(), failure }),
                Ok(address) if left_out.iter().any(|range| range.covers(address.ip())) => {}
                Ok(address) if seen.insert(address) => hosts.addresses.push(address),
                Ok(_) => {}
            }
        }
        match hosts.unmeasured.first() {
            _ if !hosts.addresses.is_empty() => Ok(hosts),
            Some(one) if total == 1 => Err(one.failure.clone()),
            Some(one) => Err(Failure {
                class: one.failure.class,
                detail: format!("none of {total} hosts can be scanned; the first: {}", one.failure.detail),
            }),
            None if total == 0 => Err(Class::Usage.because("there is no host in the list")),
            None => Err(Class::Usage.because("--exclude leaves no host to scan")),
        }
    }

    async fn scan_hosts(&self, ctx: &Ctx, hosts: Vec<SocketAddr>) -> Result<Report, Failure> {
        let ports = self.ports().map_err(|fault| fault.of_flag())?;
        self.check_questions(hosts.len(), ports.tcp.len() + ports.udp.len())
            .map_err(|fault| fault.of_flag())?;
        let questions = hosts.len() * (ports.tcp.len() + ports.udp.len());
        check_policy(&ctx.policy, &ports, questions)?;
        if let Some(text) = self.unasked(&ports) {
            ctx.events.tell(Event::Note { text });
        }
        let own = hosts.iter().all(|host| is_own(host.ip()));
        if timing::is_polite(self, own) && questions as f64 > 2.0 * timing::POLITE {
            let rate = timing::POLITE;
            let text = format!(
                "{rate} questions a second at most, as these are hosts of others: -T4 or --max-rate lifts that"
            );
            ctx.events.tell(Event::Note { text });
        }
        let passes = [(self.tcp(), Proto::Tcp, ports.tcp), (Some(Scan::Udp), Proto::Udp, ports.udp)];
        self.introduce(ctx, &hosts, &passes);
        let asked = passes.each_ref().map(|(_, _, ports)| compact(ports));
        let (began, mut sent, mut summing) = (now().mono, 0, Summing::default());
        let mut asking = Duration::ZERO;
        let (descriptors, mut ceiling) = (raise_descriptors(), timing::ceiling(self, own));
        let mut broken_off = None;
        for (scan, proto, ports) in passes {
            let Some(scan) = scan.filter(|_| !ports.is_empty()) else { continue };
            if broken_off.is_some() || ctx.cancel.is_cancelled() {
                let unasked = ports.len() as u64;
                hosts.iter().for_each(|host| summing.add(host.ip(), None, Vec::new(), unasked, self.all));
                continue;
            }
            let mut tuning = timing::tuning(self, scan, descriptors, ceiling);
            let pass_began = now().mono;
            tuning.deadline = tuning.deadline.saturating_sub(now().mono.saturating_duration_since(began));
            let mut first = services::top(proto, FIRST);
            first.retain(|port| ports.binary_search(port).is_ok());
            let plan = Plan { hosts: hosts.clone(), proto, ports, first, tuning, ceiling, seed: random()? };
            let (fleet, failure) = self.pass(ctx, scan, plan).await?;
            asking += now().mono.saturating_duration_since(pass_began);
            // What goes at once has gone.
            ceiling.burst = Duration::ZERO;
            broken_off = failure;
            for (host, engine) in fleet.finish() {
                sent += engine.sent();
                let mut ports = found(host.ip(), &fleet, engine);
                let unasked = (fleet.ports() - ports.len()) as u64;
                if self.banner && proto == Proto::Tcp && broken_off.is_none() {
                    let left = self.deadline.0.saturating_sub(now().mono.saturating_duration_since(began));
                    banner::read(ctx, host, &self.egress, &mut ports, left).await;
                }
                summing.add(host.ip(), engine.ration(), ports, unasked, self.all);
            }
        }
        match broken_off {
            Some(failure) if !summing.knows_something() => Err(failure),
            None if ctx.cancel.is_cancelled() && sent == 0 => Err(Class::Cancelled.because("interrupted")),
            broken_off => {
                let [tcp_ports, udp_ports] = asked;
                Ok(Report { tcp_ports, udp_ports, broken_off, ..summing.finish(sent, asking) })
            }
        }
    }

    /// Asks all ports of all hosts in one way. What is known then, and why not all is, if something broke it off.
    async fn pass(&self, ctx: &Ctx, scan: Scan, plan: Plan) -> Result<(Fleet, Option<Failure>), Failure> {
        let way = self.egress.way();
        let mut fleet = Fleet::new(plan, ctx.events.clone(), now().mono);
        let secret = random()?;
        on_own_thread("portscan", ctx, move |stop: &Stop| {
            let ended = match scan {
                Scan::Connect => connect::scan(&mut fleet, &way, stop),
                Scan::Syn => syn::scan(&mut fleet, &way, secret, stop),
                Scan::Udp => udp::scan(&mut fleet, &way, secret, stop),
            };
            if ended.is_err() {
                fleet.break_off();
            }
            (fleet, ended.err())
        })
        .await
    }

    fn introduce(&self, ctx: &Ctx, hosts: &[SocketAddr], passes: &[(Option<Scan>, Proto, Vec<u16>)]) {
        let ways = passes.iter().filter(|(_, _, ports)| !ports.is_empty()).map(|(scan, proto, ports)| {
            let how = match scan {
                Some(Scan::Syn) => "SYN",
                Some(Scan::Udp) => "datagram",
                _ => "connect",
            };
            let plural = if ports.len() == 1 { "" } else { "s" };
            format!("{how} scan of {} {} port{plural}", ports.len(), proto.word())
        });
        let mut how = ways.collect::<Vec<_>>().join(", ");
        if hosts.len() > 1 {
            how += &format!(" of {} hosts", hosts.len());
        }
        if let Some(host) = hosts.first() {
            ctx.events.tell(Event::Started { address: host.ip(), how });
        }
    }
}

/// Lets who asks ask so many `questions`, of these ports, or says why not (security.md 3.4).
fn check_policy(policy: &Policy, ports: &Ports, questions: usize) -> Result<(), Failure> {
    ports.tcp.iter().chain(&ports.udp).try_for_each(|port| policy.check_port(*port))?;
    if *policy == Policy::Remote && questions > REMOTE_PORTS {
        return Err(Class::Permission
            .because(format_args!("the target policy allows {REMOTE_PORTS} ports in one run")));
    }
    Ok(())
}

/// Whether `address` is this host's.
fn is_own(address: IpAddr) -> bool {
    address.is_loopback() || link::with_address(address).is_some()
}

/// What is known of the ports of one host that were asked.
fn found(host: IpAddr, fleet: &Fleet, engine: &super::engine::Engine) -> Vec<Port> {
    let plan = fleet.plan();
    let known = plan.ports.iter().zip(engine.verdicts());
    known
        .filter_map(|(&port, verdict)| {
            let verdict = verdict?;
            Some(Port {
                host,
                port,
                proto: plan.proto,
                state: verdict.state,
                reason: verdict.reason,
                from: verdict.from,
                rtt: verdict.rtt,
                service: services::name(plan.proto, port).map(str::to_owned),
                banner: None,
                tls: None,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_may_ask_a_hundred_questions_of_few_ports() {
        for (text, hosts, allowed) in
            [("5000-5099", 1, true), ("5000-5100", 1, false), ("5000-5049", 3, false), ("25", 1, false)]
        {
            let ports = Ports { udp: Vec::new(), ..Ports::parse(text).expect(text) };
            let questions = ports.tcp.len() * hosts;
            assert_eq!(check_policy(&Policy::Remote, &ports, questions).is_ok(), allowed, "{text} {hosts}");
            assert!(check_policy(&Policy::Operator, &ports, questions).is_ok());
        }
    }
}
