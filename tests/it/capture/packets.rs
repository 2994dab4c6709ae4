//! Packet for packet what tcpdump sees beside it; nothing else, and nothing less than the kernel says.

use std::net::{Ipv4Addr, UdpSocket};

use nix::sys::signal::Signal;
use pnet::datalink::{self, Channel};

use super::running::{Running, command, number, packets, read, record, send};
use crate::lab::{Direction, Lab, Node};

fn ping(node: &Node, arguments: &[&str]) {
    let output = node.command("ping").args(arguments).output().expect("needs ping (make setup-test)");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// A frame of the test's own: no router solicitations and the like, which come when they want.
fn is_ours(frame: &[u8]) -> bool {
    frame.windows(4).any(|octets| octets == b"test")
}

#[test]
fn a_capture_is_tcpdumps_octet_for_octet_with_its_times() {
    let lab = Lab::line(0).build();
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("a.pcapng");
    let name = path.to_str().expect("UTF-8");
    let tcpdump = lab.client().capture(Direction::Up);
    let ours = Running::start(lab.client(), &["--all", "--full", "-w", name]);
    let pattern = "74657374"; // test
    ping(
        lab.client(),
        &["-n", "-c", "40", "-i", "0.005", "-s", "100", "-p", pattern, &lab.server().address4().to_string()],
    );
    ping(
        lab.client(),
        &["-n", "-c", "40", "-i", "0.005", "-s", "1200", "-p", pattern, &lab.server().address6().to_string()],
    );
    ping(
        lab.client(),
        &["-n", "-c", "3", "-i", "0.005", "-s", "4000", "-p", pattern, &lab.server().address4().to_string()],
    );
    let report = ours.stop();
    let theirs: Vec<_> = tcpdump.stop().into_iter().map(|packet| (packet.time, packet.frame)).collect();
    let ours = packets(&std::fs::read(&path).expect("the file"));
    assert_eq!(number(&report, "/packets"), ours.len() as u64);
    assert_eq!(number(&report, "/dropped_kernel"), 0);
    let only =
        |all: Vec<(u64, Vec<u8>)>| all.into_iter().filter(|(_, frame)| is_ours(frame)).collect::<Vec<_>>();
    let (ours, theirs) = (only(ours), only(theirs));
    assert!(theirs.len() >= 160 + 6 * 3, "{}", theirs.len());
    assert_eq!(ours, theirs);
}

#[test]
fn only_the_named_host_and_only_headers_are_kept() {
    let lab = Lab::line(1).build();
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("a.pcapng");
    let target = lab.server().address4().to_string();
    let mut ours =
        command(lab.client(), &["--json", "-w", path.to_str().expect("UTF-8"), "--duration", "2s", &target]);
    let ours = ours.stdout(std::process::Stdio::piped()).spawn().expect("start the capture");
    // It names no interface: the route does. It says on stdout when it captures, which is JSON's: so until it has ended.
    let mut ours = Some(ours);
    while ours.as_mut().is_some_and(|ours| ours.try_wait().expect("its state").is_none()) {
        send(lab.client(), lab.server().address4(), 20, 400);
        send(lab.client(), lab.router(1).address4(), 20, 400);
        // Not as much as fits into the file.
        waddleperf::sys::wait::sleep(std::time::Duration::from_millis(5));
    }
    let output = ours.take().expect("it ran").wait_with_output().expect("wait for it");
    let record = record(&output);
    assert_eq!(record["address"], target, "{record}");
    assert_eq!(record["outcome"]["report"]["interface"], "up0", "{record}");
    assert_eq!(record["outcome"]["report"]["ended"], "duration", "{record}");
    let duration = record["outcome"]["report"]["duration_ms"].as_f64().expect("a time");
    assert!((2000.0..10_000.0).contains(&duration), "{record}");
    let kept = packets(&std::fs::read(&path).expect("the file"));
    assert!(kept.len() > 10, "{}", kept.len());
    let server = lab.server().address4().octets();
    for (_, frame) in kept {
        assert!(frame.len() <= 128 && (frame[26..30] == server || frame[30..34] == server), "{frame:02x?}");
    }
}

/// Between the socket and its filter there is no moment in which others' packets come in.
#[test]
fn nothing_unfiltered_slips_in() {
    let lab = Lab::line(0).build();
    let (client, server) = (lab.client(), lab.server().address4());
    let flood = std::sync::atomic::AtomicBool::new(true);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while flood.load(std::sync::atomic::Ordering::Relaxed) {
                send(client, server, 500, 64);
            }
        });
        for _ in 0..15 {
            let output =
                command(client, &["--json", "-i", "up0", "-f", "udp port 7777", "--duration", "100ms"])
                    .output();
            let record = record(&output.expect("run it"));
            assert_eq!(record["outcome"]["report"]["packets"], 0, "{record}");
            assert_eq!(record["outcome"]["report"]["received"], 0, "{record}");
        }
        flood.store(false, std::sync::atomic::Ordering::Relaxed);
    });
}

#[test]
fn what_the_kernel_drops_is_counted_to_the_packet() {
    const SENT: u32 = 30_000;
    let lab = Lab::line(0).build();
    let ours = Running::start(lab.client(), &["-f", "udp dst port 9", "-B", "512", "--full"]);
    ours.signal(Signal::SIGSTOP);
    send(lab.client(), lab.server().address4(), SENT, 200);
    ours.signal(Signal::SIGCONT);
    let report = ours.stop();
    let (kept, dropped) = (number(&report, "/packets"), number(&report, "/dropped_kernel"));
    assert!(dropped > 1000 && kept > 500, "{kept} kept, {dropped} dropped");
    assert_eq!(kept + dropped, u64::from(SENT), "{report}");
    assert_eq!(number(&report, "/received"), u64::from(SENT), "{report}");
}

#[test]
fn all_interfaces_see_a_packet_of_the_loopback_once() {
    let lab = Lab::line(0).build();
    let dir = tempfile::tempdir().expect("a directory");
    for interface in ["any", "lo"] {
        let path = dir.path().join(interface);
        let ours = Running::start(
            lab.client(),
            &["-i", interface, "-f", "udp dst port 9", "-w", path.to_str().expect("UTF-8")],
        );
        lab.client().run(|| {
            let (one, other) =
                (UdpSocket::bind("127.0.0.1:0").expect("a socket"), UdpSocket::bind("127.0.0.1:9"));
            let _other = other.expect("a socket");
            for _ in 0..50 {
                one.send_to(b"test", (Ipv4Addr::LOCALHOST, 9)).expect("sent");
            }
        });
        let report = ours.stop();
        assert_eq!((number(&report, "/packets"), number(&report, "/received")), (50, 50), "{report}");
        let read = read(&path, &[]);
        assert_eq!(read["conversations"], report["conversations"]);
        assert_eq!(read["link"], if interface == "any" { "sll2" } else { "ethernet" });
    }
}

/// Sends echo requests with a VLAN tag; nobody answers them.
fn send_tagged(node: &Node, tag: u16, count: u16) {
    node.run(|| {
        let interfaces = datalink::interfaces();
        let up0 = interfaces.iter().find(|interface| interface.name == "up0").expect("up0");
        let Ok(Channel::Ethernet(mut to, _)) = datalink::channel(up0, datalink::Config::default()) else {
            panic!("no channel");
        };
        for number in 0..count {
            let mut frame = vec![2, 0, 0x0a, 0xc8, 0, 2, 2, 0, 0x0a, 0xc8, 0, 1, 0x81, 0];
            frame.extend(tag.to_be_bytes());
            frame.extend([
                8, 0, 0x45, 0, 0, 32, 0, 0, 0, 0, 64, 1, 0, 0, 10, 99, 0, 1, 10, 99, 0, 2, 8, 0, 0, 0, 0, 1,
            ]);
            frame.extend(number.to_be_bytes());
            frame.extend(b"test");
            to.send_to(&frame, None).expect("a channel").expect("sent");
        }
    });
}

/// The kernel takes a tag out as a packet comes in, and leaves it in as it goes out by a packet socket.
#[test]
fn tags_are_in_the_file_and_in_the_filter() {
    let lab = Lab::line(0).build();
    let dir = tempfile::tempdir().expect("a directory");
    for (node, interface, direction) in
        [(lab.client(), "up0", Direction::Up), (lab.server(), "dn0", Direction::Down)]
    {
        let (one, two) = (dir.path().join("one"), dir.path().join("two"));
        let start = |arguments: &[&str]| Running::start(node, &[&["-i", interface], arguments].concat());
        let tcpdump = node.capture(direction);
        let all = start(&["--all", "--full", "-w", one.to_str().expect("UTF-8")]);
        let tagged = start(&["-f", "vlan 5 and icmp", "--full", "-w", two.to_str().expect("UTF-8")]);
        let (host, other) = (start(&["-f", "vlan and host 10.99.0.1"]), start(&["-f", "vlan 6"]));
        let both = start(&["-f", "vlan and vlan"]);
        send_tagged(lab.client(), 5, 5);
        send_tagged(lab.client(), 7, 2);
        assert_eq!([other, both, host].map(|running| number(&running.stop(), "/packets")), [0, 0, 7]);
        for running in [all, tagged] {
            running.stop();
        }
        let theirs: Vec<_> = tcpdump.stop().into_iter().map(|packet| (packet.time, packet.frame)).collect();
        let theirs: Vec<_> = theirs.into_iter().filter(|(_, frame)| is_ours(frame)).collect();
        assert!(
            theirs.len() == 7 && theirs.iter().all(|(_, frame)| frame[12..14] == [0x81, 0]),
            "{theirs:?}"
        );
        for (path, theirs) in [(&one, &theirs[..]), (&two, &theirs[..5])] {
            let ours = packets(&std::fs::read(path).expect("the file"));
            let ours: Vec<_> = ours.into_iter().filter(|(_, frame)| is_ours(frame)).collect();
            assert_eq!(ours, theirs, "{interface}");
        }
    }
}
