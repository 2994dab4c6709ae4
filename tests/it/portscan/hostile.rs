//! Answers that are meant to mislead: believed if the question asks for them, escaped, never waited for.

use std::io::{Read, Write};
use std::net::{Ipv6Addr, TcpListener, UdpSocket};
use std::thread;

use nix::libc;
use socket2::{Domain, Protocol, Socket, Type};

use super::scanning::{report, run, verdicts};
use crate::lab::{Hook, Lab, Node};

/// Serves each connection to `port` of `node` by `serve`, as long as the test runs.
fn serve(node: &Node, port: u16, serve: impl Fn(std::net::TcpStream) + Send + Sync + 'static) {
    let listener = node.run(|| TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)).expect("a port"));
    let serve = std::sync::Arc::new(serve);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = std::sync::Arc::clone(&serve);
            thread::spawn(move || serve(stream));
        }
    });
}

#[test]
fn banners_are_read_asked_for_escaped_and_cut() {
    let lab = Lab::line(0).build();
    let server = lab.server();
    serve(server, 2000, |mut stream| drop(stream.write_all(b"220 ready \x1b[2J\x9b\r\n")));
    serve(server, 2001, |mut stream| {
        let mut asked = [0; 256];
        let mut whole: Vec<u8> = Vec::new();
        while let Ok(count @ 1..) = stream.read(&mut asked) {
            whole.extend(&asked[..count]);
            if whole.windows(4).any(|end| end == b"\r\n\r\n") {
                let _ = stream.write_all(b"HTTP/1.0 200 OK\r\nServer: here\r\n\r\n");
                return;
            }
        }
    });
    serve(server, 2002, |mut stream| while stream.write_all(&[b'x'; 4096]).is_ok() {});
    // A tarpit: it accepts, and never speaks.
    serve(server, 2003, |mut stream| while stream.read(&mut [0; 64]).is_ok_and(|count| count > 0) {});
    let report = report(lab.client(), server.address4(), "-p 2000-2003 --banner");
    let banner = |n: usize| report["ports"][n]["banner"].as_str().map(str::to_owned);
    assert_eq!(banner(0).as_deref(), Some("220 ready \\u{1b}[2J\\x9b"), "{report}");
    assert!(banner(1).is_some_and(|said| said.starts_with("HTTP/1.0 200 OK\\r\\nServer: here")), "{report}");
    assert_eq!(banner(2).map(|said| said.len()), Some(512));
    assert_eq!(banner(3), None);
    let text = run(lab.client(), &server.address4().to_string(), "-p 2000 --banner");
    assert!(!text.stdout.contains(&0x1b) && !text.stdout.contains(&0x9b));
}

/// A raw socket of `node` that sends TCP segments.
fn raw(node: &Node) -> Socket {
    node.run(|| {
        Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::TCP)).expect("the lab may have raw sockets")
    })
}

/// A segment with a right checksum.
fn segment(from: [u8; 4], to: [u8; 4], ports: (u16, u16), ack: u32, flags: u8) -> Vec<u8> {
    let mut bytes =
        [&ports.0.to_be_bytes()[..], &ports.1.to_be_bytes(), &[9; 4], &ack.to_be_bytes()].concat();
    bytes.extend([0x50, flags, 0x10, 0, 0, 0, 0, 0]);
    let whole = [&from[..], &to, &[0, 6, 0, 20], &bytes].concat();
    let sum: u32 = whole.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    let sum = !((sum & 0xffff) + (sum >> 16)) as u16;
    bytes[16..18].copy_from_slice(&sum.to_be_bytes());
    bytes
}

/// The server's filter drops our questions; somebody answers them all the same, without having seen their numbers.
#[test]
fn segments_that_acknowledge_nothing_of_ours_are_ignored() {
    let lab = Lab::line(0).build();
    let (client, server) = (lab.client().address4(), lab.server().address4());
    let _rule = lab.server().rule(Hook::Input, "tcp dport 2000-2009", "drop");
    let forger = raw(lab.server());
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let seen = std::sync::Arc::clone(&stop);
    let forging = thread::spawn(move || {
        // The port that is asked from is not known either: all that it can be.
        while !seen.load(std::sync::atomic::Ordering::Relaxed) {
            for to in (61_000..=u16::MAX).step_by(7) {
                for (port, flags) in [(2000, 0x12), (2001, 0x14), (2002, 0x04), (2003, 0x10)] {
                    let bytes = segment(server.octets(), client.octets(), (port, to), 0x1234_5678, flags);
                    let _ = forger.send_to(&bytes, &std::net::SocketAddr::from((client, 0)).into());
                }
            }
        }
    });
    let found = verdicts(&report(lab.client(), server, "-sS -p 2000-2009 --all"));
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    forging.join().expect("the forger");
    assert!(found.values().all(|(state, _)| state == "filtered"), "{found:?}");
    assert_eq!(found.len(), 10);
}

/// Somebody answers a datagram a thousand times, and sends errors about flows of others.
#[test]
fn a_thousand_answers_are_one() {
    let lab = Lab::line(0).build();
    let server = lab.server();
    let socket = server.run(|| UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 2000)).expect("a port"));
    thread::spawn(move || {
        let mut bytes = [0; 64];
        while let Ok((_, from)) = socket.recv_from(&mut bytes) {
            (0..1000).for_each(|_| drop(socket.send_to(&[0x1b; 400], from)));
        }
    });
    let report = report(lab.client(), server.address4(), "-sU -p 2000,2001 --all");
    let found = verdicts(&report);
    assert_eq!(found[&2000], ("open".to_owned(), "udp-response".to_owned()), "{report}");
    assert_eq!(found[&2001].0, "closed", "{report}");
    assert_eq!(report["counts"]["open"], 1);
}

/// ICMP errors that quote another flow, or a number that was never sent.
#[test]
fn errors_about_flows_of_others_are_ignored() {
    let lab = Lab::line(0).build();
    let (client, server) = (lab.client().address4(), lab.server().address4());
    let _rule = lab.server().rule(Hook::Input, "tcp dport 2000-2009", "drop");
    let forger =
        lab.server().run(|| Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4)).expect("raw"));
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let seen = std::sync::Arc::clone(&stop);
    let forging = thread::spawn(move || {
        while !seen.load(std::sync::atomic::Ordering::Relaxed) {
            for from in (61_000..=u16::MAX).step_by(3) {
                let quoted = [&from.to_be_bytes()[..], &2000u16.to_be_bytes(), &[1, 2, 3, 4]].concat();
                let header = [
                    &[0x45, 0, 0, 44, 0, 1, 0, 0, 64, libc::IPPROTO_TCP as u8, 0, 0][..],
                    &client.octets(),
                    &server.octets(),
                ];
                let mut bytes = [&[3, 13, 0, 0, 0, 0, 0, 0][..], &header.concat(), &quoted].concat();
                let sum: u32 =
                    bytes.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
                let sum = !((sum & 0xffff) + (sum >> 16)) as u16;
                bytes[2..4].copy_from_slice(&sum.to_be_bytes());
                let _ = forger.send_to(&bytes, &std::net::SocketAddr::from((client, 0)).into());
            }
        }
    });
    for how in ["-sS", "-sT"] {
        let found = verdicts(&report(lab.client(), server, &format!("{how} -p 2000-2009 --all")));
        assert!(found.values().all(|(_, reason)| reason == "no-response"), "{how}: {found:?}");
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    forging.join().expect("the forger");
}

/// The client's link goes down when some ports are known.
#[test]
fn a_link_that_goes_down_leaves_what_is_known_and_says_why() {
    for scan in ["-sT", "-sS", "-sU"] {
        let lab = Lab::line(1).build();
        let (client, target) = (lab.client(), lab.server().address4().to_string());
        let arguments = format!("{scan} -p- --max-rate 200 --json");
        let output = thread::scope(|scope| {
            let running = scope.spawn(|| run(client, &target, &arguments));
            while lab.router(1).counter("IpForwDatagrams") < 60 {}
            client.ip("link set up0 down");
            running.join().expect("it ends")
        });
        let record: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let report = &record["outcome"]["report"];
        assert_eq!((output.status.code(), &record["partial"]), (Some(1), &true.into()), "{scan}: {record}");
        assert_eq!(report["broken_off"]["class"], "unreachable", "{scan}: {record}");
        let counts = |name: &str| report["counts"][name].as_u64().expect(name);
        assert!(counts("closed") > 0 && counts("unasked") > 60_000, "{scan}: {record}");
        assert_eq!(
            counts("filtered") + counts("open_filtered"),
            0,
            "what is not known is no filter: {record}"
        );
        assert_eq!(report[if scan == "-sU" { "udp_ports" } else { "tcp_ports" }], "1-65535", "{record}");
    }
}

#[test]
fn a_scan_ends_at_its_deadline() {
    let lab = Lab::line(0).build();
    let _rule = lab.server().rule(Hook::Input, "meta l4proto tcp", "drop");
    let report = report(lab.client(), lab.server().address4(), "-p- --max-rate 100 -w 1s");
    let asked = report["sent"].as_u64().expect("a number");
    // A busy machine asks less in its second, never more.
    assert!((1..=110).contains(&asked), "{report}");
    assert_eq!(report["counts"]["unasked"].as_u64(), Some(65_535 - asked), "{report}");
}

/// The same over IPv6: forged segments, and errors that quote a number that was never sent, or nonsense.
#[test]
fn nobody_who_guesses_is_believed_over_ipv6() {
    let lab = Lab::line(0).build();
    let (client, server) = (lab.client().address6(), lab.server().address6());
    let _rule = lab.server().rule(Hook::Input, "tcp dport 2000-2009", "drop");
    let socket = |protocol| {
        lab.server().run(|| {
            Socket::new(Domain::IPV6, Type::RAW, Some(protocol)).expect("the lab may have raw sockets")
        })
    };
    let (segments, errors) = (socket(Protocol::TCP), socket(Protocol::ICMPV6));
    let to = socket2::SockAddr::from(std::net::SocketAddr::from((client, 0)));
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let seen = std::sync::Arc::clone(&stop);
    let forging = thread::spawn(move || {
        while !seen.load(std::sync::atomic::Ordering::Relaxed) {
            for near in (10_000..=u16::MAX).step_by(13) {
                for (far, flags) in [(2000, 0x12), (2001, 0x14), (2002, 0x04)] {
                    let bytes = segment6((server, client), (far, near), flags);
                    let _ = segments.send_to(&bytes, &to);
                }
                // ICMPv6 1/1 (RFC 4443 §3.1); the kernel makes the checksum.
                let tcp = [&near.to_be_bytes()[..], &2003u16.to_be_bytes(), &[1, 2, 3, 4]].concat();
                let header =
                    [&[0x60, 0, 0, 0, 0, 24, 6, 64][..], &client.octets(), &server.octets()].concat();
                for quoted in [[&header[..], &tcp].concat(), header.clone(), vec![0xff; 60], Vec::new()] {
                    let _ = errors.send_to(&[&[1, 1, 0, 0, 0, 0, 0, 0][..], &quoted].concat(), &to);
                }
            }
        }
    });
    for how in ["-sS", "-sT", "-sU"] {
        let _silent = lab.server().rule(Hook::Input, "udp dport 2000-2009", "drop");
        let found =
            verdicts(&report(lab.client(), server, &format!("{how} -p 2000-2009 --all --max-retries 1")));
        assert!(found.values().all(|(_, reason)| reason == "no-response"), "{how}: {found:?}");
        assert_eq!(found.len(), 10, "{how}");
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    forging.join().expect("the forger");
}

/// A segment over IPv6 with a right checksum, that acknowledges a number of nobody's.
fn segment6(ends: (Ipv6Addr, Ipv6Addr), ports: (u16, u16), flags: u8) -> Vec<u8> {
    let mut bytes = [&ports.0.to_be_bytes()[..], &ports.1.to_be_bytes(), &[9; 8]].concat();
    bytes.extend([0x50, flags, 0x10, 0, 0, 0, 0, 0]);
    let whole = [&ends.0.octets()[..], &ends.1.octets(), &[0, 0, 0, 20, 0, 0, 0, 6], &bytes].concat();
    let sum: u32 = whole.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    let sum = !((sum & 0xffff) + (sum >> 16)) as u16;
    bytes[16..18].copy_from_slice(&sum.to_be_bytes());
    bytes
}
