//! A link named `iperf3`: the common command lines of client and server.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use waddleperf::sys::process::lives;
use waddleperf::sys::wait::sleep;

use super::Server;
use crate::lab::shared;
use crate::tool::{WADDLEPERF, tool};

struct Applet {
    directory: tempfile::TempDir,
}

impl Applet {
    fn new() -> Self {
        let applet = Self { directory: tempfile::tempdir().expect("a directory") };
        symlink(WADDLEPERF, applet.file("iperf3")).expect("a link");
        applet
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn command(&self, args: &str) -> Command {
        let mut command = Command::new(self.file("iperf3"));
        command.args(args.split_whitespace()).env("WADDLEPERF_DATA", self.file("data"));
        command
    }

    fn run(&self, args: &str) -> (Option<i32>, String, String) {
        let Output { status, stdout, stderr } = self.command(args).output().expect("it runs");
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        (status.code(), text(&stdout), text(&stderr))
    }
}

/// A port that is free.
fn port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    listener.local_addr().expect("an address").port()
}

#[test]
fn a_clients_common_lines_are_understood() {
    let _turn = shared();
    let (applet, server) = (Applet::new(), Server::open());
    let place = format!("-c 127.0.0.1 -p {}", server.port);
    for args in [
        "-t 1",
        "-uRt1 -b 5M -l1000 --pacing-timer 1000",
        "-n 1M -P 2 -N -Z -w 256K -M 1200 -C reno --repeating-payload",
        "-4 -t 1 -i 0.5 -O 0.2 -f m -V -T title --timestamps=%T --forceflush --dscp ef",
        "-t 1 --bidir --connect-timeout 3000 --rcv-timeout 5000 --snd-timeout 5000 --cntl-ka",
        "-t 1 -A 0 -S 0x10 --extra-data x --udp-counters-64bit --get-server-output -d",
    ] {
        let (code, stdout, stderr) = applet.run(&format!("{place} {args}"));
        assert_eq!(code, Some(0), "{args}: {stdout} {stderr}");
        assert!(stdout.contains("limit"), "{args}: {stdout}");
    }
    for args in ["-J", "--json"] {
        let (_, stdout, _) = applet.run(&format!("{place} -n 1M {args}"));
        let document: Value = serde_json::from_str(&stdout).expect("a document");
        assert!(document["end"]["sum_received"]["bytes"].as_u64() > Some(1 << 19), "{document}");
    }
    let (code, stdout, _) = applet.run("-v");
    assert!(code == Some(0) && stdout.contains(env!("CARGO_PKG_VERSION")), "{stdout}");
}

#[test]
fn what_is_not_done_is_refused_in_a_line() {
    let applet = Applet::new();
    for (args, word) in [
        ("-c h --sctp", "SCTP is not spoken here"),
        ("-c h -F file", "no file is sent"),
        ("-c h -D", "--daemon is for the server"),
        ("-s -u", "--udp is for the client"),
        ("-s -c h", "exclude each other"),
        ("-c h -t", "-t needs a value"),
    ] {
        let (code, stdout, stderr) = applet.run(args);
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{args}: {stderr}");
        assert!(stderr.lines().count() == 1 && stderr.contains(word), "{args}: {stderr}");
    }
}

#[test]
fn a_server_in_the_background_serves_one_test_and_ends() {
    let _turn = shared();
    let applet = Applet::new();
    let (pidfile, log, port) = (applet.file("pid"), applet.file("log"), port());
    let args = format!(
        "-s -D -1 -J -B 127.0.0.1 -p {port} -I {} --logfile {} --server-bitrate-limit 50M/2",
        pidfile.display(),
        log.display()
    );
    // Whoever has started it is free again at once.
    let mut command = applet.command(&args);
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("it starts");
    assert!(status.success(), "{status}");
    let number = || fs::read_to_string(&pidfile).ok()?.trim().parse::<i32>().ok();
    let patience = |is: &dyn Fn() -> bool| {
        (0..200).any(|_| {
            sleep(Duration::from_millis(50));
            is()
        })
    };
    assert!(patience(&|| number().is_some()), "it writes its number");
    let pid = number().expect("a number");
    assert!(lives(pid) && pid != std::process::id() as i32);
    // A second one with this file sees that the first lives.
    let (code, _, stderr) = applet.run(&format!("-s -p {port} -I {}", pidfile.display()));
    assert!(code == Some(2) && stderr.contains("lives"), "{code:?} {stderr}");
    // Its sockets were open before.
    let mut client = tool("iperf3");
    let args = format!("-c 127.0.0.1 -p {port} -t 1 -J");
    let output = client.args(args.split_whitespace()).output().expect("it runs");
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    assert!(report.get("error").is_none(), "{report:#}");
    let bits = report["end"]["sum_received"]["bits_per_second"].as_f64().expect("a rate");
    assert!(bits < 60e6, "{bits}");
    // Whose child it became need not have noticed.
    let is_zombie = || {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        status.contains("State:\tZ")
    };
    assert!(patience(&|| !lives(pid) || is_zombie()), "it ends after one test");
    assert_eq!(number(), None, "its number is nobody's");
    let _ = fs::read_to_string(&log).expect("a log");
}

#[test]
fn one_that_is_refused_does_not_count_for_one_off() {
    let _turn = shared();
    let keys = crate::rsa::Keys::new();
    let (applet, port) = (Applet::new(), port());
    let (private, users) = (keys.private(), keys.users());
    let args = format!(
        "-s -1 -B 127.0.0.1 -p {port} --use-pkcs1-padding --time-skew-threshold 30 --rsa-private-key-path {} --authorized-users-path {}",
        private.display(),
        users.display()
    );
    let mut server = applet.command(&args);
    let mut server = server.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let run = |password: &str| {
        let mut client = tool("iperf3");
        let args = format!("-c 127.0.0.1 -p {port} -n 100K {}", keys.client());
        let output = client.args(args.split_whitespace()).env("IPERF3_PASSWORD", password).output();
        let output = output.expect("it runs");
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let refused = (0..100).any(|_| {
        sleep(Duration::from_millis(50));
        run("wrong").1.contains("authorization failed")
    });
    assert!(refused && server.try_wait().expect("asked").is_none());
    let (is_well, says) = run(crate::rsa::USER.1);
    assert!(is_well, "{says}");
    assert!(server.wait().expect("it ends").success());
}
