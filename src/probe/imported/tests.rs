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
    insta::assert_snapshot!(told(golden!("ping.txt")), @"");
    insta::assert_snapshot!(told(golden!("ping-D.txt")), @"");
    insta::assert_snapshot!(told(golden!("ping-q.txt")), @"");
    insta::assert_snapshot!(told(golden!("ping-6.txt")), @"");
    insta::assert_snapshot!(told(golden!("ping-lost.txt")), @"");
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
    insta::assert_snapshot!(told(text.as_bytes()), @"");
}

#[test]
fn ppings_are_read_with_their_mode() {
    insta::assert_snapshot!(told(b"Ping www.example.com (443):\n\
        [1] 192.0.2.1: time=26 ms\n[2] 192.0.2.1: time=27 ms\n[3] dial tcp: i/o timeout\n[4] 192.0.2.1: time=26 ms\n\n\
        \tsent = 4, ok = 3, failed = 1 (25%)\n\tmin = 26 ms, max = 27 ms, avg = 26 ms\n"), @"");
    insta::assert_snapshot!(told(b"Ping www.example.com (443):\n\
        [1] 192.0.2.1: protocol=TLS 1.3, connection=5 ms, handshake=9 ms, time=14 ms\n\n\
        \tsent = 1, ok = 1, failed = 0 (0.00%)\n\tmin = 14.000000 ms, max = 14.000000 ms, avg = 14.00 ms\n\
        Ping https://www.example.com/:\n\
        [1] 192.0.2.1: proto=HTTP/2.0, status=200, length=5, time=40 ms\n"), @"");
}

#[test]
fn json_is_read() {
    insta::assert_snapshot!(told(golden!("mtr.json")), @"");
    insta::assert_snapshot!(told(golden!("iperf3.json")), @"");
    insta::assert_snapshot!(told(golden!("iperf3-udp.json")), @"");
    insta::assert_snapshot!(told(golden!("irtt.json")), @"");
}

#[test]
fn upstreams_shapes_are_read() {
    insta::assert_snapshot!(told(br#"{"packets_transmitted": 4, "packets_received": 3, "packet_loss": 25.0,
        "rtt_min": 1.0, "rtt_avg": 2.0, "rtt_max": 3.0, "target": "a.example"}"#), @"");
    insta::assert_snapshot!(told(br#"{"test_config": {"dst_host": "192.0.2.1", "port": 2000}, "statistics":
        {"packets_transmitted": 2, "packets_received": 1, "packet_loss_percent": 50,
        "rtt_stats": {"min_ms": 1.5, "max_ms": 1.5, "avg_ms": 1.5}},
        "detailed_results": [{"seq": 0, "rtt_ms": 1.5}, {"seq": 1, "rtt_ms": null}]}"#), @"");
    insta::assert_snapshot!(told(br#"[{"test_type": "HTTP", "target_host": "a.example", "target_ip": "192.0.2.1",
        "latency_ms": 12.5, "throughput_mbps": 94.5, "timestamp": "2026-11-24T10:00:00Z"},
        {"id": 1, "status": "completed", "target": "b.example", "result": {"latency_ms": 2}}]"#), @"");
}

#[test]
fn what_nobody_knows_is_refused_on_one_line() {
    for octets in [&b""[..], b"hello", b"{}", b"[1, 2]", b"{\"a\":", golden!("iperf3-err.json"), &[0xff; 64]]
    {
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
