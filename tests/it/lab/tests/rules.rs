//! nft rules: what they hit is what they say.

use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};

use super::packets;
use crate::lab::{Direction, Hook, Lab, Loss, Percent, Shaper, Units};

#[test]
fn exact_loss_is_exact_and_equals_the_counter() {
    let lab = Lab::line(1).build();
    let rule = lab.router(1).drop_up(Loss::Exact { every: 10 });
    let received = packets::up(&lab, 100);
    assert_eq!(received.all(), 90);
    assert_eq!(rule.dropped(), 10);
    rule.lift();
    assert_eq!(packets::up(&lab, 100).all(), 100);
}

#[test]
fn loss_in_one_direction_spares_the_other() {
    let lab = Lab::line(2).build();
    let rule = lab.router(2).drop_down(Loss::Exact { every: 4 });
    assert_eq!(packets::up(&lab, 100).all(), 100);
    assert_eq!(rule.dropped(), 0);
    assert_eq!(packets::down(&lab, 100).all(), 75);
    assert_eq!(rule.dropped(), 25);
}

#[test]
fn random_loss_is_what_the_receiver_misses() {
    let lab = Lab::line(1).build();
    let rule = lab.router(1).drop_up(Loss::Random(10.pct()));
    let lost = 1_000 - packets::up(&lab, 1_000).all();
    assert_eq!(rule.dropped(), lost as u64);
    // Binomial, 1,000 × 0.1: outside once in 100,000 runs (±4.4 standard deviations of 9.5).
    assert!((58..=142).contains(&lost), "{lost} of 1,000 lost");
}

#[test]
fn ports_are_open_closed_rejected_or_filtered() {
    let lab = Lab::line(1).build();
    let server = lab.server();
    let _listener = server.run(|| TcpListener::bind((server.address4(), 1000))).unwrap();
    let filtered = server.rule(Hook::Input, "tcp dport 1001", "drop");
    server.rule(Hook::Input, "tcp dport 1002", "reject with tcp reset");
    server.rule(Hook::Prerouting, "tcp dport 1003", "drop");
    lab.router(1).rule(Hook::Forward, "tcp dport 1004", "reject with icmpx admin-prohibited");
    lab.client().rule(Hook::Output, "tcp dport 1005", "drop");
    let connect = |port: u16| {
        let target = (server.address4(), port).into();
        let connected = lab.client().run(|| TcpStream::connect_timeout(&target, 200.ms()));
        connected.err().map(|error| error.kind())
    };
    for (port, expected) in [
        (1000, None),
        (999, Some(ErrorKind::ConnectionRefused)),
        (1001, Some(ErrorKind::TimedOut)),
        (1002, Some(ErrorKind::ConnectionRefused)),
        (1003, Some(ErrorKind::TimedOut)),
        (1004, Some(ErrorKind::HostUnreachable)),
        (1005, Some(ErrorKind::TimedOut)),
    ] {
        assert_eq!(connect(port), expected, "port {port}");
    }
    assert_eq!(filtered.dropped(), 1);
}

#[test]
fn a_queue_drops_what_the_receiver_misses() {
    let lab = Lab::line(1).build();
    let shaper = Shaper::Fifo { rate: 1.mbit(), queue: 10.kb() };
    let queue = lab.router(1).shape(Direction::Up, shaper);
    let lost = 1_000 - packets::up(&lab, 1_000).all() as u64;
    assert!(lost > 0);
    // A full queue also drops the router's own multicast listener reports, of which there are few.
    assert!((lost..lost + 10).contains(&queue.dropped()), "{lost} lost, {} dropped", queue.dropped());
}

#[test]
fn a_missing_tool_is_named() {
    let lab = Lab::line(0).build();
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        lab.client().namespace.tool("no-such-tool", &[], "");
    }));
    let message = panic.unwrap_err();
    let expected = "needs no-such-tool (make setup-test)".to_owned();
    assert_eq!(message.downcast_ref(), Some(&expected));
}
