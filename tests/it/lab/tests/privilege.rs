//! What an ordinary user's process may do, with a lab and without.

use std::fs::read_to_string;
use std::process::Command;

use nix::unistd::geteuid;

use crate::lab::Lab;

/// The value of a capability set in the text of proc_pid_status(5).
fn capabilities(status: &str, set: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(set)).unwrap();
    u64::from_str_radix(line.trim_start_matches(':').trim(), 16).unwrap()
}

fn status_of(mut command: Command) -> String {
    let output = command.arg("/proc/self/status").output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn without_a_lab_only_root_may_do_more() {
    let own = read_to_string("/proc/thread-self/status").unwrap();
    let root = geteuid().is_root();
    assert_eq!(capabilities(&own, "CapEff") != 0, root);
    assert_eq!(capabilities(&status_of(Command::new("cat")), "CapPrm") != 0, root);
}

#[test]
fn a_command_in_a_node_may_do_everything_there() {
    let lab = Lab::line(0).build();
    let status = status_of(lab.client().command("cat"));
    let (net_admin, net_raw) = (1 << 12, 1 << 13);
    assert_eq!(capabilities(&status, "CapEff") & (net_admin | net_raw), net_admin | net_raw);
}

#[test]
fn a_command_sees_the_interfaces_of_its_node() {
    let lab = Lab::line(1).build();
    let output = lab.router(1).command("ls").arg("/sys/class/net").output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "dn0\nlo\nup0\n");
}
