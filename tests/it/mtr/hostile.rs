//! Routers that tell more than usual, less, or lies.

use serde_json::{Value, json};

use super::relay::{Probe, answering, exceeded, extensions};
use super::trace::{built, hops, path, record, report, server, unprivileged};
use crate::lab::{Lab, alone};

/// Two labels: 24015, TC 5, TTL 1; 19, TC 0, bottom of the stack, TTL 7 (RFC 4950 §3, RFC 3032 §2.1).
const LABELS: [u8; 12] = [0, 12, 1, 1, 0x05, 0xdc, 0xfa, 0x01, 0, 0x01, 0x31, 0x07];

#[test]
fn labels_are_told_in_either_style_and_by_everyone() {
    let expected = json!([
        {"label": 24015, "class": 5, "is_last": false, "ttl": 1},
        {"label": 19, "class": 0, "is_last": true, "ttl": 7},
    ]);
    for (v6, told) in [(false, true), (false, false), (true, true)] {
        let lab = Lab::line(3).build();
        let answer = |probe: &Probe<'_>| vec![exceeded(probe, 128, &extensions(&LABELS), told)];
        answering(lab.router(2), v6, answer, || {
            for method in ["", "-u", "-T"] {
                let arguments = format!("-c 2 -i 0.1 {method}");
                let all = [
                    report(lab.client(), server(&lab, v6), &arguments),
                    unprivileged(lab.client(), server(&lab, v6), &arguments),
                ];
                for found in all {
                    assert_eq!(path(&found), built(&lab, 3, v6), "{found}");
                    assert_eq!(hops(&found)[1]["mpls"], expected, "{v6} {told} {method}: {found}");
                    assert_eq!(hops(&found)[0]["mpls"], Value::Null, "{found}");
                    assert_eq!(hops(&found)[1]["loss_ratio"], json!(0.0), "{found}");
                }
            }
        });
    }
}

/// Extensions whose lengths lie, endless ones, and such with a wrong checksum.
fn lies() -> Vec<Vec<u8>> {
    let mut wrong = extensions(&LABELS);
    wrong[2] ^= 1;
    vec![
        extensions(&[0xff, 0xff, 1, 1, 1, 2, 3, 4]),
        extensions(&[0, 0, 1, 1, 1, 2, 3, 4]),
        extensions(&[0, 4, 1, 1].repeat(250)),
        extensions(&[0, 8, 2, 0xff, 9, 9, 9, 9]),
        wrong,
    ]
}

#[test]
fn what_is_made_up_changes_nothing() {
    let _alone = alone();
    let lab = Lab::line(3).build();
    let answer = |probe: &Probe<'_>| {
        let honest = exceeded(probe, 576, &[], false);
        let mut bad_sum = honest.clone();
        bad_sum[2..4].copy_from_slice(&[0x12, 0x34]);
        // Our identifier, but a number and a cookie that were never sent.
        let mut forged = honest.clone();
        let behind = 8 + 20 + 8;
        forged[behind..].fill(0xa5);
        let mut strange = honest.clone();
        strange[0] = 200;
        // Someone else's flow.
        let mut others = honest.clone();
        others[8 + 20 + 4..8 + 20 + 6].fill(0x77);
        let mut all = vec![bad_sum, forged, strange, others, vec![11, 0, 0, 0, 0, 0, 0, 0], vec![11]];
        if probe.packet[9] == 1 {
            // As if the target had answered, from another address than its own.
            all.push([&[0; 4], &probe.packet[24..]].concat());
        }
        all.extend(lies().iter().map(|lie| exceeded(probe, 128, lie, true)));
        all
    };
    answering(lab.router(2), false, answer, || {
        for method in ["", "-u", "-T"] {
            let record = record(lab.client(), server(&lab, false), &format!("-c 5 -i 0.1 {method}"));
            let found = &record["outcome"]["report"];
            assert_eq!(path(found), built(&lab, 3, false), "{method}: {record}");
            assert_eq!(found["path_changes"], 0, "{record}");
            for hop in hops(found) {
                assert_eq!(
                    (&hop["counts"]["received"], &hop["loss_ratio"]),
                    (&json!(5), &json!(0.0)),
                    "{hop}"
                );
            }
            // Only what the last of them quotes is a label; nothing absurd is.
            assert_eq!(hops(found)[1]["mpls"], Value::Null, "{method}: {record}");
            assert!(found["ignored"].as_u64() > Some(0) || method == "-T", "what is forged counts: {record}");
            assert!(record["elapsed_ms"].as_f64().is_some_and(|ms| ms < 3_000.0), "{record}");
        }
    });
}

#[test]
fn a_router_that_answers_a_thousand_times_counts_once() {
    let _alone = alone();
    let lab = Lab::line(2).build();
    let answer = |probe: &Probe<'_>| vec![exceeded(probe, 128, &[], false); 1000];
    answering(lab.router(1), false, answer, || {
        let record = record(lab.client(), server(&lab, false), "-c 3 -i 0.3");
        let found = &record["outcome"]["report"];
        assert_eq!(path(found), built(&lab, 2, false), "{record}");
        let counts = &hops(found)[0]["counts"];
        assert_eq!((&counts["sent"], &counts["received"]), (&json!(3), &json!(3)), "{record}");
        assert!(counts["duplicates"].as_u64() > Some(100), "{record}");
        assert!(hops(found).iter().all(|hop| hop["loss_ratio"] == json!(0.0)), "{record}");
        assert!(record["elapsed_ms"].as_f64().is_some_and(|ms| ms < 3_000.0), "{record}");
    });
}

#[test]
fn a_router_that_quotes_eight_octets_holds_up_nobody() {
    let _alone = alone();
    for v6 in [false, true] {
        let lab = Lab::line(4).build();
        let short = if v6 { 48 } else { 28 };
        let answer = |probe: &Probe<'_>| vec![exceeded(probe, short, &[], false)];
        // Two of them: which of both has answered nothing says at first.
        answering(lab.router(2), v6, answer, || {
            answering(lab.router(3), v6, answer, || {
                for method in ["-u", "", "-u --strategy classic", "-u --strategy dublin"] {
                    let record = record(lab.client(), server(&lab, v6), &format!("-c 10 -i 0.1 {method}"));
                    let found = &record["outcome"]["report"];
                    assert_eq!(path(found), built(&lab, 4, v6), "{method}: {record}");
                    for hop in hops(found) {
                        let counts = &hop["counts"];
                        assert_eq!(
                            (&counts["received"], &counts["late"]),
                            (&json!(10), &json!(0)),
                            "{record}"
                        );
                        assert_eq!(hop["loss_ratio"], json!(0.0), "{method}: {hop}");
                    }
                    assert_eq!(found["ignored"], 0, "{method}: {record}");
                    assert!(record["elapsed_ms"].as_f64().is_some_and(|ms| ms < 2_500.0), "{record}");
                }
            });
        });
    }
}
