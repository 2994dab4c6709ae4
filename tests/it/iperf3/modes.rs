//! What a stock client can ask for, one after the other (the table of iperf3-protocol.md §8).

use serde_json::{Value, json};

use super::{OPEN, Server, number, unread};
use crate::lab::{holds, one_of_three, shared};
use crate::tool::stdout;

/// Octets that may be in buffers of both hosts when a test ends.
const UNDER_WAY: f64 = 16e6;

/// The report of a test of so many streams in which less came than was sent. How much less is what one end of a busy host had no time
/// to read: of three tests one has to be near.
#[track_caller]
fn adds_up(server: &Server, args: &str, streams: usize) -> Value {
    one_of_three(|| {
        let report = server.report(args);
        is_near(&report, streams).map(|()| report)
    })
}

/// Whether nearly all has come; it fails the test where that is far off.
#[track_caller]
fn is_near(report: &Value, streams: usize) -> Result<(), String> {
    let all = report["end"]["streams"].as_array().expect("streams");
    assert_eq!(all.len(), streams, "{report:#}");
    let is_udp = report["start"]["test_start"]["protocol"] == "UDP";
    let (sent, got) = match is_udp {
        true => (number(report, "/end/sum/bytes"), None),
        false => {
            let [sent, got] =
                ["sent", "received"].map(|end| number(report, &format!("/end/sum_{end}/bytes")));
            (sent, Some(got))
        }
    };
    assert!(sent > 0.0, "{report:#}");
    let Some(got) = got else { return Ok(()) };
    assert!(got > 0.0 && got <= sent && sent - got < UNDER_WAY + 0.3 * sent, "{got} of {sent}");
    holds(sent - got < UNDER_WAY + sent / 100.0, || format!("{got} of {sent}"))
}

#[test]
fn tcp_forward_is_counted_at_both_ends() {
    let _turn = shared();
    let server = Server::open();
    let before = server.idle();
    for (args, streams) in [("-t 1", 1), ("-t 1 -Z", 1), ("-t 1 -b 50M -P 4", 4)] {
        let report = adds_up(&server, args, streams);
        let all = report["end"]["streams"].as_array().expect("streams");
        for end in ["sender", "receiver"] {
            let sum: f64 = all.iter().map(|stream| number(stream, &format!("/{end}/bytes"))).sum();
            let whole = if end == "sender" { "sum_sent" } else { "sum_received" };
            assert_eq!(sum, number(&report, &format!("/end/{whole}/bytes")), "{args}");
        }
        assert!(number(&report, "/end/sum_sent/retransmits") >= 0.0);
        assert!(report["end"]["sender_tcp_congestion"].is_string(), "{report:#}");
        assert_eq!(report["end"]["receiver_tcp_congestion"], report["end"]["sender_tcp_congestion"]);
        assert!(number(&report, "/end/cpu_utilization_percent/remote_total") > 0.0, "{report:#}");
    }
    server.until_idle(before);
}

#[test]
fn tcp_reverse_has_the_servers_retransmits() {
    let _turn = shared();
    let server = Server::open();
    for (args, streams) in [("-R -t 1", 1), ("-R -t 1 -Z", 1), ("-R -t 1 -P 2 -b 20M", 2)] {
        let report = adds_up(&server, args, streams);
        assert!(number(&report, "/end/sum_sent/retransmits") >= 0.0);
    }
}

#[test]
fn both_directions_at_once() {
    let _turn = shared();
    let server = Server::open();
    let tcp = adds_up(&server, "--bidir -P 2 -t 1 -b 50M", 4);
    for sum in ["sum_sent_bidir_reverse", "sum_received_bidir_reverse"] {
        assert!(number(&tcp, &format!("/end/{sum}/bytes")) > 0.0);
    }
    let senders = tcp["end"]["streams"].as_array().expect("streams").iter();
    let senders: Vec<&Value> = senders.map(|stream| &stream["sender"]["sender"]).collect();
    assert_eq!(senders, [&json!(true), &json!(true), &json!(false), &json!(false)]);
    let before = unread();
    let udp = adds_up(&server, "--bidir -u -P 2 -t 1 -b 3M -l 1000", 4);
    let unread = (unread() - before) as f64;
    for sum in ["sum", "sum_bidir_reverse"] {
        assert!(number(&udp, &format!("/end/{sum}/lost_packets")) <= unread, "{unread}: {udp:#}");
        assert!(number(&udp, &format!("/end/{sum}/packets")) > 0.0);
    }
}

#[test]
fn every_datagram_is_counted_both_ways() {
    let _turn = shared();
    let server = Server::open();
    for args in ["-u -b 5M -l 1000 -t 1", "-u -R -b 5M -l 1000 -t 1", "-u -b 3M -l 1400 -P 4 -t 1"] {
        for more in ["", " --udp-counters-64bit"] {
            let before = unread();
            let report = server.report(&format!("{args}{more}"));
            let unread = (unread() - before) as f64;
            let [lost, percent, all] = ["lost_packets", "lost_percent", "packets"]
                .map(|what| number(&report, &format!("/end/sum/{what}")));
            assert!(lost <= unread, "{args}{more}: {unread}: {report:#}");
            assert!((percent - 100.0 * lost / all).abs() < 1e-6, "{args}{more}: {report:#}");
            let streams = report["end"]["streams"].as_array().expect("streams");
            for stream in streams {
                assert_eq!(number(stream, "/udp/out_of_order"), 0.0, "{args}{more}");
                let (packets, octets) = (number(stream, "/udp/packets"), number(stream, "/udp/bytes"));
                let length = number(&report, "/start/test_start/blksize");
                assert_eq!(packets * length, octets, "{args}{more}: {stream:#}");
            }
            assert!(number(&report, "/end/sum/jitter_ms") > 0.0, "{args}{more}");
        }
    }
}

#[test]
fn a_datagram_has_any_length() {
    let _turn = shared();
    let server = Server::open();
    for args in [
        "-u -l 16 -b 1M -t 1",
        "-u -l 65507 -b 50M -t 1",
        "-u -R -l 65507 -b 50M -t 1",
        "-u -R -b 0 -l 1000 -t 1",
    ] {
        let report = server.report(args);
        assert!(number(&report, "/end/sum/packets") > 10.0, "{args}: {report:#}");
    }
}

#[test]
fn a_test_ends_with_its_octets() {
    let _turn = shared();
    let server = Server::open();
    for (args, octets) in [("-n 10M", 10 << 20), ("-k 80", 80 << 17), ("-n 10M -P 3", 10 << 20)] {
        let report = server.report(args);
        let [sent, got] = ["sent", "received"].map(|end| number(&report, &format!("/end/sum_{end}/bytes")));
        assert_eq!(sent, got, "{args}: all that was sent has come");
        assert!(sent >= f64::from(octets), "{args}: {sent}");
    }
    for args in
        ["-n 10M -R", "-k 80 -R", "-u -n 1M -b 50M -l 1000", "-u -n 1M -b 50M -l 1000 -R", "-u -k 80 -b 20M"]
    {
        adds_up(&server, args, 1);
    }
}

#[test]
fn a_pace_is_kept_by_who_sends() {
    let _turn = shared();
    let server = Server::open();
    for args in ["-R -b 20M -t 2", "-R -b 20M/10 -t 2", "-u -R -b 20M -l 1000 -t 2", "-R --fq-rate 20M -t 2"]
    {
        let report = server.report(args);
        let sum = if args.contains("-u") { "sum" } else { "sum_received" };
        let bits = number(&report, &format!("/end/{sum}/bytes")) * 8.0;
        // A burst of ten writes may be ahead.
        let most = 20e6 * (number(&report, &format!("/end/{sum}/seconds")) + 0.2) + 10.0 * 131_072.0 * 8.0;
        // The kernel's pacing lets the first windows go.
        let most = if args.contains("fq") { most * 1.3 } else { most };
        assert!((10e6..most).contains(&bits), "{args}: {bits} bits, at most {most}");
    }
}

#[test]
fn what_is_omitted_does_not_count() {
    let _turn = shared();
    let server = Server::open();
    for args in [
        "-O 1 -t 1 -b 20M",
        "-O 1 -t 1 -b 20M -R",
        "-u -O 1 -t 1 -b 20M -l 1000",
        "-u -O 1 -t 1 -b 20M -l 1000 -R",
    ] {
        let before = unread();
        let report = server.report(args);
        let unread = (unread() - before) as f64;
        let intervals = report["intervals"].as_array().expect("intervals");
        let omitted = intervals.iter().filter(|interval| interval["sum"]["omitted"] == true).count();
        assert!(omitted >= 1 && omitted < intervals.len(), "{args}: {report:#}");
        let sum = if args.contains("-u") { "sum" } else { "sum_received" };
        // Half of what was moved in all.
        let octets = number(&report, &format!("/end/{sum}/bytes"));
        assert!((0.5 * 2.5e6..1.5 * 2.5e6).contains(&octets), "{args}: {octets}");
        if args.contains("-u") {
            assert!(number(&report, "/end/sum/lost_packets") <= unread, "{args}: {unread}: {report:#}");
        }
    }
}

#[test]
fn sockets_are_as_asked_for() {
    let _turn = shared();
    let server = Server::open();
    for args in [
        "-w 128K -t 1 -b 20M",
        "-w 128K -t 1 -b 20M -R",
        "-M 1200 -t 1 -b 20M",
        "-N -t 1 -b 20M -R",
        "-S 0x10 -t 1 -b 20M --bidir",
        "-S 0x10 -u -t 1 -b 20M -R -l 1000",
        "-l 1M -t 1",
        "--repeating-payload -t 1 -b 20M -R",
        "-u --dont-fragment -l 1000 -b 20M -t 1 -R",
    ] {
        let report = server.report(args);
        assert!(
            number(
                &report,
                "/end/streams/0/sender/bytes"
                    .replace("sender", if args.contains("-u") { "udp" } else { "sender" })
                    .as_str()
            ) > 0.0,
            "{args}"
        );
    }
    let reno = server.report("-C reno -t 1 -b 20M -R");
    for end in ["sender_tcp_congestion", "receiver_tcp_congestion"] {
        assert_eq!(reno["end"][end], "reno", "{reno:#}");
    }
}

#[test]
fn our_output_goes_to_who_asks_for_it() {
    let _turn = shared();
    let server = Server::open();
    let report = server.report("-t 1 -b 20M --get-server-output -P 2");
    let text = report["server_output_text"].as_str().expect("a text");
    assert!(text.starts_with("Accepted connection from 127.0.0.1, port "), "{text}");
    assert_eq!(text.lines().filter(|line| line.ends_with("receiver")).count(), 3, "{text}");
    let told = stdout(&mut server.client("-u -t 1 -b 20M -l 1000 --get-server-output"));
    assert!(told.contains("\nServer output:\nAccepted connection from "), "{told}");
    assert!(report["server_output_json"].is_null());
}

#[test]
fn ipv6_and_ipv4_are_served_at_one_port() {
    let _turn = shared();
    let server = Server::configured(&format!("[serve.iperf3]\n{}", super::OPEN), "[::]");
    for host in ["127.0.0.1", "127.0.0.2", "::1"] {
        for args in ["-t 1 -b 20M", "-u -t 1 -b 20M -l 1000 -R"] {
            let (is_well, report) = super::told(&mut server.client_at(host, &format!("{args} -J")));
            assert!(is_well && report.get("error").is_none(), "{host} {args}: {report:#}");
            assert_eq!(report["start"]["connected"][0]["remote_host"], host);
        }
    }
}

#[test]
fn either_family_is_served_at_one_port_and_called_by_its_plain_address() {
    let _turn = shared();
    let server = Server::configured(&format!("[serve.iperf3]\n{OPEN}"), "[::]");
    for (host, args, address) in [
        ("localhost", "-4", "127.0.0.1"),
        ("::1", "-6", "::1"),
        ("127.0.0.1", "-B 127.0.0.1", "127.0.0.1"),
        ("::1", "-B ::1", "::1"),
        ("127.0.0.1", "-u -b 1M -l 1000", "127.0.0.1"),
        ("::1", "-u -b 1M -l 1000", "::1"),
    ] {
        // Each port but once: TCP remembers those of connections that have just ended.
        let first = 6000 + 10 * u16::from(args.as_bytes()[1]) + if address == "::1" { 5 } else { 0 };
        let args = format!("{args} --cport {first} -P 3 -t 1 -b 1M --get-server-output");
        let output = server.client_at(host, &args).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{args}: {said} {}", String::from_utf8_lossy(&output.stderr));
        for port in first..first + 3 {
            let peer = format!("connected to {address} port {port}");
            assert!(said.contains(&peer), "{args}: no {peer} in {said}");
        }
    }
}
