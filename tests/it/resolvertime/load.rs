//! `--load`: every question counted, at the rate that was asked for, beside dnsperf's own count.

use std::fs;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;

use super::server::{address, octets, reply, serve};
use super::world::{World, ZONES};
use super::{report, run};
use crate::tool::stdout;

fn questions(at: &std::path::Path) {
    let lines: String = (0..50).map(|n| format!("n{n}.example A\n")).collect();
    fs::write(at, format!("# questions\n{lines}; and none\n")).expect("write");
}

#[test]
fn every_question_is_sent_and_every_answer_counted() {
    let heard = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&heard);
    let at = serve(move |query, _| {
        let nth = count.fetch_add(1, Ordering::Relaxed);
        let mut said = reply(query, vec![address(query, 1)]);
        let mut forged = said.clone();
        forged.id ^= 0x8000;
        match nth % 50 {
            // Silence, a refusal, a forgery before the answer.
            7 => Vec::new(),
            8 => {
                said.code = 5;
                vec![octets(&said)]
            }
            9 => vec![octets(&forged), octets(&said)],
            _ => vec![octets(&said)],
        }
    });
    let files = tempfile::tempdir().expect("a directory");
    let file = files.path().join("questions");
    questions(&file);
    let found = report(&format!("-s {at} --load {} -c 20 --outstanding 20 -W 3s", file.display()));
    let load = &found["load"];
    let numbers =
        ["questions", "sent", "completed", "timeouts", "mismatched"].map(|name| load[name].as_u64());
    assert_eq!(numbers, [50, 1000, 980, 20, 20].map(Some), "{load}");
    assert_eq!(load["rcodes"], json!({ "NOERROR": 960, "REFUSED": 20 }));
    assert_eq!((heard.load(Ordering::Relaxed), &load["loss_ratio"]), (1000, &json!(0.02)));
    assert!(load["latency"]["p50_ms"].as_f64() > Some(0.0) && load["latency"]["count"] == 980, "{load}");
}

#[test]
fn a_rate_is_no_more_than_was_asked_for() {
    let at = serve(|query, _| vec![octets(&reply(query, vec![address(query, 1)]))]);
    let files = tempfile::tempdir().expect("a directory");
    let file = files.path().join("questions");
    questions(&file);
    let found = report(&format!("-s {at} --load {} --qps 200 -l 2s", file.display()));
    let sent = found["load"]["sent"].as_u64().expect("a count");
    // On a busy machine it may be less.
    assert!((200..=401).contains(&sent), "{sent} in 2 s at 200 a second");
    assert_eq!(found["load"]["timeouts"], 0);
}

#[test]
fn a_silent_server_and_a_wrong_file_end_in_time() {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let at = socket.local_addr().expect("an address");
    let files = tempfile::tempdir().expect("a directory");
    let file = files.path().join("questions");
    questions(&file);
    let output = run(&format!("-s {at} --load {} -l 500ms -W 500ms --outstanding 40 --json", file.display()));
    assert_eq!(output.status.code(), Some(1), "nothing came back");
    let load = super::report_of(&output)["load"].clone();
    assert!(load["timeouts"] == load["sent"] && load["completed"] == 0 && load["qps"].is_null(), "{load}");
    fs::write(&file, "a.example A\nb.example NOSUCH\n").expect("write");
    let refused = run(&format!("-s {at} --load {}", file.display()));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(2) && said.contains("line 2"), "{said}");
}

#[test]
fn knot_answers_both_of_us() {
    let world = World::new();
    let file = world.path("questions");
    fs::write(&file, "www.plain A\nwww.signed AAAA\nnone.plain A\n").expect("write");
    let at = file.display();
    let ours = world.report(&format!("-s {ZONES} --load {at} -c 500 -W 5s"));
    let load = &ours["load"];
    assert_eq!((&load["completed"], &load["timeouts"]), (&json!(1500), &json!(0)), "{load}");
    let theirs = stdout(&mut world.peer("dnsperf", &format!("-s {ZONES} -d {at} -n 500")));
    let count = |word: &str| {
        let line =
            theirs.lines().find(|line| line.contains(word)).unwrap_or_else(|| panic!("{word}: {theirs}"));
        line.split_whitespace().find_map(|word| word.parse::<u64>().ok())
    };
    assert_eq!(count("Queries completed"), Some(1500));
    assert_eq!(load["rcodes"], json!({ "NOERROR": 1000, "NXDOMAIN": 500 }));
    assert!(theirs.contains("NOERROR 1000") && theirs.contains("NXDOMAIN 500"), "{theirs}");
}
