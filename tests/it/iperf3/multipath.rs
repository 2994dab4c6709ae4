//! Connections over several paths (MPTCP, RFC 8684), which either end may not have.

use super::OPEN;
use crate::bandwidth::factor::{report, waddleperf};
use crate::bandwidth::server::Iperf3;
use crate::bandwidth::{bandwidth, number};
use crate::lab::Lab;

#[test]
fn connections_are_multipath_where_both_ends_have_that() {
    let lab = Lab::line(0).build();
    let server = waddleperf(&lab, &format!("{OPEN}mptcp = true\n"));
    // Of each stream, as the control connection is TCP's.
    for (args, streams) in [
        ("-n 20M --mptcp", 1),
        ("-n 20M --mptcp -P 2 --tx-copy --rx-copy", 2),
        ("-n 20M --mptcp -R", 1),
        ("-n 20M --mptcp -b 200M -S 0x10", 1),
        ("-t 1 --mptcp --bidir -w 256K -C reno", 2),
        ("-n 20M", 0),
    ] {
        let accepted = || lab.client().counter("MPTcpExtMPCapableSYNACKRX");
        let before = accepted();
        let found = report(&lab, &format!("-p {} {args}", server.port));
        assert_eq!(accepted() - before, streams, "{args}");
        assert_eq!(found["multipath"], streams > 0, "{args}");
        for way in ["up", "down"].into_iter().filter(|way| !found[*way].is_null()) {
            let flow = &found[way];
            // The kernel would tell those of the first path.
            assert_eq!(flow["retransmits"].is_null(), streams > 0, "{args}: {flow}");
            assert!(number(&flow["received"]["bytes"]) > 1e6, "{args}: {flow}");
            let is_exact = way == "up" && args.starts_with("-n");
            assert!(!is_exact || flow["sent"]["bytes"] == 20 << 20, "{args}: {flow}");
        }
    }
}

#[test]
fn who_does_not_have_it_is_tested_over_one_path() {
    let lab = Lab::line(0).build();
    let (server, _stock) = (waddleperf(&lab, OPEN), Iperf3::start(lab.server(), ""));
    for port in [server.port, 5201] {
        let found = report(&lab, &format!("-n 20M -p {port} -m"));
        assert_eq!((&found["multipath"], &found["up"]["sent"]["bytes"]), (&false.into(), &(20 << 20).into()));
    }
}

#[test]
fn what_such_connections_do_not_have_is_refused_in_a_line() {
    let lab = Lab::line(0).build();
    let server = waddleperf(&lab, &format!("{OPEN}mptcp = true\n"));
    for option in ["--fq-rate 10M", "--snd-timeout 1000"] {
        let args = format!("-m {option} -p {} {}", server.port, lab.server().address4());
        let (code, _, says) = bandwidth(lab.client(), &args);
        assert!(code == Some(2) && says.contains("cannot be had with --mptcp"), "{option}: {code:?} {says}");
    }
}
