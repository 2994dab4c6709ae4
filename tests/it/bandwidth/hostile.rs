//! Servers that are none: each is named within its time, and nothing hangs or panics.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use serde_json::Value;
use waddleperf::sys::clock;
use waddleperf::sys::wait::sleep;

use crate::iperf3::heard;
use crate::lab::shared;
use crate::tool::{WADDLEPERF, tool};

/// What `bandwidth` says of a server that says `say` to the first connection and holds the others.
fn against(say: impl Fn(TcpStream) + Send + 'static) -> (Option<i32>, Value, Duration) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let port = listener.local_addr().expect("an address").port().to_string();
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        let Ok((first, _)) = listener.accept() else { return };
        let held = first.try_clone();
        std::thread::spawn(move || {
            say(first);
            // What was said is read first.
            sleep(Duration::from_millis(300));
            let _ = held.map(|held| held.shutdown(std::net::Shutdown::Both));
        });
        while let Ok((more, _)) = listener.accept() {
            kept.push(more);
        }
    });
    let _turn = shared();
    let began = clock::now().mono;
    let output = tool(WADDLEPERF).args(["bandwidth", "--json", "-t", "1", "-p", &port, "127.0.0.1"]).output();
    let output = output.expect("it runs");
    let record = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output.status.code(), record, clock::now().mono - began)
}

/// Reads the cookie, asks for parameters and reads them.
fn begin(stream: &mut TcpStream) {
    let mut cookie = [0; 37];
    stream.read_exact(&mut cookie).expect("a cookie");
    assert!(
        cookie[..36].iter().all(|letter| b"abcdefghijklmnopqrstuvwxyz234567".contains(letter))
            && cookie[36] == 0
    );
    stream.write_all(&[9]).expect("sent");
    let params = heard(stream);
    assert_eq!(
        (&params["tcp"], &params["parallel"], &params["len"]),
        (&true.into(), &1.into(), &131_072.into())
    );
}

#[test]
fn what_is_no_server_is_named() {
    type Case = (&'static str, fn(TcpStream), &'static str, &'static str);
    let cases: [Case; 6] = [
        ("busy", |mut stream| stream.write_all(&[0xff]).expect("sent"), "refused", "busy"),
        ("an unknown state", |mut stream| stream.write_all(&[77]).expect("sent"), "protocol", "77"),
        ("HTTP", |mut stream| stream.write_all(b"HTTP/1.1 400 Bad\r\n\r\n").expect("sent"), "protocol", "72"),
        (
            "an error twice",
            |mut stream| {
                begin(&mut stream);
                stream
                    .write_all(&[0xfe, 0, 0, 0, 37, 0, 0, 0, 0, 0xfe, 0, 0, 0, 37, 0, 0, 0, 0])
                    .expect("sent");
            },
            "refused",
            "longer than the server's limit",
        ),
        (
            "authorization",
            |mut stream| {
                begin(&mut stream);
                stream.write_all(&[0xfe, 0, 0, 0, 142, 0, 0, 0, 0]).expect("sent");
            },
            "auth",
            "authorization",
        ),
        (
            "interrupted",
            |mut stream| {
                begin(&mut stream);
                stream.write_all(&[10, 11]).expect("sent");
            },
            "refused",
            "interrupted",
        ),
    ];
    for (name, say, class, word) in cases {
        let (code, record, took) = against(say);
        let failure = &record["outcome"]["failure"];
        assert_eq!(code, Some(1), "{name}: {record}");
        assert_eq!(failure["class"], class, "{name}: {record}");
        assert!(failure["detail"].as_str().is_some_and(|detail| detail.contains(word)), "{name}: {record}");
        assert!(took < Duration::from_secs(10), "{name}: {took:?}");
    }
}

/// A server that runs a test and then tells results that `results` writes.
fn with_results(results: &'static [u8]) -> (Option<i32>, Value, Duration) {
    against(move |mut stream| {
        begin(&mut stream);
        stream.write_all(&[10]).expect("sent");
        sleep(Duration::from_millis(200));
        stream.write_all(&[1, 2]).expect("sent");
        let mut end = [0];
        stream.read_exact(&mut end).expect("the end");
        stream.write_all(&[13]).expect("sent");
        let ours = heard(&mut stream);
        assert_eq!(
            (&ours["streams"][0]["id"], &ours["sender_has_retransmits"]),
            (&1.into(), &1.into()),
            "{ours}"
        );
        stream.write_all(results).expect("sent");
    })
}

#[test]
fn results_of_old_and_odd_servers_are_read_for_what_they_are() {
    // Nobody reads what is sent, so it stops when buffers are full, and the test goes on to its end.
    let old = br#"{"cpu_util_total":1,"cpu_util_user":1,"cpu_util_system":0,"sender_has_retransmits":18446744073709551615,"streams":[{"id":1,"bytes":4321,"retransmits":18446744073709551615,"jitter":0,"errors":0,"packets":0}]}"#;
    let framed: Vec<u8> =
        (old.len() as u32).to_be_bytes().into_iter().chain(old.iter().copied()).chain([14]).collect();
    let (code, record, _) = with_results(framed.leak());
    let report = &record["outcome"]["report"];
    assert_eq!((code, &report["up"]["received"]["bytes"]), (Some(0), &4321.into()), "{record}");
    assert_eq!(report["ended"], Value::Null);
    for (results, word) in [
        (&b"\xff\xff\xff\xff"[..], "4294967295 octets"),
        (&b"\x00\x00\x00\x02[]"[..], "no object"),
        (&b"\x00\x00\x00\x02{}"[..], "without"),
        (&b"\x00\x00"[..], "closed before the server's results"),
    ] {
        let (_, record, took) = with_results(results);
        let report = &record["outcome"]["report"];
        let ended = report["ended"].as_str().unwrap_or_default();
        assert!(ended.contains(word), "{word}: {record}");
        // What this host knows stands, and what the other end did not tell is null.
        assert!(
            report["up"]["sent"]["bytes"].as_u64() > Some(0) && report["up"]["received"].is_null(),
            "{record}"
        );
        assert!(took < Duration::from_secs(15), "{took:?}");
    }
}

/// Says what a server says, `steps` of it: `None` where that is not all.
fn says(stream: &mut TcpStream, steps: usize) -> Option<()> {
    let mut left = steps;
    let mut step = || {
        left = left.checked_sub(1)?;
        Some(())
    };
    let frame = |stream: &mut TcpStream| {
        let mut length = [0; 4];
        stream.read_exact(&mut length).ok()?;
        let mut json = vec![0; u32::from_be_bytes(length) as usize];
        stream.read_exact(&mut json).ok()
    };
    let results = br#"{"cpu_util_total":1,"cpu_util_user":1,"cpu_util_system":0,"sender_has_retransmits":-1,"streams":[{"id":1,"bytes":99,"retransmits":-1,"jitter":0,"errors":0,"packets":0}]}"#;
    let results = [&(results.len() as u32).to_be_bytes()[..], results].concat();
    step()?;
    stream.read_exact(&mut [0; 37]).ok()?;
    step()?;
    stream.write_all(&[9]).ok()?;
    step()?;
    frame(stream)?;
    step()?;
    stream.write_all(&[10]).ok()?;
    step()?;
    sleep(Duration::from_millis(200));
    stream.write_all(&[1]).ok()?;
    step()?;
    stream.write_all(&[2]).ok()?;
    step()?;
    stream.read_exact(&mut [0]).ok()?;
    step()?;
    // Until here it comes piece by piece, and from here on also with what follows.
    match steps {
        8 => stream.write_all(&[13]).ok(),
        9 => stream.write_all(&[&[13], &results[..2]].concat()).ok(),
        10 => stream.write_all(&[&[13], &results[..60]].concat()).ok(),
        11 => stream.write_all(&[&[13], &results[..]].concat()).ok(),
        _ => stream.write_all(&[&[13], &results[..], &[14]].concat()).ok(),
    }
}

#[test]
fn an_end_anywhere_is_named_and_hangs_nobody() {
    for steps in 0..=12 {
        let (code, record, took) = against(move |mut stream| {
            let _ = says(&mut stream, steps);
        });
        let outcome = &record["outcome"];
        assert!(took < Duration::from_secs(15), "{steps}: {took:?} {record}");
        // What comes behind the results changes nothing.
        if steps > 10 {
            let received = &outcome["report"]["up"]["received"]["bytes"];
            assert_eq!((code, received), (Some(0), &99.into()), "{steps}: {record}");
            continue;
        }
        let why = outcome["failure"]["detail"].as_str().or(outcome["report"]["ended"].as_str());
        assert!(why.is_some_and(|why| why.contains("closed")), "{steps}: {record}");
        assert_eq!(code, Some(1), "{steps}: {record}");
    }
}
