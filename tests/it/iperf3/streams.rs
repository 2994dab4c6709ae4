//! Each stream has one number, at both ends: by the documents of either client, and by what a capture has of both ends' results.

use std::collections::BTreeMap;

use serde_json::Value;

use super::number;
use super::pairs::Peer::{Ours, Stock};
use super::pairs::{Both, Flow, WITH_OURS};
use crate::lab::{Direction, Lab, Packet};

/// iperf3's numbers of so many streams: 2 is nobody's.
fn ids(count: usize) -> Vec<u64> {
    (1..).filter(|&id| id != 2).take(count).collect()
}

#[test]
fn a_hundred_and_twenty_eight_streams_add_up() {
    let lab = Lab::line(0).build();
    let both = Both::start(&lab);
    for pair in WITH_OURS {
        for way in ["", "-R"] {
            let args = format!("-P 128 -b 1M -t 1 {way}");
            let told = both.told(&lab, pair, &args);
            let flow = Flow::of(&told);
            assert_eq!(flow.streams.len(), 128, "{pair:?} {args}");
            let sum = |of: usize| flow.streams.iter().map(|stream| stream[of]).sum::<f64>();
            assert_eq!([sum(0), sum(1)], [flow.sent, flow.received], "{pair:?} {args}");
            // A busy host has no time for the last ones.
            assert!(flow.received > 1e6, "{pair:?} {args}: {flow:?}");
            if pair.0 == Ours {
                let parts = told[if way == "-R" { "down" } else { "up" }]["parts"].as_array();
                let parts = parts.expect("parts").iter().filter_map(|part| part["id"].as_u64());
                assert_eq!(parts.collect::<Vec<_>>(), ids(128), "{pair:?} {args}");
            }
        }
    }
}

/// What an end says over a connection, and how it ends.
struct Said {
    octets: Vec<u8>,
    has_reset: bool,
}

/// What both ends say over the control connection, the first to `port` in a capture: the client, the server.
fn conversation(packets: &[Packet], port: u16) -> [Said; 2] {
    let word = |frame: &[u8], at: usize| u16::from_be_bytes([frame[at], frame[at + 1]]);
    let of_port = |packet: &&Packet| packet.segment(port).is_some();
    let all = || packets.iter().filter(of_port).map(|packet| &packet.frame[..]);
    let client = all().find(|frame| frame[47] & 0x12 == 2).map(|frame| word(frame, 34)).expect("a SYN");
    [(client, port), (port, client)].map(|(from, to)| {
        let (mut first, mut pieces, mut has_reset) = (None, BTreeMap::new(), false);
        for frame in all().filter(|frame| (word(frame, 34), word(frame, 36)) == (from, to)) {
            let number = u32::from_be_bytes(*frame[38..].first_chunk().expect("a number"));
            has_reset |= frame[47] & 4 == 4;
            if frame[47] & 2 == 2 {
                first = Some(number.wrapping_add(1));
            }
            let (begin, end) = (34 + usize::from(frame[46] >> 4) * 4, 14 + usize::from(word(frame, 16)));
            if end > begin {
                let at = number.wrapping_sub(first.expect("its SYN was first"));
                pieces.insert(at as usize, &frame[begin..end]);
            }
        }
        let mut octets = Vec::new();
        for (at, piece) in pieces {
            assert!(at <= octets.len(), "{} octets are missing", at - octets.len());
            octets.extend(piece.get(octets.len() - at..).unwrap_or_default());
        }
        Said { octets, has_reset }
    })
}

/// Takes the next octets away, which must be `expected`.
#[track_caller]
fn next(said: &mut Vec<u8>, expected: &[u8]) {
    let rest = said.split_off(expected.len().min(said.len()));
    assert_eq!(std::mem::replace(said, rest), expected);
}

/// Takes the next frame away.
#[track_caller]
fn frame(said: &mut Vec<u8>) -> Value {
    let length = u32::from_be_bytes(*said.first_chunk().expect("a length")) as usize;
    let rest = said.split_off(4 + length);
    serde_json::from_slice(&std::mem::replace(said, rest)[4..]).expect("JSON")
}

#[test]
fn both_ends_call_a_stream_by_the_same_number() {
    let lab = Lab::line(0).build();
    let both = Both::start(&lab);
    for pair in WITH_OURS {
        for args in ["-b 2M", "-b 5M -l 4K", "-u -b 20M -l 1400"] {
            let about = format!("{pair:?} {args}");
            let capture = lab.client().capture(Direction::Up);
            both.told(&lab, pair, &format!("--bidir -P 2 -t 1 {args}"));
            let said = conversation(&capture.stop(), both.port(pair.1));
            // A reset might overtake what is said last.
            assert!(
                [pair.0, pair.1].iter().zip(&said).all(|(peer, said)| *peer == Stock || !said.has_reset),
                "{about}"
            );
            let [mut client, mut server] = said.map(|said| said.octets);
            client.drain(..37);
            let params = frame(&mut client);
            assert_eq!(number(&params, "/parallel"), 2.0, "{about}: {params}");
            next(&mut client, &[4]);
            let ours = frame(&mut client);
            // Nothing more is said than what belongs to it.
            assert_eq!(client, [16], "{about}");
            next(&mut server, &[9, 10, 1, 2, 13]);
            let theirs = frame(&mut server);
            assert_eq!(server, [14], "{about}");
            let streams = |results: &Value| results["streams"].as_array().expect("streams").clone();
            let pairs: Vec<(Value, Value)> = streams(&ours).into_iter().zip(streams(&theirs)).collect();
            let found: Vec<u64> = pairs.iter().filter_map(|(ours, _)| ours["id"].as_u64()).collect();
            assert_eq!(found, ids(4), "{about}: {ours}");
            for (n, (ours, theirs)) in pairs.iter().enumerate() {
                assert_eq!(ours["id"], theirs["id"], "{about}: {ours} {theirs}");
                // The client sends through the first two.
                let (sender, receiver) = if n < 2 { (ours, theirs) } else { (theirs, ours) };
                let [sent, received] = [sender, receiver].map(|of| number(of, "/bytes"));
                assert!(received > 0.0 && received <= sent, "{about}: {received} of {sent}");
                if args.contains("-u") {
                    let [sent, seen] = [sender, receiver].map(|of| number(of, "/packets"));
                    assert!(seen > 0.0 && seen <= sent, "{about}: {seen} of {sent}");
                }
            }
        }
    }
}
