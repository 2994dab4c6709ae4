//! Each tool's output against the numbers that it says.

use std::collections::BTreeMap;

use proptest::prelude::*;
use uuid::Uuid;

use super::{Origin, Tool, fuzz_import, parse};
use crate::failure::Failure;
use crate::probe::{Agent, Measurement, Outcome, Probe, Report};

macro_rules! golden {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/data/import/", $name))
    };
}

fn origin() -> Origin {
    Origin {
        agent: Agent { id: Uuid::from_u128(7), host: "test".to_owned(), version: "0".to_owned() },
        at: "2026-11-25T10:00:00Z".parse().expect("a time"),
        labels: BTreeMap::new(),
    }
}

fn read(octets: &[u8], tool: Option<Tool>) -> Result<Vec<Measurement>, Failure> {
    parse(octets, tool, &origin())
}

/// What tells most of a record, on a few lines.
fn told(octets: &[u8]) -> String {
    let records = read(octets, None).expect("a known tool");
    let lines: Vec<String> = records.iter().map(line).collect();
    lines.join("\n")
}

fn line(record: &Measurement) -> String {
    let Probe::Imported(probe) = &record.probe else {
        panic!("another probe");
    };
    let address = record.address.map_or_else(|| "-".to_owned(), |address| address.to_string());
    let head = format!("{} {} {} {address} {}", probe.tool, probe.mode, probe.target, record.at);
    let found = match &record.outcome {
        Outcome::Failure(failure) => format!("{}: {failure}", failure.class),
        Outcome::Report(Report::Imported(report)) => {
            let number =
                |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.6}"));
            let scalars: Vec<String> = report
                .scalars
                .iter()
                .map(|scalar| format!("{}={}", scalar.name, number(scalar.value)))
                .collect();
            format!("{} samples={}", scalars.join(" "), report.samples_ms.len())
        }
        Outcome::Report(_) => panic!("another report"),
    };
    format!("{head}\n  {found}")
}

#[test]
fn pings_are_read() {
    insta::assert_snapshot!(told(golden!("ping.txt")), @"
    ping icmp 127.0.0.1 127.0.0.1 2026-11-25T10:00:00Z
      rtt_min=0.000032 rtt_mean=0.000039 rtt_max=0.000043 rtt_p50=0.000040 rtt_p95=0.000043 rtt_p99=0.000043 jitter=0.000001 loss_ratio=0.000000 samples=4
    ");
    insta::assert_snapshot!(told(golden!("ping-D.txt")), @"
    ping icmp 127.0.0.1 127.0.0.1 2026-11-25T09:30:21.775325Z
      rtt_min=0.000039 rtt_mean=0.000046 rtt_max=0.000059 rtt_p50=0.000040 rtt_p95=0.000059 rtt_p99=0.000059 jitter=0.000001 loss_ratio=0.000000 samples=3
    ");
    insta::assert_snapshot!(told(golden!("ping-q.txt")), @"
    ping icmp 127.0.0.1 127.0.0.1 2026-11-25T10:00:00Z
      rtt_min=0.000026 rtt_mean=0.000033 rtt_max=0.000039 loss_ratio=0.000000 samples=0
    ");
    insta::assert_snapshot!(told(golden!("ping-6.txt")), @"
    ping icmp ::1 ::1 2026-11-25T10:00:00Z
      rtt_min=0.000027 rtt_mean=0.000046 rtt_max=0.000069 rtt_p50=0.000044 rtt_p95=0.000069 rtt_p99=0.000069 jitter=0.000003 loss_ratio=0.000000 samples=3
    ");
    insta::assert_snapshot!(told(golden!("ping-lost.txt")), @"
    ping icmp 127.255.255.255 127.255.255.255 2026-11-25T10:00:00Z
      rtt_min=- rtt_mean=- rtt_max=- loss_ratio=1.000000 samples=3
    ");
}

#[test]
fn a_lost_ping_and_a_second_reply_are_told_apart() {
    let text = "PING host.example(name.example (2001:db8::1)) 56 data bytes\n\
        64 bytes from 2001:db8::1: icmp_seq=1 ttl=64 time=1.00 ms\n\
        64 bytes from 2001:db8::1: icmp_seq=1 ttl=64 time=1.50 ms (DUP!)\n\
        64 bytes from 2001:db8::1: icmp_seq=3 ttl=64 time=3.00 ms\n\n\
        --- host.example ping statistics ---\n\
        3 packets transmitted, 2 received, +1 duplicates, 33.3333% packet loss, time 2003ms\n\
        rtt min/avg/max/mdev = 1.000/2.000/3.000/1.000 ms\n";
    let records = read(text.as_bytes(), None).expect("a ping");
    let Outcome::Report(Report::Imported(report)) = &records[0].outcome else {
        panic!("no report");
    };
    assert_eq!(report.samples_ms, [Some(1.0), None, Some(3.0)]);
    assert_eq!(report.details["duplicates"], 1);
    insta::assert_snapshot!(told(text.as_bytes()), @"
    ping icmp host.example 2001:db8::1 2026-11-25T10:00:00Z
      rtt_min=0.001000 rtt_mean=0.002000 rtt_max=0.003000 rtt_p50=0.001000 rtt_p95=0.003000 rtt_p99=0.003000 jitter=0.000125 loss_ratio=0.333333 samples=3
    ");
}

#[test]
fn ppings_are_read_with_their_mode() {
    insta::assert_snapshot!(told(b"Ping www.example.com (443):\n\
        [1] 192.0.2.1: time=26 ms\n[2] 192.0.2.1: time=27 ms\n[3] dial tcp: i/o timeout\n[4] 192.0.2.1: time=26 ms\n\n\
        \tsent = 4, ok = 3, failed = 1 (25%)\n\tmin = 26 ms, max = 27 ms, avg = 26 ms\n"), @"
    pping tcp www.example.com 192.0.2.1 2026-11-25T10:00:00Z
      rtt_min=0.026000 rtt_mean=0.026000 rtt_max=0.027000 rtt_p50=0.026000 rtt_p95=0.027000 rtt_p99=0.027000 jitter=0.000121 loss_ratio=0.250000 samples=4
    ");
    insta::assert_snapshot!(told(b"Ping www.example.com (443):\n\
        [1] 192.0.2.1: protocol=TLS 1.3, connection=5 ms, handshake=9 ms, time=14 ms\n\n\
        \tsent = 1, ok = 1, failed = 0 (0.00%)\n\tmin = 14.000000 ms, max = 14.000000 ms, avg = 14.00 ms\n\
        Ping https://www.example.com/:\n\
        [1] 192.0.2.1: proto=HTTP/2.0, status=200, length=5, time=40 ms\n"), @"
    pping tls www.example.com 192.0.2.1 2026-11-25T10:00:00Z
      rtt_min=0.014000 rtt_mean=0.014000 rtt_max=0.014000 rtt_p50=0.014000 rtt_p95=0.014000 rtt_p99=0.014000 loss_ratio=0.000000 samples=1
    pping http https://www.example.com/ 192.0.2.1 2026-11-25T10:00:00Z
      rtt_min=0.040000 rtt_mean=0.040000 rtt_p50=0.040000 rtt_p95=0.040000 rtt_p99=0.040000 rtt_max=0.040000 loss_ratio=0.000000 samples=1
    ");
}

#[test]
fn json_is_read() {
    insta::assert_snapshot!(told(golden!("mtr.json")), @"
    mtr report 127.0.0.1 127.0.0.1 2026-11-25T10:00:00Z
      rtt_min=0.000065 rtt_mean=0.000068 rtt_max=0.000073 loss_ratio=0.000000 hops=1.000000 samples=0
    ");
    insta::assert_snapshot!(told(golden!("iperf3.json")), @"
    iperf3 tcp 127.0.0.1 127.0.0.1 2026-11-25T09:30:43Z
      throughput_up=10964760707.984064 throughput=10964760707.984064 rtt_min=0.000071 rtt_mean=0.000071 rtt_max=0.000071 samples=0
    ");
    insta::assert_snapshot!(told(golden!("iperf3-udp.json")), @"
    iperf3 udp 127.0.0.1 127.0.0.1 2026-11-25T09:30:45Z
      throughput_up=10219752.933391 throughput=10219752.933391 jitter=0.000012 loss_ratio=0.000000 up_loss_ratio=0.000000 samples=0
    ");
    insta::assert_snapshot!(told(golden!("irtt.json")), @"
    irtt udp 127.0.0.1 127.0.0.1 2026-11-25T09:30:47.223927352Z
      rtt_min=0.000128 rtt_mean=0.000186 rtt_max=0.000314 rtt_p50=0.000169 rtt_p95=0.000314 rtt_p99=0.000314 jitter=0.000024 loss_ratio=0.000000 up_loss_ratio=0.000000 down_loss_ratio=0.000000 samples=10
    ");
}

/// The named numbers of the one record in `octets`, by the names that its scalars have.
fn scalars(octets: &[u8]) -> BTreeMap<String, Option<f64>> {
    report(octets).scalars.into_iter().map(|scalar| (scalar.name.into_owned(), scalar.value)).collect()
}

fn report(octets: &[u8]) -> super::Report {
    let records = read(octets, None).expect("a known tool");
    let [Measurement { outcome: Outcome::Report(Report::Imported(report)), .. }] = &records[..] else {
        panic!("not one report: {records:?}");
    };
    (**report).clone()
}

/// The numbers of `octets` are those at the pointers into it, times their unit, and no others.
fn check(octets: &[u8], expected: &[(&str, &str, f64)]) {
    let document: serde_json::Value = serde_json::from_slice(octets).expect("JSON");
    let found = scalars(octets);
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (name, pointer, unit) in expected {
        let written = document.pointer(pointer).and_then(serde_json::Value::as_f64).expect("a number");
        let value = found.get(*name).copied().flatten().unwrap_or(f64::NAN);
        assert!((value - written * unit).abs() <= 1e-9 * value.abs() + 1e-9, "{name}: {value} {written}");
    }
}

const RTT: [(&str, &str, f64); 3] = [
    ("rtt_min", "/end/streams/0/sender/min_rtt", 1e-6),
    ("rtt_mean", "/end/streams/0/sender/mean_rtt", 1e-6),
    ("rtt_max", "/end/streams/0/sender/max_rtt", 1e-6),
];

#[test]
fn iperf3s_directions_are_told_apart() {
    let received = "/end/sum_received/bits_per_second";
    let back = "/end/sum_received_bidir_reverse/bits_per_second";
    let up = ("throughput_up", received, 1.0);
    let down = ("throughput_down", received, 1.0);
    let both = ("throughput", received, 1.0);
    check(golden!("iperf3-reverse.json"), &[down, both]);
    check(golden!("iperf3.json"), &[&[up, both][..], &RTT].concat());
    let lower = [up, ("throughput_down", back, 1.0), ("throughput", back, 1.0)];
    check(golden!("iperf3-bidir.json"), &[&lower[..], &RTT].concat());
    // A server sees its client's direction from the other end, and only what it received itself.
    check(golden!("iperf3-server.json"), &[down, both]);
    let sent = "/end/sum_sent/bits_per_second";
    let sent = [("throughput_up", sent, 1.0), ("throughput", sent, 1.0)];
    check(golden!("iperf3-server-reverse.json"), &[&sent[..], &RTT].concat());
}

#[test]
fn iperf3s_parallel_streams_are_one_run() {
    let found = scalars(golden!("iperf3-parallel.json"));
    insta::assert_snapshot!(told(golden!("iperf3-parallel.json")), @"
    iperf3 tcp 127.0.0.1 127.0.0.1 2026-11-25T17:21:45Z
      throughput_up=14034687969.144863 throughput=14034687969.144863 rtt_min=0.000831 rtt_mean=0.000874 rtt_max=0.000910 samples=0
    ");
    assert_eq!(found["throughput"], found["throughput_up"]);
}

#[test]
fn iperf3s_udp_loss_is_the_receivers() {
    let (rate, jitter, share) =
        ("/end/sum_received/bits_per_second", "/end/sum/jitter_ms", "/end/sum/lost_percent");
    let (up, down) = ("throughput_up", "throughput_down");
    let one = |way, loss| {
        [
            (way, rate, 1.0),
            ("throughput", rate, 1.0),
            ("jitter", jitter, 1e-3),
            ("loss_ratio", share, 1e-2),
            (loss, share, 1e-2),
        ]
    };
    check(golden!("iperf3-udp.json"), &one(up, "up_loss_ratio"));
    check(golden!("iperf3-udp-loss.json"), &one(up, "up_loss_ratio"));
    check(golden!("iperf3-udp-reverse.json"), &one(down, "down_loss_ratio"));
    // The lower throughput and the worse loss are of the way up here.
    let back = [
        (down, "/end/sum_received_bidir_reverse/bits_per_second", 1.0),
        ("down_loss_ratio", "/end/sum_bidir_reverse/lost_percent", 1e-2),
    ];
    check(golden!("iperf3-udp-bidir.json"), &[&one(up, "up_loss_ratio")[..], &back].concat());
}

#[test]
fn udp_of_which_nothing_arrived_is_all_lost() {
    let found = scalars(golden!("iperf3-udp-dead.json"));
    let expected = [("loss_ratio", 1.0), ("throughput", 0.0), ("throughput_up", 0.0), ("up_loss_ratio", 1.0)];
    assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), Some(value))).into());
}

#[test]
fn a_run_of_iperf3_that_was_cut_off_tells_what_it_knows() {
    let sent = "/end/sum_sent/bits_per_second";
    let sent = [("throughput_up", sent, 1.0), ("throughput", sent, 1.0)];
    check(golden!("iperf3-interrupted.json"), &[&sent[..], &RTT].concat());
    assert!(!report(golden!("iperf3-interrupted.json")).details.contains_key("bytes"), "nobody told");
    assert!(scalars(golden!("iperf3-udp-interrupted.json")).is_empty(), "what was received is unknown");
    for cut_off in [&golden!("iperf3-interrupted.json")[..], golden!("iperf3-udp-interrupted.json")] {
        assert!(read(cut_off, None).expect("a run")[0].partial);
    }
    insta::assert_snapshot!(told(golden!("iperf3-server-gone.json")), @"
    iperf3 tcp 127.0.0.1 127.0.0.1 2026-11-25T17:21:49Z
      protocol: unable to write to stream socket: Connection reset by peer
    ");
}

#[test]
fn mtrs_last_hop_is_the_target_or_nobody() {
    let check_hops = |octets: &[u8], hub: usize| {
        let [best, mean, worst, loss] =
            ["Best", "Avg", "Wrst", "Loss%"].map(|name| format!("/report/hubs/{hub}/{name}"));
        let count = format!("/report/hubs/{hub}/count");
        let expected = [
            ("rtt_min", &*best, 1e-3),
            ("rtt_mean", &*mean, 1e-3),
            ("rtt_max", &*worst, 1e-3),
            ("loss_ratio", &*loss, 1e-2),
            ("hops", &*count, 1.0),
        ];
        check(octets, &expected);
    };
    check_hops(golden!("mtr-hops.json"), 2);
    check_hops(golden!("mtr-loss.json"), 2);
    // Silence beyond the first router, and a trace told to end there.
    for octets in [&golden!("mtr-nobody.json")[..], golden!("mtr-short.json")] {
        let nothing = ["rtt_min", "rtt_mean", "rtt_max"].map(|name| (name.to_owned(), None));
        let expected = nothing.into_iter().chain([("loss_ratio".to_owned(), Some(1.0))]).collect();
        assert_eq!(scalars(octets), expected);
    }
}

#[test]
fn irtts_loss_is_told_by_direction() {
    let octets = golden!("irtt-both.json");
    let stats: serde_json::Value = serde_json::from_slice(octets).expect("JSON");
    let found = scalars(octets);
    for (name, pointer, unit) in [
        ("rtt_min", "/stats/rtt/min", 1e-9),
        ("rtt_mean", "/stats/rtt/mean", 1e-9),
        ("rtt_max", "/stats/rtt/max", 1e-9),
        ("loss_ratio", "/stats/packet_loss_percent", 1e-2),
        ("up_loss_ratio", "/stats/upstream_loss_percent", 1e-2),
        ("down_loss_ratio", "/stats/downstream_loss_percent", 1e-2),
    ] {
        let written = stats.pointer(pointer).and_then(serde_json::Value::as_f64).expect("a number") * unit;
        assert!((found[name].expect(name) - written).abs() < 1e-9, "{name} {found:?}");
    }
    let samples = report(octets).samples_ms;
    assert_eq!((samples.len(), samples.iter().flatten().count()), (30, 19));
    insta::assert_snapshot!(told(golden!("irtt-dead.json")), @"
    irtt udp 10.77.3.2 10.77.3.2 2026-11-25T17:33:53.02293071Z
      rtt_min=- rtt_mean=- rtt_max=- loss_ratio=1.000000 samples=5
    ");
}

#[test]
fn pings_with_losses_doubles_and_complaints_are_read() {
    insta::assert_snapshot!(told(golden!("ping-dup.txt")), @"
    ping icmp 10.77.3.2 10.77.3.2 2026-11-25T10:00:00Z
      rtt_min=0.000085 rtt_mean=0.000096 rtt_max=0.000108 rtt_p50=0.000098 rtt_p95=0.000108 rtt_p99=0.000108 jitter=0.000001 loss_ratio=0.000000 samples=4
    ");
    insta::assert_snapshot!(told(golden!("ping-multicast.txt")), @"
    ping icmp ff02::1%a0 ff02::1 2026-11-25T10:00:00Z
      rtt_min=0.000053 rtt_mean=0.000078 rtt_max=0.000117 rtt_p50=0.000062 rtt_p95=0.000065 rtt_p99=0.000065 jitter=0.000001 loss_ratio=0.000000 samples=3
    ");
    insta::assert_snapshot!(told(golden!("ping-O.txt")), @"
    ping icmp 10.77.3.2 10.77.3.2 2026-11-25T10:00:00Z
      rtt_min=0.000062 rtt_mean=0.000073 rtt_max=0.000090 rtt_p50=0.000071 rtt_p95=0.000090 rtt_p99=0.000090 jitter=0.000003 loss_ratio=0.250000 samples=8
    ");
    insta::assert_snapshot!(told(golden!("ping-DO.txt")), @"
    ping icmp 10.77.3.2 10.77.3.2 2026-11-25T17:33:36.440489Z
      rtt_min=0.000056 rtt_mean=0.000068 rtt_max=0.000080 rtt_p50=0.000068 rtt_p95=0.000080 rtt_p99=0.000080 jitter=0.000002 loss_ratio=0.250000 samples=4
    ");
    insta::assert_snapshot!(told(golden!("ping-f.txt")), @"
    ping icmp 10.77.3.2 10.77.3.2 2026-11-25T10:00:00Z
      rtt_min=0.000010 rtt_mean=0.000033 rtt_max=0.000101 loss_ratio=0.250000 samples=0
    ");
    insta::assert_snapshot!(told(golden!("ping-silent.txt")), @"
    ping icmp 10.77.9.9 10.77.9.9 2026-11-25T10:00:00Z
      rtt_min=- rtt_mean=- rtt_max=- loss_ratio=1.000000 samples=3
    ");
    insta::assert_snapshot!(told(golden!("ping-unreachable.txt")), @"
    ping icmp 10.77.3.77 10.77.3.77 2026-11-25T10:00:00Z
      rtt_min=- rtt_mean=- rtt_max=- loss_ratio=1.000000 samples=4
    ");
    assert_eq!(report(golden!("ping-dup.txt")).details["duplicates"], 3);
    assert_eq!(report(golden!("ping-multicast.txt")).details["duplicates"], 2);
    assert_eq!(report(golden!("ping-unreachable.txt")).details["errors"], 4);
    assert_eq!(report(golden!("ping-DO.txt")).samples_ms, [Some(0.056), None, Some(0.080), Some(0.068)]);
    let failure = read(golden!("ping-unknown.txt"), None).expect_err("nothing was measured");
    insta::assert_snapshot!(failure.to_string(), @"a run of ping without a result: nowhere.invalid: Name or service not known");
}

#[test]
fn real_ppings_are_read_in_every_mode() {
    insta::assert_snapshot!(told(golden!("pping-tcp.txt")), @"
    pping tcp 127.0.0.1 127.0.0.1 2026-11-25T10:00:00Z
      rtt_min=0.000000 rtt_mean=0.000000 rtt_max=0.001000 rtt_p50=0.000000 rtt_p95=0.001000 rtt_p99=0.001000 jitter=0.000063 loss_ratio=0.000000 samples=3
    ");
    insta::assert_snapshot!(told(golden!("pping-tcp-once.txt")), @"
    pping tcp 127.0.0.1 127.0.0.1 2026-11-25T10:00:00Z
      rtt_min=0.000000 rtt_mean=0.000000 rtt_p50=0.000000 rtt_p95=0.000000 rtt_p99=0.000000 rtt_max=0.000000 loss_ratio=0.000000 samples=1
    ");
    insta::assert_snapshot!(told(golden!("pping-tcp-refused.txt")), @"
    pping tcp 127.0.0.1 127.0.0.1 2026-11-25T10:00:00Z
      rtt_min=- rtt_mean=- rtt_max=- loss_ratio=1.000000 samples=3
    ");
    insta::assert_snapshot!(told(golden!("pping-tls.txt")), @"
    pping tls localhost 127.0.0.1 2026-11-25T10:00:00Z
      rtt_min=0.002000 rtt_mean=0.002000 rtt_max=0.003000 rtt_p50=0.002000 rtt_p95=0.003000 rtt_p99=0.003000 jitter=0.000121 loss_ratio=0.000000 samples=3
    ");
    insta::assert_snapshot!(told(golden!("pping-tls-untrusted.txt")), @"
    pping tls localhost - 2026-11-25T10:00:00Z
      rtt_min=- rtt_mean=- rtt_max=- loss_ratio=1.000000 samples=2
    ");
    insta::assert_snapshot!(told(golden!("pping-http.txt")), @"
    pping http http://127.0.0.1:8099/ 127.0.0.1 2026-11-25T10:00:00Z
      rtt_min=0.002000 rtt_mean=0.002000 rtt_max=0.003000 rtt_p50=0.002000 rtt_p95=0.003000 rtt_p99=0.003000 jitter=0.000121 loss_ratio=0.000000 samples=3
    ");
    insta::assert_snapshot!(told(golden!("pping-https.txt")), @"
    pping http https://localhost:8443/ 127.0.0.1 2026-11-25T10:00:00Z
      rtt_min=0.003000 rtt_mean=0.003000 rtt_max=0.004000 rtt_p50=0.003000 rtt_p95=0.004000 rtt_p99=0.004000 jitter=0.000063 loss_ratio=0.000000 samples=2
    ");
    insta::assert_snapshot!(told(golden!("pping-icmp.txt")), @"
    pping icmp 127.0.0.1 127.0.0.1 2026-11-25T10:00:00Z
      rtt_min=0.000000 rtt_mean=0.000000 rtt_max=0.000000 rtt_p50=0.000000 rtt_p95=0.000000 rtt_p99=0.000000 jitter=0.000000 loss_ratio=0.000000 samples=3
    ");
    insta::assert_snapshot!(told(golden!("pping-icmp6.txt")), @"
    pping icmp ::1 ::1 2026-11-25T10:00:00Z
      rtt_min=0.000000 rtt_mean=0.000000 rtt_max=0.000000 rtt_p50=0.000000 rtt_p95=0.000000 rtt_p99=0.000000 jitter=0.000000 loss_ratio=0.000000 samples=2
    ");
    insta::assert_snapshot!(told(golden!("pping-dns.txt")), @"
    pping dns 127.0.0.1 127.0.0.1 2026-11-25T10:00:00Z
      rtt_min=0.000000 rtt_mean=0.000000 rtt_max=0.000000 rtt_p50=0.000000 rtt_p95=0.000000 rtt_p99=0.000000 jitter=0.000000 loss_ratio=0.000000 samples=3
    ");
    insta::assert_snapshot!(told(golden!("pping-dns-tls.txt")), @"
    pping dns localhost - 2026-11-25T10:00:00Z
      rtt_min=- rtt_mean=- rtt_max=- loss_ratio=1.000000 samples=2
    ");
    insta::assert_snapshot!(told(golden!("pping-quic.txt")), @"
    pping quic localhost 127.0.0.1 2026-11-25T10:00:00Z
      rtt_min=0.006000 rtt_mean=0.006000 rtt_max=0.006000 rtt_p50=0.006000 rtt_p95=0.006000 rtt_p99=0.006000 jitter=0.000000 loss_ratio=0.000000 samples=3
    ");
    insta::assert_snapshot!(told(golden!("pping-quic-silent.txt")), @"
    pping quic localhost - 2026-11-25T10:00:00Z
      rtt_min=- rtt_mean=- rtt_max=- loss_ratio=1.000000 samples=2
    ");
    insta::assert_snapshot!(told(golden!("pping-quic-untrusted.txt")), @"
    pping quic localhost - 2026-11-25T10:00:00Z
      rtt_min=- rtt_mean=- rtt_max=- loss_ratio=1.000000 samples=2
    ");
    insta::assert_snapshot!(told(golden!("pping-stdout.txt")), @"
    pping unknown 127.0.0.1 127.0.0.1 2026-11-25T10:00:00Z
      rtt_min=0.000000 rtt_mean=0.000000 rtt_max=0.000000 loss_ratio=0.000000 samples=0
    ");
    insta::assert_snapshot!(told(golden!("pping-nowhere.txt")), @"
    pping unknown nowhere.invalid - 2026-11-25T10:00:00Z
      resolve: lookup nowhere.invalid on 10.255.255.53:53: no such host
    ");
    assert!(!read(golden!("pping-tcp-once.txt"), None).expect("a run")[0].partial);
}

/// The formats before 0.3: hand-made after its print statements and its README.
#[test]
fn the_first_versions_of_pping_are_read() {
    insta::assert_snapshot!(told("Ping 192.0.2.1 (192.0.2.1):\n\
        16:58:28 [1] proto = TLS 1.3, connection = 20 ms, handshake = 22 ms, time = 42 ms\n\
        16:58:29 [2] proto = TLS 1.3, connection = 18 ms, handshake = 24 ms, time = 44 ms\n\n\
        \tsent = 2, ok = 2, failed = 0（0%）\n\tmin = 42 ms, max = 44 ms, avg = 43 ms\n".as_bytes()), @"
    pping tls 192.0.2.1 192.0.2.1 2026-11-25T10:00:00Z
      rtt_min=0.042000 rtt_mean=0.043000 rtt_max=0.044000 rtt_p50=0.042000 rtt_p95=0.044000 rtt_p99=0.044000 jitter=0.000125 loss_ratio=0.000000 samples=2
    ");
}

#[test]
fn upstreams_shapes_are_read() {
    insta::assert_snapshot!(told(br#"{"packets_transmitted": 4, "packets_received": 3, "packet_loss": 25.0,
        "rtt_min": 1.0, "rtt_avg": 2.0, "rtt_max": 3.0, "target": "a.example"}"#), @"
    waddleperf-upstream udp a.example - 2026-11-25T10:00:00Z
      loss_ratio=0.250000 rtt_min=0.001000 rtt_mean=0.002000 rtt_max=0.003000 samples=0
    ");
    insta::assert_snapshot!(told(br#"{"test_config": {"dst_host": "192.0.2.1", "port": 2000}, "statistics":
        {"packets_transmitted": 2, "packets_received": 1, "packet_loss_percent": 50,
        "rtt_stats": {"min_ms": 1.5, "max_ms": 1.5, "avg_ms": 1.5}},
        "detailed_results": [{"seq": 0, "rtt_ms": 1.5}, {"seq": 1, "rtt_ms": null}]}"#), @"
    waddleperf-upstream udp 192.0.2.1 192.0.2.1 2026-11-25T10:00:00Z
      loss_ratio=0.500000 rtt_min=0.001500 rtt_mean=0.001500 rtt_max=0.001500 rtt_p50=0.001500 rtt_p95=0.001500 rtt_p99=0.001500 samples=2
    ");
    insta::assert_snapshot!(told(br#"[{"test_type": "HTTP", "target_host": "a.example", "target_ip": "192.0.2.1",
        "latency_ms": 12.5, "throughput_mbps": 94.5, "timestamp": "2026-11-24T10:00:00Z"},
        {"id": 1, "status": "completed", "target": "b.example", "result": {"latency_ms": 2}}]"#), @"
    waddleperf-upstream http a.example 192.0.2.1 2026-11-24T10:00:00Z
      rtt_mean=0.012500 throughput=94500000.000000 samples=0
    waddleperf-upstream unknown b.example - 2026-11-25T10:00:00Z
      rtt_mean=0.002000 samples=0
    ");
}

/// Hand-made after `goClient/internal/protocols` of penguintechinc/WaddlePerf.
#[test]
fn a_test_of_upstreams_that_failed_has_no_latency() {
    // Its latency is the time until the error, or 0.
    insta::assert_snapshot!(told(br#"{"target": "192.0.2.1:22", "protocol": "raw", "connected": false, "latency_ms": 1.25,
        "success": false, "error": "dial tcp 192.0.2.1:22: connect: connection refused", "remote_addr": "", "local_addr": ""}"#), @"
    waddleperf-upstream raw 192.0.2.1:22 - 2026-11-25T10:00:00Z
      refused: dial tcp 192.0.2.1:22: connect: connection refused
    ");
    insta::assert_snapshot!(told(br#"{"target": "a.invalid", "protocol": "", "status_code": 0, "latency_ms": 0, "ttfb_ms": 0,
        "success": false, "error": "lookup a.invalid: no such host", "connected_proto": ""}"#), @"
    waddleperf-upstream unknown a.invalid - 2026-11-25T10:00:00Z
      resolve: lookup a.invalid: no such host
    ");
    // Of pings the loss tells.
    insta::assert_snapshot!(told(br#"{"target": "192.0.2.1", "protocol": "ping", "success": false, "packets_sent": 4,
        "packets_received": 0, "packet_loss_percent": 100, "latency_ms": 0, "min_latency_ms": 0, "max_latency_ms": 0,
        "jitter_ms": 0, "stddev_ms": 0, "total_time_ms": 4003.2}"#), @"
    waddleperf-upstream ping 192.0.2.1 192.0.2.1 2026-11-25T10:00:00Z
      loss_ratio=1.000000 rtt_min=- rtt_mean=- rtt_max=- samples=0
    ");
    insta::assert_snapshot!(told(br#"{"target": "192.0.2.1", "protocol": "ping", "success": true, "packets_sent": 3,
        "packets_received": 2, "packet_loss_percent": 33.33, "latency_ms": 2, "min_latency_ms": 1, "max_latency_ms": 3,
        "jitter_ms": 2, "stddev_ms": 1, "total_time_ms": 2003.2}"#), @"
    waddleperf-upstream ping 192.0.2.1 192.0.2.1 2026-11-25T10:00:00Z
      loss_ratio=0.333333 rtt_min=0.001000 rtt_mean=0.002000 rtt_max=0.003000 jitter=0.002000 samples=0
    ");
}

/// Hand-made after `client/bins` (now `archive/client/bins`) and `archive/go-client` of penguintechinc/WaddlePerf.
#[test]
fn upstreams_older_tools_are_read() {
    insta::assert_snapshot!(told(br#"{"details": [{"url_effective": "https://a.example/", "http_code": 200, "time_total": 0.25}],
        "summary": {"min_time": 0.25, "mean_time": 0.25, "max_time": 0.25, "all_times": [0.25]}}"#), @"
    waddleperf-upstream http https://a.example/ - 2026-11-25T10:00:00Z
      total=0.250000 http_status=200.000000 samples=0
    ");
    insta::assert_snapshot!(told(br#"{"domain": "a.example", "count": 2, "successful_count": 2, "record_type": "A",
        "times": ["0.004", "0.006"], "min_time": "0.004", "mean_time": 0.005, "max_time": "0.006"}"#), @"
    waddleperf-upstream dns a.example - 2026-11-25T10:00:00Z
      lookup=0.005000 samples=0
    ");
    insta::assert_snapshot!(told(br#"{"hostname": "a.example", "port": 22, "username": "u", "start_time": "2026-11-25T10:00:00",
        "pingLatency": {"num_pings": 2, "stats": {"min": 10000, "avg": 15000, "max": 20000}, "probes": [10, 20]},
        "fileLatency": {"fileSizeMB": 1, "upload_time": 400}}"#), @"
    waddleperf-upstream ssh a.example - 2026-11-25T10:00:00Z
      rtt_min=0.010000 rtt_mean=0.015000 rtt_p50=0.010000 rtt_p95=0.020000 rtt_p99=0.020000 rtt_max=0.020000 jitter=0.000625 samples=2
    ");
    insta::assert_snapshot!(told(br#"{"timestamp": 1764061200, "test_duration_seconds": 21.5,
        "server_info": {"hostname": "a.example", "ip_address": "192.0.2.1"},
        "ping": {"count": 4, "successful": 3, "min_ms": 1, "max_ms": 3, "avg_ms": 2, "packet_loss_percent": 25},
        "download": {"avg_speed_mbps": 90.5}, "upload": {"avg_speed_mbps": 40}, "test_config": {"duration": 10}}"#), @"
    waddleperf-upstream speedtest a.example 192.0.2.1 2025-11-25T09:00:00Z
      loss_ratio=0.250000 rtt_min=0.001000 rtt_mean=0.002000 rtt_max=0.003000 throughput=40000000.000000 throughput_down=90500000.000000 throughput_up=40000000.000000 samples=0
    ");
    insta::assert_snapshot!(told(br#"{"timestamp": "2026-11-25T09:00:00Z", "server_addr": "a.example", "ping_results":
        {"packets_sent": 4, "packets_recv": 3, "packet_loss": 25, "min_rtt": 1000000, "max_rtt": 3000000,
        "avg_rtt": 2000000, "std_dev_rtt": 0}, "http_results": {"status_code": 200, "response_time": 12000000}}"#), @"
    waddleperf-upstream ping a.example - 2026-11-25T09:00:00Z
      loss_ratio=0.250000 rtt_min=0.001000 rtt_mean=0.002000 rtt_max=0.003000 http_status=200.000000 samples=0
    ");
}

#[test]
fn what_nobody_knows_is_refused_on_one_line() {
    for octets in [
        &b""[..],
        b"hello",
        b"{}",
        b"[1, 2]",
        b"{\"success\": false, \"error\": \"no\"}",
        b"{\"status_code\": 401}",
        b"{\"a\":",
        golden!("iperf3-err.json"),
        &[0xff; 64],
    ] {
        let failure = read(octets, None).expect_err("nothing to read");
        assert_eq!(failure.class.exit_code(), 2);
        assert!(!failure.detail.contains('\n'), "{failure}");
    }
    assert!(read(golden!("ping.txt"), Some(Tool::Mtr)).is_err());
}

#[test]
fn an_id_follows_from_the_content_alone() {
    let ids = |octets: &[u8]| -> Vec<Uuid> {
        read(octets, None).expect("a tool").iter().map(|record| record.id).collect()
    };
    let once = golden!("irtt.json");
    assert_eq!(ids(once), ids(once));
    // The same run twice in one file, without a time of its own, is two runs.
    let twice = golden!("ping.txt").repeat(2);
    let both = ids(&twice);
    assert_eq!(both.len(), 2);
    assert_ne!(both[0], both[1]);
    assert_eq!(both[0], ids(golden!("ping.txt"))[0]);
}

proptest! {
    #[test]
    fn no_octets_panic(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        fuzz_import(&octets);
    }

    #[test]
    fn no_damaged_output_panics(which in 0usize..6, at in any::<prop::sample::Index>(), octet in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let all: [&[u8]; 6] = [
            golden!("ping.txt"), golden!("ping-D.txt"), golden!("mtr.json"),
            golden!("iperf3.json"), golden!("iperf3-udp.json"), golden!("ping-6.txt"),
        ];
        let mut octets = all[which].to_vec();
        let (at, cut) = (at.index(octets.len()), cut.index(octets.len()));
        octets[at] = octet;
        fuzz_import(&octets);
        fuzz_import(&octets[..cut]);
    }

    #[test]
    fn no_numbers_panic(seq in any::<u64>(), sent in any::<u64>(), received in any::<u64>(), time in any::<f64>()) {
        fuzz_import(format!(
            "PING a (192.0.2.1) 56 bytes\n[{time}] icmp_seq={seq} time={time} ms\nicmp_seq={received} time=1 ms\n\
             {sent} packets transmitted, {received} received, time {time}ms\nrtt min/avg/max/mdev = {time}/1/2/3 ms\n"
        ).as_bytes());
    }
}
