//! Who answered for a name, and what its HTTPS records (RFC 9460) lead to: a resolver in the place of this system's own.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::thread;

use serde_json::{Value, json};

use super::origin::{Delays, Origin, certified, whole};
use super::quic;
use crate::lab::{Hook, Lab, Units};
use crate::tool::{WADDLEPERF, nameserver, stdout};

/// Records, from behind their owner's name on, for a name and a type.
type Records = dyn Fn(&str, u16) -> Vec<Vec<u8>> + Send + Sync;

/// Begins to answer at port 53 of `at`; datagrams say that the answer is too long for them where `is_long`.
fn resolver(at: IpAddr, is_long: bool, records: Arc<Records>) {
    let datagrams = UdpSocket::bind((at, 53)).expect("port 53");
    let connections = TcpListener::bind((at, 53)).expect("port 53");
    let of_tcp = Arc::clone(&records);
    thread::spawn(move || {
        let mut question = [0; 512];
        while let Ok((length, from)) = datagrams.recv_from(&mut question) {
            let _ = datagrams.send_to(&answer(&question[..length], is_long, &*records), from);
        }
    });
    thread::spawn(move || {
        for mut stream in connections.incoming().flatten() {
            let mut length = [0; 2];
            while stream.read_exact(&mut length).is_ok() {
                let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
                stream.read_exact(&mut question).expect("a question");
                let answer = answer(&question, false, &*of_tcp);
                let _ = stream.write_all(&[&(answer.len() as u16).to_be_bytes()[..], &answer].concat());
            }
        }
    });
}

fn answer(question: &[u8], is_truncated: bool, records: &Records) -> Vec<u8> {
    let (mut name, mut at) = (String::new(), 12);
    while question[at] > 0 {
        let end = at + 1 + usize::from(question[at]);
        name += &(String::from_utf8_lossy(&question[at + 1..end]).to_ascii_lowercase() + ".");
        at = end;
    }
    let kind = u16::from_be_bytes([question[at + 1], question[at + 2]]);
    let records = if is_truncated { Vec::new() } else { records(&name, kind) };
    // What follows the question (EDNS) is left out.
    let mut reply = question[..at + 5].to_vec();
    let flags = if is_truncated { 0x83 } else { 0x81 };
    reply[2..12].copy_from_slice(&[flags, 0x80, 0, 1, 0, records.len() as u8, 0, 0, 0, 0]);
    for record in records {
        reply.extend([0xc0, 12]);
        reply.extend(record);
    }
    reply
}

fn record(kind: u8, data: &[u8]) -> Vec<u8> {
    [&[0, kind, 0, 1, 0, 0, 0, 60, 0, data.len() as u8][..], data].concat()
}

/// Priority 1, web.example, one protocol, a port where there is one.
fn https(alpn: &str, port: Option<u16>) -> Vec<u8> {
    let length = alpn.len() as u8;
    let target = b"\x03web\x07example\0";
    let mut data = [&[0, 1][..], target, &[0, 1, 0, length + 1, length], alpn.as_bytes()].concat();
    if let Some(port) = port {
        data.extend([0, 3, 0, 2]);
        data.extend(port.to_be_bytes());
    }
    record(65, &data)
}

/// A client, a resolver between it and a server.
fn lab(
    is_long: bool,
    records: impl Fn((Ipv4Addr, Ipv6Addr), &str, u16) -> Vec<Vec<u8>> + Send + Sync + 'static,
) -> Lab {
    let lab = Lab::line(1).build();
    let (at, server) = (nameserver(), (lab.server().address4(), lab.server().address6()));
    lab.router(1).ip(&format!("address add {at}/32 dev lo"));
    lab.router(1)
        .run(|| resolver(at, is_long, Arc::new(move |name: &str, kind| records(server, name, kind))));
    lab
}

#[track_caller]
fn leg(lab: &Lab, words: &[&str]) -> Value {
    let mut command = lab.client().command(WADDLEPERF);
    command.args(["--data", "/nowhere", "httptrace", "--no-save", "--json"]).args(words);
    let record: Value = serde_json::from_str(&stdout(&mut command)).expect("a record");
    let leg = record["outcome"]["report"]["legs"][0].clone();
    assert!(leg.is_object(), "{record}");
    leg
}

#[test]
fn the_resolver_that_answered_is_named() {
    for (is_long, transport) in [(false, "udp"), (true, "tcp")] {
        let lab = lab(is_long, |server, _, kind| match kind {
            1 => vec![record(1, &server.0.octets())],
            _ => Vec::new(),
        });
        let answer = |_: &str, stream: &mut dyn super::origin::Stream| whole(stream, "200 OK", b"x");
        let origin =
            lab.server().run(|| Origin::listening("0.0.0.0:0", None, Delays::default(), Box::new(answer)));
        let url = format!("http://web.example:{}/", origin.at.port());
        let leg = leg(&lab, &[&url]);
        let by = SocketAddr::new(nameserver(), 53);
        assert_eq!(leg["dns"]["answered_by"], json!({"address": by, "transport": transport}), "{leg}");
        assert_eq!((&leg["dns"]["source"], &leg["dns"]["services"]), (&"resolvers".into(), &Value::Null));
        assert!(
            leg["dns"]["resolvers"].as_array().is_some_and(|all| all.contains(&json!(nameserver()))),
            "{leg}"
        );
    }
}

/// A server of HTTP/3 at a port that only the record tells, beside one of TLS that takes its time: the record leads there, and the
/// race is told. One that offers something else keeps HTTP/3 from being tried.
#[test]
fn an_https_record_decides_whether_http3_is_tried() {
    let directory = tempfile::tempdir().expect("a directory");
    let (config, ca) = certified(directory.path(), &["web.example"]);
    let ca = ca.to_str().expect("a path");
    for offer in ["h3", "h2"] {
        let port = Arc::new(std::sync::OnceLock::new());
        let told = Arc::clone(&port);
        let lab = lab(false, move |server, name, kind| match kind {
            1 => vec![record(1, &server.0.octets())],
            65 if name.starts_with('_') && name.ends_with("._https.web.example.") => {
                vec![https(offer, told.get().copied())]
            }
            _ => Vec::new(),
        });
        let slow = Delays { tls: 400.ms(), ..Delays::default() };
        let answer = |_: &str, stream: &mut dyn super::origin::Stream| whole(stream, "200 OK", b"x");
        let (tcp, quic) = lab.server().run(|| {
            let tcp = Origin::listening("0.0.0.0:0", Some(Arc::clone(&config)), slow, Box::new(answer));
            (tcp, quic::listening("0.0.0.0:0", (*config).clone()))
        });
        port.set(quic.port()).expect("once");
        let leg = leg(&lab, &["--http3", "--cacert", ca, &format!("https://web.example:{}/", tcp.at.port())]);
        let is_offered = offer == "h3";
        let shown_port = if is_offered { quic.port() } else { tcp.at.port() };
        let decided =
            json!({"tried": is_offered, "by": "https_record", "host": "web.example", "port": shown_port});
        assert_eq!(leg["http3"], decided, "{leg}");
        assert_eq!(leg["http"], if is_offered { "3" } else { "1.1" }, "{leg}");
        let service = &leg["dns"]["services"][0];
        assert_eq!((&service["alpn"], &service["port"]), (&json!([offer]), &json!(quic.port())), "{leg}");
        let attempts = leg["attempts"].as_array().expect("attempts");
        let won =
            |proto: &str| attempts.iter().find(|one| one["proto"] == proto).map(|one| one["won"] == true);
        let expected = if is_offered { (Some(true), Some(false)) } else { (None, Some(true)) };
        assert_eq!((won("quic"), won("tcp")), expected, "{leg}");
    }
}

/// A name with addresses of both families, and one of which the first leads nowhere: the next is tried 250 ms later (RFC 8305 §8),
/// and the race is told.
#[test]
fn an_address_that_keeps_silent_loses_the_race_and_is_told() {
    let both = |server: (Ipv4Addr, Ipv6Addr), _: &str, kind| match kind {
        1 => vec![record(1, &server.0.octets())],
        28 => vec![record(28, &server.1.octets())],
        _ => Vec::new(),
    };
    // Of the first one nothing is heard: it is this lab's, and nobody's.
    let two = |server: (Ipv4Addr, Ipv6Addr), _: &str, kind| {
        let [a, b, c, _] = server.0.octets();
        let nobody = record(1, &[a, b, c, 77]);
        if kind == 1 { vec![nobody, record(1, &server.0.octets())] } else { Vec::new() }
    };
    let serve = |lab: &Lab| {
        let answer = |_: &str, stream: &mut dyn super::origin::Stream| whole(stream, "200 OK", b"x");
        let origin =
            lab.server().run(|| Origin::listening("[::]:0", None, Delays::default(), Box::new(answer)));
        (origin.at.port(), format!("http://web.example:{}/", origin.at.port()))
    };
    let raced = |leg: &Value| -> Vec<(SocketAddr, bool, Option<f64>)> {
        let attempts = leg["attempts"].as_array().expect("attempts").iter();
        let told = |one: &Value| {
            let address = one["address"].as_str().and_then(|text| text.parse().ok()).expect("an address");
            (address, one["won"] == true, one["start_ms"].as_f64())
        };
        attempts.map(told).collect()
    };

    let whole_lab = lab(false, both);
    let (port, url) = serve(&whole_lab);
    let six = SocketAddr::from((whole_lab.server().address6(), port));
    let four = SocketAddr::from((whole_lab.server().address4(), port));
    let found = leg(&whole_lab, &[&url]);
    assert_eq!((raced(&found)[0].0, raced(&found)[0].1), (six, true), "{found}");
    let silent = whole_lab.server().rule(Hook::Prerouting, "meta nfproto ipv6 tcp flags syn", "drop");
    let found = leg(&whole_lab, &[&url]);
    let [(first, false, Some(began)), (second, true, Some(then))] = raced(&found)[..] else {
        panic!("{found}")
    };
    assert!((first, second) == (six, four) && then - began >= 250.0 && silent.dropped() > 0, "{found}");
    let connect = found["phases"]["connect_ms"].as_f64().expect("a time");
    assert!(connect < 250.0, "the winner's alone: {found}");

    let other = lab(false, two);
    let (port, url) = serve(&other);
    let hole = other.router(1).rule(Hook::Prerouting, "ip daddr & 0.0.0.255 == 0.0.0.77", "drop");
    let found = leg(&other, &[&url]);
    let [(_, false, Some(began)), (second, true, Some(then))] = raced(&found)[..] else { panic!("{found}") };
    assert!(
        second == SocketAddr::from((other.server().address4(), port)) && then - began >= 250.0,
        "{found}"
    );
    assert!(hole.dropped() > 0);
}
