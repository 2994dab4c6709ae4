//! When packets leave: floods, packets that follow replies, packets at once; and what is told meanwhile.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use super::{command, numbers, report, run, said};
use crate::lab::{Hook, Lab, Units};
use crate::tool::WADDLEPERF;

#[test]
fn a_flood_follows_the_replies_and_goes_on_without_them() {
    let lab = Lab::line(0).build();
    let (client, server) = (lab.client(), lab.server());
    let counted = server.rule(Hook::Input, "icmp type echo-request", "accept");
    let answered = report(client, server.address4(), "-f --force -c 500");
    assert_eq!(numbers(&answered, ["/counts/sent", "/counts/received"]), [500, 500], "{answered}");
    assert_eq!(counted.dropped(), 500);
    let _silent = server.rule(Hook::Output, "icmp type echo-reply", "drop");
    let output = run(client, &format!("{} -f --force -c 20 -W 0.1 --json", server.address4()));
    let silent = super::report_of(&output);
    assert_eq!(numbers(&silent, ["/counts/sent", "/counts/received"]), [20, 0], "{silent}");
    assert_eq!(output.status.code(), Some(1));
}

/// The interval would make it 40 s; the way there and back is 20 ms.
#[test]
fn who_adapts_sends_at_the_pace_of_the_replies() {
    let lab = Lab::line(0).delay(10.ms()).build();
    let record =
        super::record_of(&run(lab.client(), &format!("{} -A -c 40 --json", lab.server().address4())));
    let found = &record["outcome"]["report"]["counts"];
    assert_eq!((&found["sent"], &found["received"]), (&40.into(), &40.into()), "{record}");
    let elapsed = record["elapsed_ms"].as_f64().expect("a time");
    assert!((39.0 * 20.0..20_000.0).contains(&elapsed), "{elapsed} ms");
}

/// 500 ms between packets, and a way of 300 ms there and back: only those sent at once are out together.
#[test]
fn what_is_preloaded_leaves_at_once_and_an_identifier_is_the_one_given() {
    let lab = Lab::line(0).build();
    let (client, server) = (lab.client(), lab.server());
    let _silent = server.rule(Hook::Output, "icmp type echo-reply", "drop");
    let ours = server.rule(Hook::Input, "icmp type echo-request icmp id 4242", "accept");
    // Only what is preloaded leaves before the deadline.
    let found = run(client, &format!("{} -l 3 -e 4242 -i 30 -c 5 -w 0.3 --json", server.address4()));
    assert_eq!(ours.dropped(), 3, "{}", said(&found));
}

#[test]
fn what_is_unanswered_is_told_before_the_next_packet() {
    let lab = Lab::line(0).build();
    let server = lab.server();
    let _silent = server.rule(Hook::Output, "icmp type echo-reply", "drop");
    let output = run(lab.client(), &format!("{} -O -c 3 -i 20ms --catch-up -W 0.2", server.address4()));
    let said = said(&output);
    assert!(said.contains("no answer yet: seq=0") && said.contains("no answer yet: seq=1"), "{said}");
    assert!(!said.contains("no answer yet: seq=2"), "nothing is sent after the last: {said}");
}

#[test]
fn an_interface_that_goes_down_is_told_and_the_run_ends_with_what_there_was() {
    let lab = Lab::line(0).build();
    let (client, server) = (lab.client(), lab.server());
    for (through, down) in [("", "link set up0 down"), ("-I up0", "link set up0 down")] {
        client.ip("link set up0 up");
        let mut ping = command(client, &format!("{} -c 50 -i 100ms -W 0.2 {through}", server.address4()));
        let mut child = ping.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("start ping");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let answered = lines.by_ref().map_while(Result::ok).find(|line| line.contains(" bytes from "));
        assert!(answered.is_some(), "{WADDLEPERF} hears nothing");
        client.ip(down);
        let rest: Vec<String> = lines.map_while(Result::ok).collect();
        let output = child.wait_with_output().expect("ping ends");
        let told = said(&output) + &rest.join("\n");
        assert_eq!(output.status.code(), Some(0), "it had replies: {told}");
        assert!(told.contains("unreachable") || told.contains("network is down"), "{told}");
        assert!(rest.iter().any(|line| line.contains(" not sent")), "{told}");
    }
}
