//! Paths that are no plain line: ways back of another length, loops, links that go down, families that are not there.

use std::time::Duration;

use serde_json::{Value, json};
use waddleperf::sys::wait::sleep;

use super::trace::{hops, path, record, report, run, server};
use crate::lab::{Diamond, Lab, alone};

fn numbers(report: &Value, name: &str) -> Vec<Value> {
    hops(report).iter().map(|hop| hop[name].clone()).collect()
}

#[test]
fn a_way_back_of_another_length_is_told() {
    let lab = Lab::line(2).build();
    // What goes to the server makes a detour over one more router; what comes back does not.
    let detour = Diamond::new(&lab, 1);
    for v6 in [false, true] {
        let found = report(lab.client(), server(&lab, v6), "-c 2 -i 0.1");
        let [first, aside, second, end] = path(&found)[..] else {
            panic!("four hops: {found}");
        };
        let addresses = detour.addresses(v6);
        assert!(aside.is_some_and(|aside| addresses.contains(&aside)), "{found}");
        assert_eq!(end, Some(server(&lab, v6)));
        assert!(first.is_some() && second.is_some());
        assert_eq!(numbers(&found, "ttl"), [1, 2, 3, 4].map(|ttl| json!(ttl)));
        assert_eq!(numbers(&found, "return_ttl"), [64, 63, 63, 62].map(|ttl| json!(ttl)), "{found}");
        assert_eq!(numbers(&found, "return_hops"), [1, 2, 2, 3].map(|hops| json!(hops)), "{found}");
    }
}

#[test]
fn a_loop_ends_and_is_called_one() {
    let _alone = alone();
    let lab = Lab::line(3).build();
    lab.router(2).ip("route replace default via 10.200.1.1\nroute replace default via fd00:200:1::1\n");
    for v6 in [false, true] {
        let record = record(lab.client(), server(&lab, v6), "-c 2 -i 0.1 -m 12");
        let found = &record["outcome"]["report"];
        let ours = [lab.router(1), lab.router(2)].map(|node| match v6 {
            true => Some(node.address6().into()),
            false => Some(node.address4().into()),
        });
        let [first, second] = ours;
        // Over IPv6 a router answers from the interface that it hears by, which is the other one in the loop.
        let again = if v6 { "fd00:200:1::1".parse().ok() } else { first };
        let expected = [&[first, second][..], &[again, second].repeat(5)].concat();
        assert_eq!(path(found), expected, "{record}");
        let ttl = if v6 { 2 } else { 1 };
        assert_eq!((&found["reached"], &found["loop_ttl"]), (&json!(false), &json!(ttl)), "{record}");
        assert!(record["elapsed_ms"].as_f64().is_some_and(|ms| ms < 3_000.0), "{record}");
        let text = run(lab.client(), server(&lab, v6), "-c 1 -m 12");
        let text = String::from_utf8_lossy(&text.stdout);
        assert!(text.contains("a loop"), "{text}");
    }
}

#[test]
fn a_link_that_goes_down_is_this_hosts_own_fault() {
    for method in ["", "-u"] {
        let lab = Lab::line(2).build();
        let output = std::thread::scope(|scope| {
            let tracing = scope
                .spawn(|| run(lab.client(), server(&lab, false), &format!("-c 20 -i 0.1 --json {method}")));
            sleep(Duration::from_millis(1000));
            lab.client().ip("link set up0 down");
            tracing.join().expect("it traces")
        });
        let record: Value = serde_json::from_slice(&output.stdout).expect("a record");
        let found = &record["outcome"]["report"];
        for hop in hops(found) {
            let count = |name: &str| hop["counts"][name].as_u64().unwrap_or(0);
            assert_eq!(json!(count("sent") + count("send_errors")), found["cycles"], "{method}: {record}");
            assert!(count("received") > 0 && count("send_errors") > 0, "{method}: {record}");
            assert!(count("sent") - count("received") <= 1, "what was not sent is not lost: {record}");
        }
        assert!(found["send_error"].as_str().is_some_and(|why| why.contains("unreachable")), "{record}");
    }
}

#[test]
fn a_family_that_is_not_there_is_named() {
    let lab = Lab::line(1).build();
    lab.client().sysctl("net.ipv6.conf.all.disable_ipv6", "1");
    for method in ["", "-u", "-T"] {
        let record = record(lab.client(), server(&lab, true), &format!("-c 1 {method}"));
        let failure = &record["outcome"]["failure"];
        assert_eq!(failure["class"], "unreachable", "{method}: {record}");
        assert!(
            failure["detail"].as_str().is_some_and(|why| why.contains(&server(&lab, true).to_string())),
            "{record}"
        );
    }
    let output = run(lab.client(), server(&lab, true), "-4 -c 1");
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
}
