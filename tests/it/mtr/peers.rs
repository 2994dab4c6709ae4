//! Beside the tools that it replaces, on the same line in the same minute.

use std::net::IpAddr;

use serde_json::Value;

use super::trace::{built, hops, path, report, run, server};
use crate::lab::{Lab, alone};
use crate::tool::stdout;

#[test]
fn mtr_sees_the_same_hops_and_the_same_times() {
    let _alone = alone();
    let lab = Lab::line(9).build();
    let target = server(&lab, false).to_string();
    let ours = report(lab.client(), server(&lab, false), "-c 10 -i 0.1");
    let theirs = stdout(lab.client().command("mtr").args(["-n", "-j", "-c", "10", "-i", "0.1", &target]));
    let theirs: Value = serde_json::from_str(&theirs).expect("mtr writes JSON");
    let hubs = theirs["report"]["hubs"].as_array().expect("hubs");
    let hosts: Vec<Option<IpAddr>> =
        hubs.iter().map(|hub| hub["host"].as_str().and_then(|host| host.parse().ok())).collect();
    assert_eq!(path(&ours), hosts);
    for (hop, hub) in hops(&ours).iter().zip(hubs) {
        // A busy host only ever adds to a time.
        let (ours, theirs) = (hop["rtt"]["min_ms"].as_f64(), hub["Best"].as_f64());
        let (ours, theirs) = (ours.expect("a time"), theirs.expect("a time"));
        assert!((ours - theirs).abs() < 1.0, "{ours} ms, mtr says {theirs} ms");
    }
}

#[test]
fn traceroute_and_scamper_see_the_same_path() {
    let lab = Lab::line(5).build();
    let target = server(&lab, false).to_string();
    let ours = path(&report(lab.client(), server(&lab, false), "-c 1"));
    assert_eq!(ours, built(&lab, 5, false));
    let second = |line: &str| line.split_whitespace().nth(1).and_then(|word| word.parse::<IpAddr>().ok());
    for mut command in [lab.client().command("traceroute"), lab.client().command("scamper")] {
        let is_scamper = format!("{command:?}").contains("scamper");
        if is_scamper {
            command.args(["-I", &format!("trace -P icmp-paris {target}")]);
        } else {
            command.args(["-n", "-q", "1", &target]);
        }
        let printed = stdout(&mut command);
        let theirs: Vec<Option<IpAddr>> = printed.lines().skip(1).map(second).collect();
        assert_eq!(theirs, ours, "{printed}");
    }
}

/// The members of an object and their kinds, in all depths.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), shape(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(items) => items.first().map(|item| vec![shape(item)]).unwrap_or_default().into(),
        Value::Number(_) => "number".into(),
        Value::String(_) => "string".into(),
        _ => "other".into(),
    }
}

/// The names of an output's members in the order in which they are written, and its lines' indents.
fn order(text: &str) -> Vec<(usize, &str)> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let name = |line: &str| line.trim_start().split(':').next().map_or(0, str::len);
    text.lines().map(|line| (indent(line), &line[indent(line)..][..name(line)])).collect()
}

#[test]
fn the_foreign_formats_are_mtrs_own() {
    let lab = Lab::line(2).build();
    let target = server(&lab, false);
    let ours = |flags: &str| {
        let output = run(lab.client(), target, &format!("-c 2 -i 0.5 {flags}"));
        assert!(output.status.success(), "{flags}: {output:?}");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let theirs = |flags: &str| {
        let mut command = lab.client().command("mtr");
        let flags: Vec<&str> = flags.split_whitespace().collect();
        stdout(command.args(["-n", "-c", "2", "-i", "0.1", "-G", "0.2"]).args(flags).arg(target.to_string()))
    };
    let json = |text: &str| serde_json::from_str::<Value>(text).expect("JSON and nothing else");
    for flags in ["", "-z", "-y 2", "-b -Q 184 -B 165", "-o LSDRNBAWVGJMXI", "-z -u -o WL", "-B 256 -f 2"] {
        let (mine, peers) = (ours(&format!("-j {flags}")), theirs(&format!("-j {flags}")));
        assert_eq!(order(&mine), order(&peers), "{flags}");
        let (mine, peers) = (json(&mine), json(&peers));
        assert_eq!(shape(&mine), shape(&peers), "{flags}");
        for name in ["src", "dst", "tos", "tests", "psize", "bitpattern"] {
            assert_eq!(mine["report"]["mtr"][name], peers["report"]["mtr"][name], "{flags} {name}");
        }
        let hubs = |of: &Value| of["report"]["hubs"].as_array().expect("hubs").clone();
        assert_eq!(hubs(&mine).len(), hubs(&peers).len(), "{flags}");
        for (mine, peers) in hubs(&mine).iter().zip(&hubs(&peers)) {
            for name in ["count", "host", "ASN", "Loss%", "Snt", "Drop", "Rcv"] {
                assert_eq!(mine[name], peers[name], "{flags} {name}");
            }
        }
    }
    assert_eq!(order(&ours("--format mtr-json")), order(&ours("-j")));
    for flags in ["", "-z", "-w -b", "-z -o LSDR", "-y 1"] {
        let (mine, peers) = (ours(&format!("{flags} -C")), theirs(&format!("{flags} -C")));
        assert_eq!(mine.lines().next(), peers.lines().next(), "{flags}");
        let counts = peers
            .lines()
            .next()
            .map_or(0, |heads| heads.split(',').take_while(|head| *head != "Last").count());
        let cells = |text: &str| -> Vec<Vec<String>> {
            // Version, time and round trips differ.
            let same = |line: &str| {
                let cells: Vec<&str> = line.split(',').collect();
                cells[2..counts.min(cells.len())].iter().map(|cell| (*cell).to_owned()).collect()
            };
            text.lines().skip(1).map(same).collect()
        };
        assert_eq!(cells(&mine), cells(&peers), "{flags}");
    }
    let kinds = |text: &str| {
        let mut kinds: Vec<(char, usize)> =
            text.lines().map(|line| (line.chars().next().unwrap_or(' '), line.split(' ').count())).collect();
        kinds.dedup();
        kinds.truncate(6);
        kinds
    };
    // Who answers is said before his first answer.
    assert_eq!(kinds(&ours("--format mtr-raw")), kinds(&theirs("--raw")));
}
