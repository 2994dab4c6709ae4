//! Nothing stays behind. The tests run one of the ignored ones in a process of its own, let it
//! come to its end and look for what is left.

use std::fs::{read_dir, read_link};
use std::io::{Read, stdin};
use std::os::fd::AsFd;
use std::process::{Child, ChildStdout, Command, Stdio};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::lab::{Lab, Units, privilege, shared};

/// Seconds for a process that is to be killed before.
const FOREVER: &str = "1000";

/// Builds a lab, starts a process in it and tells the namespaces' names.
fn busy_lab() -> (Lab, Child) {
    let lab = Lab::line(1).delay(1.ms()).build();
    let sleep = lab.client().command("sleep").arg(FOREVER).spawn().unwrap();
    for node in [lab.client(), lab.router(1), lab.server()] {
        let name = node.run(|| read_link("/proc/thread-self/ns/net").unwrap());
        println!("{}", name.display());
    }
    (lab, sleep)
}

#[test]
#[ignore = "panics, for the tests of this module"]
fn busy_until_a_panic() {
    let (lab, _sleep) = busy_lab();
    // An orphan, which no parent's death kills.
    let script = format!("sleep {FOREVER} &");
    lab.server().command("sh").args(["-c", &script]).status().unwrap();
    panic!("as told");
}

#[test]
#[ignore = "waits to be killed, for the tests of this module"]
fn busy_until_killed() {
    let _busy = busy_lab();
    println!("ready");
    stdin().read_to_end(&mut Vec::new()).unwrap();
}

/// Starts an ignored test of this module in a process of its own. Whoever has a turn waits for no other: its lab has one at once.
fn start(test: &str) -> (Child, ChildStdout) {
    let (_, module) = module_path!().split_once("::").unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--nocapture", "--exact", &format!("{module}::{test}")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let printed = child.stdout.take().unwrap();
    (child, printed)
}

/// Reads what is printed until `end` says that it is enough or no process is left to print.
fn read_until(printed: &mut ChildStdout, end: impl Fn(&str) -> bool) -> String {
    let (mut text, mut buffer) = (String::new(), [0; 4096]);
    while !end(&text) {
        let mut files = [PollFd::new(printed.as_fd(), PollFlags::POLLIN)];
        let ready = poll(&mut files, PollTimeout::try_from(20.secs()).unwrap()).unwrap();
        assert!(ready == 1, "a process is left which may still print after:\n{text}");
        match printed.read(&mut buffer).unwrap() {
            0 => break,
            length => text.push_str(&String::from_utf8_lossy(&buffer[..length])),
        }
    }
    text
}

/// Asserts that no process is in one of the namespaces a lab has told.
fn nobody_is_in(printed: &str) {
    let names: Vec<&str> = printed.lines().filter(|line| line.starts_with("net:[")).collect();
    assert_eq!(names.len(), 3, "{printed}");
    // To be allowed to look at an ordinary user's processes of another user namespace.
    privilege::raise().unwrap();
    for process in read_dir("/proc").unwrap().flatten() {
        if let Ok(name) = read_link(process.path().join("ns/net")) {
            assert!(!names.contains(&name.to_str().unwrap()), "{:?} is left", process.path());
        }
    }
}

#[test]
fn a_panic_leaves_no_process_and_no_namespace() {
    let _turn = shared();
    let (mut child, mut printed) = start("busy_until_a_panic");
    let text = read_until(&mut printed, |_| false);
    assert!(!child.wait().unwrap().success());
    nobody_is_in(&text);
}

#[test]
fn a_killed_test_leaves_no_process_and_no_namespace() {
    let _turn = shared();
    let (mut child, mut printed) = start("busy_until_killed");
    let text = read_until(&mut printed, |text| text.contains("ready"));
    child.kill().unwrap();
    child.wait().unwrap();
    read_until(&mut printed, |_| false);
    nobody_is_in(&text);
}
