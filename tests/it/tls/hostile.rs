//! Servers that mean no good: a typed failure or a whole report, in time, in little memory, and nothing raw on the terminal.

use std::io::{Read, Write};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use waddleperf::sys::{clock, wait};

use super::{record, report, run};
use crate::lab::shared;
use crate::stranger::{endless, flight, listen, message, records};
use crate::tool::{WADDLEPERF, peak_kib};

/// Generous: the machine may be busy.
const SOON: Duration = Duration::from_secs(100);

/// Says this after the ClientHello, then waits for the client to go.
fn answering(octets: Vec<u8>) -> u16 {
    listen(move |mut stream| endless(&mut stream, &octets, &[]))
}

#[test]
fn who_does_not_shake_hands_is_a_failure_of_its_class() {
    let storm = [21, 3, 3, 0, 2, 1, 112].repeat(1000);
    let cases = [
        (listen(drop), "tls"),
        (listen(|mut stream| while stream.read(&mut [0; 64]).is_ok_and(|count| count > 0) {}), "timeout"),
        (answering(b"SSH-2.0-x\x1b[2J\x9b\r\n".to_vec()), "protocol"),
        (answering(vec![21, 3, 3, 0, 2, 2, 40]), "tls"),
        (listen(move |mut stream| endless(&mut stream, &[], &storm)), "tls"),
        (answering(vec![22, 3, 3, 0, 100, 2, 0, 0, 96, 3, 3]), "timeout"),
        (listen(|mut stream| endless(&mut stream, &[], &[22, 3, 3, 0, 0])), "tls"),
        (listen(|mut stream| endless(&mut stream, &[], &[2, 0xff, 0xff, 0xff].repeat(5000))), "protocol"),
        (
            listen(|mut stream| {
                // An octet at a time of a message that would take an hour.
                let _ = stream.write_all(&[22, 3, 3, 0x3f, 0, 2, 0, 0x3e, 0]);
                while stream.write_all(&[0]).is_ok() {
                    wait::sleep(Duration::from_millis(20));
                }
            }),
            "timeout",
        ),
    ];
    for (n, (port, class)) in cases.into_iter().enumerate() {
        let host = format!("127.0.0.1:{port}");
        let began = clock::now().mono;
        // Who keeps silent is not waited for long, and nobody else is slow on purpose.
        let patience = if class == "timeout" { "1s" } else { "60s" };
        let (code, record) = record(&host, &["--timeout", patience, "--deadline", "10m"]);
        assert!(clock::now().mono - began < SOON, "{n}");
        let found = &record["outcome"]["failure"]["class"];
        assert_eq!((code, found), (Some(1), &class.into()), "{n}: {record}");
    }
}

#[test]
fn words_of_strangers_are_harmless() {
    let port = answering(b"SSH-2.0-x\x1b[2J\xc2\x9b\r\n".to_vec());
    let ran = run(&format!("127.0.0.1:{port}"), &[]);
    let text = ran.stdout + &ran.stderr;
    assert!(text.contains("it does not speak TLS: it said SSH-2.0-x\\u{1b}[2J"), "{text}");
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
}

#[test]
fn bad_and_endless_chains_are_shown_as_far_as_they_go() {
    let shown = |certificates: &[Vec<u8>]| -> Value {
        let port = answering(flight(certificates));
        let (code, report) = report(&format!("127.0.0.1:{port}"), &[]);
        assert_eq!((code, &report["version"]), (Some(1), &"TLSv1.2".into()), "{report}");
        assert!(report["handshake_error"].is_string(), "{report}");
        report
    };
    let bad = shown(&[vec![0x30, 0x82, 0xff, 0xff, 1, 2, 3]]);
    assert_eq!((&bad["verify"], &bad["chain"][0]["subject"]), (&"other".into(), &Value::Null), "{bad}");
    let many = shown(&vec![vec![0x30; 500]; 300]);
    assert_eq!((many["chain_count"].as_u64(), many["chain"].as_array().map(Vec::len)), (Some(300), Some(20)));
    // 16 MiB of it are not waited for.
    let huge = shown(&vec![vec![0x30; 1 << 20]; 15]);
    assert_eq!(huge["chain_count"], 0, "{huge}");
}

#[test]
fn a_flood_costs_little_memory() {
    let hello = records(&message(2, &[&[3, 3][..], &[7; 32], &[0, 0xc0, 0x2f, 0]].concat()));
    // A message of 16 MiB, again and again.
    let part = records(&[&[11, 0xff, 0xff, 0xff][..], &[0; 16_000]].concat());
    let port = listen(move |mut stream| endless(&mut stream, &hello, &part));
    let dir = tempfile::tempdir().expect("a directory");
    let mut command = Command::new(WADDLEPERF);
    command.arg("--data").arg(dir.path()).args(["tls", "--scan", "--json", &format!("127.0.0.1:{port}")]);
    let _turn = shared();
    let peak = peak_kib(&mut command);
    assert!(peak > 0 && peak < 64 << 10, "{peak} KiB");
}
