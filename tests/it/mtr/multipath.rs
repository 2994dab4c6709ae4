//! Diamonds: routers side by side between the line's first two, balanced by the flow's ports.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::{Value, json};

use super::trace::{hops, report, report_once, run, server};
use crate::lab::{Diamond, Lab};

/// The addresses of the paths' nodes at a distance.
fn at(report: &Value, ttl: u64) -> BTreeSet<IpAddr> {
    let nodes = report["multipath"]["nodes"].as_array().expect("nodes");
    let here = nodes.iter().filter(|node| node["ttl"] == ttl);
    here.filter_map(|node| node["ip"].as_str()?.parse().ok()).collect()
}

/// Of how many searches each shape is given.
const SEEDS: usize = 20;

#[test]
fn every_way_of_a_diamond_is_found_at_95_of_100_seeds() {
    let mut missed = Vec::new();
    for (ways, v6) in [(2, false), (2, true), (4, false), (11, true), (16, false)] {
        let lab = Lab::line(2).build();
        let diamond = Diamond::new(&lab, ways);
        for _ in 0..SEEDS {
            let report = report(lab.client(), server(&lab, v6), "--mda");
            assert_eq!(report["multipath"]["confidence_ratio"], json!(0.95));
            let found = at(&report, 2);
            assert!(found.is_subset(&diamond.addresses(v6)), "{report}");
            if found != diamond.addresses(v6) || report["multipath"]["complete"] != true {
                missed.push(format!("{ways} ways, IPv6 {v6}: {}", report["multipath"]));
            }
        }
    }
    assert!(missed.len() <= 5, "{missed:#?}");
}

#[test]
fn a_flow_keeps_one_path_and_several_show_several() {
    let lab = Lab::line(2).build();
    let diamond = Diamond::new(&lab, 4);
    let one = report(lab.client(), server(&lab, false), "-c 8 -i 0.05 -u");
    assert_eq!(hops(&one)[1]["addresses"].as_array().map(Vec::len), Some(1), "{one}");
    assert_eq!((&one["path_changes"], &one["reached"]), (&json!(0), &json!(true)));
    let many = report(lab.client(), server(&lab, false), "-c 2 -i 0.05 -u --flows 32");
    let seen: BTreeSet<IpAddr> = hops(&many)[1]["addresses"]
        .as_array()
        .expect("addresses")
        .iter()
        .filter_map(|address| address["ip"].as_str()?.parse().ok())
        .collect();
    assert!(seen.len() > 1 && seen.is_subset(&diamond.addresses(false)), "{many}");
}

#[test]
fn a_path_change_is_told_once_with_who_and_when() {
    let lab = Lab::line(2).build();
    let diamond = Diamond::new(&lab, 2);
    diamond.route_by(0);
    let changed = std::thread::scope(|scope| {
        let tracing = scope.spawn(|| report_once(lab.client(), server(&lab, false), "-c 20 -i 0.1"));
        waddleperf::sys::wait::sleep(std::time::Duration::from_millis(1000));
        diamond.route_by(1);
        tracing.join().expect("it traces")
    });
    assert_eq!((&changed["path_changes"], &changed["reached"]), (&json!(1), &json!(true)), "{changed}");
    let change = &changed["changes"][0];
    let way = |n: u8| json!(format!("10.210.{n}.2"));
    assert_eq!((&change["ttl"], &change["from"], &change["to"]), (&json!(2), &way(0), &way(1)), "{changed}");
    // It is somewhere in the middle; how far, only this host's load knows.
    assert!(change["cycle"].as_u64().is_some_and(|cycle| (2..=20).contains(&cycle)), "{changed}");
    let quiet = report(lab.client(), server(&lab, false), "-c 5 -i 0.05");
    assert_eq!((&quiet["path_changes"], &quiet["changes"]), (&json!(0), &Value::Null), "{quiet}");
    assert_eq!(changed["latest_fingerprint"], quiet["fingerprint"], "{changed}");
    assert_eq!(quiet["latest_fingerprint"], Value::Null);
}

#[test]
fn a_search_over_a_single_path_says_so() {
    let lab = Lab::line(5).build();
    let report = report(lab.client(), server(&lab, false), "--mda");
    let paths = &report["multipath"];
    assert_eq!((&paths["width"], &paths["complete"]), (&json!(1), &json!(true)), "{report}");
    assert_eq!(paths["links"].as_array().map(Vec::len), Some(5), "{report}");
}

#[test]
fn every_path_is_drawn_for_people_and_for_graphviz() {
    let lab = Lab::line(2).build();
    let diamond = Diamond::new(&lab, 4);
    let printed = |flags: &str| {
        let output = run(lab.client(), server(&lab, false), flags);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let drawn = printed("--mda --confidence 99");
    let graph = printed("--mda --confidence 99 --dot");
    assert!(graph.starts_with("digraph ") && graph.ends_with("}\n"), "{graph}");
    for way in diamond.addresses(false) {
        let line = drawn.lines().find(|line| line.contains(&way.to_string())).unwrap_or_default();
        assert!(line.trim_start().starts_with('2') && line.contains('%'), "{drawn}");
        let near = lab.router(1).address4();
        assert!(graph.contains(&format!("\"1 {near}\" -> \"2 {way}\";")), "{graph}");
    }
    assert!(drawn.lines().all(|line| line.chars().count() <= 80 || line.starts_with("path ")), "{drawn}");
    // A trace is one path.
    let graph = printed("-c 1 --dot");
    assert_eq!(graph.lines().filter(|line| line.contains("->")).count(), 3, "{graph}");
}
