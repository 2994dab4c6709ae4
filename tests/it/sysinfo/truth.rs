//! Rules, neighbours and sums of sockets beside `ip rule`, `ip neigh` and `ss -s`; what is listed or measured only on demand.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::process::Command;

use serde_json::Value;

use super::{parsed, report};
use crate::lab::{Lab, Node};
use crate::tool::{WADDLEPERF, stdout, tool};

/// What `ip -j` says at `node`.
fn ip(node: &Node, words: &str) -> Vec<Value> {
    let text = stdout(node.command("ip").arg("-j").args(words.split_whitespace()));
    parsed(&text).as_array().expect("a list").clone()
}

#[test]
fn rules_are_those_that_ip_shows() {
    let lab = Lab::line(0).build();
    let node = lab.client();
    node.ip("rule add from 10.9.0.0/16 table 77 priority 100\nrule add fwmark 5 table 78 priority 200\n\
         rule add to 10.8.0.0/24 table 79 priority 300\n");
    stdout(node.command("ip").args("-6 rule add from fd00:9::/32 table 80 priority 400".split(' ')));
    let found = report(&mut node.command(WADDLEPERF), &["--only", "routes"]);
    let mut ours: Vec<String> = found["rules"]
        .as_array()
        .expect("rules")
        .iter()
        .map(|rule| {
            let word = |key: &str| rule[key].as_str().unwrap_or("all").to_owned();
            let (from, to) = (word("from"), word("to"));
            format!("{} {} {from} {to} {} {}", rule["family"], rule["priority"], rule["mark"], rule["table"])
        })
        .collect();
    let mut theirs = Vec::new();
    for family in [4, 6] {
        for rule in ip(node, &format!("-{family} rule")) {
            let network = |name: &str, length: &str| match (rule[name].as_str(), rule[length].as_u64()) {
                (Some(network), Some(length)) => format!("{network}/{length}"),
                (network, _) => network.unwrap_or("all").to_owned(),
            };
            let (from, to) = (network("src", "srclen"), network("dst", "dstlen"));
            let mark = rule["fwmark"].as_str().map(|mark| mark.trim_start_matches("0x").to_owned());
            let mark = mark.unwrap_or_else(|| "null".to_owned());
            let table = rule["table"].as_str().expect("a table");
            // Those that every host has bear names.
            if table.parse::<u32>().is_ok() {
                theirs.push(format!("{family} {} {from} {to} {mark} {table}", rule["priority"]));
            }
        }
    }
    ours.sort();
    theirs.sort();
    assert_eq!((&ours, ours.len()), (&theirs, 4));
}

#[test]
fn neighbours_are_those_that_ip_shows() {
    let lab = Lab::line(1).build();
    let node = lab.client();
    node.ip("neigh add 10.200.0.77 lladdr 02:00:00:00:00:77 dev up0 nud permanent\n\
         neigh add fd00:200::88 lladdr 02:00:00:00:00:88 dev up0 nud stale\n");
    // The gateway becomes a neighbour when something passes it.
    let server = lab.server().address4().to_string();
    stdout(node.command(WADDLEPERF).args([
        "ping",
        "-c",
        "1",
        "--json",
        "--data",
        "/nowhere",
        "--no-save",
        &server,
    ]));
    let counted = || {
        let mut states = BTreeMap::<String, u64>::new();
        for neighbour in ip(node, "neigh show nud all") {
            let state = neighbour["state"][0].as_str().expect("a state").to_lowercase();
            *states.entry(state).or_default() += 1;
        }
        states
    };
    // They change by themselves: what is the same before and after is what there was meanwhile.
    let (found, theirs) = (0..50)
        .find_map(|_| {
            let before = counted();
            let found = report(&mut node.command(WADDLEPERF), &["--only", "routes"]);
            (counted() == before).then_some((found, before))
        })
        .expect("a quiet moment");
    let ours: BTreeMap<String, u64> =
        serde_json::from_value(found["neighbours"]["states"].clone()).expect("states");
    assert_eq!(ours, theirs, "{found}");
    assert!(ours["permanent"] >= 1 && ours["stale"] >= 1, "{ours:?}");
    let gateway = lab.router(1).address4().to_string();
    let shown = ip(node, &format!("neigh show {gateway}"));
    let named = found["neighbours"]["named"].as_array().expect("neighbours");
    let ours = named.iter().find(|one| one["address"] == gateway.as_str()).expect("the gateway");
    assert_eq!((&ours["hardware"], &ours["interface"]), (&shown[0]["lladdr"], &shown[0]["dev"]), "{found}");
}

#[test]
fn sums_of_sockets_are_those_of_ss() {
    let lab = Lab::line(0).build();
    let (ours, theirs) = lab.client().run(|| {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
        let at = listener.local_addr().expect("an address");
        let one = TcpStream::connect(at).expect("a connection");
        let (other, _) = listener.accept().expect("its other end");
        let datagrams = [(); 3].map(|()| UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket"));
        let ours = report(&mut Command::new(WADDLEPERF), &["--only", "sockets"]);
        let theirs = stdout(tool("ss").arg("-s"));
        drop((one, other, datagrams));
        (ours, theirs)
    });
    let line = |name: &str| -> Vec<u64> {
        let begins = |line: &&str| line.split_whitespace().next() == Some(name);
        let line = theirs.lines().find(begins).unwrap_or_else(|| panic!("{name}: {theirs}"));
        line.split(|c: char| !c.is_ascii_digit()).filter_map(|word| word.parse().ok()).collect()
    };
    let sockets = &ours["sockets"];
    let states = sockets["tcp"].as_object().expect("states");
    let all: u64 = states.values().filter_map(Value::as_u64).sum();
    // `TCP: 28 (estab 2, …)`, whose first number is of all namespaces, and `TCP  3  3  0`.
    assert_eq!(
        (all, sockets["tcp"]["established"].as_u64()),
        (line("TCP")[0], Some(line("TCP:")[1])),
        "{theirs}"
    );
    assert_eq!(sockets["udp"].as_u64(), Some(line("UDP")[0]), "{theirs}");
    assert_eq!((all, sockets["udp"].as_u64()), (3, Some(3)));
}

#[test]
fn processes_are_listed_and_rates_are_taken_only_on_demand() {
    let dir = tempfile::tempdir().expect("a directory");
    let look = |more: &str| -> Value {
        let mut unshare = tool("unshare");
        if !nix::unistd::geteuid().is_root() {
            unshare.args(["--user", "--map-root-user"]);
        }
        // Nobody else's processes are there.
        let script = format!(
            "sleep 77777 & until [ \"$(cat /proc/$!/comm)\" = sleep ]; do kill -0 $! || exit 1; done; $0 sysinfo --json --no-save --data $1 {more}; kill $!"
        );
        unshare.args(["--pid", "--fork", "--mount-proc", "sh", "-c", &script, WADDLEPERF]).arg(dir.path());
        let record: Value = serde_json::from_str(&stdout(&mut unshare)).expect("a record");
        record["outcome"]["report"].clone()
    };
    let found = look("--processes --rate 200ms");
    let processes = found["processes"].as_array().expect("processes");
    let sleeping = processes.iter().find(|one| one["command"] == "sleep 77777");
    let sleeping = sleeping.unwrap_or_else(|| panic!("{processes:?}"));
    assert!(
        sleeping["pid"].as_u64() > Some(1) && sleeping["resident_bytes"].as_u64() > Some(4096),
        "{sleeping}"
    );
    assert!(
        processes.iter().any(|one| one["command"].as_str().is_some_and(|line| line.contains("--processes")))
    );
    let rates = |report: &Value| -> Vec<Value> {
        let all = report["interfaces"].as_array().expect("interfaces");
        all.iter().map(|one| one["rate_bps"].clone()).collect()
    };
    assert!(rates(&found).iter().all(|both| both[0].as_f64() >= Some(0.0)), "{found}");
    assert!(found["rate_s"].as_f64() >= Some(0.2), "{found}");
    let plain = look("");
    assert!(plain["processes"].is_null() && !plain.to_string().contains("sleep 77777"), "{plain}");
    assert!(rates(&plain).iter().all(Value::is_null) && plain["rate_s"].is_null(), "{plain}");
}
