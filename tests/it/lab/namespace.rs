//! One network namespace, held by an open file and by nothing else: it has no name and no
//! process, so it ends with the last thread inside and the last handle on it.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::panic::resume_unwind;
use std::process::{Command, Stdio, id};
use std::thread;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::{Pid, getpid, getppid};

use super::{privilege, sys};

/// A handle on a network namespace.
pub(super) struct Namespace {
    file: File,
}

impl Namespace {
    /// Makes a namespace; its loopback is down.
    pub(super) fn new() -> Self {
        let file = in_a_thread(|| {
            privilege::raise().and_then(|()| Ok(unshare(CloneFlags::CLONE_NEWNET)?)).expect(
                "the lab needs root or unprivileged user namespaces (user.max_user_namespaces, AppArmor)",
            );
            File::open("/proc/thread-self/ns/net").expect("open the new namespace")
        });
        Self { file }
    }

    /// Runs `body` on a thread of its own inside the namespace; a panic comes through.
    /// Sockets and files opened inside may be returned and keep belonging to the namespace.
    pub(super) fn run<T: Send>(&self, body: impl FnOnce() -> T + Send) -> T {
        in_a_thread(|| {
            enter(&self.file).expect("enter the namespace");
            body()
        })
    }

    /// A command that will start inside the namespace and be killed with the thread that starts it.
    pub(super) fn command(&self, program: &str) -> Command {
        let file = self.file.try_clone().expect("duplicate the namespace's file");
        let parent = getpid();
        let mut command = Command::new(program);
        command.env("PATH", path());
        sys::before_exec(&mut command, move || {
            enter(&file)?;
            show_interfaces();
            die_with(parent)
        });
        command
    }

    /// Runs a tool of the lab inside, feeding it `input`, and returns what it printed.
    ///
    /// # Panics
    /// When the tool is not installed or fails.
    pub(super) fn tool(&self, program: &str, arguments: &[&str], input: &str) -> String {
        let mut child = self
            .command(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| missing(program, &error));
        let written = child.stdin.take().expect("stdin is piped").write_all(input.as_bytes());
        let output = child.wait_with_output().expect("wait for the tool");
        assert!(
            written.is_ok() && output.status.success(),
            "{program} {}: {}\n{}\n{input}",
            arguments.join(" "),
            output.status,
            String::from_utf8_lossy(&output.stderr),
        );
        String::from_utf8(output.stdout).expect("the tool prints UTF-8")
    }

    /// A path other processes of the lab can open the namespace by.
    pub(super) fn path(&self) -> String {
        format!("/proc/{}/fd/{}", id(), self.file.as_raw_fd())
    }

    /// The number the kernel knows the namespace by.
    pub(super) fn inode(&self) -> u64 {
        self.file.metadata().expect("stat the namespace").ino()
    }
}

/// Why a program did not start, for whoever has to install it.
///
/// # Panics
/// Always.
pub(super) fn missing(program: &str, error: &io::Error) -> ! {
    match error.kind() {
        io::ErrorKind::NotFound => panic!("needs {program} (make setup-test)"),
        _ => panic!("start {program}: {error}"),
    }
}

fn in_a_thread<T: Send>(body: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(body).join().unwrap_or_else(|panic| resume_unwind(panic)))
}

/// Moves the calling thread into a namespace. Async-signal-safe.
fn enter(namespace: &File) -> io::Result<()> {
    privilege::raise()?;
    Ok(setns(namespace, CloneFlags::CLONE_NEWNET)?)
}

/// Gives the calling process a /sys that shows the interfaces of its network namespace. Where the
/// kernel refuses (a container with parts of /sys hidden), the host's stays. Async-signal-safe.
fn show_interfaces() {
    const NONE: Option<&str> = None;
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    let _ = unshare(CloneFlags::CLONE_NEWNS)
        .and_then(|()| mount(NONE, "/", NONE, private, NONE))
        .and_then(|()| mount(NONE, "/sys", Some("sysfs"), MsFlags::empty(), NONE));
}

/// Has the calling process killed when the thread that forked it ends. Async-signal-safe.
fn die_with(parent: Pid) -> io::Result<()> {
    set_pdeathsig(Signal::SIGKILL)?;
    if getppid() == parent { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
}

/// The user's PATH and where Debian keeps `ip`, `nft` and `tc`, which an ordinary user's lacks.
fn path() -> OsString {
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    path.push(":/usr/sbin:/sbin:/usr/bin:/bin");
    path
}
