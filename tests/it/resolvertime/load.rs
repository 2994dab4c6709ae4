//! `--load`: every question counted, at the rate that was asked for, beside dnsperf's own count.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::json;
use waddleperf::wire::dns::Message;

use super::server::{address, octets, reply, serve};
use super::world::{RESOLVER, World, ZONES};
use super::{findings, report, run};
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
fn at_a_rate_each_socket_has_its_turn() {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let at = socket.local_addr().expect("an address");
    let ports = Arc::new(Mutex::new(BTreeMap::<u16, u64>::new()));
    let heard = Arc::clone(&ports);
    std::thread::spawn(move || {
        let mut buffer = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            *heard.lock().expect("a list").entry(from.port()).or_default() += 1;
            let query = Message::parse(&buffer[..length]).expect("a query");
            let said = octets(&reply(&query, vec![address(&query, 1)]));
            socket.send_to(&said, from).expect("sent");
        }
    });
    let files = tempfile::tempdir().expect("a directory");
    let file = files.path().join("questions");
    questions(&file);
    // The number that is due in a millisecond divides that of the sockets.
    let found = report(&format!("-s {at} --load {} --qps 4000 -c 20 --clients 4", file.display()));
    let load = &found["load"];
    assert_eq!((&load["sent"], &load["completed"]), (&json!(1000), &json!(1000)), "{load}");
    let heard = ports.lock().expect("a list").clone();
    assert!(heard.len() == 4 && heard.values().all(|count| *count > 100), "{heard:?}");
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

/// Serves each connection over TCP by `serve`. It ends with the process.
fn listen(serve: impl Fn(TcpStream, u64) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let (at, serve) = (listener.local_addr().expect("an address"), Arc::new(serve));
    std::thread::spawn(move || {
        for (n, stream) in (0..).zip(listener.incoming().flatten()) {
            let serve = Arc::clone(&serve);
            std::thread::spawn(move || serve(stream, n));
        }
    });
    at
}

/// The next query of a connection.
fn query(stream: &mut TcpStream) -> Option<Message> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).ok()?;
    let mut octets = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut octets).ok()?;
    Message::parse(&octets)
}

/// The right answer, behind its length.
fn framed(query: &Message) -> Vec<u8> {
    let said = octets(&reply(query, vec![address(query, 1)]));
    [&(said.len() as u16).to_be_bytes(), said.as_slice()].concat()
}

#[test]
fn answers_over_tcp_come_in_any_order_and_in_any_pieces() {
    // Ten queries are heard before they are answered, the last first, a few octets at a time.
    let at = listen(|mut stream, _| {
        let _ = stream.set_nodelay(true);
        loop {
            let queries: Vec<Message> = std::iter::from_fn(|| query(&mut stream)).take(10).collect();
            let said: Vec<u8> = queries.iter().rev().flat_map(framed).collect();
            if queries.len() < 10 || !said.chunks(7).all(|piece| stream.write_all(piece).is_ok()) {
                return;
            }
        }
    });
    let files = tempfile::tempdir().expect("a directory");
    let file = files.path().join("questions");
    questions(&file);
    let words = format!("-s tcp://{at} --load {} -c 20 --clients 1 --outstanding 40 -W 20s", file.display());
    let load = &report(&words)["load"];
    let numbers = ["sent", "completed", "timeouts", "broken", "mismatched", "connections"]
        .map(|name| load[name].as_u64());
    assert_eq!(numbers, [1000, 1000, 0, 0, 0, 1].map(Some), "{load}");
    assert_eq!(
        (&load["transport"], &load["tls"], &load["connect"]["count"]),
        (&json!("tcp"), &json!(null), &json!(1))
    );
}

#[test]
fn a_server_that_ends_connections_is_connected_to_again() {
    // Each connection hears 30 queries, answers 25 of them, and ends.
    let at = listen(|mut stream, _| {
        for n in 0..30 {
            let Some(query) = query(&mut stream) else { return };
            if n < 25 && stream.write_all(&framed(&query)).is_err() {
                return;
            }
        }
    });
    let files = tempfile::tempdir().expect("a directory");
    let file = files.path().join("questions");
    questions(&file);
    let words = format!("-s tcp://{at} --load {} -c 6 --clients 1 --outstanding 30 -W 3s", file.display());
    let load = &report(&words)["load"];
    let of = |name: &str| load[name].as_u64().expect(name);
    let lost = of("broken") + of("timeouts");
    assert_eq!((of("sent"), of("completed") + lost), (300, 300), "{load}");
    // Five of each that ends are not answered, and more where queries are on their way to it meanwhile; the last connection may
    // hear too few to end.
    let (connections, broken) = (of("connections"), of("broken"));
    assert!(connections >= 6 && broken >= 5 * (connections - 1) && of("timeouts") <= 5, "{load}");
    let ratio = load["loss_ratio"].as_f64().expect("a ratio");
    assert!((ratio - lost as f64 / 300.0).abs() < 1e-9, "{load}");
}

#[test]
fn a_server_that_only_ends_or_only_listens_or_talks_nonsense_ends_in_time() {
    let files = tempfile::tempdir().expect("a directory");
    let file = files.path().join("questions");
    questions(&file);
    let of = |at: SocketAddr, words: &str| {
        let output = run(&format!("-s tcp://{at} --load {} {words} --json", file.display()));
        assert_eq!(output.status.code(), Some(1), "nothing came back");
        super::report_of(&output)["load"].clone()
    };
    // It ends each connection: after a few it is let alone, though not all has been sent.
    let ends = listen(|mut stream, _| drop(query(&mut stream)));
    let load = of(ends, "-c 1000 --clients 1");
    assert!(
        load["completed"] == 0 && load["broken"] == load["sent"] && load["connections"].as_u64() <= Some(11),
        "{load}"
    );
    // It takes nothing from its socket: what cannot be sent is not held in memory.
    let deaf = listen(|stream, _| {
        waddleperf::sys::wait::sleep(std::time::Duration::from_secs(60));
        drop(stream);
    });
    let load = of(deaf, "-l 1s -W 1s --outstanding 10000 --clients 1");
    assert!(load["completed"] == 0 && load["timeouts"] == load["sent"], "{load}");
    // Octets that are no answers, for ever.
    let raving = listen(|mut stream, _| {
        let mut said = vec![0xff; 65_535 + 2];
        said[2..4].copy_from_slice(&[0, 0]);
        while stream.write_all(&said).is_ok() {}
    });
    let load = of(raving, "-l 1s -W 1s --clients 1");
    assert!(load["completed"] == 0 && load["mismatched"].as_u64() > Some(0), "{load}");
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let refused = run(&format!("-s tcp://{closed} --load {} --json", file.display()));
    assert_eq!(super::record_of(&refused)["outcome"]["failure"]["class"], "refused");
}

/// unbound over TLS, and dnsperf beside us over TCP and TLS, as far as it counts the same.
#[test]
fn unbound_and_knot_answer_over_tcp_and_tls() {
    let world = World::new();
    let file = world.path("questions");
    fs::write(&file, "www.plain A\nwww.signed AAAA\nnone.plain A\n").expect("write");
    let (at, ca) = (file.display(), world.path("ca.pem"));
    let expected = json!({ "NOERROR": 1000, "NXDOMAIN": 500 });
    let tcp = world.report(&format!("-s tcp://{ZONES} --load {at} -c 500 -W 20s"));
    assert_eq!((&tcp["load"]["rcodes"], &tcp["load"]["connections"]), (&expected, &json!(4)), "{tcp}");
    let theirs = stdout(&mut world.peer("dnsperf", &format!("-m tcp -s {ZONES} -d {at} -n 500")));
    assert!(theirs.contains("NOERROR 1000") && theirs.contains("NXDOMAIN 500"), "{theirs}");
    let words = format!("-s tls://{RESOLVER} --load {at} -c 500 -W 20s --ca-file {}", ca.display());
    let dot = world.report(&words);
    let load = &dot["load"];
    assert_eq!(
        (&load["rcodes"], &load["tls"]["count"], findings(&dot).len()),
        (&expected, &json!(4), 0),
        "{dot}"
    );
    assert_eq!(load["tls_session"]["verify"], "ok");
    let theirs = stdout(&mut world.peer("dnsperf", &format!("-m dot -p 853 -s {RESOLVER} -d {at} -n 500")));
    assert!(theirs.contains("NOERROR 1000") && theirs.contains("NXDOMAIN 500"), "{theirs}");
    // Nobody has signed it: no load, unless one insists, and then it is said.
    let refused =
        crate::tool::output(&mut world.ours(&format!("-s tls://{RESOLVER} --load {at} -c 1 --json")));
    assert_eq!(super::record_of(&refused)["outcome"]["failure"]["class"], "tls");
    let loud = stdout(&mut world.ours(&format!("-s tls://{RESOLVER} --load {at} -c 1 -k -W 20s")));
    assert!(loud.contains("NOT verified") && loud.contains("warning"), "{loud}");
}
