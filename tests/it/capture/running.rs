//! The built program in a node of a lab, and files of packets as tests make and read them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, UdpSocket};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use waddleperf::wire::pcap::{Format, Link, Next, Packet, Reader, Writer};

use crate::lab::Node;
use crate::tool::{WADDLEPERF, tool};

/// A capture that runs.
pub(super) struct Running {
    process: Child,
    stderr: BufReader<ChildStderr>,
}

/// `waddleperf capture ARGUMENTS` in a node, with nothing from this machine's configuration.
pub(super) fn command(node: &Node, arguments: &[&str]) -> Command {
    clean(node.command(WADDLEPERF), arguments)
}

/// The same outside of a lab.
pub(super) fn here(arguments: &[&str]) -> Command {
    clean(Command::new(WADDLEPERF), arguments)
}

fn clean(mut command: Command, arguments: &[&str]) -> Command {
    let data = std::env::temp_dir().join("waddleperf-capture");
    command.env_remove("SSH_CONNECTION").arg("--data").arg(data).arg("capture").args(arguments);
    command
}

impl Running {
    /// Starts to capture on `up0`, or as `arguments` say, and returns once it does. Its record is JSON.
    pub(super) fn start(node: &Node, arguments: &[&str]) -> Self {
        let mut command = command(node, &["--json"]);
        if !arguments.contains(&"-i") {
            command.args(["-i", "up0"]);
        }
        let process = command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut process = process.expect("start the capture");
        let mut stderr = BufReader::new(process.stderr.take().expect("a pipe"));
        let mut line = String::new();
        while !line.contains("captures on") {
            line.clear();
            assert!(stderr.read_line(&mut line).expect("read from it") > 0, "it ends before it captures");
        }
        Self { process, stderr }
    }

    /// Its process.
    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(super) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.id() as i32), signal).expect("signal the capture");
    }

    /// Interrupts it; its report.
    pub(super) fn stop(self) -> Value {
        self.signal(Signal::SIGINT);
        let (record, code) = self.wait();
        assert_eq!(code, Some(130), "{record}");
        assert_eq!(record["partial"], true, "{record}");
        report(&record)
    }

    /// Waits for its end; its record and exit code.
    pub(super) fn wait(mut self) -> (Value, Option<i32>) {
        let mut printed = String::new();
        self.process.stdout.take().expect("a pipe").read_to_string(&mut printed).expect("read its record");
        let status = self.process.wait().expect("wait for it");
        let mut said = String::new();
        self.stderr.read_to_string(&mut said).expect("read what it says");
        let record =
            serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}{said}"));
        (record, status.code())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(super) fn report(record: &Value) -> Value {
    let report = record["outcome"]["report"].clone();
    assert!(report.is_object(), "no report: {record}");
    report
}

/// The report of `capture read`.
pub(super) fn read(path: &Path, arguments: &[&str]) -> Value {
    let path = path.to_str().expect("a path in UTF-8");
    let output = here(&["--json", "read", path]).args(arguments).output().expect("run it");
    report(&record(&output))
}

pub(super) fn record(output: &Output) -> Value {
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}{}", text(&output.stdout), text(&output.stderr)))
}

pub(super) fn number(report: &Value, pointer: &str) -> u64 {
    let value = report.pointer(pointer).and_then(Value::as_u64);
    value.unwrap_or_else(|| panic!("no number at {pointer} of {report}"))
}

/// When each packet of a file was seen, and its octets.
pub(super) fn packets(mut octets: &[u8]) -> Vec<(u64, Vec<u8>)> {
    let (mut reader, mut found) = (Reader::default(), Vec::new());
    while !octets.is_empty() {
        let used = match reader.next(octets).expect("a file of packets") {
            Next::Packet { used, packet } => {
                found.push((packet.stamp.expect("a time"), packet.data.to_vec()));
                used
            }
            Next::Passed(used) => used,
            Next::Skip(octets) => octets as usize,
            Next::Need(octets) => panic!("it ends {octets} octets before a packet does"),
        };
        octets = &octets[used..];
    }
    found
}

/// A file of these frames, the n-th seen n ns after 1970.
pub(super) fn file(link: Link, frames: &[Vec<u8>]) -> Vec<u8> {
    let writer = Writer::new(Format::Classic, link, 65_535, "", "");
    let mut out = Vec::new();
    writer.begin(&mut out);
    for (stamp, data) in (0..).zip(frames) {
        writer.packet(&mut out, &Packet { stamp: Some(stamp), link, wire_length: data.len() as u32, data });
    }
    out
}

/// What `program` prints of `input`.
pub(super) fn filtered(program: &str, arguments: &[&str], input: &[u8]) -> Output {
    let mut process = tool(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("start {program}: {error}"));
    let mut stdin = process.stdin.take().expect("a pipe");
    std::thread::scope(|scope| {
        // It may end before it has read all.
        scope.spawn(move || drop(stdin.write_all(input)));
        process.wait_with_output().expect("wait for it")
    })
}

/// Sends `count` numbered datagrams of `size` octets to port 9 of `to`, a few at a time.
pub(super) fn send(node: &Node, to: Ipv4Addr, count: u32, size: usize) {
    node.run(|| {
        let socket = UdpSocket::bind("0.0.0.0:0").expect("a socket");
        for number in 0..count {
            let mut payload = vec![0x55; size];
            payload[..4].copy_from_slice(&number.to_be_bytes());
            while socket.send_to(&payload, (to, 9)).is_err() {
                // The port is closed: its answer to an earlier one is told here.
            }
        }
    });
}
