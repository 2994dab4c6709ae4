//! A server that says what version 3.21 does: Debian's own is older. What it says is in iperf3-protocol.md §1 to §3.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use serde_json::{Value, json};

use super::number;
use crate::iperf3::heard;
use crate::lab::shared;
use crate::tool::{WADDLEPERF, tool};

/// What `bandwidth` says of a server that `serve` is, at a port of TCP and of UDP.
pub(super) fn against(
    args: &str,
    serve: impl FnOnce(TcpStream, UdpSocket) + Send + 'static,
) -> (Option<i32>, Value) {
    let tcp = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let address = tcp.local_addr().expect("an address");
    let udp = UdpSocket::bind(address).expect("a socket");
    udp.set_read_timeout(Some(Duration::from_secs(10))).expect("a time-out");
    let server = std::thread::spawn(move || {
        let (mut control, _) = tcp.accept().expect("a connection");
        control.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out");
        let mut cookie = [0; 37];
        control.read_exact(&mut cookie).expect("a cookie");
        control.write_all(&[9]).expect("sent");
        serve(control, udp);
    });
    let _turn = shared();
    let mut client = tool(WADDLEPERF);
    client.args(["bandwidth", "--json", "-p", &address.port().to_string()]);
    let output = client.args(args.split_whitespace()).arg("127.0.0.1").output().expect("it runs");
    server.join().expect("it has served");
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or(Value::Null))
}

#[test]
fn what_a_server_of_3_21_has_omitted_is_no_loss() {
    let (code, record) = against("-u -b 800K -l 1000 -t 1 -O 1", |mut control, udp| {
        let params = heard(&mut control);
        let of = |key: &str| params[key].as_i64();
        assert_eq!((&params["udp"], of("udp_counters_64bit")), (&json!(true), Some(1)), "{params}");
        assert_eq!([of("omit"), of("time"), of("len"), of("bandwidth")], [1, 1, 1000, 800_000].map(Some));
        // Everything that an older server enforces, and nothing that none knows.
        let known = [
            "udp",
            "omit",
            "time",
            "num",
            "blockcount",
            "parallel",
            "len",
            "bandwidth",
            "pacing_timer",
            "udp_counters_64bit",
            "client_version",
            "gso",
            "gso_dg_size",
            "gso_bf_size",
            "gro",
            "gro_bf_size",
        ];
        let unknown =
            params.as_object().expect("an object").keys().find(|key| !known.contains(&key.as_str()));
        assert_eq!(unknown, None, "{params}");
        control.write_all(&[10]).expect("sent");
        let mut datagram = [0; 2000];
        let (length, from) = udp.recv_from(&mut datagram).expect("a greeting");
        assert_eq!(&datagram[..length], b"9876");
        udp.send_to(b"6789", from).expect("sent");
        // Both in one segment, and data at once.
        control.write_all(&[1, 2]).expect("sent");
        let (length, _) = udp.recv_from(&mut datagram).expect("data");
        assert_eq!((length, &datagram[8..16]), (1000, &1u64.to_be_bytes()[..]));
        let mut end = [0];
        control.read_exact(&mut end).expect("the end");
        assert_eq!(end, [4]);
        control.write_all(&[13]).expect("sent");
        let ours = heard(&mut control);
        let stream = &ours["streams"][0];
        let packets = stream["packets"].as_u64().expect("datagrams");
        let omitted = stream["omitted_packets"].as_u64().expect("datagrams");
        // A busy host makes up for nothing.
        assert!((100..=210).contains(&packets) && (40..=110).contains(&omitted), "{ours}");
        let results = json!({
            "cpu_util_total": 3.5, "cpu_util_user": 1.5, "cpu_util_system": 2, "sender_has_retransmits": -1,
            "streams": [{"id": 1, "bytes": 95_000, "retransmits": -1, "jitter": 0.00025, "errors": 25, "omitted_errors": 20,
                         "packets": packets, "omitted_packets": omitted, "start_time": 0, "end_time": 1.0}]
        })
        .to_string();
        let frame = [&(results.len() as u32).to_be_bytes(), results.as_bytes(), &[14]].concat();
        control.write_all(&frame).expect("sent");
        control.read_exact(&mut end).expect("the last word");
        assert_eq!(end, [16]);
    });
    let report = &record["outcome"]["report"];
    let udp = &report["up"]["udp"];
    assert_eq!((code, &report["ended"]), (Some(0), &Value::Null), "{record}");
    assert_eq!((&udp["lost"], &udp["with_omitted"]), (&json!(5), &json!(false)), "{udp}");
    assert!((number(&udp["loss_ratio"]) - 5.0 / number(&udp["seen"])).abs() < 1e-9, "{udp}");
    assert!((number(&udp["jitter_ms"]) - 0.25).abs() < 1e-9, "{udp}");
    assert_eq!(report["up"]["received"], json!({"bytes": 95_000, "elapsed_ms": 1000.0}));
}

#[test]
fn the_ways_in_which_3_21_ends_are_understood() {
    // A login that fails: it closes and says nothing.
    let (code, record) = against("-t 1", |mut control, _| drop(heard(&mut control)));
    let failure = &record["outcome"]["failure"];
    assert_eq!((code, &failure["class"]), (Some(1), &json!("protocol")), "{record}");
    assert!(failure["detail"].as_str().is_some_and(|detail| detail.contains("closed")), "{failure}");
    // A limit that is broken while it runs: the same nine octets twice.
    let (_, record) = against("-u -b 80K -l 1000 -t 5", |mut control, udp| {
        drop(heard(&mut control));
        control.write_all(&[10]).expect("sent");
        let mut datagram = [0; 2000];
        let (_, from) = udp.recv_from(&mut datagram).expect("a greeting");
        udp.send_to(b"6789", from).expect("sent");
        control.write_all(&[1, 2]).expect("sent");
        let _ = udp.recv_from(&mut datagram).expect("data");
        control.write_all(&[0xfe, 0, 0, 0, 27, 0, 0, 0, 0, 0xfe, 0, 0, 0, 27, 0, 0, 0, 0]).expect("sent");
        // It is gone before the client can answer.
        waddleperf::sys::wait::sleep(Duration::from_millis(50));
    });
    let ended = record["outcome"]["report"]["ended"].as_str().unwrap_or_default().to_owned();
    assert!(ended.contains("iperf3's error 27"), "{record}");
}
