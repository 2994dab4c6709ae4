//! `waddleperf serve` as iperf3's server: stock clients in every mode, many at once, limits, and clients that mean no good.

mod applet;
mod beside;
mod crowd;
mod ends;
mod hostile;
mod kept;
mod limits;
mod login;
mod many;
mod modes;
mod multipath;
mod newer;
mod omitted;
mod paced;
mod pairs;
mod path;
mod raw;
mod relayed;
mod search;
mod soak;
mod streams;
mod vanish;

pub(crate) use raw::heard;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::lab::Threads;
use crate::tool::{WADDLEPERF, tool};

/// No limits, as a stock server has none.
pub(crate) const OPEN: &str = "sessions = 64\nsessions_per_source = 64\nstreams = 0\ntime = \"0s\"\nrate = 0\nudp_rate = 0\n\
                    bytes = 0\nbytes_per_source = 0\nbytes_total = 0\nwindow = 0\ntests_per_minute = 0\n";

/// A running server; killed when dropped.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) port: u16,
    _data: tempfile::TempDir,
}

impl Server {
    /// Without limits.
    fn open() -> Self {
        Self::with(OPEN)
    }

    /// With `settings` of `[serve.iperf3]`.
    fn with(settings: &str) -> Self {
        Self::configured(&format!("[serve.iperf3]\n{settings}"), "127.0.0.1")
    }

    /// With a whole configuration, at `address`.
    fn configured(config: &str, address: &str) -> Self {
        Self::launch(Command::new(WADDLEPERF), config, address)
    }

    pub(crate) fn launch(command: Command, config: &str, address: &str) -> Self {
        Self::beside(command, config, address, "udpping=off")
    }

    /// With `other` that it listens to, or not.
    pub(crate) fn beside(command: Command, config: &str, address: &str, other: &str) -> Self {
        Self::at(command, tempfile::tempdir().expect("make a directory"), config, address, other)
    }

    /// With its data in a directory.
    fn at(mut command: Command, data: tempfile::TempDir, config: &str, address: &str, other: &str) -> Self {
        let file = data.path().join("config.toml");
        fs::write(&file, config).expect("write the configuration");
        command.args(["serve", "--listen", other, "--listen", &format!("iperf3={address}:0")]);
        command.arg("--config").arg(&file).arg("--data").arg(data.path().join("data"));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its stdout")).lines();
        let port = loop {
            let line = lines.next().expect("it says where it listens").expect("text");
            let address = line.strip_prefix("iperf3 listens on udp ");
            if let Some((_, port)) = address.and_then(|address| address.rsplit_once(':')) {
                break port.parse().expect("a port");
            }
        };
        // A server goes on when nobody reads what it says.
        drop(lines);
        Self { child, port, _data: data }
    }

    /// A stock client.
    fn client(&self, args: &str) -> Command {
        self.client_at("127.0.0.1", args)
    }

    fn client_at(&self, host: &str, args: &str) -> Command {
        let mut command = tool("timeout");
        command.args(["60", "iperf3", "-c", host, "-p", &self.port.to_string()]);
        command.args(args.split_whitespace());
        command
    }

    /// What a stock client reports that ends well.
    #[track_caller]
    fn report(&self, args: &str) -> Value {
        let (is_well, report) = told(&mut self.client(&format!("{args} -J")));
        assert!(is_well && report.get("error").is_none(), "{args}: {report:#}");
        report
    }

    /// What a stock client complains of.
    #[track_caller]
    fn complaint(&self, args: &str) -> String {
        let output = self.client(args).output().expect("it runs");
        assert!(!output.status.success(), "{args}: {}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout)
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).expect("send a signal");
    }

    /// Descriptors that it has open once it has served somebody.
    fn idle(&self) -> usize {
        self.report("-n 1K");
        self.report("-u -n 1K -l 100");
        self.settled()
    }

    /// The least number of descriptors within a second.
    fn settled(&self) -> usize {
        let counts = || {
            waddleperf::sys::wait::sleep(std::time::Duration::from_millis(200));
            self.descriptors()
        };
        (0..5).map(|_| counts()).min().expect("some")
    }

    /// Descriptors that it has open.
    fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).expect("its descriptors").count()
    }

    fn threads(&self) -> usize {
        fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("its threads").count()
    }

    /// How many of its threads have this name.
    fn threads_named(&self, name: &str) -> usize {
        Threads(self.child.id()).named(name).len()
    }

    /// Waits until nothing of a test is left: its descriptors and its threads are those of an idle server.
    #[track_caller]
    fn until_idle(&self, descriptors: usize) {
        let is_idle = |_: &u32| {
            waddleperf::sys::wait::sleep(std::time::Duration::from_millis(50));
            self.descriptors() <= descriptors
        };
        assert!((0..60).any(|n| is_idle(&n)), "{} descriptors, {descriptors} before", self.descriptors());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether a stock client ends well, and its report.
#[track_caller]
fn told(command: &mut Command) -> (bool, Value) {
    let output = command.output().expect("it runs");
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{command:?}: {error}: {}", String::from_utf8_lossy(&output.stdout)));
    (output.status.success(), report)
}

/// A number of a report.
#[track_caller]
fn number(report: &Value, at: &str) -> f64 {
    report.pointer(at).and_then(Value::as_f64).unwrap_or_else(|| panic!("no {at} in {report:#}"))
}

/// KiB that the server has in memory of its own.
fn resident(server: &Server) -> u64 {
    memory(server, "RssAnon:")
}

/// KiB of a field of its memory (proc_pid_status(5)).
fn memory(server: &Server, field: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.child.id())).expect("its status");
    let line = status.lines().find_map(|line| line.strip_prefix(field)).expect("its memory");
    line.split_whitespace().next().and_then(|kib| kib.parse().ok()).expect("a number")
}

/// Datagrams for which there was no room at a socket of this host, because its reader had no processor: of any process, so that
/// no test has lost more to that.
fn unread() -> u64 {
    crate::lab::counter("UdpRcvbufErrors")
}

/// Reads a pipe to its end.
fn read(pipe: Option<impl Read>) -> String {
    let mut text = String::new();
    pipe.expect("a pipe").read_to_string(&mut text).expect("text");
    text
}
