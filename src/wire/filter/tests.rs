//! Expressions on packets. That they accept what tcpdump accepts is shown by `tests/it/capture`.

use std::net::IpAddr;

use proptest::prelude::*;

use super::{Ancillary, Expression, Op, Program, View, fuzz_filter};
use crate::wire::pcap::Link;

/// UDP from 192.0.2.1:53 to 192.0.2.2:1000 over Ethernet.
fn frame() -> Vec<u8> {
    let mut frame = vec![0; 12];
    frame.extend([8, 0, 0x45, 0, 0, 32, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2]);
    frame.extend([0, 53, 3, 232, 0, 12, 0, 0, 1, 2, 3, 4]);
    frame
}

fn program(text: &str, view: View) -> Program {
    let addresses =
        |name: &str| if name == "h.example" { vec![IpAddr::from([192, 0, 2, 1])] } else { Vec::new() };
    let expression = Expression::parse(text).unwrap_or_else(|bad| panic!("{bad}"));
    expression.compile(view, 128, &addresses).unwrap_or_else(|bad| panic!("{bad}"))
}

fn accepts(text: &str, view: View, packet: &[u8], known: &Ancillary) -> bool {
    program(text, view).run(packet, packet.len() as u32, known) == 128
}

#[test]
fn and_and_or_bind_alike_and_values_inherit() {
    let frame = frame();
    for (text, expected) in [
        ("udp", true),
        ("tcp or udp and port 99", false),
        ("udp or tcp and port 99", false),
        ("udp or (tcp and port 99)", true),
        ("port 80 or 53", true),
        ("port 80 or 54", false),
        ("dst port (80 or 1000)", true),
        ("not host 192.0.2.9 and 192.0.2.2", true),
        ("src or dst port 1000", true),
        ("src and dst port 1000", false),
        ("not not udp", true),
        ("192.0.2.1", true),
        ("net 192.0.2", true),
        ("192.0.2.0/30", true),
        ("net 192.0.0.0 mask 255.255.0.0", true),
        ("udp portrange 1001-900", true),
        ("host h.example", true),
        ("ip proto \\udp && ! ip6", true),
        ("port domain", true),
        ("less 46 and greater 46", true),
        ("less 45", false),
        ("vlan", false),
    ] {
        assert_eq!(
            accepts(text, View::File(Link::Ethernet), &frame, &Ancillary::default()),
            expected,
            "{text}"
        );
    }
}

#[test]
fn every_link_is_looked_through() {
    let ip = frame()[14..].to_vec();
    let known = Ancillary { protocol: 0x0800, vlan: None };
    let headers: [(View, &[u8]); 8] = [
        (View::File(Link::Raw), &[]),
        (View::File(Link::Null), &[2, 0, 0, 0]),
        (View::File(Link::Null), &[0, 0, 0, 2]),
        (View::File(Link::Loop), &[0, 0, 0, 2]),
        (View::File(Link::Sll), &[0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0]),
        (View::File(Link::Sll2), &[8, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0]),
        (View::Kernel(Link::Sll2), &[]),
        (View::Kernel(Link::Raw), &[]),
    ];
    for (view, header) in headers {
        let packet = [header, &ip].concat();
        for (text, expected) in
            [("src host 192.0.2.1 and udp port 53", true), ("ip6 or arp", false), ("vlan", false)]
        {
            assert_eq!(accepts(text, view, &packet, &known), expected, "{text} of {view:?}");
        }
    }
}

#[test]
fn the_kernel_shows_a_tag_apart_and_the_program_sees_it() {
    let frame = frame();
    let tagged = [&frame[..12], &[0x81, 0, 0x20, 5], &frame[12..]].concat();
    let apart = Ancillary { protocol: 0x0800, vlan: Some(0x2005) };
    for (text, expected) in [
        ("vlan", true),
        ("vlan 5", true),
        ("vlan 6", false),
        ("vlan 5 and udp port 53", true),
        ("vlan and vlan", false),
        ("not vlan 5", false),
    ] {
        let file = View::File(Link::Ethernet);
        assert_eq!(accepts(text, file, &tagged, &Ancillary::default()), expected, "{text} in a file");
        let kernel = View::Kernel(Link::Ethernet);
        assert_eq!(accepts(text, kernel, &frame, &apart), expected, "{text} with the tag apart");
        assert_eq!(
            accepts(text, kernel, &tagged, &Ancillary::default()),
            expected,
            "{text} with the tag inside"
        );
    }
}

#[test]
fn what_is_wrong_is_shown_with_its_place() {
    for (text, place, word) in [
        ("tcp prot 80", 5, "followed by"),
        ("host", 5, "missing"),
        ("(udp", 5, "`)`"),
        ("udp)", 4, "missing before"),
        ("udp tcp", 5, "missing before"),
        ("port 65536", 6, "no port"),
        ("portrange 1", 11, "no range"),
        ("host 1.2.3.4.5", 6, "neither a keyword"),
        ("net 10.0.0.1/8", 5, "outside of its network"),
        ("net 10.0.0.0/33", 5, "0 to 32"),
        ("ip6 host 10.0.0.1", 10, "cannot follow ip6"),
        ("ip host ::1", 9, "IPv6"),
        ("tcp[13] & 2 != 0", 4, "arithmetic"),
        ("a & b", 3, "single"),
        ("vlan 4096", 6, "0 to 4095"),
        ("udp \u{1f427}", 5, "character"),
        ("ip proto nope", 10, "no IP protocol"),
        ("ether host 1:2", 1, "missing before"),
        ("", 1, "missing"),
    ] {
        let bad = Expression::parse(text).expect_err(text);
        assert_eq!(bad.character(), place, "{bad}");
        assert!(bad.to_string().contains(word), "{bad}");
    }
    let unknown =
        Expression::parse("host no.example").expect("a name").compile(View::File(Link::Raw), 1, &|_| vec![]);
    assert!(unknown.expect_err("no address").to_string().contains("no.example"));
    for deep in
        ["(".repeat(50_000), "udp and tcp or ".repeat(4000) + "udp", "not ".repeat(10_001) + "udp and (("]
    {
        assert!(Expression::parse(&deep).is_err());
    }
}

#[test]
fn a_long_expression_jumps_as_far_as_it_must() {
    let many: Vec<String> = (1..=150).map(|host| format!("host 10.0.0.{host}")).collect();
    let text = format!("({}) or udp port 53", many.join(" or "));
    let mut frame = frame();
    assert!(accepts(&text, View::File(Link::Ethernet), &frame, &Ancillary::default()));
    frame[34..36].copy_from_slice(&[0, 54]);
    assert!(!accepts(&text, View::File(Link::Ethernet), &frame, &Ancillary::default()));
    frame[30..34].copy_from_slice(&[10, 0, 0, 150]);
    assert!(accepts(&text, View::File(Link::Ethernet), &frame, &Ancillary::default()));
    let endless = vec!["host 10.0.0.1"; 2000].join(" or ");
    let bad =
        Expression::parse(&endless).expect("it is one").compile(View::File(Link::Ethernet), 1, &|_| vec![]);
    assert!(bad.expect_err("too long").to_string().contains("4096"));
}

#[test]
fn programs_are_what_the_kernel_takes() {
    let text = "2,40 0 0 12,6 0 0 96";
    let read: Program = text.parse().expect("a program");
    assert_eq!(read.to_string(), text);
    assert_eq!("2\n40 0 0 12\n6 0 0 96\n".parse::<Program>().as_ref(), Ok(&read), "as tcpdump prints it");
    for (text, word) in [
        ("", "``"),
        ("0", "0 operations"),
        ("1,6 0 0", "6 0 0"),
        ("2,6 0 0 0", "2"),
        ("1,40 0 0 12", "does not return"),
        ("2,21 1 0 0,6 0 0 0", "operation 0"),
        ("2,5 0 0 1,6 0 0 0", "operation 0"),
        ("2,52 0 0 0,6 0 0 0", "operation 0"),
        ("2,2 0 0 16,6 0 0 0", "operation 0"),
        ("2,255 0 0 0,6 0 0 0", "none that the kernel knows"),
    ] {
        let bad = text.parse::<Program>().expect_err(text).to_string();
        assert!(bad.contains(word), "{text}: {bad}");
    }
    let then = "1,6 0 0 7".parse::<Program>().expect("a program");
    let both = program("udp", View::File(Link::Ethernet)).and_then(&then).expect("short enough");
    let frame = frame();
    assert_eq!(both.run(&frame, 46, &Ancillary::default()), 7);
    assert_eq!(both.run(&frame[..20], 46, &Ancillary::default()), 0);
}

proptest! {
    #[test]
    fn no_text_and_no_program_panics(octets in proptest::collection::vec(any::<u8>(), 0..256)) {
        fuzz_filter(&octets);
    }

    #[test]
    fn no_words_panic(words in proptest::collection::vec(
        proptest::sample::select([&super::KEYWORDS[..], &[
            "and", "or", "not", "(", ")", "10.0.0.1", "10.0.0.0/8", "::1", "fe80::/10", "80", "1-2", "6", "name",
        ]].concat()), 0..12), packet in proptest::collection::vec(any::<u8>(), 0..100)) {
        if let Ok(expression) = Expression::parse(&words.join(" ")) {
            for link in Link::ALL {
                for view in [View::File(link), View::Kernel(link)] {
                    let compiled = expression.compile(view, 1, &|_| vec![[127, 0, 0, 1].into()]);
                    let compiled = compiled.expect("a short expression compiles");
                    compiled.run(&packet, 100, &Ancillary { protocol: 0x0800, vlan: Some(5) });
                    prop_assert_eq!(Program::new(compiled.ops().to_vec()), Ok(compiled));
                }
            }
        }
    }

    #[test]
    fn operations_that_pass_the_checks_end(ops in proptest::collection::vec(
        (0u16..0xc0, 0u8..4, 0u8..4, 0u32..40), 1..12), packet in proptest::collection::vec(any::<u8>(), 0..64)) {
        let ops = ops.into_iter().map(|(code, jt, jf, k)| Op { code, jt, jf, k });
        let ops = ops.chain([Op { code: 6, jt: 0, jf: 0, k: 1 }]).collect();
        if let Ok(program) = Program::new(ops) {
            program.run(&packet, 64, &Ancillary::default());
        }
    }
}
