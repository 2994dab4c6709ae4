//! Without privilege where the kernel allows it, by a raw socket where that is allowed, else a failure that helps.

use serde_json::Value;

use super::{numbers, record_of, report, run};
use crate::lab::{Lab, Node};
use crate::tool::{WADDLEPERF, real_root};

/// The same without any capability, where the lab gives all.
fn without_rights(node: &Node, arguments: &str) -> Value {
    let mut command = node.command("setpriv");
    command.args(["--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all"]);
    command
        .args(["--no-new-privs", WADDLEPERF, "ping", "--json", "--catch-up"])
        .args(arguments.split_whitespace());
    let output = command.output().expect("run setpriv (util-linux)");
    record_of(&output)
}

#[test]
fn either_socket_measures_the_same_and_neither_names_both_remedies() {
    let lab = Lab::line(0).build();
    let (client, server) = (lab.client(), lab.server());
    let targets = [server.address4().to_string(), server.address6().to_string()];
    for target in &targets {
        let record = without_rights(client, &format!("{target} -c 5 -i 10ms"));
        assert_eq!(numbers(&record, ["/outcome/report/counts/received"]), [5], "unprivileged: {record}");
    }
    // Nobody: the default of a kernel.
    client.sysctl("net.ipv4.ping_group_range", "1 0");
    for target in &targets {
        let address: std::net::IpAddr = target.parse().expect("an address");
        let found = report(client, address, "-c 5 -i 10ms");
        assert_eq!(numbers(&found, ["/counts/received", "/ignored", "/corrupt"]), [5, 0, 0], "raw: {found}");
        assert_eq!(found["clock"], "kernel");
        let record = without_rights(client, &format!("{target} -c 1"));
        let failure = &record["outcome"]["failure"];
        let detail = failure["detail"].as_str().unwrap_or_default();
        let helps = detail.contains("net.ipv4.ping_group_range") && detail.contains("CAP_NET_RAW");
        assert!(failure["class"] == "permission" && helps, "{record}");
    }
}

#[test]
fn what_cannot_be_measured_is_refused_by_the_name_of_its_option() {
    let lab = Lab::line(0).build();
    for (arguments, word) in [
        ("::1 -c 0", "--count"),
        ("::1 -W 0", "--timeout"),
        ("::1 -w 0", "--deadline"),
        ("::1 -s 65528", "--size"),
        ("127.0.0.1 -4 -s 65510", "--size"),
        ("127.0.0.1 -s 65508", "--size"),
        ("--port 0 ::1", "--port"),
        ("--mode icmp --port 443 ::1", "--port and --mode icmp"),
        ("127.0.0.1 -R", "--record-route"),
        ("127.0.0.1 -e 0", "--identifier"),
        ("127.0.0.1 --mode dns -e 7", "--identifier"),
        ("127.0.0.1 127.0.0.2 -A", "--adaptive"),
        ("127.0.0.0/30 -l 3", "--preload"),
        ("0.0.0.0", "0.0.0.0"),
        ("fe80::1", "fe80::1%eth0"),
        ("127.255.255.255", "-b"),
        ("10.0.0.9-2", "192.0.2.1-9"),
        ("::1 -t 0", "--ttl"),
        ("::1 --dscp 64", "--dscp"),
        ("::1 -p xyz", "--pattern"),
        ("::1 -I no-such-if", "no-such-if"),
        ("::1 -B 0.5", "--backoff"),
        ("10.0.0.0/8", "1048576"),
        ("10.0.0.0/16", "--yes"),
        ("-g 10.0.0.1", "--generate"),
        ("http://h.example/", "h.example"),
        ("224.0.0.1", "-b"),
        ("-F /no/such/list", "/no/such/list"),
        ("", "TARGET"),
    ] {
        let output = run(lab.client(), arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments}: {said}");
        assert!(said.contains(word), "{arguments}: {said}");
    }
}

/// What only root may do, or who says --force.
#[test]
fn who_is_not_root_sends_with_measure_unless_he_insists() {
    if !real_root("ping: an unprivileged run") {
        return;
    }
    let lab = Lab::line(0).build();
    lab.client().ip("link set lo up");
    let ping = |arguments: &str| {
        let mut command = lab.client().command("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"]);
        command.args(["--bounding-set=-all", WADDLEPERF, "ping", "-q", "-c", "4", "--catch-up"]);
        command.env("HOME", "/").env_remove("XDG_CONFIG_HOME").args(arguments.split_whitespace());
        let output = command.output().expect("run setpriv (util-linux)");
        (output.status.code(), super::said(&output))
    };
    for (arguments, word) in [
        ("-i 1ms 127.0.0.1", "--interval below 2ms"),
        ("--per-target-interval 1ms -i 0 127.0.0.1 127.0.0.2", "--per-target-interval below 2ms"),
        ("-f 127.0.0.1", "--flood is for root"),
        ("-l 4 127.0.0.1", "--preload beyond 3"),
    ] {
        let (code, said) = ping(arguments);
        assert!(code == Some(2) && said.contains(word) && said.contains("--force"), "{arguments}: {said}");
        let (code, said) = ping(&format!("--force {arguments}"));
        assert_eq!(code, Some(0), "{arguments}: {said}");
    }
    for arguments in ["-i 2ms 127.0.0.1", "-A 127.0.0.1", "-l 3 -i 2ms 127.0.0.1"] {
        let (code, said) = ping(arguments);
        assert!(code == Some(0) && said.contains("4 sent, 4 received"), "{arguments}: {said}");
    }
}
