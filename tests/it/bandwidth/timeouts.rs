//! Servers and paths that do not answer: how long they are waited for.

use std::io::{Read, Write};
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use waddleperf::sys::clock;

use super::factor::{report, waddleperf};
use super::newer::against;
use super::{bandwidth, number};
use crate::iperf3::{OPEN, heard};
use crate::lab::{Hook, Lab};
use crate::tool::tool;

/// Octets of a datagram here.
const LENGTH: usize = 500;

#[test]
fn a_filtered_port_is_given_up_in_the_time_that_is_asked_for() {
    let lab = Lab::line(0).build();
    let filter = lab.server().rule(Hook::Input, "tcp dport 5201", "drop");
    for (asked, least) in [("500", 0.5), ("2s", 2.0)] {
        let began = clock::now().mono;
        let to = lab.server().address4();
        let (code, record, _) = bandwidth(lab.client(), &format!("--connect-timeout {asked} {to}"));
        let took = (clock::now().mono - began).as_secs_f64();
        let failure = &record["outcome"]["failure"];
        assert_eq!((code, &failure["class"]), (Some(1), &json!("timeout")), "{record}");
        // By default it is waited for 10 s.
        assert!((least..least + 3.0).contains(&took), "{asked}: {took} s");
    }
    assert!(filter.dropped() >= 2);
}

#[test]
fn a_server_that_sends_nothing_more_is_given_up_in_the_time_that_is_asked_for() {
    for (protocol, datagrams) in [("", 0), ("-u", 0), ("-u", 20)] {
        let args = format!("{protocol} -R -t 30 -l {LENGTH} --rcv-timeout 1500");
        let began = clock::now().mono;
        let (code, record) = against(&args, move |mut control, udp| {
            let is_udp = heard(&mut control)["udp"] == true;
            control.write_all(&[10]).expect("sent");
            if is_udp {
                let (_, client) = udp.recv_from(&mut [0; LENGTH]).expect("a greeting");
                udp.connect(client).expect("connected");
                udp.send(b"6789").expect("sent");
            }
            control.write_all(&[1, 2]).expect("sent");
            for number in 1..=datagrams {
                let mut octets = [0; LENGTH];
                octets[8..16].copy_from_slice(&u64::to_be_bytes(number));
                udp.send(&octets).expect("sent");
            }
            // Until the client has had enough.
            let _ = control.read(&mut [0]);
        });
        let took = (clock::now().mono - began).as_secs_f64();
        let report = &record["outcome"]["report"];
        assert_eq!((code, &report["ended"]), (Some(1), &json!("nothing came for 1500ms")), "{record}");
        assert_eq!(number(&report["down"]["received"]["bytes"]), (datagrams * LENGTH as u64) as f64);
        assert!((1.5..6.0).contains(&took), "{args}: {took} s");
    }
}

#[test]
fn flows_that_a_path_does_not_carry_are_given_up_and_that_is_told() {
    let lab = Lab::line(0).build();
    let [ours, stocks] = [(); 2].map(|()| waddleperf(&lab, OPEN));
    let filter = lab.server().rule(Hook::Input, "meta l4proto udp", "drop");
    let to = lab.server().address4().to_string();
    // A stock client hears nothing of what is said meanwhile, and waits for its own 30 s.
    let path = tool("iperf3").get_program().to_owned();
    let mut stock = lab.client().command("timeout");
    stock.arg("60").arg(path).args(["-c", &to, "-u", "-t", "1", "-p", &stocks.port.to_string()]);
    let stock = stock.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    let began = clock::now().mono;
    let (code, record, _) = bandwidth(lab.client(), &format!("-u -t 1 -p {} {to}", ours.port));
    let took = clock::now().mono - began;
    let failure = &record["outcome"]["failure"];
    assert_eq!((code, &failure["class"]), (Some(1), &json!("refused")), "{record}");
    let detail = failure["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("a stream could not be accepted (iperf3's error 204)"), "{detail}");
    assert!((Duration::from_secs(10)..Duration::from_secs(15)).contains(&took), "{took:?}");
    let output = stock.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    // Either server has its place again.
    filter.lift();
    for server in [&ours, &stocks] {
        report(&lab, &format!("-u -t 1 -p {}", server.port));
    }
}
