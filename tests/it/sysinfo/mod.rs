//! `sysinfo` beside `ip`, `nstat` and `ss`, which read the same kernel in the same second.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use crate::lab::Lab;
use crate::tool::{WADDLEPERF, stdout, tool};

/// The report of `sysinfo` with `args`, from a command that may run anywhere.
fn report(command: &mut Command, args: &[&str]) -> Value {
    let dir = tempfile::tempdir().expect("a directory");
    let config = dir.path().join("empty.toml");
    std::fs::write(&config, "").expect("write");
    command.args(["sysinfo", "--json"]).args(args).arg("--config").arg(config).arg("--data").arg(dir.path());
    let record: Value = serde_json::from_str(&stdout(command)).expect("a record");
    record["outcome"]["report"].clone()
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

fn ids(report: &Value) -> Vec<&str> {
    report["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .filter_map(|finding| finding["id"].as_str())
        .collect()
}

#[test]
fn interfaces_and_routes_are_those_that_ip_shows() {
    let lab = Lab::line(2).build();
    let node = lab.router(1);
    let found = report(&mut node.command(WADDLEPERF), &["--only", "interfaces,routes"]);
    let links = parsed(&stdout(node.command("ip").args(["-j", "-s", "-d", "link"])));
    let interfaces = found["interfaces"].as_array().expect("interfaces");
    let links = links.as_array().expect("links");
    assert_eq!(interfaces.len(), links.len());
    for (ours, theirs) in interfaces.iter().zip(links) {
        let name = &theirs["ifname"];
        assert_eq!(&ours["name"], name);
        assert_eq!(ours["mtu_bytes"], theirs["mtu"], "{name}");
        assert_eq!(
            ours["state"].as_str(),
            theirs["operstate"].as_str().map(str::to_lowercase).as_deref(),
            "{name}"
        );
        assert_eq!(ours["kind"], theirs["linkinfo"]["info_kind"], "{name}");
        assert_eq!(ours["qdisc"], theirs["qdisc"], "{name}");
        assert_eq!(ours["queues"][0], theirs["num_tx_queues"], "{name}");
        for (mine, part, whose) in [
            ("rx_packets", "rx", "packets"),
            ("tx_packets", "tx", "packets"),
            ("rx_bytes", "rx", "bytes"),
            ("tx_bytes", "tx", "bytes"),
        ] {
            assert_eq!(ours[mine], theirs["stats64"][part][whose], "{name} {mine}");
        }
        assert_eq!(ours["errors"]["rx_dropped"], theirs["stats64"]["rx"]["dropped"], "{name}");
    }
    let mut theirs: Vec<String> = Vec::new();
    for family in ["-4", "-6"] {
        let routes =
            parsed(&stdout(node.command("ip").args(["-j", family, "route", "show", "table", "main"])));
        theirs.extend(routes.as_array().expect("routes").iter().map(|route| {
            let to = route["dst"].as_str().expect("a destination");
            let to = match (to, family) {
                ("default", "-4") => "0.0.0.0/0".to_owned(),
                ("default", _) => "::/0".to_owned(),
                (to, _) if to.contains('/') => to.to_owned(),
                (to, "-4") => format!("{to}/32"),
                (to, _) => format!("{to}/128"),
            };
            format!(
                "{to} {} {}",
                route["gateway"].as_str().unwrap_or("-"),
                route["dev"].as_str().unwrap_or("-")
            )
        }));
    }
    let routes = found["routes"].as_array().expect("routes").iter().filter(|route| route["table"] == 254);
    let mut ours: Vec<String> = routes
        .map(|route| {
            let word = |key: &str| route[key].as_str().unwrap_or("-").to_owned();
            format!("{} {} {}", word("destination"), word("gateway"), word("interface"))
        })
        .collect();
    theirs.sort();
    ours.sort();
    assert_eq!(ours, theirs);
}

#[test]
fn counters_are_those_of_nstat() {
    let lab = Lab::line(1).build();
    let node = lab.client();
    let server = lab.server().address4().to_string();
    // Something to count; nobody else sends in this namespace.
    stdout(node.command(WADDLEPERF).args(["ping", "-c", "3", "-i", "10ms", "--json", &server]));
    let found = report(&mut node.command(WADDLEPERF), &["--only", "kernel"]);
    let text = stdout(node.command("nstat").args(["-a", "-z", "-s"]));
    let lines = text.lines().filter(|line| !line.starts_with('#')).map(str::split_whitespace);
    let theirs: BTreeMap<String, u64> = lines
        .filter_map(|mut words| Some((words.next()?.to_owned(), words.next()?.parse().ok()?)))
        .filter(|(_, value)| *value > 0)
        .collect();
    let ours: BTreeMap<String, u64> =
        serde_json::from_value(found["kernel"]["counters"].clone()).expect("counters");
    for name in ["IcmpOutEchos", "IcmpInEchoReps", "IpInReceives", "IpOutRequests"] {
        assert_eq!(ours.get(name), theirs.get(name), "{name}");
        assert!(ours.get(name).is_some_and(|count| *count >= 3), "{name}");
    }
}

#[test]
fn listeners_are_those_of_ss() {
    let lab = Lab::line(1).build();
    let node = lab.client();
    let (ours, theirs) = node.run(|| {
        let tcp = std::net::TcpListener::bind("127.0.0.1:0").expect("a listener");
        let udp = std::net::UdpSocket::bind("[::1]:0").expect("a socket");
        let ours = report(&mut Command::new(WADDLEPERF), &["--only", "sockets"]);
        let theirs = stdout(tool("ss").args(["-H", "-l", "-n", "-t", "-u"]));
        drop((tcp, udp));
        (ours, theirs)
    });
    let mut ours: Vec<String> = ours["sockets"]["listeners"]
        .as_array()
        .expect("listeners")
        .iter()
        .filter_map(|one| Some(format!("{} {}", one["proto"].as_str()?, one["address"].as_str()?)))
        .collect();
    let mut theirs: Vec<String> = theirs
        .lines()
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            format!("{} {}", words[0], words[4])
        })
        .collect();
    ours.sort();
    theirs.sort();
    assert_eq!(ours, theirs);
    assert_eq!(ours.len(), 2);
}

#[test]
fn what_is_odd_is_found_and_what_is_not_there_is_null() {
    let lab = Lab::line(1).build();
    let node = lab.client();
    let found = report(&mut node.command(WADDLEPERF), &["--only", "routes,interfaces"]);
    assert!(!ids(&found).contains(&"no_default_route"), "{:?}", ids(&found));
    for part in ["host", "cpu", "memory", "kernel", "sockets", "processes"] {
        assert!(found[part].is_null(), "{part} was not asked for");
    }
    node.ip("route del default via 10.200.0.2\nroute del default via fd00:200:0::2\n");
    let found = report(&mut node.command(WADDLEPERF), &["--only", "routes,interfaces"]);
    assert!(ids(&found).contains(&"no_default_route"), "{:?}", ids(&found));
    node.sysctl("net.ipv4.tcp_sack", "0");
    let found = report(&mut node.command(WADDLEPERF), &["--rate", "100ms"]);
    assert!(ids(&found).contains(&"no_sack"), "{:?}", ids(&found));
    assert!(found["rate_s"].as_f64().is_some_and(|rate| rate >= 0.1));
    assert!(found["host"]["kernel"].is_string() && found["cpu"]["count"].as_u64() > Some(0));
}

#[test]
fn nobody_may_look_and_keys_are_not_shown() {
    let mut command = Command::new(WADDLEPERF);
    command.env("https_proxy", "http://user:s3cret@proxy.example:3128");
    let dir = tempfile::tempdir().expect("a directory");
    command.arg("sysinfo").arg("--data").arg(dir.path());
    let text = stdout(&mut command);
    assert!(text.contains("http://proxy.example:3128") && !text.contains("s3cret"), "{text}");
    for (args, says) in
        [(["--only", "nonsense"], "nonsense"), (["--rate", "0s"], "rate"), (["--rate", "1h"], "rate")]
    {
        let output = Command::new(WADDLEPERF).arg("sysinfo").args(args).output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && text.contains(says), "{text}");
    }
}
