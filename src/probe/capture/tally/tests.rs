//! Connections made up segment by segment. That Wireshark says the same is shown by `tests/it/capture`.

use std::time::Duration;

use proptest::prelude::*;

use super::tcp::{Connection, Room, Signs};
use super::{MOST_CONVERSATIONS, Tally, fuzz_tally};
use crate::wire::frame::Segment;
use crate::wire::pcap::{Link, Packet};

const MS: u64 = 1_000_000;

/// A connection after its handshake, which took 10 ms.
struct Talk {
    connection: Connection,
    room: Room,
    now: u64,
}

fn segment(sequence: u32, acknowledgement: u32, flags: u8, payload: u32) -> Segment {
    Segment { source: 1, destination: 2, sequence, acknowledgement, flags, window: 1000, payload }
}

impl Talk {
    fn begin() -> Self {
        let mut talk = Self { connection: Connection::default(), room: Room(1000), now: 0 };
        assert_eq!(talk.say(0, 0, segment(99, 0, Segment::SYN, 0)), Signs::default());
        assert_eq!(talk.say(7, 1, segment(499, 100, Segment::SYN | Segment::ACK, 0)), Signs::default());
        let signs = talk.say(3, 0, segment(100, 500, Segment::ACK, 0));
        assert_eq!(signs, Signs { handshake: Some(Duration::from_millis(10)), ..Signs::default() });
        talk
    }

    /// A segment of a side, so many ms after the one before.
    fn say(&mut self, after: u64, side: usize, segment: Segment) -> Signs {
        self.now += after * MS;
        self.connection.push(side, &segment, self.now, &mut self.room)
    }

    fn data(&mut self, after: u64, sequence: u32, payload: u32) -> Signs {
        self.say(after, 0, segment(sequence, 500, Segment::ACK, payload))
    }

    fn ack(&mut self, after: u64, number: u32) -> Signs {
        self.say(after, 1, segment(500, number, Segment::ACK, 0))
    }
}

#[test]
fn what_is_sent_again_is_a_retransmission() {
    let mut talk = Talk::begin();
    assert_eq!(talk.data(1, 100, 10), Signs::default());
    assert_eq!(talk.data(1, 110, 10), Signs::default());
    assert!(talk.data(200, 100, 10).retransmit, "by its timer");
    talk.ack(1, 120);
    assert!(talk.data(1, 110, 10).retransmit, "although it had arrived");
    // The SYN alone can be sent again, too.
    let mut talk = Talk { connection: Connection::default(), room: Room(1000), now: 0 };
    talk.say(0, 0, segment(99, 0, Segment::SYN, 0));
    assert!(talk.say(1000, 0, segment(99, 0, Segment::SYN, 0)).retransmit);
}

#[test]
fn three_acknowledgements_alike_ask_for_a_segment() {
    let mut talk = Talk::begin();
    talk.data(1, 100, 10);
    talk.data(1, 120, 10);
    talk.data(1, 130, 10);
    assert!(!talk.ack(1, 110).duplicate_ack, "the first says something new");
    assert!(talk.ack(0, 110).duplicate_ack && talk.ack(0, 110).duplicate_ack);
    let signs = talk.data(1, 110, 10);
    assert!(signs.retransmit && !signs.out_of_order, "fast, within the round trip: {signs:?}");
}

#[test]
fn what_comes_late_and_is_new_was_overtaken() {
    let mut talk = Talk::begin();
    talk.data(1, 100, 10);
    assert!(talk.data(1, 120, 10).gap);
    let late = talk.data(1, 110, 10);
    assert!(late.out_of_order && !late.retransmit, "{late:?}");
    assert!(!talk.data(1, 130, 10).gap);
}

#[test]
fn a_closed_window_and_its_probes() {
    let mut talk = Talk::begin();
    talk.data(1, 100, 10);
    let closed = Segment { window: 0, ..segment(500, 110, Segment::ACK, 0) };
    assert!(talk.say(1, 1, closed).zero_window);
    let probe = talk.data(200, 110, 1);
    assert!(!probe.retransmit && !probe.gap);
    assert!(talk.say(1, 1, closed).zero_window, "the answer to the probe");
    assert!(!talk.ack(1, 110).duplicate_ack, "it opens the window");
    assert!(!talk.say(1, 1, Segment { window: 0, ..segment(500, 110, Segment::RST, 0) }).zero_window);
}

#[test]
fn being_kept_alive_is_no_retransmission() {
    let mut talk = Talk::begin();
    talk.data(1, 100, 10);
    talk.ack(1, 110);
    let alive = talk.data(5000, 109, 1);
    assert!(!alive.retransmit && !alive.out_of_order, "{alive:?}");
    assert!(!talk.ack(1, 110).duplicate_ack, "the answer to it");
    assert!(!talk.data(5000, 109, 0).retransmit);
}

#[test]
fn numbers_wrap() {
    let mut talk = Talk { connection: Connection::default(), room: Room(1000), now: 0 };
    talk.say(0, 0, segment(u32::MAX - 5, 0, Segment::SYN, 0));
    talk.say(1, 1, segment(499, u32::MAX - 4, Segment::SYN | Segment::ACK, 0));
    assert_eq!(talk.data(1, u32::MAX - 4, 10).handshake, Some(Duration::from_millis(2)));
    assert_eq!(talk.data(1, 5, 10), Signs::default());
    assert!(talk.data(300, u32::MAX - 4, 10).retransmit);
}

#[test]
fn the_same_ports_may_be_used_anew() {
    let mut talk = Talk::begin();
    talk.data(1, 100, 10);
    let signs = talk.say(1000, 0, segment(7000, 0, Segment::SYN, 0));
    assert!(signs.anew && !signs.retransmit && !signs.gap, "{signs:?}");
    assert_eq!(talk.room.0, 999, "what the connection before had in flight is forgotten");
}

#[test]
fn room_in_flight_is_bounded_and_comes_back() {
    let mut talk = Talk { room: Room(3), ..Talk::begin() };
    for number in 0..10 {
        talk.data(1, 100 + 10 * number, 10);
    }
    assert_eq!(talk.room.0, 0);
    talk.ack(1, 200);
    assert!(talk.room.0 >= 3, "{}", talk.room.0);
}

/// UDP between made-up hosts.
fn datagram(from: u32, to: u32, octets: u32) -> Vec<u8> {
    let mut packet = vec![0x45, 0];
    packet.extend((octets as u16).to_be_bytes());
    packet.extend([0, 0, 0, 0, 64, 17, 0, 0]);
    packet.extend(from.to_be_bytes());
    packet.extend(to.to_be_bytes());
    packet.extend([0, 7, 0, 7, 0, 8, 0, 0]);
    packet
}

#[test]
fn conversations_are_bounded_and_the_rest_is_counted() {
    let mut tally = Tally::default();
    for host in 0..MOST_CONVERSATIONS as u32 + 10 {
        let data = datagram(host, u32::MAX - host, 100);
        tally.push(&Packet { stamp: Some(5), link: Link::Raw, wire_length: 100, data: &data });
    }
    let found = tally.conversations();
    assert_eq!((found.count, found.uncounted.packets, found.top.len()), (MOST_CONVERSATIONS as u64, 10, 10));
    assert_eq!(tally.protocols()["udp"].packets, MOST_CONVERSATIONS as u64 + 10);
    assert_eq!(tally.talkers().len(), 10);
}

#[test]
fn a_conversation_has_two_sides_and_begins_with_the_first_to_speak() {
    let mut tally = Tally::default();
    for (from, to, octets) in [(9, 3, 100), (3, 9, 200), (9, 3, 300), (4, 3, 50)] {
        let data = datagram(from, to, octets);
        tally.push(&Packet {
            stamp: Some(u64::from(octets)),
            link: Link::Raw,
            wire_length: octets,
            data: &data,
        });
    }
    let top = &tally.conversations().top[0];
    assert_eq!((top.source.to_string(), top.source_port), ("0.0.0.9".to_owned(), Some(7)));
    assert_eq!((top.sent.packets, top.sent.bytes, top.received.bytes), (2, 400, 200));
    assert_eq!(top.lasted, Duration::from_nanos(200));
    let first = &tally.talkers()[0];
    assert_eq!(
        (first.address.to_string(), first.sent.bytes, first.received.bytes),
        ("0.0.0.3".to_owned(), 200, 450)
    );
}

proptest! {
    #[test]
    fn no_segments_panic(octets in proptest::collection::vec(any::<u8>(), 0..600)) {
        fuzz_tally(&octets);
    }
}
