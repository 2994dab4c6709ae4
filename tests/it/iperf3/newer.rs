//! A client that says what version 3.21 does: Debian's own is older. What it says is in iperf3-protocol.md §2 and §3.

use std::io::Write;

use serde_json::{Value, json};

use super::Server;
use super::raw::{Raw, frame, heard, tcp, udp, until_read};
use crate::lab::shared;

/// What 3.21 asks for over UDP.
fn params() -> Value {
    json!({
        "udp": true, "omit": 0, "time": 1, "num": 0, "blockcount": 0, "parallel": 1, "len": 1000, "bandwidth": 1_048_576,
        "pacing_timer": 1000, "gso": 0, "gso_dg_size": 0, "gso_bf_size": 65507, "gro": 0, "gro_bf_size": 65507,
        "skip_rx_copy": 1, "client_version": "3.21"
    })
}

/// A datagram with a number of 32 bits.
fn datagram(number: u32) -> Vec<u8> {
    let mut octets = vec![0; 1000];
    octets[3] = 1;
    octets[8..12].copy_from_slice(&number.to_be_bytes());
    octets
}

/// A test over UDP up to the end of its data, of which `numbers` are sent.
fn sent(server: &Server, params: &Value, numbers: &[u32]) -> Raw {
    let mut raw = Raw::ask(server, params);
    raw.hear(&[10]);
    let flow = udp(server, [127, 0, 0, 1]);
    flow.send(b"9876").expect("sent");
    let mut answer = [0; 16];
    let length = flow.recv(&mut answer).expect("an answer");
    assert_eq!(&answer[..length], b"6789");
    raw.hear(&[1, 2]);
    for &number in numbers {
        flow.send(&datagram(number)).expect("sent");
    }
    until_read(server.port);
    raw.say(&[4]);
    raw.hear(&[13]);
    raw
}

#[test]
fn a_client_of_3_21_is_told_what_it_subtracts() {
    let _turn = shared();
    let server = Server::open();
    for gro in [0, 1] {
        let mut params = params();
        (params["gso"], params["gro"]) = (json!(gro), json!(gro));
        // 3 and 6 are lost, 5 comes late.
        let mut raw = sent(&server, &params, &[1, 2, 4, 7, 5, 8]);
        raw.say(&frame(
            json!({
                "cpu_util_total": 1.5, "cpu_util_user": 1.0, "cpu_util_system": 0.5, "sender_has_retransmits": 0,
                "streams": [{"id": 1, "bytes": 6000, "retransmits": -1, "jitter": 0, "errors": 0, "omitted_errors": 0,
                             "packets": 8, "omitted_packets": 0, "start_time": 0, "end_time": 1.0}]
            })
            .to_string()
            .as_bytes(),
        ));
        let told = heard(&mut raw.stream);
        let stream = &told["streams"][0];
        let of = |key: &str| stream[key].as_i64();
        assert_eq!([of("bytes"), of("packets"), of("errors")], [Some(6000), Some(8), Some(2)], "{told}");
        // Without them 3.21 shows no loss at all.
        assert_eq!([of("omitted_errors"), of("omitted_packets")], [Some(0), Some(0)], "{told}");
        assert_eq!((&told["sender_has_retransmits"], of("retransmits")), (&json!(-1), Some(-1)), "{told}");
        raw.hear(&[14]);
        raw.say(&[16]);
        assert!(raw.rest().is_empty());
    }
}

#[test]
fn octets_are_counted_to_the_last_whoever_copies_them() {
    let _turn = shared();
    let server = Server::open();
    let octets = vec![7; 1 << 20];
    for version in ["3.21", "3.21+waddleperf-0.1.0"] {
        for (skips, lends) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let mut params = tcp();
            (params["client_version"], params["num"]) = (json!(version), json!(octets.len()));
            (params["skip_rx_copy"], params["zerocopy"]) = (json!(skips), json!(lends));
            let mut raw = Raw::ask(&server, &params);
            raw.hear(&[10]);
            let mut data = raw.data(&server);
            raw.hear(&[1, 2]);
            data.write_all(&octets).expect("sent");
            let told = raw.end(&[1]);
            assert_eq!(told["streams"][0]["bytes"], octets.len(), "{params}: {told}");
        }
    }
}

#[test]
fn a_client_of_3_21_that_is_interrupted_or_too_long_is_told_so_once() {
    let _turn = shared();
    let server = Server::open();
    let before = server.idle();
    let mut raw = Raw::ask(&server, &params());
    raw.hear(&[10]);
    raw.say(&[12]);
    assert!(raw.rest().is_empty(), "nobody is there to be told");
    // 3.20 and newer know a number of its own for a test that is too long.
    let server_with_limits = Server::with("time = \"5s\"\n");
    let mut long = params();
    long["time"] = json!(6);
    assert_eq!(Raw::ask(&server_with_limits, &long).rest(), [0xfe, 0, 0, 0, 37, 0, 0, 0, 0]);
    server.until_idle(before);
}
