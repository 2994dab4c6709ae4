//! `sysinfo` beside `ip`, `nstat` and `ss`, which read the same kernel in the same second.

mod nobody;
mod truth;

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
    let links = || parsed(&stdout(node.command("ip").args(["-j", "-s", "-d", "link"])));
    // A kernel that looks for routers and neighbours goes on counting meanwhile.
    let earlier = links();
    let found = report(&mut node.command(WADDLEPERF), &["--only", "interfaces,routes"]);
    let links = links();
    let interfaces = found["interfaces"].as_array().expect("interfaces");
    let (earlier, links) = (earlier.as_array().expect("links"), links.as_array().expect("links"));
    assert_eq!((interfaces.len(), earlier.len()), (links.len(), links.len()));
    for ((ours, theirs), before) in interfaces.iter().zip(links).zip(earlier) {
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
            let of = |link: &Value| link["stats64"][part][whose].as_u64().expect("a counter");
            let count = ours[mine].as_u64().expect("a counter");
            assert!((of(before)..=of(theirs)).contains(&count), "{name} {mine}");
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
    stdout(node.command(WADDLEPERF).args([
        "ping",
        "-c",
        "3",
        "-i",
        "200ms",
        "--catch-up",
        "--json",
        &server,
    ]));
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

/// The lines `Name: value` of a program's text, the first of each name.
fn pairs(text: &str) -> BTreeMap<&str, &str> {
    let mut all = BTreeMap::new();
    for (name, value) in text.lines().filter_map(|line| line.split_once(':')) {
        all.entry(name.trim()).or_insert(value.trim());
    }
    all
}

#[test]
fn drivers_and_queues_are_those_of_ethtool_and_tc() {
    let lab = Lab::line(2).build();
    let node = lab.router(1);
    let found = report(&mut node.command(WADDLEPERF), &["--only", "interfaces"]);
    let interfaces = found["interfaces"].as_array().expect("interfaces");
    let veths: Vec<&Value> = interfaces.iter().filter(|one| one["kind"] == "veth").collect();
    assert_eq!(veths.len(), 2);
    for ours in veths {
        let name = ours["name"].as_str().expect("a name");
        let asked = |option: &str| stdout(node.command("ethtool").args([option, name]));
        let device = &ours["device"];
        let features = asked("-k");
        let mut on: Vec<&str> =
            device["features"].as_array().expect("features").iter().filter_map(Value::as_str).collect();
        on.sort_unstable();
        // ethtool has names of its own for what several features make up; the kernel's are indented or stand alone.
        for (feature, state) in pairs(&features) {
            if ["rx-vlan-filter", "tx-gso-partial", "highdma", "rx-fcs", "tx-nocache-copy"].contains(&feature)
            {
                assert_eq!(on.contains(&feature), state.starts_with("on"), "{name}: {feature} {state}");
            }
        }
        assert!(
            on.contains(&"tx-tcp-segmentation") == features.contains("tx-tcp-segmentation: on"),
            "{name}"
        );
        let statistics = asked("-S");
        let counters = device["counters"].as_object().expect("counters");
        for (counter, value) in pairs(&statistics) {
            let Ok(value) = value.parse::<u64>() else { continue };
            // It goes on counting; its peer's number does not change.
            if counter == "peer_ifindex" {
                assert_eq!(counters.get(counter).and_then(Value::as_u64), Some(value), "{name}");
            }
        }
        let channels = asked("-l");
        let now = channels.split("Current hardware settings").nth(1).expect("what is set now");
        let rx: u64 = pairs(now)["RX"].parse().expect("a number");
        assert_eq!(device["channels"]["rx"].as_u64(), Some(rx), "{name}");
        assert_eq!(ours["duplex"], "full");
    }
    let theirs = parsed(&stdout(node.command("tc").args(["-j", "-s", "qdisc", "show"])));
    let known = |list: &Value, [interface, kind, dropped]: [&str; 3]| -> Vec<String> {
        let mut all: Vec<String> = list
            .as_array()
            .expect("queues")
            .iter()
            .map(|queue| format!("{} {} {}", queue[interface], queue[kind], queue[dropped]))
            .collect();
        all.sort();
        all
    };
    assert_eq!(
        known(&found["queues"], ["interface", "kind", "dropped"]),
        known(&theirs, ["dev", "kind", "drops"])
    );
}

#[test]
fn connections_have_the_times_of_ss() {
    let lab = Lab::line(1).delay(std::time::Duration::from_millis(20)).build();
    let server = std::net::SocketAddr::from((lab.server().address4(), 4242));
    let listener = lab.server().run(|| std::net::TcpListener::bind(server).expect("a listener"));
    let (ours, theirs) = lab.client().run(|| {
        let stream = std::net::TcpStream::connect(server).expect("a connection");
        let ours = report(&mut Command::new(WADDLEPERF), &["--only", "sockets", "--sockets"]);
        let theirs = stdout(tool("ss").args(["-H", "-t", "-n", "-i", "state", "established"]));
        drop(stream);
        (ours, theirs)
    });
    drop(listener);
    let connections = ours["sockets"]["connections"].as_array().expect("connections");
    assert_eq!((connections.len(), &ours["sockets"]["connections_count"]), (1, &Value::from(1)));
    assert_eq!(connections[0]["peer"], server.to_string());
    // `… rtt:40.1/20.0 …`
    let rtt = theirs.split_whitespace().find_map(|word| word.strip_prefix("rtt:")).expect("a time");
    let (rtt, variation) = rtt.split_once('/').expect("two numbers");
    for (ours, theirs) in [("rtt_ms", rtt), ("rtt_variation_ms", variation)] {
        let theirs: f64 = theirs.parse().expect("a number");
        assert!(connections[0][ours].as_f64().is_some_and(|ours| (ours - theirs).abs() < 0.01), "{ours}");
    }
    assert!(connections[0]["rtt_ms"].as_f64().is_some_and(|rtt| rtt >= 40.0), "{}", connections[0]);
    assert!(theirs.contains(connections[0]["congestion"].as_str().expect("a name")));
}

#[test]
fn what_has_changed_is_told_and_nothing_else() {
    let lab = Lab::line(1).build();
    let node = lab.client();
    let dir = tempfile::tempdir().expect("a directory");
    let look = |name: &str| {
        let text = stdout(node.command(WADDLEPERF).args(["sysinfo", "--json", "--data"]).arg(dir.path()));
        std::fs::write(dir.path().join(name), &text).expect("write");
        dir.path().join(name)
    };
    let before = look("before.json");
    let (same, path) = (look("same.json"), before.to_str().expect("a path"));
    let changes = |args: &[&str]| report(&mut node.command(WADDLEPERF), args)["changes"].clone();
    let quiet = changes(&["--diff", path, "--diff", same.to_str().expect("a path")]);
    assert_eq!(quiet, Value::Array(Vec::new()));
    node.ip("link set up0 mtu 1400\n");
    let found = changes(&["--diff", path]);
    let of = |path: &str| found.as_array().expect("changes").iter().find(|change| change["path"] == path);
    let change = of("interfaces.up0.mtu_bytes").expect("the change");
    assert_eq!((&change["before"], &change["after"]), (&Value::from(1500), &Value::from(1400)));
    let output =
        node.command(WADDLEPERF).args(["sysinfo", "--diff", "/etc/hostname"]).output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && text.contains("/etc/hostname"), "{text}");
}
