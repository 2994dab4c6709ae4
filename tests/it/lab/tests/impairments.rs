//! The relay: its log is what the receiver sees.

use super::packets;
use crate::lab::{Bottleneck, Direction, Fate, GilbertElliott, Lab, Percent, Profile, Relay, Units};

/// The fates of the numbered datagrams that went up, in order.
fn fates(relay: &Relay) -> Vec<Fate> {
    let log = relay.log().into_iter();
    let datagrams = log.filter(|record| record.flow.is_some_and(|flow| flow.protocol == 17));
    datagrams.map(|record| record.fate).collect()
}

#[test]
fn the_totals_are_what_the_receiver_sees() {
    let lab = Lab::line(1).loss(10.pct()).duplicate(5.pct()).seed(7).build();
    let received = packets::up(&lab, 500);
    let totals = lab.relay().totals(Direction::Up);
    assert_eq!(totals.arrived, 500);
    assert!(totals.lost > 0 && totals.duplicated > 0, "{totals:?}");
    assert_eq!(received.distinct(), 500 - totals.lost);
    assert_eq!(received.all() - received.distinct(), totals.duplicated);
}

#[test]
fn reordering_is_what_the_receiver_sees() {
    let lab = Lab::line(1).reorder(10.pct(), 20.ms()).build();
    let received = packets::up(&lab, 500);
    let totals = lab.relay().totals(Direction::Up);
    assert!(totals.reordered > 0);
    assert_eq!(received.reordered(), totals.reordered);
    assert_eq!(received.distinct(), 500);
}

#[test]
fn loss_in_one_direction_is_in_that_direction() {
    let lab = Lab::line(1).loss_up(20.pct()).build();
    assert!(packets::up(&lab, 200).all() < 200);
    assert_eq!(packets::down(&lab, 200).all(), 200);
    let lab = Lab::line(1).loss_down(20.pct()).build();
    assert_eq!(packets::up(&lab, 200).all(), 200);
    assert!(packets::down(&lab, 200).all() < 200);
}

#[test]
fn the_same_seed_gives_the_same_fates() {
    let run = |seed| {
        let lab = Lab::line(1).loss(10.pct()).jitter(2.ms()).seed(seed).build();
        packets::up(&lab, 300);
        fates(lab.relay())
    };
    assert_eq!(run(3), run(3));
    assert_ne!(run(3), run(4));
}

#[test]
fn the_log_names_every_datagram() {
    let lab = Lab::line(2).relay_at(1).build();
    let (client, server) = (packets::socket(lab.client()), packets::socket(lab.server()));
    let (source, target) = (client.local_addr().unwrap(), server.local_addr().unwrap());
    for number in 0..20_u32 {
        client.send_to(&number.to_be_bytes(), target).unwrap();
    }
    assert_eq!(packets::receive(&server).all(), 20);
    let log = lab.relay().log();
    let datagrams = log.iter().filter(|record| record.flow.is_some_and(|flow| flow.protocol == 17));
    for (number, record) in (0..).zip(datagrams) {
        let flow = record.flow.unwrap();
        assert_eq!((flow.source, flow.destination), (source.port(), target.port()));
        assert_eq!(record.number(), number);
        assert_eq!((record.direction, record.length), (Direction::Up, 14 + 20 + 8 + 4));
    }
}

#[test]
fn bursts_lose_what_they_log() {
    let model = GilbertElliott { worsen: 5.pct(), recover: 30.pct(), loss: 100.pct() };
    let lab = Lab::line(0).bursts(model).build();
    let received = packets::up(&lab, 300);
    let totals = lab.relay().totals(Direction::Up);
    assert!(totals.lost > 0);
    assert_eq!(received.all(), 300 - totals.lost);
}

#[test]
fn nothing_passes_during_a_blackout() {
    let lab = Lab::line(0).relay().build();
    assert_eq!(packets::up(&lab, 10).all(), 10);
    lab.relay().blackout(0.ms(), 60.secs());
    assert_eq!(packets::up(&lab, 10).all(), 0);
    assert_eq!(lab.relay().totals(Direction::Up).blacked_out, 10);
}

#[test]
fn a_small_queue_overflows_by_what_is_missing() {
    let bottleneck = Some(Bottleneck { rate: 1.mbit(), queue: 10_000 });
    let profile = Profile { bottleneck, ..Profile::default() };
    let lab = Lab::line(0).profile(Direction::Up, profile).build();
    let received = packets::up(&lab, 1_000);
    let totals = lab.relay().totals(Direction::Up);
    assert!(totals.overflowed > 0);
    assert_eq!(received.all(), totals.forwarded);
    assert_eq!(totals.forwarded + totals.overflowed, totals.arrived);
}

#[test]
fn a_profile_can_change_while_packets_flow() {
    let lab = Lab::line(0).relay().build();
    assert_eq!(packets::up(&lab, 10).all(), 10);
    lab.relay().set(Direction::Up, Profile { loss: 100.pct(), ..Profile::default() });
    assert_eq!(packets::up(&lab, 10).all(), 0);
}

#[test]
fn corrupt_and_cut_frames_do_not_reach_the_socket() {
    let corrupt = Profile { corrupt: 100.pct(), ..Profile::default() };
    let cut = Profile { truncate: Some(40), ..Profile::default() };
    for profile in [corrupt, cut] {
        let lab = Lab::line(0).profile(Direction::Up, profile).build();
        assert_eq!(packets::up(&lab, 10).all(), 0);
        assert_eq!(packets::down(&lab, 10).all(), 10);
    }
}

#[test]
fn remarked_packets_arrive_remarked() {
    let profile = Profile { dscp_bleach: true, ecn_mark: 100.pct(), ..Profile::default() };
    let lab = Lab::line(0).profile(Direction::Up, profile).build();
    let capture = lab.server().capture(Direction::Down);
    let mut ping = lab.client().command("ping");
    let target = lab.server().address4().to_string();
    // DSCP 10 and ECT(0).
    let output = ping.args(["-c", "1", "-Q", "0x2a", &target]).output().unwrap();
    assert!(output.status.success());
    let packets = capture.stop();
    let echo = packets.iter().find(|packet| packet.frame[23] == 1).unwrap();
    assert_eq!(echo.frame[15], 0b11);
}
