//! Packet for packet what tcpdump sees beside it; nothing else, and nothing less than the kernel says.

use std::net::{Ipv4Addr, UdpSocket};

use nix::sys::signal::Signal;

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
    }
    let output = ours.take().expect("it ran").wait_with_output().expect("wait for it");
    let record = record(&output);
    assert_eq!(record["address"], target, "{record}");
    assert_eq!(record["outcome"]["report"]["interface"], "up0", "{record}");
    assert_eq!(record["outcome"]["report"]["ended"], "duration", "{record}");
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
            (0..50).for_each(|_| assert_eq!(one.send_to(b"test", (Ipv4Addr::LOCALHOST, 9)).expect("sent"), 4));
        });
        let report = ours.stop();
        assert_eq!((number(&report, "/packets"), number(&report, "/received")), (50, 50), "{report}");
        let read = read(&path, &[]);
        assert_eq!(read["conversations"], report["conversations"]);
        assert_eq!(read["link"], if interface == "any" { "sll2" } else { "ethernet" });
    }
}

/// A tag that the kernel took out is put back.
#[test]
fn tags_are_in_the_file_and_in_the_filter() {
    let lab = Lab::line(0).build();
    for (node, host) in [(lab.client(), 1), (lab.server(), 2)] {
        let dev = if host == 1 { "up0" } else { "dn0" };
        node.ip(&format!(
            "link add link {dev} name v5 type vlan id 5\naddr add 10.99.0.{host}/30 dev v5\nlink set v5 up\n"
        ));
    }
    let dir = tempfile::tempdir().expect("a directory");
    let (one, two) = (dir.path().join("one"), dir.path().join("two"));
    let tcpdump = lab.client().capture(Direction::Up);
    let all = Running::start(lab.client(), &["--all", "--full", "-w", one.to_str().expect("UTF-8")]);
    let tagged = Running::start(
        lab.client(),
        &["-f", "vlan 5 and icmp", "--full", "-w", two.to_str().expect("UTF-8")],
    );
    let other = Running::start(lab.client(), &["-f", "vlan 6"]);
    ping(lab.client(), &["-n", "-c", "5", "-i", "0.01", "-p", "74657374", "10.99.0.2"]);
    assert_eq!(number(&other.stop(), "/packets"), 0);
    (all.stop(), tagged.stop());
    let theirs: Vec<_> = tcpdump.stop().into_iter().map(|packet| (packet.time, packet.frame)).collect();
    let theirs: Vec<_> = theirs.into_iter().filter(|(_, frame)| is_ours(frame)).collect();
    assert_eq!(theirs.len(), 10);
    assert!(theirs.iter().all(|(_, frame)| frame[12..16] == [0x81, 0, 0, 5]));
    for path in [&one, &two] {
        let ours = packets(&std::fs::read(path).expect("the file"));
        let ours: Vec<_> = ours.into_iter().filter(|(_, frame)| is_ours(frame)).collect();
        assert_eq!(ours, theirs);
    }
}
