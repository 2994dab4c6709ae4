//! Duplicates, reordering, late replies and one-way delays are what the relay's log says.

use std::net::IpAddr;
use std::time::Duration;

use serde_json::Value;

use super::serving::{STAMP, Serving, number, ping};
use crate::lab::{Direction, Fate, Lab, Percent, Profile, Record, Units, alone};

/// Octets of payload of a probe packet; control packets are shorter.
const PROBE: usize = 128;
/// Octets of a probe packet's frame: Ethernet, IPv4 or IPv6, UDP, payload.
const FRAMES: [usize; 2] = [14 + 20 + 8 + PROBE, 14 + 40 + 8 + PROBE];
const OPTIONS: &str = "-c 300 -i 2ms -W 0.3 -s 128 --catch-up";

/// What the relay did to the probe packets of one direction.
struct Truth {
    duplicates: u64,
    lost: u64,
    /// Time each was to be held.
    held: Vec<Duration>,
    /// Time from each one's arrival to its leaving, of those that have left.
    delays: Vec<Duration>,
    /// Numbers in the order of arrival at the other end, copies included.
    order: Vec<u32>,
}

impl Truth {
    fn of(lab: &Lab, direction: Direction) -> Self {
        let mut log = lab.relay().log();
        log.retain(|record| record.direction == direction && FRAMES.contains(&record.length));
        let count = |fate| log.iter().filter(|record| record.fate == fate).count() as u64;
        let (duplicates, lost) = (count(Fate::Duplicate), count(Fate::Lost));
        let held = log.iter().filter_map(|record| record.release.map(|until| until - record.arrival));
        let held = held.map(Duration::from_nanos).collect();
        let between = |record: &Record| Some(Duration::from_nanos(record.begun? - record.arrival));
        let delays = log.iter().filter_map(between).collect();
        log.retain(|record| record.written.is_some());
        log.sort_by_key(|record| record.written);
        let seq =
            |payload: [u8; 24]| u32::from_be_bytes([payload[12], payload[13], payload[14], payload[15]]);
        Self { duplicates, lost, held, delays, order: log.iter().map(|record| seq(record.payload)).collect() }
    }

    /// Packets that arrived for the first time after one with a higher number (RFC 4737).
    fn reordered(&self) -> u64 {
        let (mut seen, mut highest) = (std::collections::BTreeSet::new(), 0);
        let late = |&&seq: &&u32| {
            let is_new = seen.insert(seq);
            highest = highest.max(seq);
            is_new && seq < highest
        };
        self.order.iter().filter(late).count() as u64
    }
}

fn told(report: &Value, pointers: &[&str]) -> Vec<u64> {
    pointers.iter().map(|pointer| number(report, pointer)).collect()
}

#[test]
fn duplicates_are_those_of_the_log_in_each_direction() {
    for (up, down) in [(5.pct(), 0.0), (0.0, 5.pct())] {
        let duplicating = |duplicate| Profile { delay: 5.ms(), duplicate, ..Profile::default() };
        let lab = Lab::line(1)
            .profile(Direction::Up, duplicating(up))
            .profile(Direction::Down, duplicating(down))
            .build();
        let _serving = Serving::start(lab.server());
        let report = ping(lab.client(), lab.server().address4(), OPTIONS);
        let [up, down] = Direction::BOTH.map(|direction| Truth::of(&lab, direction).duplicates);
        assert!(up + down > 0);
        let pointers = ["/up/duplicates", "/down/duplicates", "/counts/duplicates", "/counts/received"];
        assert_eq!(told(&report, &pointers), [up, down, up + down, 300], "{report}");
        assert_eq!(report["loss_ratio"], 0.0);
    }
}

#[test]
fn reordering_is_that_of_the_log_in_each_direction() {
    for (up, down) in [(10.pct(), 0.0), (0.0, 10.pct())] {
        let reordering = |reorder| Profile { reorder, reorder_by: 11.ms(), ..Profile::default() };
        let lab = Lab::line(1)
            .profile(Direction::Up, reordering(up))
            .profile(Direction::Down, reordering(down))
            .build();
        let _serving = Serving::start(lab.server());
        let report = ping(lab.client(), lab.server().address4(), OPTIONS);
        let [there, back] = Direction::BOTH.map(|direction| Truth::of(&lab, direction));
        assert!(there.reordered() + back.reordered() > 0);
        // What is reordered on the way there comes back reordered too.
        let pointers = ["/up/reordered", "/counts/reordered", "/counts/received", "/counts/duplicates"];
        assert_eq!(told(&report, &pointers), [there.reordered(), back.reordered(), 300, 0], "{report}");
    }
}

#[test]
fn late_replies_are_late_and_neither_lost_nor_duplicates() {
    let reordering = Profile { reorder: 10.pct(), reorder_by: 500.ms(), ..Profile::default() };
    let lab = Lab::line(1).profile(Direction::Down, reordering).build();
    let _serving = Serving::start(lab.server());
    let report = ping(lab.client(), lab.server().address4(), "-c 300 -i 2ms -W 300ms -s 128 --catch-up");
    let held = Truth::of(&lab, Direction::Down).held;
    // The run ends 300 ms after its last packet: of those held longer, the last never come in time to be late.
    let overdue = held.iter().filter(|held| **held > 300.ms()).count() as u64;
    let late = number(&report, "/counts/late");
    let received = number(&report, "/counts/received");
    assert!(late > 0 && late <= overdue, "{late} late of {overdue}");
    assert_eq!(300 - received, overdue, "{report}");
    assert_eq!(told(&report, &["/counts/duplicates", "/down/duplicates", "/up/lost"]), [0, 0, 0], "{report}");
    assert_eq!(number(&report, "/down/lost"), overdue - late, "{report}");
}

#[test]
fn everything_at_once_is_still_what_the_log_says() {
    let up = Profile { delay: 3.ms(), loss: 5.pct(), duplicate: 3.pct(), ..Profile::default() };
    let down = Profile { delay: 7.ms(), loss: 2.pct(), duplicate: 5.pct(), ..Profile::default() };
    let lab = Lab::line(1).profile(Direction::Up, up).profile(Direction::Down, down).seed(3).build();
    let _serving = Serving::start(lab.server());
    let report = ping(lab.client(), lab.server().address4(), OPTIONS);
    let [up, down] = Direction::BOTH.map(|direction| Truth::of(&lab, direction));
    assert_eq!(told(&report, &["/up/lost", "/up/duplicates"]), [up.lost, up.duplicates], "{report}");
    // A packet that was copied on the way there has two replies, and needs only one of them.
    let different: std::collections::BTreeSet<u32> = down.order.iter().copied().collect();
    let came = (different.len() as u64, down.order.len() as u64);
    let pointers = ["/counts/received", "/counts/duplicates", "/down/lost"];
    assert_eq!(told(&report, &pointers), [came.0, came.1 - came.0, 300 - up.lost - came.0], "{report}");
}

/// A reflector of STAMP counts what it receives, copies included (RFC 8972 §4.5).
#[test]
fn copies_on_the_way_there_hide_no_loss_from_stamp() {
    let up = Profile { delay: 3.ms(), loss: 5.pct(), duplicate: 10.pct(), ..Profile::default() };
    let down = Profile { delay: 7.ms(), duplicate: 10.pct(), ..Profile::default() };
    let lab = Lab::line(1).profile(Direction::Up, up).profile(Direction::Down, down).seed(5).build();
    let _serving = Serving::start(lab.server());
    let report =
        ping(lab.client(), lab.server().address4(), &format!("{OPTIONS} --protocol stamp -p {STAMP}"));
    let [up, down] = Direction::BOTH.map(|direction| Truth::of(&lab, direction));
    assert!(up.lost > 0 && up.duplicates > 0 && down.duplicates > 0);
    // Without a last word from the reflector, what is lost after the last reply is lost somewhere.
    let told = told(&report, &["/up/lost", "/down/lost", "/lost_unknown", "/counts/duplicates"]);
    assert_eq!(told[0] + told[2], up.lost, "{report}");
    assert!(told[2] < 3, "{report}");
    assert_eq!((told[1], told[3]), (0, up.duplicates + down.duplicates), "{report}");
}

/// The shortest and the median, in µs.
fn shortest_and_median(mut values: Vec<Duration>) -> [f64; 2] {
    values.sort_unstable();
    [values[0], values[values.len() / 2]].map(|value| value.as_secs_f64() * 1e6)
}

/// How far the reported shortest and median delay of each direction are from the log's, in µs.
fn one_way_errors(ipv6: bool) -> [[f64; 2]; 2] {
    let delaying = |delay| Profile { delay, ..Profile::default() };
    let lab = Lab::line(1)
        .profile(Direction::Up, delaying(20.ms()))
        .profile(Direction::Down, delaying(5.ms()))
        .build();
    let _serving = Serving::start(lab.server());
    let server = lab.server();
    let target: IpAddr = if ipv6 { server.address6().into() } else { server.address4().into() };
    let report = ping(lab.client(), target, &format!("{OPTIONS} --assume-synced"));
    [(Direction::Up, "up"), (Direction::Down, "down")].map(|(direction, name)| {
        let told = |what: &str| report[name]["delay"][what].as_f64().expect("a delay") * 1e3;
        let logged = shortest_and_median(Truth::of(&lab, direction).delays);
        [told("min_ms") - logged[0], told("p50_ms") - logged[1]]
    })
}

/// Others on the machine only ever add to the error, most of all to the reflector's time of sending, which it reads
/// itself: where they leave no median undisturbed, the shortest delay is the judge.
#[test]
fn one_way_delays_are_within_50_us_of_the_log_over_both_families() {
    let _alone = alone();
    for ipv6 in [false, true] {
        let near = (0..8).any(|_| {
            let errors = one_way_errors(ipv6);
            let [[up_min, up], [down_min, down]] = errors;
            println!("one-way delay less the log's: up p50 {up:+.1} µs, min {up_min:+.1} µs");
            println!("one-way delay less the log's: down p50 {down:+.1} µs, min {down_min:+.1} µs");
            errors.iter().all(|[min, p50]| min.abs().min(p50.abs()) <= 50.0)
        });
        assert!(near, "IPv6 {ipv6}");
    }
}
