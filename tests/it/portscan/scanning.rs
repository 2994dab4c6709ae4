//! The server's ports and filters, our scan of them, and nmap's.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr, TcpListener, UdpSocket};
use std::process::Output;
use std::thread;

use serde_json::Value;

use crate::lab::Node;
use crate::tool::{WADDLEPERF, output, stdout, tool};

/// State and reason of each port.
pub(super) type Verdicts = BTreeMap<u16, (String, String)>;

/// Listens at TCP `ports` of `node`, both families, until dropped; nobody accepts.
pub(super) fn listen(node: &Node, ports: impl IntoIterator<Item = u16> + Send) -> Vec<TcpListener> {
    node.run(|| {
        ports
            .into_iter()
            .map(|port| TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)).expect("a port"))
            .collect()
    })
}

/// Answers every datagram to UDP `ports` of `node` by its first octets, as long as the test runs.
pub(super) fn answer(node: &Node, ports: impl IntoIterator<Item = u16> + Send) {
    let sockets: Vec<UdpSocket> = node.run(|| {
        ports
            .into_iter()
            .map(|port| UdpSocket::bind((Ipv6Addr::UNSPECIFIED, port)).expect("a port"))
            .collect()
    });
    for socket in sockets {
        thread::spawn(move || {
            let mut bytes = [0; 64];
            while let Ok((_, from)) = socket.recv_from(&mut bytes) {
                let _ = socket.send_to(b"here", from);
            }
        });
    }
}

/// Runs `portscan` in `node` to its end.
pub(super) fn run(node: &Node, target: &str, arguments: &str) -> Output {
    let mut command = node.command(WADDLEPERF);
    command.arg("--data").arg(std::env::temp_dir().join("waddleperf-truth"));
    command.args(["portscan", target]).args(arguments.split_whitespace());
    output(&mut command)
}

/// The report of `portscan --json` in `node`.
#[track_caller]
pub(super) fn report(node: &Node, target: impl Into<IpAddr>, arguments: &str) -> Value {
    let output = run(node, &target.into().to_string(), &format!("--json {arguments}"));
    let said = [&output.stdout, &output.stderr].map(|said| String::from_utf8_lossy(said).into_owned());
    let record: Value = serde_json::from_str(&said[0]).unwrap_or_else(|error| panic!("{error}: {said:?}"));
    let report = record["outcome"]["report"].clone();
    assert!(report.is_object(), "no report: {record} {}", said[1]);
    report
}

/// What `report` says of each port.
pub(super) fn verdicts(report: &Value) -> Verdicts {
    let ports = report["ports"].as_array().expect("ports").iter();
    let word = |port: &Value, name: &str| port[name].as_str().expect(name).to_owned();
    ports
        .map(|port| {
            (port["port"].as_u64().expect("a port") as u16, (word(port, "state"), word(port, "reason")))
        })
        .collect()
}

/// What nmap says of each port: the same question in its words.
#[track_caller]
pub(super) fn nmap(node: &Node, target: impl Into<IpAddr>, arguments: &str) -> Verdicts {
    let target = target.into();
    let path = tool("nmap").get_program().to_owned();
    let mut command = node.command(path.to_str().expect("a path in UTF-8"));
    // At this verbosity up to 250 ports of a kind have lines of their own.
    command.args(["-n", "-Pn", "--reason", "-v10", "-oX", "-"]);
    if target.is_ipv6() {
        command.arg("-6");
    }
    let printed = stdout(command.args(arguments.split_whitespace()).arg(target.to_string()));
    let within = |text: &str, name: &str| {
        let begin = text.find(&format!("{name}=\"")).map(|at| at + name.len() + 2)?;
        text[begin..].split('"').next().map(str::to_owned)
    };
    let ports = printed.split("<port ").skip(1);
    ports
        .map(|port| {
            let word = |name| within(port, name).unwrap_or_else(|| panic!("no {name} in {port}"));
            (word("portid").parse().expect("a number"), (word("state"), word("reason")))
        })
        .collect()
}

/// Whether nmap's word for a reason means ours.
pub(super) fn same_reason(ours: &str, theirs: &str) -> bool {
    match theirs {
        "addr-unreach" => ours == "host-unreach",
        other => ours == other,
    }
}
