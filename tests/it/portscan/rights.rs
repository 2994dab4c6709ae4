//! What a scan needs to be allowed: by the system, and by who asks for it.

use super::scanning::{listen, report, run};
use crate::lab::Lab;
use crate::tool::{WADDLEPERF, output, real_root, tool};

#[test]
fn more_than_one_host_is_asked_about_first() {
    let lab = Lab::line(0).build();
    let server = lab.server().address4();
    for target in [format!("{server}/30"), format!("{server},10.200.0.1"), "10.200.0.1-2".to_owned()] {
        let refused = run(lab.client(), &target, "-p 22");
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(2), "{target}: {said}");
        assert!(said.contains("--yes"), "{said}");
    }
    let _listeners = listen(lab.server(), [22]);
    let output = run(lab.client(), &format!("{server}/30"), "-p 22,23 --yes");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("1 open, 1 closed") || said.contains("1 open, 3 closed"), "{said}");
}

#[test]
fn a_connect_scan_needs_no_privilege_and_a_syn_scan_says_which() {
    if !real_root("portscan: an unprivileged run") {
        return;
    }
    let lab = Lab::line(0).build();
    let _listeners = listen(lab.server(), [2000]);
    let as_nobody = |how: &str| {
        let path = tool("setpriv").get_program().to_owned();
        let mut command = lab.client().command(path.to_str().expect("a path in UTF-8"));
        command.args([
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            "--inh-caps=-all",
            "--bounding-set=-all",
        ]);
        command.env("HOME", "/").env_remove("XDG_CONFIG_HOME");
        command.arg(WADDLEPERF).args(["portscan", how, "-p", "2000,2001", "--reason"]);
        output(command.arg(lab.server().address4().to_string()))
    };
    let connect = as_nobody("-sT");
    let said =
        String::from_utf8_lossy(&connect.stdout).into_owned() + &String::from_utf8_lossy(&connect.stderr);
    assert!(connect.status.success() && said.contains("syn-ack") && said.contains("reset"), "{said}");
    let syn = as_nobody("-sS");
    let said = String::from_utf8_lossy(&syn.stderr);
    assert_eq!(syn.status.code(), Some(3), "{said}");
    assert!(said.contains("CAP_NET_RAW") && said.contains("-sT"), "{said}");
}

#[test]
fn few_descriptors_make_a_scan_slower_and_not_wrong() {
    let lab = Lab::line(0).build();
    let _listeners = listen(lab.server(), [2000]);
    let path = tool("prlimit").get_program().to_owned();
    let mut command = lab.client().command(path.to_str().expect("a path in UTF-8"));
    command.args(["--nofile=40:40", WADDLEPERF, "--data", "/tmp/waddleperf-truth", "portscan", "--json"]);
    let output = output(command.args(["-p", "1900-2100"]).arg(lab.server().address4().to_string()));
    let said = String::from_utf8_lossy(&output.stdout);
    let record: serde_json::Value =
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
    let counts = &record["outcome"]["report"]["counts"];
    assert_eq!((&counts["open"], &counts["closed"]), (&1.into(), &200.into()), "{record}");
}

/// Ephemeral ports run out before questions do.
#[test]
fn a_scan_waits_for_ports_of_its_own() {
    let lab = Lab::line(0).build();
    lab.client().sysctl("net.ipv4.ip_local_port_range", "50000 50003");
    let _rule = lab.server().rule(crate::lab::Hook::Input, "tcp dport 2000-2009", "drop");
    let report = report(lab.client(), lab.server().address4(), "-p 2000-2029 --all");
    assert_eq!(
        (&report["counts"]["filtered"], &report["counts"]["closed"]),
        (&10.into(), &20.into()),
        "{report}"
    );
}
