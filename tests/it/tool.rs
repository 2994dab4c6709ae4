//! Programs that tests run, and rights that only some machines give.

use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use nix::unistd::geteuid;
use waddleperf::sys::clock;
use waddleperf::sys::wait::sleep;

/// The program under test.
pub(crate) const WADDLEPERF: &str = env!("CARGO_BIN_EXE_waddleperf");

/// Where a test keeps what the next run may use again; each takes a name of its own.
pub(crate) const KEPT: &str = env!("CARGO_TARGET_TMPDIR");

/// A program that `scripts/setup test` installs; fails the test where it is missing.
pub(crate) fn tool(name: &str) -> Command {
    let path = env::var_os("PATH").unwrap_or_default();
    let program = env::split_paths(&path)
        .chain(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|directory| directory.join(name))
        .find(|program| program.is_file())
        .unwrap_or_else(|| panic!("needs {name} (make setup-test)"));
    Command::new(program)
}

/// What a command wrote to its standard output, or a failed test with all that it said.
#[track_caller]
pub(crate) fn stdout(command: &mut Command) -> String {
    let output = output(command);
    succeeded(command, &output)
}

/// The standard output of what ended well, or a failed test with all that it said.
#[track_caller]
pub(crate) fn succeeded(command: &Command, output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{command:?}: {}\n{text}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

#[track_caller]
pub(crate) fn output(command: &mut Command) -> Output {
    for _ in 0..100 {
        match command.output() {
            // A child of another test's holds the file open that this one has just written, until it runs its program.
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => sleep(Duration::from_millis(20)),
            output => return output.unwrap_or_else(|error| panic!("start {command:?}: {error}")),
        }
    }
    panic!("start {command:?}: somebody writes to it");
}

/// A copy of the program under test at `path`, made by a child: a program that this process had open to write cannot be started as
/// long as a child of another test's, which is not yet a program of its own, has it open with it.
#[track_caller]
pub(crate) fn copy_to(path: &Path) {
    stdout(tool("cp").arg(WADDLEPERF).arg(path));
}

/// Runs a command without its output, 100 s at most: the most memory that it had, in KiB.
#[track_caller]
pub(crate) fn peak_kib(command: &mut Command) -> u64 {
    let child = command.stdout(Stdio::null()).spawn();
    let mut child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    peak_memory(&mut child, Duration::from_secs(100))
}

/// What a command wrote that ends in 100 s, and takes no more memory than a hostile peer may cost: 64 MiB.
#[track_caller]
pub(crate) fn cheap_output(command: &mut Command) -> Output {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let peak = peak_memory(&mut child, Duration::from_secs(100));
    let output = child.wait_with_output().expect("it has ended");
    assert!(
        (1..64 << 10).contains(&peak),
        "{command:?}: {peak} KiB: {}",
        String::from_utf8_lossy(&output.stdout)
    );
    output
}

/// Waits until `child` has ended, for `limit` at most: the most memory that it had beside its own program, in KiB.
#[track_caller]
pub(crate) fn peak_memory(child: &mut Child, limit: Duration) -> u64 {
    let (began, mut peak) = (clock::now().mono, 0);
    while child.try_wait().expect("a child").is_none() {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let kib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0)
        };
        // What it has of its own file says how it was built, not what it needs.
        peak = peak.max(kib("VmHWM:").saturating_sub(kib("RssFile:")));
        assert!(clock::now().mono - began < limit, "it takes too long");
        sleep(Duration::from_millis(5));
    }
    peak
}

/// The first nameserver of this system.
pub(crate) fn nameserver() -> IpAddr {
    let text = fs::read_to_string("/etc/resolv.conf").expect("/etc/resolv.conf");
    let mut servers = text.lines().filter_map(|line| line.strip_prefix("nameserver ")?.trim().parse().ok());
    servers.find(IpAddr::is_ipv4).expect("a nameserver of IPv4 in /etc/resolv.conf")
}

/// Whether this is the machine's root. If not, `make test` ends with `what` as not run; CI is root.
#[must_use]
pub(crate) fn real_root(what: &str) -> bool {
    let everyone = fs::read_to_string("/proc/self/uid_map")
        .is_ok_and(|map| map.split_whitespace().eq(["0", "0", "4294967295"]));
    if geteuid().is_root() && everyone {
        return true;
    }
    assert!(env::var_os("CI").is_none(), "{what}: CI must be root");
    let list = Path::new(KEPT).with_file_name("not-run");
    let mut list: File =
        OpenOptions::new().create(true).append(true).open(list).expect("open the list of tests not run");
    writeln!(list, "  {what}").expect("add to the list of tests not run");
    false
}
