//! Every expression accepts, frame by frame, what tcpdump accepts by the same expression.

use waddleperf::wire::filter::{Ancillary, Expression, KEYWORDS, Program, View};
use waddleperf::wire::pcap::Link;

use super::running::{file, filtered, packets};
use crate::lab::shared;

/// The same numbers each time (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ z >> 31) >> 16) as usize % sides
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.roll(of.len())].clone()
    }
}

const V4: [[u8; 4]; 5] = [[10, 0, 0, 1], [10, 0, 0, 2], [10, 1, 2, 3], [192, 168, 5, 6], [127, 0, 0, 1]];
const PORTS: [u16; 6] = [22, 53, 80, 443, 8080, 40_000];

fn v6(dice: &mut Dice) -> [u8; 16] {
    let mut address = [0; 16];
    let start: &[u8] = dice.pick(&[&[0xfe, 0x80][..], &[0xfd, 0, 2, 0], &[0x20, 1, 0xd, 0xb8]]);
    address[..start.len()].copy_from_slice(start);
    address[15] = dice.pick(&[1, 2]);
    address
}

fn transport(dice: &mut Dice) -> (u8, Vec<u8>) {
    let protocol = dice.pick(&[6, 6, 6, 17, 17, 1, 58, 132, 47, 2]);
    let mut header = Vec::new();
    header.extend(dice.pick(&PORTS).to_be_bytes());
    header.extend(dice.pick(&PORTS).to_be_bytes());
    header.extend([0; 16]);
    (protocol, header)
}

fn ipv4(dice: &mut Dice) -> Vec<u8> {
    let (protocol, rest) = transport(dice);
    let options = dice.pick(&[0, 0, 0, 4, 40]);
    let offset = dice.pick(&[0u16, 0, 0, 0x4000, 0x2000, 0x0007, 0x2007]);
    let mut packet = vec![0x45 + options / 4, 0, 0, 60, 0, 1];
    packet.extend(offset.to_be_bytes());
    packet.extend([64, protocol, 0, 0]);
    packet.extend(dice.pick(&V4));
    packet.extend(dice.pick(&V4));
    packet.extend(vec![1; usize::from(options)]);
    packet.extend(rest);
    packet
}

fn ipv6(dice: &mut Dice) -> Vec<u8> {
    let (protocol, rest) = transport(dice);
    let extension = dice.pick(&[None, None, None, Some(44), Some(0)]);
    let mut packet = vec![0x60, 0, 0, 0, 0, 40, extension.unwrap_or(protocol), 64];
    packet.extend(v6(dice));
    packet.extend(v6(dice));
    if extension.is_some() {
        packet.extend([protocol, 0, 0, 0, 0, 0, 0, 7]);
    }
    packet.extend(rest);
    packet
}

fn arp(dice: &mut Dice) -> Vec<u8> {
    let mut packet = vec![0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1];
    packet.extend(dice.pick(&V4));
    packet.extend([0; 6]);
    packet.extend(dice.pick(&V4));
    packet
}

/// An ethertype and what it announces.
fn network(dice: &mut Dice) -> (u16, Vec<u8>) {
    match dice.roll(10) {
        0..=4 => (0x0800, ipv4(dice)),
        5..=7 => (0x86dd, ipv6(dice)),
        8 => (dice.pick(&[0x0806, 0x8035]), arp(dice)),
        _ => (dice.pick(&[0x88cc, 0x8847, 40]), vec![7; 40]),
    }
}

fn ethernet(dice: &mut Dice) -> Vec<u8> {
    let (ethertype, rest) = network(dice);
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    for _ in 0..dice.pick(&[0, 0, 0, 1, 1, 2]) {
        frame.extend(dice.pick(&[0x8100u16, 0x8100, 0x88a8, 0x9100]).to_be_bytes());
        frame.extend(dice.pick(&[5u16, 6, 0x2005]).to_be_bytes());
    }
    frame.extend(ethertype.to_be_bytes());
    frame.extend(rest);
    frame
}

/// Frames of `link`; where `cut`, some of them end anywhere.
fn frames(link: Link, count: usize, cut: bool) -> Vec<Vec<u8>> {
    let mut dice = Dice(link.number().into());
    let one = |_| {
        let ip = if dice.roll(2) == 0 { (0x0800u16, ipv4(&mut dice)) } else { (0x86dd, ipv6(&mut dice)) };
        let mut frame = match link {
            Link::Ethernet => ethernet(&mut dice),
            Link::Raw => ip.1,
            Link::Null => [u32::to_ne_bytes(if ip.0 == 0x0800 { 2 } else { 30 }).to_vec(), ip.1].concat(),
            Link::Loop => [u32::to_be_bytes(if ip.0 == 0x0800 { 2 } else { 24 }).to_vec(), ip.1].concat(),
            Link::Sll | Link::Sll2 => {
                let (ethertype, rest) = network(&mut dice);
                let (before, after) = if link == Link::Sll { (14, 0) } else { (0, 18) };
                [vec![0; before], ethertype.to_be_bytes().to_vec(), vec![0; after], rest].concat()
            }
        };
        if cut && dice.roll(6) == 0 {
            frame.truncate(dice.roll(frame.len()).max(4));
        }
        frame
    };
    (0..count).map(one).collect()
}

const TESTS: [&str; 60] = [
    "ip",
    "ip6",
    "arp",
    "rarp",
    "tcp",
    "udp",
    "sctp",
    "icmp",
    "icmp6",
    "host 10.0.0.1",
    "src host 10.0.0.1",
    "dst host 10.0.0.1",
    "src or dst host 10.0.0.2",
    "src and dst host 10.0.0.2",
    "src 10.1.2.3",
    "ip host 10.0.0.1",
    "arp host 10.0.0.1",
    "rarp host 10.0.0.2",
    "arp src host 10.0.0.1",
    "net 10.0.0.0/8",
    "net 10",
    "net 10.0",
    "net 192.168.5",
    "src net 10.0.0.0 mask 255.255.255.0",
    "dst net 127.0.0.1",
    "net 0.0.0.0/0",
    "host fe80::1",
    "src host fd00:200::2",
    "ip6 host 2001:db8::1",
    "net fe80::/10",
    "dst net 2001:db8::/32",
    "src net fd00:200::/28",
    "net ::/0",
    "src net 2001:db8::1/128",
    "port 53",
    "src port 80",
    "dst port 443",
    "src and dst port 80",
    "tcp port 80",
    "udp port 53",
    "sctp port 22",
    "tcp src port 22",
    "udp dst port 40000",
    "port https",
    "portrange 50-100",
    "tcp portrange 400-9000",
    "src portrange 22-22",
    "portrange 8080-80",
    "ip proto 47",
    "ip proto 6",
    "ip6 proto 17",
    "ip6 proto 58",
    "proto 2",
    "ip proto \\icmp",
    "less 50",
    "greater 60",
    "tcp port (80 or 443 or 22)",
    "host 10.0.0.1 or 10.0.0.2",
    "port 53 or 80 and 443",
    "not port 53 and not arp",
];
/// What moves all that comes behind it.
const TAGS: [&str; 4] = ["vlan", "vlan 5", "vlan 6", "vlan and vlan"];

/// Tests put together.
fn expressions(count: usize, tests: &[&str]) -> Vec<String> {
    let mut dice = Dice(7);
    let one = |_| {
        let mut text = String::new();
        let parts = 2 + dice.roll(4);
        for part in 0..parts {
            if part > 0 {
                text += dice.pick(&[" and ", " or ", " && ", " || "]);
            }
            if dice.roll(3) == 0 {
                text += dice.pick(&["not ", "! ", "not not "]);
            }
            let test = dice.pick(tests);
            match dice.roll(4) {
                0 => text += &format!("({test} {} {})", dice.pick(&["and", "or"]), dice.pick(tests)),
                _ => text += &format!("({test})"),
            }
        }
        text
    };
    (0..count).map(one).collect()
}

/// The numbers of the frames that tcpdump accepts; `None` where it says that no frame ever can be.
fn theirs(link: Link, expression: &str, frames: &[Vec<u8>]) -> Vec<u64> {
    // Its own options for an expression that can hold for no packet.
    let output = filtered("tcpdump", &["--nano", "-r", "-", "-w", "-", expression], &file(link, frames));
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("expression rejects all packets") {
        return Vec::new();
    }
    assert!(output.status.success(), "{expression}: {said}");
    packets(&output.stdout).into_iter().map(|(stamp, _)| stamp).collect()
}

fn ours(link: Link, expression: &str, frames: &[Vec<u8>]) -> Vec<u64> {
    let program = Expression::parse(expression).unwrap_or_else(|bad| panic!("{bad}"));
    let program =
        program.compile(View::File(link), 262_144, &|_| Vec::new()).unwrap_or_else(|bad| panic!("{bad}"));
    accepted(&program, frames)
}

fn accepted(program: &Program, frames: &[Vec<u8>]) -> Vec<u64> {
    let takes = |frame: &Vec<u8>| program.run(frame, frame.len() as u32, &Ancillary::default()) > 0;
    (0..).zip(frames).filter(|(_, frame)| takes(frame)).map(|(number, _)| number).collect()
}

/// What reads behind a frame's end refuses it: whether it comes to that in an expression of several tests depends on
/// tcpdump's optimiser. So frames are cut for single tests only.
#[track_caller]
fn check(link: Link, expressions: &[String], cut: bool) {
    let _turn = shared();
    let frames = frames(link, 400, cut);
    let (mut all, mut some) = (0, 0);
    for expression in expressions {
        let (theirs, ours) = (theirs(link, expression, &frames), ours(link, expression, &frames));
        let differs =
            theirs.iter().find(|n| !ours.contains(n)).or_else(|| ours.iter().find(|n| !theirs.contains(n)));
        let frame = differs.map(|number| &frames[*number as usize]);
        assert_eq!(ours, theirs, "{expression} of {link:?}: {frame:02x?}");
        all += 1;
        some += u32::from(!ours.is_empty() && ours.len() < frames.len());
    }
    assert!(some * 4 > all * 3, "only {some} of {all} expressions tell frames apart");
}

fn owned(tests: &[&str]) -> Vec<String> {
    tests.iter().map(|&test| test.to_owned()).collect()
}

#[test]
fn no_keyword_goes_without_a_comparison() {
    let compared = |keyword: &&str| {
        let mut words = TESTS.iter().chain(&TAGS).flat_map(|test| test.split(' '));
        words.any(|word| word == *keyword)
    };
    let others: Vec<_> = KEYWORDS.into_iter().filter(|keyword| !compared(keyword)).collect();
    assert_eq!(others, ["ether", "gateway"], "which are refused");
    for word in others {
        assert!(Expression::parse(&format!("{word} host 10.0.0.1")).is_err(), "{word}");
    }
}

#[test]
fn each_test_accepts_what_tcpdumps_does() {
    check(Link::Ethernet, &owned(&TESTS), true);
    // After two tags nothing of these frames is left.
    let tag = |tag: &&str| !tag.starts_with("vlan and vlan");
    let tagged = TAGS.into_iter().filter(tag).flat_map(|tag| TESTS.map(|test| format!("{tag} and ({test})")));
    check(Link::Ethernet, &tagged.collect::<Vec<_>>(), false);
    check(
        Link::Ethernet,
        &owned(&["vlan", "vlan 5", "not vlan", "vlan and vlan", "vlan 5 and vlan 6 and ip"]),
        false,
    );
}

#[test]
fn tests_put_together_accept_what_tcpdumps_do() {
    check(Link::Ethernet, &expressions(150, &TESTS), false);
}

#[test]
fn every_link_is_filtered_as_tcpdump_does() {
    // Where a link has no ARP, tcpdump refuses to ask for it.
    let has_arp = |text: &&str| !text.contains("arp");
    let ip: Vec<&str> = TESTS.into_iter().filter(has_arp).collect();
    for link in [Link::Raw, Link::Null, Link::Loop] {
        check(link, &owned(&ip), false);
        check(link, &expressions(20, &ip), false);
    }
    for link in [Link::Sll, Link::Sll2] {
        check(link, &owned(&TESTS), false);
        check(link, &expressions(20, &TESTS), false);
    }
}

#[test]
fn tcpdumps_own_programs_run_here_as_there() {
    let frames = frames(Link::Ethernet, 400, true);
    for expression in expressions(40, &TESTS)
        .iter()
        .map(String::as_str)
        .chain(["tcp[tcpflags] & tcp-syn == 0", "ip[6:2] & 0x1fff != 0"])
    {
        let output = filtered("tcpdump", &["-y", "EN10MB", "-ddd", expression], &[]);
        let said = String::from_utf8_lossy(&output.stderr);
        if said.contains("expression rejects all packets") {
            continue;
        }
        let text = String::from_utf8(output.stdout).expect("numbers");
        let program: Program = text.parse().unwrap_or_else(|bad| panic!("{bad}: {text}{said}"));
        assert_eq!(accepted(&program, &frames), theirs(Link::Ethernet, expression, &frames), "{expression}");
    }
}
