//! Constructed measurements for the tests of renderers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use crate::probe::mtu;
use crate::probe::udpping::{Direction, OneWay, Report, ServerProcessing, UdpPing};
use crate::probe::{
    Agent, Clock, Counts, LossBursts, Measurement, Outcome, Probe, Report as AnyReport, Rtt, ScheduleError,
    Target,
};
use crate::stats::Sketch;

/// A run of `udpping` that sent `sent` packets and lost those numbered in `lost` on the way there.
pub(crate) fn udpping(sent: u64, lost: &[u64]) -> Measurement {
    let samples: Vec<(u64, Duration)> = (0..sent)
        .filter(|seq| !lost.contains(seq))
        .map(|seq| (seq, Duration::from_micros(10_000 + seq * 37 % 500)))
        .collect();
    let received = samples.len() as u64;
    let counts = Counts { sent, received, ..Counts::default() };
    let mut sketch = Sketch::default();
    samples.iter().for_each(|(_, rtt)| sketch.push(rtt.as_secs_f64()));
    let answered = received > 0;
    let way = |lost: u64, dscp| Direction {
        lost: answered.then_some(lost),
        loss_ratio: answered.then(|| lost as f64 / sent as f64),
        ipdv: answered.then_some(Duration::from_micros(31)),
        delay: answered.then_some(OneWay { min_ms: 4.9, p50_ms: 5.1, p95_ms: 5.4, max_ms: 5.5 }),
        duplicates: answered.then_some(0),
        reordered: answered.then_some(0),
        ttl: answered.then_some(57),
        dscp: answered.then_some(dscp),
        ecn_ce: None,
    };
    let report = Report {
        counts,
        loss_ratio: counts.loss_ratio(),
        rtt: Rtt::of(&samples),
        clock: Clock::Kernel,
        schedule_error: Some(ScheduleError {
            p50: Duration::from_micros(12),
            p99: Duration::from_micros(55),
        }),
        loss_bursts: LossBursts {
            count: lost.len() as u64,
            longest: if lost.len() > 1 { 2 } else { lost.len() as u64 },
        },
        up: way(lost.len() as u64, 0),
        down: way(0, 0),
        lost_unknown: if answered { 0 } else { sent },
        server_processing: answered
            .then_some(ServerProcessing { p50: Duration::from_micros(9), max: Duration::from_micros(31) }),
        clock_offset_ms: answered.then_some(-1.25),
        clock_error_ms: answered.then_some(0.4),
        payload_bytes: 80,
        interval: Duration::from_millis(200),
        restarts: 0,
        errors: Vec::new(),
        rtt_sketch: sketch,
        samples_ms: None,
    };
    let mut probe = UdpPing { target: Target::from("reflector.example"), count: sent, ..UdpPing::default() };
    probe.egress.dscp = Some(46);
    Measurement {
        v: Measurement::VERSION,
        id: Uuid::nil(),
        at: "2026-01-02T03:04:05Z".parse().expect("a moment"),
        elapsed: Duration::from_millis(200 * sent),
        clock_step_ms: None,
        agent: (*agent()).clone(),
        probe: Probe::UdpPing(probe),
        address: "192.0.2.1".parse().ok(),
        labels: BTreeMap::new(),
        partial: false,
        outcome: Outcome::Report(AnyReport::UdpPing(Box::new(report))),
    }
}

/// A run of `mtu` from an interface of 1500 octets that found `pmtu`: a black hole after the hop `hole`, or a router at
/// hop 2 that `says` so.
pub(crate) fn mtu(pmtu: u16, hole: Option<u8>, says: bool) -> Measurement {
    let address = |hop: u8| format!("192.0.2.{hop}").parse().ok();
    let rtts: Vec<(u64, Duration)> = (0..5).map(|n| (n, Duration::from_micros(900 + n * 20))).collect();
    let narrow = hole.is_some() || says;
    let last = hole.unwrap_or(2);
    let hop = |ttl| mtu::Hop {
        ttl,
        address: address(ttl),
        name: (ttl == 2).then(|| "core.example".to_owned()),
        small: true,
        large: ttl <= last,
        size_bytes: pmtu + 1,
        target: ttl == 4,
    };
    let report = mtu::Report {
        pmtu_bytes: Some(pmtu),
        exact: narrow,
        bounded_by: (!narrow).then_some(mtu::Bound::Interface),
        icmp_pmtu_bytes: says.then_some(pmtu),
        reverse_pmtu_bytes: hole.is_none().then_some(pmtu),
        reverse_exact: false,
        black_hole: hole.map(|hop| mtu::BlackHole {
            direction: mtu::Way::Forward,
            from_bytes: pmtu + 1,
            after_hop: Some(hop),
            after: address(hop),
            before_hop: Some(hop + 1),
            before: address(hop + 1),
        }),
        too_big: says
            .then(|| mtu::TooBig {
                from: address(2),
                name: Some("core.example".to_owned()),
                hop: Some(2),
                mtu_bytes: Some(pmtu),
                probe_bytes: pmtu + 1,
                count: 3,
                wrong: false,
            })
            .into_iter()
            .collect(),
        local_mtu_bytes: Some(1500),
        interface: Some("eth0".to_owned()),
        route_mtu_bytes: Some(1500),
        tcp_mss_bytes: Some(1460),
        tcp_port: Some(443),
        carrier: Some(mtu::CarriedBy::Icmp),
        tried: vec![mtu::CarriedBy::Icmp],
        overhead_guess: narrow.then(|| "IPsec".to_owned()),
        advice: narrow.then_some(mtu::Advice {
            mtu_bytes: pmtu,
            mss_clamp_bytes: pmtu - 40,
            tcp_fits: Some(false),
        }),
        hops: if narrow { (1..=4).map(hop).collect() } else { Vec::new() },
        counts: Counts { sent: 43, received: 5, ..Counts::default() },
        rtt: Rtt::of(&rtts),
        clock: Clock::Kernel,
        sizes: Vec::new(),
        ignored: 0,
        errors: Vec::new(),
        notes: Vec::new(),
    };
    let probe = mtu::Mtu { target: Target::from("server.example"), ..mtu::Mtu::default() };
    Measurement {
        elapsed: Duration::from_millis(740),
        probe: Probe::Mtu(probe),
        address: "192.0.2.4".parse().ok(),
        outcome: Outcome::Report(AnyReport::Mtu(Box::new(report))),
        ..udpping(1, &[])
    }
}

/// A scan of a thousand ports: two open ones, one filtered.
pub(crate) fn portscan() -> Measurement {
    use crate::probe::portscan::{self, Hidden, Host, Port, PortScan, Proto, Reason, State, Tally};
    let host = "192.0.2.1".parse().expect("an address");
    let port = |port, state, reason| Port {
        host,
        port,
        proto: Proto::Tcp,
        state,
        reason,
        from: None,
        rtt: Some(Duration::from_micros(1234)),
        service: None,
        banner: None,
        tls: None,
    };
    let named = |number, service: &str| Port {
        service: Some(service.to_owned()),
        ..port(number, State::Open, Reason::SynAck)
    };
    let ports = vec![
        Port { banner: Some("SSH-2.0-x\x1b[2J".to_owned()), ..named(22, "ssh") },
        Port { tls: Some("TLS 1.3, alpn h2".to_owned()), ..named(443, "https") },
        Port { from: "192.0.2.254".parse().ok(), ..port(1001, State::Filtered, Reason::AdminProhibited) },
    ];
    let counts = Tally { open: 2, closed: 996, filtered: 1, ..Tally::default() };
    let closed = Hidden { proto: Proto::Tcp, state: State::Closed, reason: Reason::Reset, count: 996 };
    let report = portscan::Report {
        ports,
        counts,
        hosts: vec![Host { address: host, counts, hidden: vec![closed], answers_per_second: None }],
        unmeasured: Vec::new(),
        tcp_ports: Some("1-999".to_owned()),
        udp_ports: None,
        broken_off: None,
        sent: 1001,
        rate_pps: Some(5005.0),
        rtt: Rtt::of(&[(0, Duration::from_micros(1234))]),
        rtt_sketch: Sketch::default(),
    };
    Measurement {
        elapsed: Duration::from_millis(200),
        probe: Probe::PortScan(PortScan { target: Target::from("host.example"), ..PortScan::default() }),
        outcome: Outcome::Report(AnyReport::PortScan(Box::new(report))),
        ..udpping(1, &[])
    }
}

/// Somebody.
pub(crate) fn agent() -> Arc<Agent> {
    Arc::new(Agent { id: Uuid::nil(), host: "here".to_owned(), version: "0.1.0".to_owned() })
}
