//! Against unbound and knot: the same answers as kdig's and dig's, what validates and what does not, the way from the root.

use std::collections::BTreeMap;

use serde_json::json;

use super::server::{address, octets, reply, serve_at};
use super::world::{NOBODY, RESOLVER, ROOT, World, ZONES};
use super::{answers, command, findings, report_of};
use crate::lab::{Direction, Lab, Packet, alone};
use crate::tool::{WADDLEPERF, output, stdout};

/// One world for all: it takes a while to come up.
#[test]
fn answers_are_those_of_dig_and_verdicts_those_of_the_zones() {
    let world = World::new();
    for question in [
        "www.signed A",
        "www.plain AAAA",
        "txt.plain TXT",
        "plain MX",
        "plain CAA",
        "plain SOA",
        "h.plain HTTPS",
        "alias.plain A",
        "signed DNSKEY",
        "signed DS",
        "none.plain A",
    ] {
        let ours = stdout(&mut world.ours(&format!("@{ZONES} {question} +short")));
        let theirs = stdout(&mut world.peer("dig", &format!("@{ZONES} {question} +short +nosplit")));
        // dig parts long keys by spaces.
        let sorted = |text: &str| {
            let mut lines: Vec<String> = text.lines().map(|line| line.replace(' ', "")).collect();
            lines.sort();
            lines
        };
        assert_eq!(sorted(&ours), sorted(&theirs), "{question}");
    }
    for (name, verdict, code) in [
        ("www.signed", "secure", "NOERROR"),
        ("www.plain", "insecure", "NOERROR"),
        ("www.bogus", "bogus", "SERVFAIL"),
    ] {
        let found = world.report(&format!("@{RESOLVER} {name} +dnssec -c 2 -W 5s"));
        let server = &found["servers"][0];
        assert_eq!(
            (&server["dnssec"], &server["rcode"]),
            (&json!(verdict), &json!(code)),
            "{name}: {server}"
        );
        assert_eq!(findings(&found).contains(&"bogus"), verdict == "bogus");
        assert_eq!(server["nsid"], "unbound");
    }
    let found = world.report(&format!("@{ZONES} www.signed +dnssec -c 1"));
    let server = &found["servers"][0];
    assert_eq!(
        (&server["dnssec"], &server["clock"]),
        (&json!("unsupported"), &json!("kernel")),
        "it does not validate"
    );
    assert!(server["signature_expires"].is_string() && server["flags"]["aa"] == true, "{server}");

    let found =
        world.report(&format!("@{RESOLVER} www.plain +trace --hints {}", world.path("hints").display()));
    let trace = &found["trace"];
    let steps = trace["steps"].as_array().expect("steps");
    let way: Vec<_> =
        steps.iter().map(|step| (&step["zone"], &step["address"], &step["refers_to"])).collect();
    let expected =
        [(&json!("."), &json!(ROOT), &json!("plain.")), (&json!("plain."), &json!(ZONES), &json!(null))];
    assert_eq!(way, expected, "{trace}");
    assert_eq!((&trace["rcode"], &trace["ttl_s"]), (&json!("NOERROR"), &json!(3600)));
    assert_eq!(trace["answers"][0]["data"], "192.0.2.1");

    // Servers that do not know what they are to answer for, and one that is not there.
    for (name, at, is_lame) in [("www.lame", ZONES, true), ("www.gone", NOBODY, false)] {
        let hints = world.path("hints");
        let output =
            output(&mut world.ours(&format!("@{RESOLVER} {name} +trace --hints {} --json", hints.display())));
        let trace = report_of(&output)["trace"].clone();
        let steps = trace["steps"].as_array().expect("steps");
        let last = steps.last().expect("a step");
        assert_eq!((&last["address"], &last["lame"]), (&json!(at), &json!(is_lame)), "{trace}");
        assert_eq!(
            (&last["zone"], &last["refers_to"]),
            (&json!(&format!("{}.", &name[4..])), &json!(null)),
            "{trace}"
        );
        assert_eq!(last["rtt_ms"].is_number(), is_lame, "{trace}");
        assert!(last["why"].is_string() != is_lame && trace["ended"].is_string(), "{trace}");
        assert!(trace["answers"].as_array().is_none_or(Vec::is_empty), "{trace}");
    }

    // A random name of a wildcard cannot be in the cache.
    let found = world.report(&format!("@{RESOLVER} www.plain --cold-zone wild.plain --check -c 1"));
    let server = &found["servers"][0];
    assert!(server["cold_ms"].as_f64() > Some(0.0) && server["warm"].is_null(), "{server}");
    assert_eq!(server["absent"]["rcode"], "NXDOMAIN");
    let found = world.report(&format!("@{RESOLVER} www.plain -c 1"));
    assert_eq!(found["servers"][0]["cold_ms"], json!(null), "no proof, no figure");

    // TTLs that count down prove a cache.
    let found = world.report(&format!("@{RESOLVER} www.plain -c 4 -i 700ms"));
    let server = &found["servers"][0];
    assert!(server["warm"]["count"] == 3 && server["case_preserved"] == true, "{server}");
    assert_eq!(answers(server), ["192.0.2.1"]);
    let two = world.report(&format!("@{RESOLVER} @{ZONES} www.plain -c 3 -i 20ms"));
    assert_eq!(two["agreement"], true);
}

/// The kernel takes both times, so that they are those of the wire; others on the machine only ever add to the difference.
#[test]
fn a_querys_time_is_the_captures() {
    let _alone = alone();
    let near = (0..5).any(|_| {
        let lab = Lab::line(0).build();
        let at = lab
            .server()
            .run(|| serve_at("0.0.0.0", |query, _| vec![octets(&reply(query, vec![address(query, 1)]))]));
        let capture = lab.client().capture(Direction::Up);
        let words = format!("@{}:{} a.example -c 100 -i 5ms --json", lab.server().address4(), at.port());
        let found = report_of(&output(&mut command(lab.client().command(WADDLEPERF), &words)));
        let server = &found["servers"][0];
        assert_eq!(
            (&server["clock"], &server["counts"]["received"]),
            (&json!("kernel"), &json!(100)),
            "{server}"
        );
        let mut trips = trips(&capture.stop());
        trips.sort_unstable();
        let (p50, max) = (trips[trips.len() / 2], trips[trips.len() - 1]);
        let told = |name: &str| server["query"][name].as_f64().expect("a time") * 1e3;
        let errors = [told("p50_ms") - p50 as f64 / 1e3, told("max_ms") - max as f64 / 1e3].map(f64::abs);
        println!("|error| p50 {:.1} µs, max {:.1} µs", errors[0], errors[1]);
        trips.len() == 100 && errors.iter().all(|error| *error <= 50.0)
    });
    assert!(near);
}

/// From each query to its reply in a capture, in ns.
fn trips(frames: &[Packet]) -> Vec<u64> {
    let mut sent: BTreeMap<[u8; 4], u64> = BTreeMap::new();
    let mut trips = Vec::new();
    for Packet { frame, time, .. } in
        frames.iter().filter(|packet| packet.frame.get(23) == Some(&17) && packet.frame.len() > 44)
    {
        let is_reply = frame[44] & 0x80 != 0;
        let port = if is_reply { 36 } else { 34 };
        let key = [frame[port], frame[port + 1], frame[42], frame[43]];
        match sent.get(&key).filter(|_| is_reply) {
            Some(began) => trips.push(time - began),
            None => drop(sent.insert(key, *time)),
        }
    }
    trips
}
