//! Sockets that the service manager opened serve as those do that `serve` opens itself.

use std::fs;
use std::net::UdpSocket;
use std::process::Stdio;

use nix::sys::signal::Signal;
use serde_json::Value;

use super::Server;
use crate::tool::{WADDLEPERF, tool};

/// A server started by the manager, with the sockets that `listen` names for a free port.
fn activated(listen: &[&str]) -> Server {
    let free = UdpSocket::bind("[::]:0").expect("a socket");
    let port = free.local_addr().expect("its address").port();
    drop(free);
    let data = tempfile::tempdir().expect("make a directory");
    let mut manager = tool("systemd-socket-activate");
    manager.args(["--datagram", "--setenv=XDG_CONFIG_HOME=/nowhere"]);
    manager.arg(format!("--fdname={}", vec!["udpping"; listen.len()].join(":")));
    manager.args(listen.iter().map(|address| format!("--listen={address}:{port}")));
    manager.args([WADDLEPERF, "serve", "--listen", "iperf3=off", "--data"]).arg(data.path());
    let child = manager.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let server = Server { child, port, notes: Vec::new(), data };
    server.until_it_answers();
    server
}

/// What a client sees of the server: everything comes back, marked as it was sent, with all that the kernel tells.
fn seen(server: &Server, target: &str) -> Vec<Value> {
    let arguments =
        ["-c", "10", "-i", "20ms", "--catch-up", "-W", "0.5", "-s", "128", "--dscp", "46", "--ttl", "33"];
    let output = server.ping_at(target, &arguments).output().expect("it runs");
    let record: Value = serde_json::from_slice(&output.stdout).expect("a record");
    let report = &record["outcome"]["report"];
    let told = ["/counts/received", "/up/dscp", "/up/ttl", "/up/lost", "/down/dscp", "/down/ttl", "/clock"];
    told.map(|field| report.pointer(field).cloned().unwrap_or_default()).to_vec()
}

#[test]
fn the_service_managers_sockets_are_as_good_as_its_own() {
    let own = Server::start(&["--listen", "udpping=[::]:0"]);
    own.until_it_answers();
    // As waddleperf-serve.socket has them; then one for both families, as `BindIPv6Only=both` makes it.
    let others = [activated(&["[::]", "0.0.0.0"]), activated(&["[::]"])];
    for target in ["127.0.0.1", "127.0.0.2", "::1"] {
        let expected = seen(&own, target);
        assert_eq!(expected[..5], [10, 46, 33, 0, 46].map(Value::from), "{target}");
        for other in &others {
            assert_eq!(seen(other, target), expected, "{target}");
        }
    }
    others.iter().for_each(|other| other.signal(Signal::SIGTERM));
}

#[test]
fn the_socket_unit_opens_what_serve_opens() {
    let unit = include_str!("../../../deploy/systemd/waddleperf-serve.socket");
    let listens: Vec<_> = unit.lines().filter_map(|line| line.strip_prefix("ListenDatagram=")).collect();
    assert_eq!(listens, ["[::]:2000", "0.0.0.0:2000"]);
    assert!(unit.lines().any(|line| line == "BindIPv6Only=ipv6-only"));
    let own = Server::start(&["--listen", "udpping=[::]:0"]);
    own.until_it_answers();
    for family in ["udp", "udp6"] {
        let table = fs::read_to_string(format!("/proc/net/{family}")).expect("the kernel's sockets");
        assert!(table.contains(&format!("0:{:04X} ", own.port)), "no socket of {family}: {table}");
    }
}

#[test]
fn iperf3_is_served_at_the_managers_socket() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a socket");
    let at = free.local_addr().expect("its address");
    drop(free);
    let data = tempfile::tempdir().expect("make a directory");
    let mut manager = tool("systemd-socket-activate");
    manager.args(["--setenv=XDG_CONFIG_HOME=/nowhere", "--fdname=iperf3", &format!("--listen={at}")]);
    manager.args([WADDLEPERF, "serve", "--listen", "udpping=off", "--data"]).arg(data.path());
    let child = manager.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let server = Server { child, port: at.port(), notes: Vec::new(), data };
    let served = |_: &u32| {
        waddleperf::sys::wait::sleep(std::time::Duration::from_millis(50));
        let mut client = tool("timeout");
        client.args(["20", "iperf3", "-c", "127.0.0.1", "-n", "100K", "-p", &server.port.to_string()]);
        client.output().expect("it runs").status.success()
    };
    assert!((0..50).any(|n| served(&n)));
    server.signal(Signal::SIGTERM);
}
