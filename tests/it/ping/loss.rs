//! What was lost, came twice, or came too late is what nft and the relay count, packet for packet.

use std::net::IpAddr;

use super::{numbers, report};
use crate::lab::{Direction, Fate, Hook, Lab, Profile, Units};

const COUNTS: [&str; 3] = ["/counts/sent", "/counts/received", "/counts/late"];

#[test]
fn loss_is_what_nft_counts_over_both_families_there_and_back() {
    for (ip, matching) in [
        ("v4", ["icmp type echo-request", "icmp type echo-reply"]),
        ("v6", ["icmpv6 type echo-request", "icmpv6 type echo-reply"]),
    ] {
        for matching in matching {
            let lab = Lab::line(1).build();
            let rule =
                lab.router(1).rule(Hook::Forward, &format!("{matching} numgen inc mod 10 == 3"), "drop");
            let server = lab.server();
            let target: IpAddr = if ip == "v4" { server.address4().into() } else { server.address6().into() };
            let report = report(lab.client(), target, "-c 200 -i 5ms -W 0.5");
            assert_eq!(rule.dropped(), 20, "{matching}");
            let [sent, received, late] = numbers(&report, COUNTS);
            assert_eq!((sent, received + late), (200, 180), "{matching}: {report}");
            assert!(late > 0 || report["loss_ratio"] == 0.1, "{report}");
        }
    }
}

#[test]
fn a_reply_after_its_deadline_is_late_and_one_that_comes_twice_a_duplicate() {
    let slow = Profile { delay: 1.ms(), reorder: 0.2, reorder_by: 300.ms(), ..Profile::default() };
    let lab = Lab::line(0).profile(Direction::Down, slow).build();
    let found = report(lab.client(), lab.server().address4(), "-c 100 -i 10ms -W 0.1");
    let [sent, received, late] = numbers(&found, COUNTS);
    assert_eq!(numbers(&found, ["/counts/duplicates"]), [0], "{found}");
    assert!(sent == 100 && received < 100 && late > 0 && received + late <= 100, "{found}");

    let twice = Profile { delay: 1.ms(), duplicate: 0.2, ..Profile::default() };
    let lab = Lab::line(0).profile(Direction::Down, twice).build();
    let found = report(lab.client(), lab.server().address4(), "-c 100 -i 10ms -W 0.5");
    let log = lab.relay().log();
    let copies =
        log.iter().filter(|record| record.direction == Direction::Down && record.fate == Fate::Duplicate);
    let [received, late, duplicates] =
        numbers(&found, ["/counts/received", "/counts/late", "/counts/duplicates"]);
    let copies = copies.count() as u64;
    assert!(copies > 0 && received + late == 100, "{copies} copies: {found}");
    // With the last first reply the run is over.
    assert!(duplicates == copies || duplicates + 1 == copies, "{copies} copies: {found}");
}

#[test]
fn damaged_replies_are_no_replies() {
    let damaging = Profile { corrupt: 0.3, ..Profile::default() };
    let lab = Lab::line(0).profile(Direction::Down, damaging).build();
    let found = report(lab.client(), lab.server().address4(), "-c 100 -i 5ms -W 0.3");
    let [sent, received] = numbers(&found, ["/counts/sent", "/counts/received"]);
    assert!(sent == 100 && (40..90).contains(&received), "{found}");
}

#[test]
fn an_interface_that_goes_down_is_named_and_the_run_ends() {
    let lab = Lab::line(1).build();
    lab.client().ip("route del default");
    let output = super::run(lab.client(), &format!("{} --json", lab.server().address4()));
    let record = super::record_of(&output);
    let failure = &record["outcome"]["failure"];
    assert_eq!(failure["class"], "unreachable", "{record}");
    assert!(
        failure["detail"].as_str().is_some_and(|detail| detail.contains("network is unreachable")),
        "{record}"
    );
    assert_eq!(output.status.code(), Some(1));
}
