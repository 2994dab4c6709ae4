//! Echoes beside a witness on the wire.

use super::{ms, sshping};
use crate::lab::{Direction, Lab, Packet, alone};
use crate::sshping::server::{PORT, Sshd};
use crate::tool::real_root;

const COUNT: usize = 300;

/// From each character to its echo, in ms, sorted: of the longest run of turns in which the client's segment is of one
/// length.
fn captured(packets: &[Packet]) -> Vec<f64> {
    let all: Vec<(u64, bool, usize)> = packets
        .iter()
        .filter_map(|packet| {
            let segment = packet.segment(PORT).filter(|segment| segment.data > 0)?;
            Some((packet.time, segment.is_client, segment.data))
        })
        .collect();
    // The server may begin with something of its own; from then on they take turns.
    let turns = all.windows(2).filter_map(|two| match *two {
        [(sent, true, length), (back, false, _)] => Some((length, (back - sent) as f64 / 1e6)),
        _ => None,
    });
    let turns: Vec<(usize, f64)> = turns.collect();
    let runs = turns.chunk_by(|(one, _), (other, _)| one == other);
    let longest = runs.max_by_key(|run| run.len()).unwrap_or_default();
    let mut longest: Vec<f64> = longest.iter().map(|(_, trip)| *trip).collect();
    longest.sort_unstable_by(f64::total_cmp);
    longest
}

/// The goal is 100 µs at the median, without a person in between and by a terminal. Others on the machine only ever add to
/// it: one undisturbed run of a few is the judge.
#[test]
fn echoes_take_as_long_as_they_do_on_the_wire() {
    if !real_root("sshd lets somebody log in") {
        return;
    }
    let _alone = alone();
    for terminal in [&[][..], &["--tty"]] {
        let near = (0..5).any(|_| {
            let lab = Lab::line(0).build();
            let sshd = Sshd::start(lab.server());
            let (key, count) = (sshd.key(), COUNT.to_string());
            let args = [&["--accept-new", "-i", &key, "-r", "e", "-c", &count], terminal].concat();
            let capture = lab.client().capture(Direction::Up);
            let (code, record, says) = sshping(lab.client(), &sshd, &args);
            assert_eq!(code, Some(0), "{says}");
            let truth = captured(&capture.stop());
            // A segment each way for each character, unless one was sent again, or came in two.
            if truth.len() != COUNT {
                return false;
            }
            let (told, truth) = (ms(&record["outcome"]["report"]["echo"]["rtt"]["p50_ms"]), truth[COUNT / 2]);
            println!("{terminal:?}: told {told:.4} ms, on the wire {truth:.4} ms");
            told >= truth && told - truth <= 0.1
        });
        assert!(near, "{terminal:?}");
    }
}
