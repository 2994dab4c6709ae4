//! Beside the tools that it replaces, on the same way.

use super::{addresses, report};
use crate::lab::{Lab, Node};
use crate::tool::tool;

/// What `tracepath -n` resumes with: `Resume: pmtu 1400 hops 3 back 3`.
fn tracepath(node: &Node, target: std::net::IpAddr) -> Option<u16> {
    let program = tool("tracepath");
    let mut command = node.command(program.get_program().to_str().expect("a path in UTF-8"));
    let output = command.args(["-n", "-m", "6", &target.to_string()]).output().expect("run tracepath");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let resumed = text.lines().find(|line| line.contains("Resume: pmtu"))?;
    resumed.split_whitespace().nth(2)?.parse().ok()
}

#[test]
fn tracepath_says_the_same_where_routers_speak() {
    let lab = Lab::line(2).build();
    for mtu in [1500, 1400] {
        lab.link(1).mtu(mtu);
        for target in addresses(lab.server()) {
            let ours = report(lab.client(), target, "--no-tcp");
            assert_eq!(ours["pmtu_bytes"], mtu, "{ours}");
            assert_eq!(tracepath(lab.client(), target), Some(mtu), "{target}");
        }
    }
}

#[test]
fn a_kernel_that_has_learnt_the_path_mtu_is_seen() {
    let lab = Lab::line(2).build();
    lab.link(1).mtu(1400);
    let target = lab.server().address4();
    // tracepath makes the kernel learn it.
    tracepath(lab.client(), target.into());
    let found = report(lab.client(), target, "--no-tcp");
    assert_eq!((&found["route_mtu_bytes"], &found["pmtu_bytes"]), (&1400.into(), &1400.into()), "{found}");
    // What the kernel believes does not move the answer, also when it is out of date.
    lab.link(1).mtu(1500);
    let found = report(lab.client(), target, "--no-tcp");
    assert_eq!((&found["route_mtu_bytes"], &found["pmtu_bytes"]), (&1400.into(), &1500.into()), "{found}");
}

#[test]
fn nmap_is_right_on_a_narrow_way_that_says_so() {
    let lab = Lab::line(2).build();
    lab.link(1).mtu(1400);
    let listener = lab.server().run(|| std::net::TcpListener::bind("0.0.0.0:80").expect("a port"));
    let program = tool("nmap");
    let mut nmap = lab.client().command(program.get_program().to_str().expect("a path in UTF-8"));
    let target = lab.server().address4();
    let output = nmap
        .args(["-n", "-Pn", "-p", "80", "--script", "path-mtu", &target.to_string()])
        .output()
        .expect("run nmap");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let ours = report(lab.client(), target, "-p 80");
    assert_eq!(ours["pmtu_bytes"], 1400, "{ours}");
    let theirs = text.lines().find(|line| line.contains("PMTU"));
    assert!(theirs.is_some_and(|line| line.contains("PMTU == 1400")), "{text}");
    drop(listener);
}
