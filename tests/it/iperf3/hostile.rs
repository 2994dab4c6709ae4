//! Clients that mean no good, or something else; beside each, a good one is served.

use std::io::{Read, Write};
use std::time::Duration;

use serde_json::{Value, json};

use super::raw::{Raw, frame, heard, tcp, udp};
use super::{Server, memory};
use crate::lab::shared;

/// The server's error with a number.
fn error(number: u8) -> Vec<u8> {
    vec![0xfe, 0, 0, 0, number, 0, 0, 0, 0]
}

#[test]
fn parameters_come_in_any_pieces_and_with_anything_beside() {
    let _turn = shared();
    let server = Server::open();
    let mut raw = Raw::greet(&server);
    raw.hear(&[9]);
    for octet in frame(tcp().to_string().as_bytes()) {
        raw.say(&[octet]);
    }
    raw.hear(&[10]);
    let mut strange = tcp();
    for (key, value) in [
        ("parallel", json!("9999")),
        ("congestion", json!(5)),
        ("title", json!([[[]]])),
        ("new", json!({"a": 1})),
    ] {
        strange[key] = value;
    }
    Raw::ask(&server, &strange).hear(&[10]);
    server.report("-n 1M");
}

#[test]
fn parameters_that_are_none_are_refused() {
    let _turn = shared();
    let server = Server::open();
    let padded = |length: usize| format!("{{\"title\":\"{}\"}}", "x".repeat(length - 12)).into_bytes();
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(1000), "]".repeat(1000)).into_bytes();
    for octets in [
        0u32.to_be_bytes().to_vec(),
        u32::MAX.to_be_bytes().to_vec(),
        frame(&padded(8193)),
        frame(b"[]"),
        frame(b"7"),
        frame(b"{"),
        frame(&deep),
        frame(b"\xff\xfe"),
    ] {
        let mut raw = Raw::greet(&server);
        raw.hear(&[9]);
        raw.say(&octets);
        assert_eq!(raw.rest(), error(114), "{:?}", &octets[..octets.len().min(40)]);
        server.report("-n 100K");
    }
    let mut whole = Raw::greet(&server);
    whole.hear(&[9]);
    whole.say(&frame(&padded(8192)));
    whole.hear(&[10]);
}

#[test]
fn numbers_out_of_bounds_are_refused_by_iperf3s_own() {
    let _turn = shared();
    let server = Server::open();
    for (key, value, number) in [
        ("len", json!(2_147_483_648u64), 7),
        ("parallel", json!(129), 6),
        ("parallel", json!(18_446_744_073_709_551_615u64), 6),
        ("window", json!(1u64 << 40), 8),
        ("time", json!(1e300), 5),
        ("sctp", json!(true), 131),
        ("burst", json!(100_000), 15),
        ("TOS", json!(-1), 21),
    ] {
        let mut params = tcp();
        params[key] = value;
        assert_eq!(Raw::ask(&server, &params).rest(), error(number), "{params}");
    }
    let mut short = tcp();
    (short["udp"], short["len"]) = (json!(true), json!(15));
    assert_eq!(Raw::ask(&server, &short).rest(), error(20));
}

#[test]
fn other_protocols_are_closed_without_a_word() {
    let _turn = shared();
    let server = Server::open();
    let http = b"GET / HTTP/1.1\r\nHost: an-example-of-a-host\r\n\r\n".to_vec();
    let tls = [&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3][..], &[0xaa; 90]].concat();
    let iperf2 = [&[0; 24][..], b"012345678901234567890123456789"].concat();
    for said in [http, tls, iperf2] {
        let mut raw = Raw::connect(&server);
        raw.say(&said);
        let mut octet = [0];
        // A reset is as good: what was said and not read makes one.
        assert!(!matches!(raw.stream.read(&mut octet), Ok(1..)), "{said:?}");
    }
    server.report("-n 1M");
}

#[test]
fn banners_are_let_go_at_once() {
    let _turn = shared();
    let server = Server::open();
    for said in [&b"GET / HTTP/1.1\r\n"[..], b"SSH-2.0-OpenSSH_9.2\r\n", b"\x16\x03\x01\x02\x00\x01"] {
        let mut stranger = Raw::connect(&server);
        let began = waddleperf::sys::clock::now().mono;
        stranger.say(said);
        let mut octets = [0; 64];
        assert!(matches!(stranger.stream.read(&mut octets), Ok(0) | Err(_)), "{said:?}");
        // A cookie is waited for 5 s.
        let took = waddleperf::sys::clock::now().mono - began;
        assert!(took < Duration::from_secs(3), "{said:?}: {took:?}");
    }
}

#[test]
fn strangers_disturb_no_test_that_runs() {
    let _turn = shared();
    let server = Server::open();
    let mut client = server.client("-t 3 -b 20M -J");
    let client = client.stdout(std::process::Stdio::piped()).spawn().expect("it starts");
    waddleperf::sys::wait::sleep(Duration::from_millis(500));
    let began = waddleperf::sys::clock::now().mono;
    let iperf2 = [&[0; 24][..], b"012345678901234567890123456789"].concat();
    let said: [&[u8]; 6] = [
        b"",
        b"GET / HTTP/1.1\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"EHLO host.example\r\n",
        &iperf2,
    ];
    let mut strangers = Vec::new();
    for n in 0..120 {
        let mut stranger = Raw::connect(&server);
        stranger.say(said[n % said.len()]);
        // A scan of ports closes at once what it has opened.
        strangers.extend((n % 2 == 0).then_some(stranger));
    }
    let datagrams = udp(&server, [127, 0, 0, 1]);
    for n in 0..100u32 {
        // The sequence numbers of iperf2's datagrams, the last of them negative.
        let number = if n == 99 { -99i32 } else { n as i32 };
        datagrams.send(&[&number.to_be_bytes()[..], &[0; 60]].concat()).expect("sent");
    }
    for stranger in &mut strangers {
        let mut octets = [0; 64];
        let is_closed = (0..4).any(|_| matches!(stranger.stream.read(&mut octets), Ok(0) | Err(_)));
        assert!(is_closed && waddleperf::sys::clock::now().mono - began < Duration::from_secs(10));
    }
    let output = client.wait_with_output().expect("it ends");
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    assert!(output.status.success() && report.get("error").is_none(), "{report:#}");
    let bytes = super::number(&report, "/end/sum_received/bytes");
    assert!((bytes / 7.5e6 - 1.0).abs() < 0.05, "{bytes}");
}

#[test]
fn a_cookie_opens_only_what_waits_for_it() {
    let _turn = shared();
    let server = Server::open();
    let mut raw = Raw::greet(&server);
    raw.hear(&[9]);
    let denied = |raw: &Raw| {
        let mut said = Vec::new();
        raw.data(&server).read_to_end(&mut said).expect("an orderly end");
        said
    };
    assert_eq!(denied(&raw), [0xff], "it waits for parameters");
    raw.say(&frame(tcp().to_string().as_bytes()));
    raw.hear(&[10]);
    let mut data = raw.data(&server);
    raw.hear(&[1, 2]);
    assert_eq!(denied(&raw), [0xff], "it has all");
    data.write_all(&[7; 5000]).expect("sent");
    raw.say(&[4]);
    raw.hear(&[13]);
    let cpu =
        json!({"cpu_util_total": 1, "cpu_util_user": 1, "cpu_util_system": 0, "sender_has_retransmits": 1});
    let results = |id: u32| {
        let mut results = cpu.clone();
        results["streams"] =
            json!([{"id": id, "bytes": 5000, "retransmits": 0, "jitter": 0, "errors": 0, "packets": 0}]);
        frame(results.to_string().as_bytes())
    };
    raw.say(&results(1));
    let told = heard(&mut raw.stream);
    assert_eq!(
        (&told["streams"][0]["id"], &told["streams"][0]["bytes"]),
        (&json!(1), &json!(5000)),
        "{told}"
    );
    assert_eq!(told["streams"][0]["omitted_packets"], 0, "{told}");
    raw.hear(&[14]);
    raw.say(&[16]);
    assert!(raw.rest().is_empty());
    // Results of a stream that is none; results that are none.
    for (said, number) in
        [(results(9), 208), (frame(b"{}"), 117), (frame(&vec![b' '; 1 << 17])[..4].to_vec(), 117)]
    {
        let mut raw = Raw::ask(&server, &tcp());
        raw.hear(&[10]);
        let _data = raw.data(&server);
        raw.hear(&[1, 2]);
        raw.say(&[4]);
        raw.hear(&[13]);
        raw.say(&said);
        assert_eq!(raw.rest(), error(number));
    }
    server.report("-n 1M");
}

#[test]
fn an_unknown_byte_ends_a_test() {
    let _turn = shared();
    let server = Server::open();
    for byte in [77, 1, 13] {
        let mut raw = Raw::ask(&server, &tcp());
        raw.hear(&[10]);
        let _data = raw.data(&server);
        raw.hear(&[1, 2]);
        raw.say(&[byte]);
        assert_eq!(raw.rest(), error(110), "{byte}");
    }
}

#[test]
fn udp_goes_only_to_who_has_a_test_and_greets() {
    let _turn = shared();
    let server = Server::configured(&format!("[serve.iperf3]\n{}", super::OPEN), "0.0.0.0");
    let within = |socket: &std::net::UdpSocket, time| {
        socket.set_read_timeout(Some(Duration::from_millis(time))).expect("a time-out");
        let mut answer = [0; 2000];
        let length = socket.recv(&mut answer).ok();
        length.map(|length| answer[..length].to_vec())
    };
    // Where none is expected it is not waited for as long.
    let (answer, answers) = (
        |socket: &std::net::UdpSocket| within(socket, 10_000),
        |socket: &std::net::UdpSocket| within(socket, 300),
    );
    let (one, two, foreign) =
        (udp(&server, [127, 0, 0, 1]), udp(&server, [127, 0, 0, 1]), udp(&server, [127, 0, 0, 2]));
    one.send(b"9876").expect("sent");
    assert_eq!(answers(&one), None, "nobody has a test");
    let mut params =
        json!({"udp": true, "reverse": true, "time": 1, "parallel": 2, "len": 1000, "bandwidth": 1_000_000});
    params["omit"] = json!(0);
    let mut raw = Raw::ask(&server, &params);
    raw.hear(&[10]);
    for nonsense in [&b""[..], b"987", b"98765", b"hello", &[0xaa; 1000]] {
        one.send(nonsense).expect("sent");
    }
    foreign.send(b"9876").expect("sent");
    assert_eq!((answers(&one), answers(&foreign)), (None, None));
    for _ in 0..3 {
        // The same flow again and again: an answer each time, and no second stream.
        one.send(b"9876").expect("sent");
        assert_eq!(answer(&one).as_deref(), Some(&b"6789"[..]));
    }
    let mut again = [0; 1000];
    one.send(&again).expect("sent");
    assert_eq!(answer(&one).as_deref(), Some(&b"6789"[..]), "as our own client repeats it");
    two.send(b"\x15\xcd\x5b\x07").expect("sent");
    assert_eq!(answer(&two).as_deref(), Some(&b"6789"[..]), "as versions before 3.12 greet");
    raw.hear(&[1, 2]);
    let datagram = answer(&one).expect("data");
    assert_eq!((datagram.len(), &datagram[8..12]), (1000, &[0, 0, 0, 1][..]), "the first is number 1");
    foreign.send(b"9876").expect("sent");
    assert_eq!(answers(&foreign), None);
    // Once the control connection is gone nothing is sent any more.
    drop(raw);
    waddleperf::sys::wait::sleep(Duration::from_millis(500));
    one.set_nonblocking(true).expect("no waiting");
    while one.recv(&mut again).is_ok() {}
    one.set_nonblocking(false).expect("waiting");
    assert_eq!(answers(&one), None, "still sending");
    server.report("-u -t 1 -b 1M");
}

#[test]
fn who_moves_nothing_loses_its_place() {
    let _turn = shared();
    let server = Server::open();
    let mut still = Raw::ask(&server, &tcp());
    still.hear(&[10]);
    let _data = still.data(&server);
    still.hear(&[1, 2]);
    assert_eq!(still.rest(), error(144));
}

#[test]
fn large_datagrams_take_no_more_memory_than_small_ones() {
    let _turn = shared();
    let server = Server::open();
    server.report("-u -R -l 1000 -b 1M -t 1");
    let before = memory(&server, "VmHWM:");
    server.report("-u -R -l 65507 -b 1M -P 16 -t 1");
    let grown = memory(&server, "VmHWM:").saturating_sub(before);
    assert!(grown < 40 << 10, "{grown} KiB more");
}

#[test]
fn who_opens_no_stream_or_says_no_result_loses_its_place() {
    let _turn = shared();
    let server = Server::with("sessions = 2\nsessions_per_source = 2\n");
    let mut no_stream = Raw::ask(&server, &tcp());
    no_stream.hear(&[10]);
    let mut no_result = Raw::ask(&server, &tcp());
    no_result.hear(&[10]);
    let _data = no_result.data(&server);
    no_result.hear(&[1, 2]);
    no_result.say(&[4]);
    no_result.hear(&[13]);
    assert_eq!(Raw::greet(&server).rest(), [0xff], "both places are taken");
    assert_eq!(no_stream.rest(), error(204));
    assert!(no_result.rest().is_empty());
    server.report("-n 100K -P 2");
}

#[test]
fn a_translator_may_change_the_address_of_who_sends_where_that_is_allowed() {
    let _turn = shared();
    let config = format!("[serve.iperf3]\n{}udp_allow_nat = true\n", super::OPEN);
    let server = Server::configured(&config, "0.0.0.0");
    let mut params =
        json!({"udp": true, "omit": 0, "time": 1, "parallel": 1, "len": 1000, "bandwidth": 1_000_000});
    let elsewhere = udp(&server, [127, 0, 0, 2]);
    let mut raw = Raw::ask(&server, &params);
    raw.hear(&[10]);
    elsewhere.send(b"9876").expect("sent");
    let mut answer = [0; 2000];
    assert_eq!(elsewhere.recv(&mut answer).ok(), Some(4));
    raw.hear(&[1, 2]);
    drop(raw);
    // Nothing is sent to an address that nobody has proved.
    params["reverse"] = json!(true);
    let elsewhere = udp(&server, [127, 0, 0, 2]);
    elsewhere.set_read_timeout(Some(Duration::from_millis(500))).expect("a time-out");
    let mut raw = Raw::ask(&server, &params);
    raw.hear(&[10]);
    elsewhere.send(b"9876").expect("sent");
    assert!(elsewhere.recv(&mut answer).is_err(), "an answer to a stranger");
}
