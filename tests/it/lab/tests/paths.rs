//! Addresses, routes, cables, witnesses.

use std::net::{IpAddr, TcpListener, TcpStream, UdpSocket};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Output;
use std::thread;

use super::packets;
use crate::lab::{Direction, Lab, Node};

/// Pings once, with these options.
fn ping(node: &Node, options: &[&str], target: impl Into<IpAddr>) -> Output {
    let target = target.into().to_string();
    let options = [&["-n", "-c", "1", "-W", "2"], options, &[&target]].concat();
    node.command("ping").args(options).output().expect("needs ping (make setup-test)")
}

fn printed(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn reaches(from: &Node, to: &Node) {
    for target in [IpAddr::from(to.address4()), IpAddr::from(to.address6())] {
        let output = ping(from, &[], target);
        assert!(output.status.success(), "{target}: {}", printed(&output));
    }
}

#[test]
fn the_ends_of_a_line_reach_each_other_by_ipv4_and_ipv6() {
    for routers in [0, 1, 3] {
        let lab = Lab::line(routers).build();
        reaches(lab.client(), lab.server());
        reaches(lab.server(), lab.client());
    }
}

#[test]
fn every_router_reaches_every_other() {
    let lab = Lab::line(4).build();
    reaches(lab.router(1), lab.router(4));
    reaches(lab.router(4), lab.router(1));
    reaches(lab.router(2), lab.client());
    reaches(lab.router(3), lab.server());
}

#[test]
fn a_long_line_is_a_line_too() {
    let lab = Lab::line(12).relay().build();
    reaches(lab.client(), lab.server());
}

#[test]
fn every_router_takes_one_from_the_ttl() {
    let lab = Lab::line(3).build();
    let arrived = ping(lab.client(), &[], lab.server().address4());
    assert!(printed(&arrived).contains("ttl=61"), "{}", printed(&arrived));
    for number in 1..=3 {
        let (router, hops) = (lab.router(number), number.to_string());
        for (target, from) in [
            (IpAddr::from(lab.server().address4()), router.address4().to_string()),
            (IpAddr::from(lab.server().address6()), router.address6().to_string()),
        ] {
            let expired = printed(&ping(lab.client(), &["-t", &hops], target));
            assert!(expired.contains(&format!("From {from}")), "hop {number}: {expired}");
        }
    }
}

#[test]
fn ordinary_ping_sockets_are_open() {
    let lab = Lab::line(0).build();
    let range = lab.client().run(|| std::fs::read_to_string("/proc/sys/net/ipv4/ping_group_range").unwrap());
    assert_ne!(range.split_whitespace().collect::<Vec<_>>(), ["1", "0"]);
}

#[test]
fn a_socket_opened_in_a_node_stays_there() {
    let lab = Lab::line(1).build();
    let address = (lab.server().address4(), 0);
    let listener = lab.server().run(|| TcpListener::bind(address)).unwrap();
    let target = listener.local_addr().unwrap();
    let stream = lab.client().run(|| TcpStream::connect(target)).unwrap();
    let (_, peer) = listener.accept().unwrap();
    assert_eq!(peer, stream.local_addr().unwrap());
    assert_eq!(peer.ip(), lab.client().address4());
}

#[test]
fn a_panic_in_a_node_comes_through() {
    let lab = Lab::line(0).build();
    let panic = catch_unwind(AssertUnwindSafe(|| lab.client().run(|| panic!("as told"))));
    assert_eq!(panic.unwrap_err().downcast_ref(), Some(&"as told"));
}

#[test]
fn two_labs_at_once_do_not_meet() {
    thread::scope(|scope| {
        for count in [40, 70] {
            scope.spawn(move || {
                let lab = Lab::line(1).relay().build();
                let expected: Vec<u32> = (0..count).collect();
                assert_eq!(packets::up(&lab, count).numbers(), expected);
                assert_eq!(lab.relay().totals(Direction::Up).arrived, count as usize);
            });
        }
    });
}

#[test]
fn a_pulled_cable_carries_nothing_until_plugged() {
    for lab in [Lab::line(1).build(), Lab::line(1).relay().build()] {
        let link = lab.link(0);
        link.pull();
        let output = ping(lab.client(), &["-W", "1"], lab.server().address4());
        assert!(!output.status.success());
        link.plug();
        reaches(lab.client(), lab.server());
        reaches(lab.server(), lab.client());
    }
}

#[test]
fn a_narrow_link_says_how_narrow_it_is() {
    let lab = Lab::line(2).build();
    lab.link(1).mtu(1400);
    let target = lab.server().address4();
    let fits = ping(lab.client(), &["-M", "do", "-s", "1372"], target);
    assert!(fits.status.success(), "{}", printed(&fits));
    let too_big = printed(&ping(lab.client(), &["-M", "do", "-s", "1373"], target));
    assert!(too_big.contains("mtu = 1400"), "{too_big}");
}

#[test]
fn a_router_may_ration_its_icmp_errors() {
    let lab = Lab::line(1).build();
    let router = lab.router(1);
    let expired = || {
        let before = router.counter("IcmpOutTimeExcds");
        for _ in 0..5 {
            ping(lab.client(), &["-t", "1", "-W", "0.1"], lab.server().address4());
        }
        router.counter("IcmpOutTimeExcds") - before
    };
    assert_eq!(expired(), 5);
    router.sysctl("net.ipv4.icmp_ratelimit", "60000");
    assert!(expired() <= 1);
    assert!(router.counter("TcpExtTCPTimeouts") == 0 && router.counter("Ip6InReceives") < 1_000);
}

#[test]
fn a_route_can_be_changed() {
    let lab = Lab::line(1).build();
    let server = lab.server();
    server.ip("addr add 10.9.9.9/32 dev lo");
    lab.router(1).ip("route replace 10.9.9.9/32 via 10.200.1.2");
    let output = ping(lab.client(), &[], [10, 9, 9, 9]);
    assert!(output.status.success(), "{}", printed(&output));
}

#[test]
fn a_capture_has_every_frame_of_both_ways_in_order() {
    let lab = Lab::line(1).build();
    let capture = lab.client().capture(Direction::Up);
    let server = packets::socket(lab.server());
    let client = packets::socket(lab.client());
    for number in 0..50_u32 {
        let mut datagram = number.to_be_bytes();
        client.send_to(&datagram, server.local_addr().unwrap()).unwrap();
        let (_, sender) = server.recv_from(&mut datagram).unwrap();
        server.send_to(&datagram, sender).unwrap();
        client.recv(&mut datagram).unwrap();
    }
    let packets = capture.stop();
    assert!(packets.is_sorted_by_key(|packet| packet.time));
    // Ethernet, IPv4 and UDP headers before the number.
    let numbers = packets.iter().filter(|packet| packet.frame[23] == 17);
    let numbers: Vec<u8> = numbers.map(|packet| packet.frame[45]).collect();
    let expected: Vec<u8> = (0..50).flat_map(|number| [number, number]).collect();
    assert_eq!(numbers, expected);
}

#[test]
fn frames_are_not_merged_and_checksums_are_finished() {
    let lab = Lab::line(0).build();
    let capture = lab.client().capture(Direction::Up);
    let socket = UdpSocket::bind((lab.server().address4(), 0));
    assert!(socket.is_err(), "the address is in the lab only");
    let server = packets::socket(lab.server());
    let client = packets::socket(lab.client());
    client.send_to(&[0; 4], server.local_addr().unwrap()).unwrap();
    packets::receive(&server);
    let packets = capture.stop();
    let datagram = packets.iter().find(|packet| packet.frame[23] == 17).unwrap();
    assert_eq!(udp_sum(&datagram.frame), 0xffff);
}

/// The one's complement sum over an IPv4 datagram and its pseudo header: all ones if the
/// checksum is right (RFC 768).
fn udp_sum(frame: &[u8]) -> u32 {
    let (addresses, datagram) = (&frame[26..34], &frame[34..]);
    let words = addresses.chunks(2).chain(datagram.chunks(2));
    let sum: u32 = words.map(|word| u32::from(u16::from_be_bytes([word[0], word[1]]))).sum();
    let sum = sum + 17 + datagram.len() as u32;
    (sum & 0xffff) + (sum >> 16)
}
