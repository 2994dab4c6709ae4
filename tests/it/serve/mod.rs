//! `waddleperf serve` as a whole process: its sockets, its end, its manager, its rights.

mod activation;
mod memory;
mod scarce;

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::UdpSocket;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;

use crate::tool::{WADDLEPERF, copy_to, real_root, stdout, tool};

/// A running server; killed when dropped.
struct Server {
    child: Child,
    port: u16,
    notes: Vec<String>,
    data: tempfile::TempDir,
}

impl Server {
    fn start(args: &[&str]) -> Self {
        Self::with(args, |_| {})
    }

    /// Starts one on a free port, and waits until it has said where it listens and served its socket.
    fn with(args: &[&str], change: impl FnOnce(&mut Command)) -> Self {
        let data = tempfile::tempdir().expect("make a directory");
        let mut command = serve(data.path());
        command
            .args(["--listen", "iperf3=off", "--listen", "udpping=127.0.0.1:0"])
            .args(args)
            .stdout(Stdio::piped());
        change(&mut command);
        let mut child = command.spawn().expect("it starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its stdout")).lines();
        let mut notes = Vec::new();
        let port = loop {
            let line = lines.next().expect("it says where it listens").expect("text");
            notes.push(line.clone());
            let address = line.strip_prefix("udpping listens on udp ");
            if let Some((_, port)) = address.and_then(|address| address.rsplit_once(':')) {
                break port.parse().expect("a port");
            }
        };
        Self { child, port, notes, data }
    }

    fn ping(&self, args: &[&str]) -> Command {
        self.ping_at("127.0.0.1", args)
    }

    fn ping_at(&self, target: &str, args: &[&str]) -> Command {
        let mut command = Command::new(WADDLEPERF);
        command.args(["udpping", target, "-p", &self.port.to_string(), "--json"]).args(args);
        command.env("WADDLEPERF_DATA", self.data.path()).env("XDG_CONFIG_HOME", "/nowhere");
        command
    }

    /// Pings until it answers: the notes come before the threads.
    fn until_it_answers(&self) {
        self.until_it_answers_to(None);
    }

    fn until_it_answers_to(&self, key: Option<&Path>) {
        let answered = |_| {
            let mut ping = self.ping(&["-c", "1", "-W", "0.2"]);
            ping.args(key.iter().flat_map(|key| [Path::new("--key-file"), key]))
                .output()
                .expect("it runs")
                .status
                .success()
        };
        assert!((0..50).any(answered), "no answer on port {}", self.port);
    }

    /// Sends SIGTERM while another session runs, and waits until new ones are refused.
    fn begin_to_end(&self) {
        // The other session is open once the reflector has answered another one meanwhile.
        let answered =
            |_| self.ping(&["-c", "5", "-i", "20ms"]).output().is_ok_and(|done| done.status.success());
        assert!((0..50).any(answered));
        self.signal(Signal::SIGTERM);
        let refused = |_| !self.ping(&["-c", "1", "-W", "0.2"]).output().expect("it runs").status.success();
        assert!((0..10).any(refused), "a new session was opened after SIGTERM");
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).expect("send a signal");
    }

    fn ended(&mut self) -> (ExitStatus, Duration) {
        let begin = now();
        (self.child.wait().expect("it ends"), begin.elapsed())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn serve(data: &Path) -> Command {
    let mut command = Command::new(WADDLEPERF);
    command.arg("serve").arg("--data").arg(data).env("XDG_CONFIG_HOME", "/nowhere");
    command
}

#[expect(clippy::disallowed_methods, reason = "a test looks from outside")]
fn now() -> Instant {
    Instant::now()
}

/// What a process that fails says: its exit code and its one line.
fn refusal(command: &mut Command) -> (Option<i32>, String) {
    let output = command.output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(said.lines().count(), 1, "{said}");
    (output.status.code(), said)
}

#[test]
fn sigterm_lets_a_running_session_end_and_opens_no_other() {
    let mut server = Server::start(&[]);
    server.until_it_answers();
    let mut long = server
        .ping(&["-c", "160", "-i", "50ms", "--catch-up"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    server.begin_to_end();
    assert!(long.try_wait().expect("look at it").is_none(), "the long session still runs");
    let report: serde_json::Value =
        serde_json::from_reader(long.stdout.take().expect("its stdout")).expect("a record");
    let counts = &report["outcome"]["report"]["counts"];
    assert_eq!((&counts["sent"], &counts["received"]), (&160.into(), &160.into()), "{report}");
    let (status, _) = server.ended();
    assert_eq!(status.code(), Some(0));
    assert!(long.wait().expect("it ends").success());
}

#[test]
fn a_second_sigterm_ends_it_at_once() {
    let mut server = Server::start(&[]);
    server.until_it_answers();
    let mut long =
        server.ping(&["-c", "100", "-i", "100ms"]).stdout(Stdio::null()).spawn().expect("it starts");
    server.begin_to_end();
    server.signal(Signal::SIGTERM);
    let (status, took) = server.ended();
    assert_eq!(status.code(), Some(143));
    assert!(took < Duration::from_secs(2), "{took:?}");
    long.kill().expect("end the client");
    long.wait().expect("it ends");
}

#[test]
fn the_service_manager_is_told_what_happens() {
    let place = tempfile::tempdir().expect("make a directory");
    let path = place.path().join("notify");
    let manager = UnixDatagram::bind(&path).expect("a socket");
    manager.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out");
    let told = || {
        let mut octets = [0; 256];
        let count = manager.recv(&mut octets).expect("a message in time");
        String::from_utf8_lossy(&octets[..count]).into_owned()
    };
    let mut server = Server::with(&[], |command| {
        command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "200000");
    });
    assert_eq!(told(), "READY=1");
    assert_eq!(told(), "WATCHDOG=1");
    server.signal(Signal::SIGHUP);
    let next = || (0..100).map(|_| told()).find(|told| told != "WATCHDOG=1").unwrap_or_default();
    let before = clock_gettime(ClockId::CLOCK_MONOTONIC).map(Duration::from).expect("the clock");
    let reloading = next();
    let at = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").and_then(|at| at.parse().ok());
    let at = Duration::from_micros(at.unwrap_or_else(|| panic!("{reloading}")));
    assert!(at.abs_diff(before) < Duration::from_secs(20), "{at:?}, {before:?}");
    assert_eq!(next(), "READY=1");
    server.signal(Signal::SIGTERM);
    assert!((0..100).any(|_| told() == "STOPPING=1"));
    assert_eq!(server.ended().0.code(), Some(0));
}

#[test]
fn a_port_that_is_taken_is_named_on_one_line() {
    let taken = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let address = taken.local_addr().expect("its address").to_string();
    let data = tempfile::tempdir().expect("make a directory");
    let (code, said) = refusal(serve(data.path()).args([
        "--listen",
        "iperf3=off",
        "--listen",
        &format!("udpping={address}"),
    ]));
    assert_eq!(code, Some(3));
    assert!(said.contains(&format!("bind udp {address}: ")) && said.contains("in use"), "{said}");
}

#[test]
fn what_is_asked_wrongly_is_refused_with_its_form() {
    let data = tempfile::tempdir().expect("make a directory");
    for (args, part) in [
        (&["--listen", "http=127.0.0.1:80"][..], "names: udpping, stamp, iperf3"),
        (&["--listen", "udpping=nowhere"], "ADDRESS:PORT"),
        (&["--udp-key-file", "/nowhere/key"], "/nowhere/key"),
    ] {
        let (code, said) = refusal(
            serve(data.path()).args(["--listen", "iperf3=off", "--listen", "udpping=127.0.0.1:0"]).args(args),
        );
        assert!(matches!(code, Some(2 | 3)), "{args:?}: {code:?}");
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn a_key_that_others_may_read_is_refused() {
    let place = tempfile::tempdir().expect("make a directory");
    let key = place.path().join("key");
    fs::write(&key, "a shared secret").expect("write the key");
    let serving = || {
        let mut command = serve(&place.path().join("data"));
        command
            .args(["--listen", "iperf3=off", "--listen", "udpping=127.0.0.1:0", "--udp-key-file"])
            .arg(&key);
        command
    };
    let pinging = || {
        let mut command = Command::new(WADDLEPERF);
        command.args(["udpping", "127.0.0.1", "-q", "-c", "1", "--key-file"]).arg(&key);
        command.arg("--data").arg(place.path().join("data")).env("XDG_CONFIG_HOME", "/nowhere");
        command
    };
    for mode in [0o644, 0o640, 0o604, 0o620] {
        fs::set_permissions(&key, fs::Permissions::from_mode(mode)).expect("open it");
        for mut command in [serving(), pinging()] {
            let (code, said) = refusal(&mut command);
            assert_eq!(code, Some(2), "{said}");
            let shown = key.display();
            assert!(said.contains(&format!("key file {shown}: mode {mode:04o} ")), "{said}");
            assert!(said.trim_end().ends_with(&format!("chmod 600 {shown}")), "{said}");
        }
    }
    for mode in [0o600, 0o400] {
        fs::set_permissions(&key, fs::Permissions::from_mode(mode)).expect("close it");
        let server = Server::start(&["--udp-key-file", key.to_str().expect("UTF-8")]);
        server.until_it_answers_to(Some(&key));
    }
}

#[test]
fn a_server_touches_only_its_own_files() {
    let place = tempfile::tempdir().expect("make a directory");
    let config = place.path().join("etc").join("c.toml");
    fs::create_dir(config.parent().expect("a parent")).expect("make it");
    fs::write(&config, "").expect("write the configuration");
    let mut server = Server::with(&["-v", "--config", config.to_str().expect("UTF-8")], |command| {
        command.stderr(Stdio::piped());
    });
    server.until_it_answers();
    // A file that a link puts in the place of its own is none of those that it may read.
    let elsewhere = place.path().join("elsewhere.toml");
    fs::write(&elsewhere, "nonsense = 1").expect("write another");
    fs::remove_file(&config).expect("remove its own");
    std::os::unix::fs::symlink(&elsewhere, &config).expect("link the other");
    let mut lines =
        BufReader::new(server.child.stderr.take().expect("its stderr")).lines().map_while(Result::ok);
    let mut complaint = || {
        server.signal(Signal::SIGHUP);
        lines.find(|line| line.contains("nothing was changed") || line.contains("not confined"))
    };
    let told = complaint().expect("it goes on");
    if told.contains("not confined") {
        // A kernel without landlock.
        return;
    }
    assert!(told.to_lowercase().contains("permission denied"), "{told}");
    // One beside it that is put in its place, as editors do, is.
    fs::write(config.with_extension("new"), "nonsense = 1").expect("write the new one");
    fs::rename(config.with_extension("new"), &config).expect("put it in place");
    let told = complaint().expect("it goes on");
    assert!(told.contains("nonsense"), "{told}");
}

#[test]
fn started_as_root_it_keeps_no_right() {
    if !real_root("serve::started_as_root_it_keeps_no_right") {
        return;
    }
    let server = Server::start(&["--user", "nobody"]);
    server.until_it_answers();
    assert!(server.notes.len() < 3, "{:?}", server.notes);
    let (status, field) = rights(&server);
    let nobody = fs::metadata(server.data.path()).expect("DATA").uid().to_string();
    assert_ne!(nobody, "0", "DATA belongs to the account");
    assert!(field("Uid").iter().all(|uid| *uid == nobody), "{status}");
    assert_without_rights(&server);
}

#[test]
fn root_without_the_account_keeps_no_right_either() {
    if !real_root("serve::root_without_the_account_keeps_no_right_either") || has_account() {
        return;
    }
    let mut server = Server::start(&[]);
    server.until_it_answers();
    let (status, field) = rights(&server);
    assert!(field("Uid").iter().all(|uid| uid == "0"), "{status}");
    assert_without_rights(&server);
    stdout(&mut server.ping(&["-c", "1", "--save"]));
    let socket = server.data.path().join("control.sock");
    assert_eq!(fs::metadata(socket).expect("its socket").uid(), 0, "DATA is written to");
    server.signal(Signal::SIGTERM);
    assert!(server.ended().0.success());
}

#[test]
fn root_without_the_account_becomes_who_owns_data() {
    if !real_root("serve::root_without_the_account_becomes_who_owns_data") || has_account() {
        return;
    }
    let mut server = Server::with(&[], |command| {
        let data = command.get_args().skip_while(|word| *word != "--data").nth(1).expect("DATA");
        std::os::unix::fs::chown(data, Some(4711), Some(4711)).expect("give it away");
    });
    server.until_it_answers();
    let (status, field) = rights(&server);
    assert!(field("Uid").iter().all(|uid| uid == "4711"), "{status}");
    assert_without_rights(&server);
    server.signal(Signal::SIGTERM);
    assert!(server.ended().0.success());
}

/// Whether this machine has the account that a server looks for.
fn has_account() -> bool {
    fs::read_to_string("/etc/passwd")
        .is_ok_and(|accounts| accounts.lines().any(|a| a.starts_with("waddleperf:")))
}

/// What the kernel says of a server, and its fields by name.
fn rights(server: &Server) -> (String, impl Fn(&str) -> Vec<String> + use<>) {
    let status = fs::read_to_string(format!("/proc/{}/status", server.child.id())).expect("its status");
    let told = status.clone();
    let field = move |name: &str| {
        let line = told.lines().find_map(|line| line.strip_prefix(name)).expect("a field");
        line.trim_start_matches(':').split_whitespace().map(str::to_owned).collect()
    };
    (status, field)
}

fn assert_without_rights(server: &Server) {
    let (_, field) = rights(server);
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert_eq!(field(set), ["0000000000000000"], "{set}");
    }
    assert_eq!(field("NoNewPrivs"), ["1"]);
}

#[test]
fn port_862_without_the_capability_names_the_remedy() {
    if !real_root("serve::port_862_without_the_capability_names_the_remedy") {
        return;
    }
    let place = tempfile::tempdir().expect("make a directory");
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o777)).expect("open it");
    let program = place.path().join("waddleperf");
    copy_to(&program);
    // A fresh namespace has the usual bounds, whatever this machine allows.
    let mut command = tool("unshare");
    command.args(["-n", "runuser", "-u", "nobody", "--"]).arg(&program);
    command.args([
        "serve",
        "--listen",
        "iperf3=off",
        "--listen",
        "udpping=off",
        "--listen",
        "stamp=0.0.0.0:862",
        "--data",
    ]);
    let (code, said) = refusal(command.arg(place.path().join("data")));
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("CAP_NET_BIND_SERVICE") && said.contains("ip_unprivileged_port_start"), "{said}");
}

#[test]
fn it_says_what_it_is_in_its_help() {
    let help = stdout(Command::new(WADDLEPERF).args(["serve", "--help"]));
    assert!(help.contains("--udp-legacy") && help.contains("Usage: waddleperf serve"), "{help}");
}
