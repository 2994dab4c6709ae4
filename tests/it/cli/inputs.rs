//! Files that a probe reads: one that nobody writes holds nothing up, and one that is not there ends every probe alike.

use std::fs::{self, OpenOptions};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::Pid;

use super::{said, waddleperf};
use crate::tool::real_root;

/// What reads `file`, whose flag or place it is.
fn readers(file: &str) -> Vec<Vec<&str>> {
    vec![
        vec!["ping", "-F", file],
        vec!["portscan", "--yes", "-iL", file],
        vec!["udpping", "--key-file", file, "127.0.0.1"],
        vec!["mtu", "--key-file", file, "127.0.0.1"],
        vec!["capture", "read", file],
    ]
}

/// Waits until the child catches signals and has a thread that waits for octets.
fn until_it_reads(child: &Child) {
    let process = Path::new("/proc").join(child.id().to_string());
    let catches = || {
        let status = fs::read_to_string(process.join("status")).unwrap_or_default();
        let mask =
            status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or("0").trim().to_owned();
        u64::from_str_radix(&mask, 16).unwrap_or(0) >> (Signal::SIGTERM as u64 - 1) & 1 == 1
    };
    let reads = || {
        let tasks = fs::read_dir(process.join("task")).into_iter().flatten().flatten();
        let mut names = tasks.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok());
        names.any(|name| ["input", "key", "capture"].contains(&name.trim()))
    };
    for _ in 0..5000 {
        // The program's first thread has its name, too: `waddleperf`.
        if catches() && reads() {
            return;
        }
        waddleperf::sys::wait::sleep(Duration::from_millis(2));
    }
    panic!("it does not read");
}

/// Stops `command` while it reads: what it ends with, and what it says.
fn stopped(mut command: Command, signal: Signal) -> (Option<i32>, String) {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("start the program");
    // Held until it has ended: waiting for a child closes its input, and an input that ends is no signal.
    let _input = child.stdin.take();
    until_it_reads(&child);
    kill(Pid::from_raw(child.id() as i32), signal).expect("a signal");
    let status = child.wait().expect("it ends");
    let mut said = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
    (status.code(), said)
}

#[test]
fn a_fifo_that_nobody_writes_is_given_up_when_a_signal_comes() {
    let dir = tempfile::tempdir().expect("a directory");
    let fifo = dir.path().join("fifo");
    nix::unistd::mkfifo(&fifo, Mode::S_IRUSR | Mode::S_IWUSR).expect("a fifo");
    let name = fifo.to_str().expect("UTF-8");
    for arguments in readers(name) {
        for (signal, code) in [(Signal::SIGTERM, 143), (Signal::SIGINT, 130)] {
            let mut command = waddleperf(dir.path());
            command.args(&arguments);
            let (ended, said) = stopped(command, signal);
            assert_eq!(ended, Some(code), "{arguments:?}: {said}");
            assert!(said.contains("interrupted") && said.lines().count() == 1, "{arguments:?}: {said}");
        }
    }
}

#[test]
fn standard_input_that_stays_open_is_given_up_as_well() {
    let dir = tempfile::tempdir().expect("a directory");
    for arguments in [&["ping", "-F", "-"][..], &["portscan", "-iL", "-"], &["capture", "read", "-"]] {
        let mut command = waddleperf(dir.path());
        command.args(arguments).stdin(Stdio::piped());
        let (ended, said) = stopped(command, Signal::SIGTERM);
        assert_eq!(ended, Some(143), "{arguments:?}: {said}");
    }
}

#[test]
fn a_list_may_come_through_a_fifo() {
    let dir = tempfile::tempdir().expect("a directory");
    let fifo = dir.path().join("fifo");
    nix::unistd::mkfifo(&fifo, Mode::S_IRUSR | Mode::S_IWUSR).expect("a fifo");
    let (path, writer) = (fifo.clone(), std::thread::spawn);
    let writing = writer(move || {
        let mut file = OpenOptions::new().write(true).open(path).expect("a reader comes");
        std::io::Write::write_all(&mut file, b"127.0.0.1 here\n").expect("written");
    });
    let mut command = waddleperf(dir.path());
    command.args(["ping", "--mode", "tcp", "--port", "9", "-c", "1", "-q", "-F"]).arg(&fifo);
    let (out, err, code) = said(&mut command);
    writing.join().expect("the writer");
    assert!(out.contains("1 sent, 1 received") && code == Some(0), "{out}{err}");
}

#[test]
fn a_file_that_is_not_there_or_not_ours_ends_every_probe_alike() {
    let dir = tempfile::tempdir().expect("a directory");
    let missing = dir.path().join("no-such-file");
    let folder = dir.path().to_str().expect("UTF-8");
    for file in [missing.to_str().expect("UTF-8"), folder] {
        for arguments in readers(file) {
            let mut command = waddleperf(dir.path());
            let (_, err, code) = said(command.args(&arguments));
            // Which of the two is wrong with a folder may differ: that it is one, or that others can enter it.
            assert_eq!(code, Some(2), "{arguments:?}: {err}");
            assert!(err.contains(file) && err.lines().count() == 1, "{arguments:?}: {err}");
        }
    }
    if !real_root("inputs: a file of somebody else") {
        return;
    }
    let secret = dir.path().join("secret");
    fs::write(&secret, "127.0.0.1\n").expect("written");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).expect("its mode");
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("its mode");
    for arguments in readers(secret.to_str().expect("UTF-8")) {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"]);
        command.args(["--bounding-set=-all", crate::tool::WADDLEPERF]).args(&arguments).env("HOME", "/");
        let (_, err, code) = said(&mut command);
        assert_eq!(code, Some(3), "{arguments:?}: {err}");
        assert!(err.contains("permission denied"), "{arguments:?}: {err}");
    }
}
