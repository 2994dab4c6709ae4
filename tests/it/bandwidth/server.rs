//! The stock server in a node.

use std::io::Read;
use std::process::{Child, Stdio};
use std::thread::{JoinHandle, spawn};
use std::time::Duration;

use serde_json::Value;
use waddleperf::sys::wait::sleep;

use crate::lab::Node;
use crate::tool::tool;

/// Waits until the stock server in `node` listens at port 5201 and no test is left there: after each it stops listening for a moment, in
/// which it refuses the next.
#[track_caller]
pub(crate) fn until_idle(node: &Node) {
    // Local address and state (proc_net_tcp(5)): 0x1451 is 5201, 0A listens, 06 is TIME_WAIT.
    let states = || -> Vec<String> {
        let rows = node.run(|| std::fs::read_to_string("/proc/thread-self/net/tcp6").unwrap_or_default());
        let state = |row: &str| {
            let mut words = row.split_whitespace().skip(1);
            let is_its = words.next()?.ends_with(":1451");
            words.nth(1).filter(|state| is_its && *state != "06").map(str::to_owned)
        };
        rows.lines().filter_map(state).collect()
    };
    for _ in 0..1000 {
        if states() == ["0A"] {
            return;
        }
        sleep(Duration::from_millis(10));
    }
    panic!("iperf3 is not idle: {:?}", states());
}

/// A running `iperf3 -s`.
pub(crate) struct Iperf3 {
    child: Child,
    /// All that it prints, which is read meanwhile: a server whose pipe is full stands still.
    said: Option<JoinHandle<String>>,
}

impl Iperf3 {
    /// A server at `node` that listens already.
    pub(crate) fn start(node: &Node, args: &str) -> Self {
        let program = tool("iperf3").get_program().to_owned();
        let mut command = node.command(program.to_str().expect("a path"));
        command.args(["-s", "--forceflush"]).args(args.split_whitespace()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("iperf3 starts");
        let mut stdout = child.stdout.take().expect("its output");
        let said = spawn(move || {
            let mut text = String::new();
            stdout.read_to_string(&mut text).expect("text");
            text
        });
        // From here on it ends with this value.
        let server = Self { child, said: Some(said) };
        let listens =
            || node.run(|| std::fs::read_to_string("/proc/thread-self/net/tcp6").unwrap_or_default());
        // Nobody connects only to see whether it is there: that would be a test. 5201 is 0x1451, and 0A says that it listens.
        let listening = || listens().lines().any(|line| line.contains(":1451 ") && line.contains(" 0A "));
        for _ in 0..500 {
            if listening() {
                return server;
            }
            sleep(Duration::from_millis(10));
        }
        panic!("iperf3 does not listen");
    }

    /// Interrupts it.
    pub(super) fn interrupt(&self) {
        let pid = nix::unistd::Pid::from_raw(self.child.id() as i32);
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).expect("signalled");
    }

    /// What it printed, once it has ended: JSON (`-J -1`).
    pub(crate) fn json(mut self) -> Value {
        let said = self.said.take().expect("asked once");
        let text = said.join().expect("what it says is read");
        let _ = self.child.wait();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
}

impl Drop for Iperf3 {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
