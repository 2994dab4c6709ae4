//! Lines of routers: the printed path is the built one, whatever the probes are.

use serde_json::json;

use super::trace::{built, hops, path, report, run, server};
use crate::lab::{Lab, Units, alone};

#[test]
fn the_path_of_a_line_is_the_built_one() {
    for routers in [0, 1, 2, 5, 9, 20, 30] {
        let lab = Lab::line(routers).build();
        let methods: &[&str] = if routers == 5 { &["", "-u", "-T", "--quic"] } else { &[""] };
        for (v6, method) in [false, true].into_iter().flat_map(|v6| methods.iter().map(move |m| (v6, m))) {
            let report = report(lab.client(), server(&lab, v6), &format!("-c 2 -i 0.1 -m 40 {method}"));
            assert_eq!(path(&report), built(&lab, routers, v6), "{routers} {method}: {report}");
            assert_eq!(report["reached"], true, "{report}");
            for hop in hops(&report) {
                assert_eq!(
                    (&hop["counts"]["sent"], &hop["loss_ratio"]),
                    (&json!(2), &json!(0.0)),
                    "{method}: {hop}"
                );
                assert_eq!(hop["return_hops"], hop["ttl"], "the way back is the way there: {hop}");
            }
            assert_eq!((&report["path_changes"], &report["ignored"]), (&json!(0), &json!(0)), "{report}");
        }
    }
}

#[test]
fn a_report_ends_with_its_last_reply() {
    let _alone = alone();
    let lab = Lab::line(9).build();
    let output = run(lab.client(), lab.server().address4(), "-c 10 -i 0.1 --json");
    let record: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a record");
    let elapsed = record["elapsed_ms"].as_f64().expect("a time");
    assert!((900.0..1_200.0).contains(&elapsed), "{elapsed} ms: ten cycles, 100 ms apart, and a reply");
}

#[test]
fn a_target_that_does_not_answer_ends_the_run_in_time() {
    let _alone = alone();
    let lab = Lab::line(2).delay(5.ms()).build();
    let _dead = lab.server().rule(crate::lab::Hook::Input, "meta l4proto { icmp, udp }", "drop");
    for method in ["", "-u"] {
        let output = run(lab.client(), lab.server().address4(), &format!("-c 3 -i 0.1 --json {method}"));
        let record: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a record");
        let report = &record["outcome"]["report"];
        assert_eq!((hops(report).len(), &report["reached"]), (3, &json!(false)), "{record}");
        assert!(record["elapsed_ms"].as_f64().expect("a time") < 3_000.0, "{record}");
        assert_eq!(output.status.code(), Some(1), "it is bad");
    }
}
