//! What TCP tells is what tshark makes of the same packets.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use waddleperf::sys::wait::sleep;

use super::running::{Running, number, read};
use crate::lab::{Hook, Lab, Node, Units};
use crate::tool::{stdout, tool};

/// How many packets of a file tshark's filter accepts.
fn count(path: &Path, filter: &str) -> u64 {
    stdout(tool("tshark").arg("-r").arg(path).args(["-Y", filter, "-T", "fields", "-e", "frame.number"]))
        .lines()
        .count() as u64
}

/// Sends `octets` to a server that reads `slowly` at first, and takes as many back.
fn talk(client: &Node, server: &Node, to: Ipv4Addr, octets: usize, slowly: bool) {
    let listener = server.run(|| TcpListener::bind((to, 5001)).expect("listen"));
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            if slowly {
                sleep(Duration::from_millis(700));
            }
            let mut taken = Vec::new();
            stream.read_to_end(&mut taken).expect("read all");
            stream.write_all(&taken[..taken.len() / 4]).expect("send some back");
        });
        let mut stream = client.run(|| TcpStream::connect((to, 5001)).expect("connect"));
        stream.write_all(&vec![7; octets]).expect("send");
        stream.shutdown(Shutdown::Write).expect("no more");
        let mut back = Vec::new();
        stream.read_to_end(&mut back).expect("read");
        assert_eq!(back.len(), octets / 4);
    });
    // The server closes last: once it has no connection any more nobody sends anything again. 5001 is 0x1389, and 0A listens.
    let rows = || server.run(|| std::fs::read_to_string("/proc/thread-self/net/tcp").expect("connections"));
    for _ in 0..2000 {
        if !rows().lines().any(|row| row.contains(":1389 ") && !row.contains(" 0A ")) {
            return;
        }
        sleep(Duration::from_millis(10));
    }
    panic!("the server has a connection still: {}", rows());
}

/// Segments that the kernels of both ends have sent again.
fn sent_again(lab: &Lab) -> u64 {
    [lab.client(), lab.server()].map(|node| node.counter("TcpRetransSegs")).iter().sum()
}

/// Compares a report with tshark's view of the file it wrote.
#[track_caller]
fn compare(report: &Value, path: &Path) {
    for (pointer, filter) in [
        ("/tcp/segments", "tcp"),
        ("/tcp/duplicate_acks", "tcp.analysis.duplicate_ack"),
        ("/tcp/gaps", "tcp.analysis.lost_segment"),
        ("/tcp/zero_windows", "tcp.analysis.zero_window"),
        ("/tcp/resets", "tcp.flags.reset == 1"),
    ] {
        assert_eq!(number(report, pointer), count(path, filter), "{filter}: {report}");
    }
    let told =
        stdout(tool("tshark").arg("-r").arg(path).args(["-T", "fields", "-e", "tcp.analysis.initial_rtt"]));
    let mut times: Vec<f64> = told.lines().filter_map(|line| line.parse().ok()).collect();
    times.sort_unstable_by(f64::total_cmp);
    let ours = report["tcp"]["handshakes"]["min_ms"].as_f64().expect("a handshake");
    assert!((ours / 1e3 - times[0]).abs() < 1e-8, "{ours} ms, {} s", times[0]);
    let again = read(path, &[]);
    for part in ["tcp", "conversations", "talkers", "protocols"] {
        assert_eq!(again[part], report[part], "{part}");
    }
}

fn check(lab: &Lab, octets: usize, slowly: bool) -> Value {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("a.pcapng");
    let arguments = ["-f", "tcp port 5001", "-w", path.to_str().expect("UTF-8"), "-B", "16384"];
    let ours = Running::start(lab.client(), &arguments);
    talk(lab.client(), lab.server(), lab.server().address4(), octets, slowly);
    let report = ours.stop();
    assert_eq!(number(&report, "/dropped_kernel"), 0, "{report}");
    compare(&report, &path);
    report
}

#[test]
fn a_clean_line_has_nothing_to_tell() {
    let lab = Lab::line(1).build();
    let report = check(&lab, 300_000, false);
    // None, unless a busy host has been late to say that something came.
    assert_eq!(number(&report, "/tcp/retransmits"), sent_again(&lab), "{report}");
    assert_eq!(report["tcp"]["handshakes"]["count"], 1);
}

#[test]
fn where_all_is_seen_retransmissions_are_the_kernels_own_count() {
    let mut seen = 0;
    for seed in 1..=4 {
        let lab = Lab::line(1).seed(seed).delay(5.ms()).loss_up(0.03).build();
        let report = check(&lab, 400_000, false);
        // The server's own are not seen twice where the first was lost before it came here: none is lost this way.
        assert_eq!(number(&report, "/tcp/retransmits"), sent_again(&lab), "{report}");
        assert_eq!(number(&report, "/tcp/out_of_order"), 0, "{report}");
        seen += lab.client().counter("TcpRetransSegs");
    }
    assert!(seen > 10, "{seen} retransmissions in four runs");
}

#[test]
fn losses_both_ways_are_judged_as_tshark_does() {
    let mut seen = 0;
    for seed in 1..=3 {
        let lab = Lab::line(1).seed(seed).delay(5.ms()).loss(0.02).build();
        seen += number(&check(&lab, 600_000, false), "/tcp/retransmits");
    }
    assert!(seen > 5, "{seen} retransmissions in three runs");
}

#[test]
fn reordering_is_judged_as_tshark_does() {
    for seed in 1..=3 {
        let lab = Lab::line(1).seed(seed).delay(3.ms()).reorder(0.05, 2.ms()).duplicate(0.01).build();
        check(&lab, 400_000, false);
    }
}

#[test]
fn a_reader_that_sleeps_closes_its_window() {
    let lab = Lab::line(1).build();
    lab.server().sysctl("net.ipv4.tcp_rmem", "4096 16384 32768");
    let report = check(&lab, 500_000, true);
    assert!(number(&report, "/tcp/zero_windows") > 0, "{report}");
}

#[test]
fn a_lost_syn_and_a_refused_connection_are_told() {
    let lab = Lab::line(1).build();
    let _rule =
        lab.router(1).rule(Hook::Forward, "tcp flags & (syn | ack) == syn numgen inc mod 2 == 0", "drop");
    let report = check(&lab, 20_000, false);
    let again = number(&report, "/tcp/retransmits");
    assert!(again >= 1 && again == sent_again(&lab), "{report}");
    drop(_rule);
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("a.pcapng");
    let ours = Running::start(lab.client(), &["-f", "tcp", "-w", path.to_str().expect("UTF-8")]);
    let to = lab.router(1).address4();
    lab.client().run(|| TcpStream::connect((to, 5002)).expect_err("refused"));
    let report = ours.stop();
    assert_eq!((number(&report, "/tcp/resets"), number(&report, "/tcp/connections")), (1, 1), "{report}");
    assert_eq!(count(&path, "tcp.flags.reset == 1"), 1);
}
