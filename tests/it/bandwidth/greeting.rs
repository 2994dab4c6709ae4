//! How servers of any version answer the greeting of a flow: late, after the data, or not at all the first time.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, UdpSocket};
use std::time::Duration;

use serde_json::{Value, json};
use waddleperf::sys::clock;

use super::newer::against;
use crate::iperf3::heard;
use crate::lab::shared;
use crate::tool::{WADDLEPERF, tool};

/// What a client of flows says first.
const HELLO: &[u8] = b"9876";
/// Octets of a datagram here.
const LENGTH: usize = 500;

/// A datagram with a number of 64 bits.
fn datagram(number: u64) -> [u8; LENGTH] {
    let mut octets = [0; LENGTH];
    octets[8..16].copy_from_slice(&number.to_be_bytes());
    octets
}

/// The report of a test of a second at a server that `answers` the first flow, and how many datagrams the server read or sent.
fn tested(args: &str, answers: impl FnOnce(&UdpSocket) + Send + 'static) -> (Value, u64) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let address = listener.local_addr().expect("an address");
    let udp = UdpSocket::bind(address).expect("the same port");
    udp.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out");
    let sends = args.contains("-R");
    let server = std::thread::spawn(move || {
        let (mut control, _) = listener.accept().expect("a client");
        let mut cookie = [0; 37];
        control.read_exact(&mut cookie).expect("a cookie");
        control.write_all(&[9]).expect("sent");
        let params = heard(&mut control);
        assert_eq!((&params["udp"], &params["len"]), (&json!(true), &json!(LENGTH)), "{params}");
        control.write_all(&[10]).expect("sent");
        let mut hello = [0; LENGTH];
        let (length, client) = udp.recv_from(&mut hello).expect("a greeting");
        assert_eq!(&hello[..length], HELLO);
        udp.connect(client).expect("connected");
        answers(&udp);
        control.write_all(&[1, 2]).expect("sent");
        control.set_nonblocking(true).expect("no waiting");
        udp.set_read_timeout(Some(Duration::from_millis(5))).expect("a time-out");
        let (mut highest, mut octets) = (0, [0; LENGTH]);
        let mut end = [0];
        while control.read(&mut end).is_err() {
            if sends {
                highest += 1;
                udp.send(&datagram(highest)).expect("sent");
                waddleperf::sys::wait::sleep(Duration::from_millis(5));
            } else if let Ok(LENGTH) = udp.recv(&mut octets) {
                let number = u64::from_be_bytes(*octets[8..].first_chunk().expect("eight octets"));
                // A greeting that was repeated has number 0.
                assert!(number == highest + 1 || number == 0, "{number} after {highest}");
                highest = highest.max(number);
            }
        }
        assert_eq!(end, [4]);
        control.set_nonblocking(false).expect("waiting");
        control.write_all(&[13]).expect("sent");
        let theirs = heard(&mut control);
        let stream = json!({"id": 1, "bytes": highest * LENGTH as u64, "retransmits": -1, "jitter": 0.001,
            "errors": 0, "packets": highest, "omitted_errors": 0, "omitted_packets": 0, "start_time": 0, "end_time": 1});
        let ours = json!({"cpu_util_total": 1, "cpu_util_user": 1, "cpu_util_system": 0,
            "sender_has_retransmits": -1, "streams": [stream]})
        .to_string();
        let last = [&(ours.len() as u32).to_be_bytes(), ours.as_bytes(), &[14]].concat();
        control.write_all(&last).expect("sent");
        control.read_exact(&mut end).expect("the last word");
        (highest, theirs)
    });
    let mut command = tool(WADDLEPERF);
    command.args(["bandwidth", "--json", "-u", "-t", "1", "-b", "400K", "-l", &LENGTH.to_string()]);
    command.args(["-p", &address.port().to_string()]).args(args.split_whitespace());
    let output = command.arg("127.0.0.1").output().expect("it runs");
    let record: Value = serde_json::from_slice(&output.stdout).expect("a record");
    let report = record["outcome"]["report"].clone();
    assert!(output.status.success() && report["ended"].is_null(), "{args}: {record}");
    let (datagrams, theirs) = server.join().expect("the server sees all that it wants");
    let told = theirs["streams"][0]["packets"].as_u64().expect("datagrams");
    assert!(told > 20 && told.abs_diff(datagrams) <= 20, "{told} and {datagrams}: {theirs}");
    (report, datagrams)
}

#[test]
fn greetings_of_every_version_and_byte_order_are_understood() {
    let _turn = shared();
    for welcome in [b"6789", b"9876", b"\xb1\x68\xde\x3a", b"\x3a\xde\x68\xb1"] {
        let answer = move |udp: &UdpSocket| assert!(matches!(udp.send(welcome), Ok(4)));
        let (up, datagrams) = tested("", answer);
        let udp = &up["up"]["udp"];
        assert_eq!((&udp["seen"], &udp["lost"]), (&json!(datagrams), &json!(0)), "{udp}");
    }
}

#[test]
fn data_that_overtake_the_greeting_are_none_the_less_a_greeting() {
    let _turn = shared();
    let data_first = |udp: &UdpSocket| {
        for number in [1, 2] {
            udp.send(&datagram(number)).expect("sent");
        }
        udp.send(b"6789").expect("sent");
    };
    let (down, datagrams) = tested("-R", data_first);
    let udp = &down["down"]["udp"];
    let seen = udp["seen"].as_u64().expect("datagrams");
    assert!(seen > 20 && seen <= datagrams && udp["lost"] == 0, "{udp}");
}

#[test]
fn a_greeting_that_is_lost_is_sent_again_as_a_whole_datagram() {
    let _turn = shared();
    for args in ["", "-R"] {
        let deaf_once = |udp: &UdpSocket| {
            let mut again = [1; 2 * LENGTH];
            let length = udp.recv(&mut again).expect("a second greeting");
            // Of a server that took the first this is a datagram, the one before all others.
            assert_eq!(length, LENGTH);
            assert_eq!(again[8..16], [0; 8], "its number");
            udp.send(b"6789").expect("sent");
        };
        let (report, datagrams) = tested(args, deaf_once);
        let udp = &report[if args.is_empty() { "up" } else { "down" }]["udp"];
        assert!(udp["lost"] == 0 && datagrams > 20, "{args}: {udp}");
    }
}

#[test]
fn a_server_that_goes_on_has_heard_the_greeting_whose_answer_was_lost() {
    let _turn = shared();
    let (up, datagrams) = tested("", |_| {});
    assert_eq!(up["up"]["udp"]["seen"], datagrams, "{up}");
}

#[test]
fn what_a_server_says_instead_of_a_greeting_is_told_at_once() {
    for (said, class, word) in [
        (
            &[0xfe, 0, 0, 0, 204, 0, 0, 0, 0][..],
            "refused",
            "a stream could not be accepted (iperf3's error 204)",
        ),
        (&[0xfe, 0, 0, 0, 27, 0, 0, 0, 0], "refused", "larger than the server's limit (iperf3's error 27)"),
        (&[0xff], "refused", "busy"),
        (&[11], "refused", "interrupted"),
        (&[2], "protocol", "TestRunning"),
        (&[], "protocol", "closed"),
    ] {
        for args in ["", "-R"] {
            let began = clock::now().mono;
            let (code, record) = against(&format!("-u -t 1 {args}"), move |mut control, udp| {
                drop(heard(&mut control));
                control.write_all(&[10]).expect("sent");
                let (length, _) = udp.recv_from(&mut [0; LENGTH]).expect("a greeting");
                assert_eq!(length, HELLO.len());
                control.write_all(said).expect("sent");
                // Who says nothing has ended; who has said why waits until it is read.
                if said.is_empty() {
                    control.shutdown(Shutdown::Write).expect("ended");
                }
                let mut rest = [0];
                let read = control.read(&mut rest);
                assert!(matches!(read, Ok(0)), "{said:?}: the client goes on: {read:?} {rest:?}");
            });
            let took = clock::now().mono - began;
            let failure = &record["outcome"]["failure"];
            assert_eq!((code, &failure["class"]), (Some(1), &json!(class)), "{said:?} {args}: {record}");
            let detail = failure["detail"].as_str().unwrap_or_default();
            assert!(detail.contains(word), "{said:?} {args}: {detail}");
            // An answer to a greeting is waited for 30 s.
            assert!(took < Duration::from_secs(10), "{said:?} {args}: {took:?}");
        }
    }
}
