//! Servers that lie, are late, flood, or send what is no DNS: a typed outcome in time, bounded memory, a clean terminal.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;
use waddleperf::sys::wait::sleep;
use waddleperf::wire::dns::{Edns, Kind, Name, Question};

use super::server::{address, aliases, looped, octets, record, reply, serve};
use super::{answers, command, findings, report, run};
use crate::lab::shared;
use crate::tool::{WADDLEPERF, cheap_output};

#[test]
fn a_thousand_forged_replies_are_counted_and_waited_past() {
    let at = serve(|query, _| {
        let right = reply(query, vec![address(query, 1)]);
        let mut forged: Vec<Vec<u8>> = (1..=1000u16)
            .map(|n| {
                let mut wrong = reply(query, vec![address(query, 66)]);
                match n % 3 {
                    0 => wrong.id = wrong.id.wrapping_add(n),
                    1 => {
                        wrong.question = Some(Question {
                            name: Name::parse("other.example").expect("a name"),
                            kind: Kind::A,
                        })
                    }
                    _ => wrong.is_reply = false,
                }
                octets(&wrong)
            })
            .collect();
        forged.push(octets(&right));
        forged
    });
    let found = report(&format!("@{at} a.example -c 1 -W 20s"));
    let server = &found["servers"][0];
    assert_eq!(answers(server), ["192.0.2.1"], "{found}");
    let (received, mismatched) = (&server["counts"]["received"], server["counts"]["mismatched"].as_u64());
    // A queue that overflows loses some, of both kinds.
    assert!(*received == 1 && mismatched.is_some_and(|count| (1..=1000).contains(&count)), "{server}");
    assert!(findings(&found).contains(&"mismatched"), "{found}");
}

#[test]
fn a_late_answer_is_none_and_the_next_query_is_another() {
    let count = Arc::new(AtomicU64::new(0));
    let at = serve(move |query, _| {
        if count.fetch_add(1, Ordering::Relaxed) == 0 {
            sleep(Duration::from_millis(1500));
        }
        vec![octets(&reply(query, vec![address(query, 1)]))]
    });
    let found = report(&format!("@{at} a.example -c 1 -W 500ms"));
    let server = &found["servers"][0];
    assert_eq!(server["counts"]["timeouts"], 1, "{server}");
    assert_eq!((&server["query"], &server["loss_ratio"]), (&json!(null), &json!(1.0)));
    assert_eq!(findings(&found), ["silent"]);
    let output = run(&format!("@{at} a.example -c 1 -W 500ms --tries 9"));
    assert!(output.status.success(), "asked again, with another identifier, until it answers");
}

#[test]
fn a_truncated_answer_is_asked_for_again_over_tcp_and_64_kib_are_read() {
    let at = serve(|query, tcp| {
        let mut whole = reply(query, Vec::new());
        let name = query.question.clone().expect("a question").name;
        if tcp {
            let text = [&[200u8][..], &[b'x'; 200]].concat();
            whole.answers = vec![record(name, Kind(16), text); 290];
        } else {
            whole.tc = true;
        }
        vec![octets(&whole)]
    });
    let found = report(&format!("@{at} a.example TXT -c 2"));
    let server = &found["servers"][0];
    assert_eq!(
        (&server["answers_total"], &server["truncated"]["count"]),
        (&json!(290), &json!(2)),
        "{server}"
    );
    assert!(
        server["response_bytes"].as_u64() > Some(60_000)
            && server["answers"].as_array().expect("a list").len() == 100
    );
    let found = report(&format!("@{at} a.example TXT -c 1 +ignore"));
    assert_eq!(found["servers"][0]["flags"]["tc"], true);
    assert_eq!(found["servers"][0]["answers_total"], 0);
}

#[test]
fn what_a_server_says_of_its_errors_and_of_letters_is_told() {
    let at = serve(|query, _| {
        let mut said = reply(query, Vec::new());
        let question = query.question.clone().expect("a question");
        said.question = Some(Question { name: question.name.mixed(0), ..question });
        said.code = 2;
        let errors = vec![(22, b"no \x1b[31mway".to_vec()), (49_152, Vec::new())];
        said.edns = Some(Edns { size: 1232, nsid: Some(b"\x07one".to_vec()), errors, ..Edns::default() });
        vec![octets(&said)]
    });
    let output = run(&format!("@{at} AbCdEfGhIjKlMnOp.example -c 1 --tries 1"));
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    let found = report(&format!("@{at} AbCdEfGhIjKlMnOp.example -c 1"));
    let server = &found["servers"][0];
    assert_eq!(server["ede"][0]["code"], 22, "{server}");
    assert_eq!(server["ede"][0]["meaning"], "No Reachable Authority");
    assert_eq!(server["case_preserved"], false);
    assert_eq!((&server["rcode"], &server["rcodes"]["SERVFAIL"]), (&json!("SERVFAIL"), &json!(1)));
    assert_eq!(findings(&found), ["error", "case_lost"]);
}

#[test]
fn what_is_no_message_is_no_answer() {
    let at = serve(|query, _| {
        let whole = octets(&reply(query, vec![address(query, 1)]));
        vec![looped(query), whole[..whole.len() - 1].to_vec(), whole[..11].to_vec(), Vec::new()]
    });
    for words in ["", "+tcp"] {
        let found = report(&format!("@{at} a.example -c 1 -W 700ms {words}"));
        let counts = &found["servers"][0]["counts"];
        assert_eq!((&counts["received"], &counts["mismatched"]), (&json!(0), &json!(4)), "{words} {counts}");
    }
}

#[test]
fn a_hundred_aliases_are_shown_and_told() {
    let at = serve(|query, _| vec![aliases(query)]);
    let found = report(&format!("@{at} a.example -c 1 +bufsize=65535"));
    assert_eq!(answers(&found["servers"][0]).len(), 100);
    assert_eq!(findings(&found), ["alias_chain"]);
}

#[test]
fn nothing_raw_reaches_the_terminal() {
    let at = serve(|query, _| {
        let question = query.question.clone().expect("a question");
        let evil = b"\x1b]0;owned\x07\r\n\xc2\x9b2J".to_vec();
        let text = [&[evil.len() as u8], evil.as_slice()].concat();
        let alias = question.name.below(&evil).expect("a name");
        let answers = vec![
            record(question.name.clone(), Kind(16), text),
            record(alias.clone(), Kind::CNAME, alias.octets().to_vec()),
            record(question.name, Kind(4321), evil),
        ];
        vec![octets(&reply(query, answers))]
    });
    for words in ["", "+short", "--json", "--csv"] {
        let output = run(&format!("@{at} a.example TXT -c 1 {words}"));
        let text = String::from_utf8(output.stdout).expect("text");
        assert!(text.contains("owned") || words == "--csv", "{text:?}");
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{words}: {text:?}");
    }
}

#[test]
fn a_server_without_edns_is_asked_without() {
    let at = serve(|query, _| {
        let mut said = reply(query, vec![address(query, 1)]);
        if query.edns.is_some() {
            (said.code, said.answers) = (1, Vec::new());
        }
        vec![octets(&said)]
    });
    let found = report(&format!("@{at} a.example -c 2"));
    let server = &found["servers"][0];
    assert_eq!((&server["edns"], &server["edns_refused"]), (&json!(null), &json!(true)));
    assert_eq!(server["rcodes"], json!({ "NOERROR": 2 }));
    assert_eq!(findings(&found), ["edns_refused"]);
}

#[test]
fn a_hijack_and_a_disagreement_are_found() {
    let honest = serve(|query, _| {
        let mut said = reply(query, vec![address(query, 1)]);
        if query.question.as_ref().is_some_and(|question| question.name.labels().count() == 1) {
            (said.code, said.answers) = (3, Vec::new());
        }
        vec![octets(&said)]
    });
    let liar = serve(|query, _| vec![octets(&reply(query, vec![address(query, 66)]))]);
    let found = report(&format!("@{honest} @{liar} a.example -c 9 -i 10ms --check"));
    assert_eq!(findings(&found), ["hijacked", "disagreement"], "{found}");
    assert_eq!(found["agreement"], false);
    let absent = |n: usize| found["servers"][n]["absent"]["rcode"].as_str();
    assert_eq!((absent(0), absent(1)), (Some("NXDOMAIN"), Some("NOERROR")));
    let mut ranks = [0, 1].map(|n: usize| found["servers"][n]["rank"].as_u64());
    ranks.sort_unstable();
    assert_eq!(ranks, [Some(1), Some(2)]);
    let p = [0, 1].map(|n: usize| found["servers"][n]["p_value"].as_f64());
    assert!(p.iter().flatten().count() == 1 && p.iter().flatten().all(|p| (0.0..=1.0).contains(p)), "{p:?}");
}

#[test]
fn a_flood_leaves_memory_alone() {
    let at = serve(|query, tcp| {
        let mut wrong = reply(query, vec![address(query, 66)]);
        wrong.id = wrong.id.wrapping_add(1);
        let text = [&[200u8][..], &[b'x'; 200]].concat();
        let name = query.question.clone().expect("a question").name;
        wrong.answers = vec![record(name, Kind(16), text); if tcp { 290 } else { 5 }];
        vec![octets(&wrong); 2000]
    });
    for words in ["", "+tcp"] {
        let mut ours =
            command(Command::new(WADDLEPERF), &format!("@{at} a.example TXT -c 1 -W 1s --json {words}"));
        let _turn = shared();
        let found = super::report_of(&cheap_output(&mut ours));
        assert_eq!(found["servers"][0]["counts"]["received"], 0, "{found}");
    }
}

#[test]
fn a_closed_port_is_told_by_whom_it_is_closed() {
    let closed = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let output = run(&format!("@{closed} a.example -c 2 --json"));
    assert_eq!(output.status.code(), Some(1));
    let found = super::report_of(&output);
    let server = &found["servers"][0];
    assert_eq!(
        (&server["counts"]["failed"], &server["counts"]["timeouts"]),
        (&json!(2), &json!(0)),
        "{server}"
    );
    assert_eq!(server["failure"]["class"], "refused");
}
