//! A link named `iperf3`: the common command lines of client and server.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use waddleperf::sys::process::lives;
use waddleperf::sys::wait::sleep;

use super::Server;
use crate::bandwidth::form::paths;
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
        let words = ["Connecting to host 127.0.0.1, port", "its/sec", "sender", "receiver", "iperf Done."];
        for word in words {
            assert!(stdout.contains(word), "{args}: no {word}: {stdout}");
        }
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
    let document: Value =
        serde_json::from_str(&fs::read_to_string(&log).expect("a log")).expect("a document");
    assert_eq!(document["start"]["accepted_connection"]["host"], "127.0.0.1", "{document:#}");
    let sent = &report["end"]["sum_sent"]["bytes"];
    assert_eq!((&document["end"]["sum_sent"]["bytes"], &document["error"]), (sent, &Value::Null));
}

/// What a server prints that a stock client has tested by with `args`, and what that client prints.
fn shown(applet: &Applet, server: &str, args: &str) -> (String, String) {
    let port = port();
    let mut command = applet.command(&format!("-s -1 -B 127.0.0.1 -p {port} {server}"));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut said = BufReader::new(child.stderr.take().expect("its stderr")).lines();
    // It listens once it has said what a test may have.
    let is_there =
        |line: &std::io::Result<String>| line.as_ref().is_ok_and(|line| line.contains("a test may have"));
    assert!(said.any(|line| is_there(&line)), "it starts");
    let mut client = tool("iperf3");
    client.args(["-c", "127.0.0.1", "-p", &port.to_string()]).args(args.split_whitespace());
    let told = client.output().expect("it runs");
    assert!(told.status.success(), "{args}: {told:?}");
    let output = child.wait_with_output().expect("it ends");
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    (text(&output.stdout), text(&told.stdout))
}

#[test]
fn a_servers_screen_reads_like_iperf3s() {
    let _turn = shared();
    let applet = Applet::new();
    for (server, args, lines) in [
        (
            "-i 0.5",
            "-t 1 -b 5M",
            &[
                "Server listening on",
                "Accepted connection from 127.0.0.1, port ",
                "[  5] local 127.0.0.1 port ",
                "[ ID] Interval           Transfer     Bitrate",
                "[  5]   0.00-0.50   sec",
                "[  5]   0.50-1.00   sec",
                "- - - - - - - - - - - - - - - - - - - - - - - - -",
                "[ ID] Interval           Transfer     Bitrate",
                "[  5]   0.00-1.",
            ][..],
        ),
        (
            "-f k",
            "-t 1 -b 5M -R -P 2",
            &[
                "[  5] local",
                "[  6] local",
                "[ ID] Interval           Transfer     Bitrate         Retr  Cwnd",
                "[  5]   0.00-1.",
                "[  6]   0.00-1.",
                "[SUM]   0.00-1.",
                "[ ID] Interval           Transfer     Bitrate         Retr",
            ],
        ),
        (
            "-i 0",
            "-u -t 1 -b 5M --bidir",
            &[
                "[ ID][Role] Interval           Transfer     Bitrate         Jitter    Lost/Total Datagrams",
                "[  5][RX-S]   0.00-1.",
                "[  6][TX-S]   0.00-1.",
            ],
        ),
    ] {
        let (text, _) = shown(&applet, server, args);
        let mut rest = text.lines();
        for start in lines {
            assert!(rest.any(|line| line.starts_with(start)), "{server} {args}: no {start} in {text}");
        }
        let ends: Vec<&str> = text.lines().filter(|line| line.ends_with("er")).collect();
        assert_eq!(ends.len(), if args.contains("-P 2") { 3 } else { args.split("--").count() }, "{text}");
        let units = if server == "-f k" { " Kbits/sec" } else { "Mbits/sec" };
        assert!(ends.iter().all(|line| line.contains(units)), "{text}");
    }
    let (text, _) = shown(&applet, "--timestamps=[%Y]", "-n 1M");
    assert!(text.lines().count() > 6 && text.lines().all(|line| line.starts_with("[20")), "{text}");
}

#[test]
fn a_servers_documents_are_the_stock_servers() {
    let _turn = shared();
    let applet = Applet::new();
    for args in
        ["-t 1 -b 5M", "-t 1 -b 5M -R -P 2", "-t 1 -b 5M --bidir", "-u -t 1 -b 5M", "-u -R -t 1 -b 5M"]
    {
        let (ours, _) = shown(&applet, "-J", args);
        let port = port();
        let mut stock = tool("iperf3");
        let stock = stock.args(["-s", "-1", "-J", "-p", &port.to_string()]).stdout(Stdio::piped());
        let stock = stock.spawn().expect("it starts");
        let is_done = (0..100).any(|_| {
            sleep(Duration::from_millis(50));
            let mut client = tool("iperf3");
            let client = client.args(["-c", "127.0.0.1", "-p", &port.to_string()]);
            client.args(args.split_whitespace()).output().expect("it runs").status.success()
        });
        assert!(is_done, "{args}");
        let output = stock.wait_with_output().expect("it ends");
        let theirs = String::from_utf8_lossy(&output.stdout).into_owned();
        let of = |text: &str| {
            let document: Value =
                serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
            let mut all = BTreeSet::new();
            paths(&document, "", &mut all);
            all
        };
        let ours = of(&ours);
        let missing: Vec<String> = of(&theirs).into_iter().filter(|path| !ours.contains(path)).collect();
        assert!(missing.is_empty(), "{args}: {missing:?}");
    }
    let (text, _) = shown(&applet, "--json-stream -i 0.5", "-t 1 -b 5M");
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let names: Vec<&str> = events.iter().filter_map(|event| event["event"].as_str()).collect();
    // A client's second may be longer than the server's.
    let intervals = names.iter().filter(|name| **name == "interval").count();
    assert!(intervals >= 2 && intervals == names.len() - 2, "{text}");
    assert_eq!((names.first(), names.last()), (Some(&"start"), Some(&"end")), "{text}");
}

#[test]
fn a_client_that_asks_is_told_what_the_servers_screen_shows() {
    let _turn = shared();
    let applet = Applet::new();
    let asked = |server: &str, args: &str| {
        let (shown, told) = shown(&applet, server, &format!("{args} --get-server-output -J"));
        (shown, serde_json::from_str::<Value>(&told).unwrap_or_else(|error| panic!("{error}: {told}")))
    };
    for (server, args) in [("-J", "-b 5M"), ("--json-stream -i 0.5", "-b 5M -R"), ("-J", "-u -b 5M -l 1000")]
    {
        let (_, report) = asked(server, &format!("{args} -t 1"));
        let document = &report["server_output_json"];
        assert_eq!(document["end"]["sum_sent"]["bytes"], report["end"]["sum_sent"]["bytes"], "{report:#}");
        let intervals = document["intervals"].as_array().map_or(0, Vec::len);
        assert!(intervals >= if server.ends_with("0.5") { 2 } else { 1 }, "{document:#}");
        assert!(report["server_output_text"].is_null(), "{args}");
    }
    // All of many lines, too: as long as those of a hundred streams and more.
    let config = applet.file("config.toml");
    fs::write(&config, format!("[serve.iperf3]\n{}", super::OPEN)).expect("write the configuration");
    let server = format!("-i 0.1 --config {}", config.display());
    let (shown, report) = asked(&server, "-P 128 -b 1M -t 1");
    let text = report["server_output_text"].as_str().expect("a text");
    assert!(text.len() > 64 << 10, "{}", text.len());
    let of = |text: &str| {
        text.lines().filter(|line| line.contains(" sec ")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(of(text), of(&shown));
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
