//! What was on the wire, by an independent witness: tcpdump on one interface of a node.

use std::fs::read_to_string;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::thread::yield_now;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::NamedTempFile;
use waddleperf::sys::wait::sleep;

use super::namespace::missing;
use super::node::Node;
use super::topology::Direction;

/// The longest that the kernel keeps a block which is not full (pcap_set_timeout(3), tcpdump's second), and some more.
/// With `--immediate-mode` there would be none, but waking tcpdump for each packet delays the packet by 10 µs and more.
const BLOCK: Duration = Duration::from_millis(1500);

/// A capture that is running; dropped, it ends unread.
pub(crate) struct Capture {
    tcpdump: Child,
    file: NamedTempFile,
}

/// A captured frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Packet {
    /// When the kernel saw it, in nanoseconds of `CLOCK_REALTIME`.
    pub(crate) time: u64,
    /// The frame, Ethernet header included.
    pub(crate) frame: Vec<u8>,
}

/// What a frame says of TCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    /// It goes to the port that was asked for.
    pub(crate) is_client: bool,
    /// The flags of RFC 9293 §3.1, without CWR and ECE.
    pub(crate) flags: u8,
    /// Octets of data.
    pub(crate) data: usize,
}

impl Packet {
    /// The segment of TCP in a frame of IPv4 without options that goes to or comes from `port`.
    pub(crate) fn segment(&self, port: u16) -> Option<Segment> {
        let frame = &self.frame;
        let number = |at: usize| Some(u16::from_be_bytes([*frame.get(at)?, *frame.get(at + 1)?]));
        let is_client = number(36)? == port;
        (*frame.get(23)? == 6 && (is_client || number(34)? == port)).then_some(())?;
        let headers = 20 + usize::from(frame.get(46)? >> 4) * 4;
        let data = usize::from(number(16)?).saturating_sub(headers);
        Some(Segment { is_client, flags: frame.get(47)? & 0x3f, data })
    }
}

impl Node {
    /// Captures both what leaves the node in this direction and what comes from there.
    pub(crate) fn capture(&self, direction: Direction) -> Capture {
        let file = NamedTempFile::new().expect("make a temporary file");
        let mut tcpdump = self
            .command("tcpdump")
            // What it has no time for meanwhile is kept, up to so many KiB.
            .args(["-n", "-U", "-B", "16384", "--time-stamp-precision=nano"])
            .args(["-Z", &user(), "-i", direction.exit(), "-w"])
            .arg(file.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| missing("tcpdump", &error));
        let mut messages = BufReader::new(tcpdump.stderr.take().expect("stderr is piped")).lines();
        let first = messages.find(|line| !matches!(line, Ok(line) if !line.contains("listening")));
        assert!(first.is_some(), "tcpdump ends before it listens");
        Capture { tcpdump, file }
    }
}

impl Capture {
    /// Ends the capture and returns its frames, in the order of the wire.
    pub(crate) fn stop(mut self) -> Vec<Packet> {
        let pid = self.tcpdump.id();
        // Once its last block was handed over and tcpdump sleeps it has written all there was; a signal before may cost
        // the rest.
        sleep(BLOCK);
        while !sleeps(pid) {
            yield_now();
        }
        kill(Pid::from_raw(pid as i32), Signal::SIGINT).expect("stop tcpdump");
        self.tcpdump.wait().expect("wait for tcpdump");
        let bytes = std::fs::read(self.file.path()).expect("read the capture");
        read(&bytes).expect("tcpdump writes whole packets")
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        let _ = self.tcpdump.kill();
        let _ = self.tcpdump.wait();
    }
}

/// Whom tcpdump is to run as: an ordinary user's lab has no other user to change to.
fn user() -> String {
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten();
    user.map_or_else(|| "root".to_owned(), |user| user.name)
}

/// Whether a process waits for something, by the state in its proc_pid_stat(5).
fn sleeps(pid: u32) -> bool {
    let stat = read_to_string(format!("/proc/{pid}/stat")).expect("tcpdump is running");
    let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    assert_ne!(state, Some('Z'), "tcpdump has ended by itself");
    state == Some('S')
}

/// Reads a capture file of this machine's byte order and nanoseconds
/// (draft-ietf-opsawg-pcap §4, §5).
fn read(mut file: &[u8]) -> Option<Vec<Packet>> {
    const MAGIC: u32 = 0xa1b2_3c4d;
    let header = file.split_off(..24)?;
    (word(header, 0)? == MAGIC).then_some(())?;
    let mut packets = Vec::new();
    while !file.is_empty() {
        let record = file.split_off(..16)?;
        let length = word(record, 8)? as usize;
        packets.push(Packet {
            time: u64::from(word(record, 0)?) * 1_000_000_000 + u64::from(word(record, 4)?),
            frame: file.split_off(..length)?.to_vec(),
        });
    }
    Some(packets)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}
