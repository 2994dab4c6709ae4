//! Which sizes get through: links that are narrow, links that lose fragments, servers that cut. The truth is known.

use std::net::SocketAddr;

use serde_json::{Value, json};
use waddleperf::wire::dns::{Kind, Message, Name};

use super::server::{octets, record, reply, serve, serve_at};
use super::{command, findings, report, report_of, run};
use crate::lab::{Direction, Hook, Lab, Percent};
use crate::tool::{WADDLEPERF, output};

/// Octets of the answer to each type at the name, and to both types at the root.
const TXT: usize = 900;
const DNSKEY: usize = 1400;
const ANY: usize = 3000;

/// An answer of exactly `whole` octets, or as much of it as says that it was cut.
fn sized(query: &Message, tcp: bool, whole: usize, limit: usize) -> Vec<u8> {
    let question = query.question.clone().expect("a question");
    let mut said = reply(query, Vec::new());
    let accepted = query.edns.as_ref().map_or(512, |edns| usize::from(edns.size)).min(limit);
    if !tcp && whole > accepted {
        said.tc = true;
        return octets(&said);
    }
    let bare = octets(&said).len();
    let name = Name::root();
    // A record at the root has 11 octets before its data.
    if let Some(left) = whole.checked_sub(bare + 11) {
        let texts: Vec<u8> = (0..left)
            .collect::<Vec<_>>()
            .chunks(256)
            .flat_map(|part| [&[(part.len() - 1) as u8][..], &vec![b'x'; part.len() - 1]].concat())
            .collect();
        said.answers =
            vec![record(name, if question.kind == Kind(255) { Kind(16) } else { question.kind }, texts)];
        assert_eq!(octets(&said).len(), whole);
    }
    octets(&said)
}

/// Answers by type, and cuts what is longer than `limit`.
fn by_type(limit: usize) -> impl Fn(&Message, bool) -> Vec<Vec<u8>> + Send + Sync + 'static {
    move |query, tcp| {
        let question = query.question.as_ref().expect("a question");
        let whole = match (question.kind.0, question.name.labels().count()) {
            (16, 2) => TXT,
            (48, 2) => DNSKEY,
            (255, 2) => ANY,
            _ => 0,
        };
        vec![sized(query, tcp, whole, limit)]
    }
}

/// What a run in `lab` finds of the server at its end.
fn found(lab: &Lab, at: SocketAddr) -> Value {
    let words = format!("@{}:{} a.example -c 4 --sizes --json -W 3s", lab.server().address4(), at.port());
    report_of(&output(&mut command(lab.client().command(WADDLEPERF), &words)))
}

fn sizes(found: &Value) -> [Option<u64>; 5] {
    let sizes = &found["servers"][0]["sizes"];
    ["query_bytes", "query_lost_bytes", "answer_bytes", "answer_lost_bytes", "answer_cut_bytes"]
        .map(|key| sizes[key].as_u64())
}

#[test]
fn where_nothing_is_in_the_way_everything_gets_through() {
    let lab = Lab::line(2).build();
    let at = lab.server().run(|| serve_at("0.0.0.0", by_type(65_535)));
    let open = found(&lab, at);
    assert_eq!(sizes(&open), [Some(4096), None, Some(3000), None, None], "{open}");
    assert_eq!((findings(&open).len(), &open["servers"][0]["sizes"]["one_packet_bytes"]), (0, &json!(1472)));
    let cut = &open["servers"][0]["sizes"]["answers"];
    let told: Vec<_> = cut
        .as_array()
        .expect("a list")
        .iter()
        .map(|answer| (&answer["type"], &answer["accepted_bytes"], &answer["came"]))
        .collect();
    assert_eq!(
        told,
        [
            (&json!("ANY"), &json!(1232), &json!("cut")),
            (&json!("ANY"), &json!(4096), &json!("whole")),
            (&json!("TXT"), &json!(1232), &json!("whole")),
            (&json!("DNSKEY"), &json!(1232), &json!("cut")),
            (&json!("DNSKEY"), &json!(4096), &json!("whole")),
        ],
        "{open}"
    );
}

#[test]
fn a_narrow_link_whose_routers_speak_is_no_obstacle() {
    let lab = Lab::line(2).build();
    lab.link(1).mtu(1300);
    let at = lab.server().run(|| serve_at("0.0.0.0", by_type(65_535)));
    let found = found(&lab, at);
    assert_eq!(sizes(&found), [Some(4096), None, Some(3000), None, None], "{found}");
    assert_eq!(findings(&found).len(), 0, "{found}");
}

#[test]
fn a_black_hole_is_found_to_the_octet() {
    let lab = Lab::line(2).build();
    lab.link(1).mtu(1300);
    let silent = "icmp type destination-unreachable";
    let _near = lab.router(1).rule(Hook::Output, silent, "drop");
    let _far = lab.router(2).rule(Hook::Output, silent, "drop");
    let at = lab.server().run(|| serve_at("0.0.0.0", by_type(65_535)));
    let found = found(&lab, at);
    // Of 1,300 octets 28 are headers. Fragments are cut again, and get through.
    assert_eq!(sizes(&found), [Some(1272), Some(1273), Some(3000), None, None], "{found}");
    // TCP falls into it as well, so nobody knows how long it is.
    let answers = found["servers"][0]["sizes"]["answers"].as_array().expect("a list");
    let last = answers.last().expect("an answer");
    assert_eq!(
        (&last["type"], &last["came"], &last["whole_bytes"]),
        (&json!("DNSKEY"), &json!("lost"), &json!(null))
    );
    assert_eq!(findings(&found), ["black_hole", "black_hole"], "{found}");
}

#[test]
fn lost_fragments_are_told_by_their_way() {
    let fragments = "ip frag-off & 0x3fff != 0";
    let lab = Lab::line(1).build();
    let at = lab.server().run(|| serve_at("0.0.0.0", by_type(65_535)));
    let back = lab.router(1).rule(Hook::Prerouting, &format!("iifname up0 {fragments}"), "drop");
    let lost = found(&lab, at);
    assert_eq!(sizes(&lost), [Some(4096), None, Some(1400), Some(3000), None], "{lost}");
    assert_eq!(findings(&lost), ["fragments_lost"], "{lost}");
    assert!(lost["findings"][0]["text"].as_str().is_some_and(|text| text.contains("on the way back")));
    assert!(back.dropped() > 0);
    back.lift();
    let there = lab.router(1).rule(Hook::Prerouting, &format!("iifname dn0 {fragments}"), "drop");
    let lost = found(&lab, at);
    assert_eq!(sizes(&lost), [Some(1472), Some(1473), Some(3000), None, None], "{lost}");
    assert_eq!(findings(&lost), ["fragments_lost"], "{lost}");
    assert!(there.dropped() > 0);
}

#[test]
fn packets_that_are_lost_by_chance_do_not_move_the_result() {
    let lab = Lab::line(0).loss(8.pct()).seed(7).build();
    let at = lab.server().run(|| serve_at("0.0.0.0", by_type(65_535)));
    let found = found(&lab, at);
    assert_eq!(sizes(&found), [Some(4096), None, Some(3000), None, None], "{found}");
    let lost = Direction::BOTH.map(|way| lab.relay().totals(way).lost);
    assert!(lost.iter().sum::<usize>() > 0, "{lost:?}");
}

#[test]
fn a_server_that_cuts_is_no_hole() {
    let at = serve(by_type(1232));
    let found = report(&format!("@{at} a.example -c 1 --sizes"));
    assert_eq!(sizes(&found), [Some(4096), None, Some(900), None, Some(1400)], "{found}");
    assert_eq!(findings(&found).len(), 0);
    let text = String::from_utf8(run(&format!("@{at} a.example -c 1 --sizes")).stdout).expect("text");
    assert!(text.contains("queries up to 4096 octets; answers up to 900, 1400 cut by the server"), "{text}");
    // Over TCP there is nothing to find out.
    let found = report(&format!("@{at} a.example -c 1 --sizes +tcp"));
    assert_eq!(found["servers"][0]["sizes"], json!(null));
}

#[test]
fn a_server_that_takes_no_long_query_and_one_that_falls_silent_end_in_time() {
    let deaf = serve(|query, tcp| {
        let padded = query.edns.as_ref().is_some_and(|edns| !edns.dnssec && edns.size == 512);
        if padded && !tcp { Vec::new() } else { by_type(65_535)(query, tcp) }
    });
    let found = report(&format!("@{deaf} a.example -c 1 --sizes -W 2s"));
    assert_eq!(sizes(&found)[..2], [None, Some(512)], "{found}");
    assert_eq!(sizes(&found)[2], Some(3000));
    let gone = serve(|query, tcp| {
        let is_first = query.question.as_ref().is_some_and(|question| question.kind == Kind::A && !tcp);
        if is_first { by_type(65_535)(query, tcp) } else { Vec::new() }
    });
    let found = report(&format!("@{gone} a.example -c 1 --sizes -W 1s"));
    assert_eq!(sizes(&found), [None; 5], "what is silent for other reasons has no sizes: {found}");
    assert!(!findings(&found).contains(&"black_hole"), "{found}");
}
