//! What options do: on the wire, to processors, to what is printed.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use waddleperf::sys::clock;
use waddleperf::sys::wait::sleep;

use super::server::Iperf3;
use super::{bandwidth, both, number};
use crate::lab::{Direction, Hook, Lab, Packet, alone};
use crate::tool::WADDLEPERF;

/// Traffic class and flow label of a frame of IPv6 that is longer than those of a conversation; `None` of others.
fn label(packet: &Packet) -> Option<(u8, u32)> {
    let frame = &packet.frame;
    // Of UDP or TCP: an error that quotes a datagram is none.
    let is_data = frame.len() > 900 && frame[12..14] == [0x86, 0xdd] && [6, 17].contains(&frame[20]);
    let word = u32::from_be_bytes(frame.get(14..18)?.try_into().ok()?);
    is_data.then_some(((word >> 20) as u8, word & 0xf_ffff))
}

#[test]
fn flow_label_and_type_of_service_are_on_the_wire() {
    let _alone = alone();
    let lab = Lab::line(0).build();
    let _server = Iperf3::start(lab.server(), "");
    let address = lab.server().address6();
    for args in ["", "-u -l 1000 -P 2"] {
        let capture = lab.client().capture(Direction::Up);
        let args = format!("-t 1 -b 20M -S 0x48 -L 0x12345 {args} {address}");
        let (code, _, says) = bandwidth(lab.client(), &args);
        assert_eq!(code, Some(0), "{args}: {says}");
        let labels: Vec<_> = capture.stop().iter().filter_map(label).collect();
        assert!(labels.len() > 10, "{args}: {}", labels.len());
        let other = labels.iter().find(|found| **found != (0x48, 0x12345));
        assert_eq!(other, None, "{args}");
    }
    let (code, record, says) = bandwidth(lab.client(), &format!("-L 5 {}", lab.server().address4()));
    assert_eq!((code, &record["outcome"]["failure"]["class"]), (Some(2), &json!("usage")), "{says}");
}

#[test]
fn what_must_not_be_cut_is_not_sent() {
    let lab = Lab::line(0).build();
    let _stock = Iperf3::start(lab.server(), "");
    let to = lab.server().address4();
    for (args, is_sent) in
        [("-l 1400 --dont-fragment", true), ("-l 3000", true), ("-l 3000 --dont-fragment", false)]
    {
        let (code, record, says) = bandwidth(lab.client(), &format!("-u -b 5M -t 1 {args} {to}"));
        let seen = record["outcome"]["report"]["up"]["udp"]["seen"].as_f64().unwrap_or(0.0);
        assert_eq!((code == Some(0), seen > 100.0), (is_sent, is_sent), "{args}: {code:?} {says} {record}");
        let why = record.to_string().to_lowercase();
        assert!(is_sent || why.contains("message too long"), "{record}");
    }
}

#[test]
fn a_test_runs_on_the_processor_that_it_is_bound_to() {
    let lab = Lab::line(0).build();
    let _server = Iperf3::start(lab.server(), "");
    let mut command = lab.client().command(WADDLEPERF);
    command.args(["bandwidth", "-A", "0,1", "-t", "30", "-b", "1M", "-i", "0.5", "-P", "2"]);
    let mut client =
        command.arg(lab.server().address4().to_string()).stdout(Stdio::piped()).spawn().expect("it runs");
    let mut lines = BufReader::new(client.stdout.take().expect("its stdout")).lines();
    // It runs once it has told an interval.
    assert!(lines.any(|line| line.expect("text").contains("Mbit/s")), "it has ended");
    let tasks = fs::read_dir(format!("/proc/{}/task", client.id())).expect("its threads");
    let mut bound = Vec::new();
    for task in tasks.map(|task| task.expect("a thread").path()) {
        let read = |name: &str| fs::read_to_string(task.join(name)).unwrap_or_default();
        if read("comm").trim() == "bulk" {
            let status = read("status");
            let line = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
            bound.push(line.map(|list| list.trim().to_owned()));
        }
    }
    client.kill().expect("killed");
    client.wait().expect("waited for");
    assert_eq!(bound, [Some("0".to_owned()), Some("0".to_owned())]);
    let (code, _, says) = bandwidth(lab.client(), &format!("-A 1024 {}", lab.server().address4()));
    assert!(code == Some(2) && says.contains("-A 1024"), "{code:?} {says}");
}

#[test]
fn the_kernel_keeps_to_the_rate_that_it_was_given() {
    let _alone = alone();
    let lab = Lab::line(1).build();
    let (report, _) = both(&lab, "-t 3 --fq-rate 20M");
    let rate = number(&report["up"]["throughput_bps"]);
    // Headers count as well, and nothing else is slower.
    assert!((12e6..=20.5e6).contains(&rate), "{rate}");
}

#[test]
fn what_has_no_answer_is_given_up_in_time() {
    let lab = Lab::line(1).build();
    let _server = Iperf3::start(lab.server(), "");
    let mut command = lab.client().command(WADDLEPERF);
    command.args(["bandwidth", "--json", "-t", "60", "-b", "5M", "--snd-timeout", "1000"]);
    command.arg(lab.server().address4().to_string());
    let client = command.stdout(Stdio::piped()).spawn().expect("it runs");
    sleep(Duration::from_millis(1500));
    lab.link(0).pull();
    let began = clock::now().mono;
    let output = client.wait_with_output().expect("it ends");
    // By default it would take the kernel a quarter of an hour.
    assert!(clock::now().mono - began < Duration::from_secs(20), "{output:?}");
    let record: Value = serde_json::from_slice(&output.stdout).expect("a record");
    assert_eq!((output.status.code(), &record["partial"]), (Some(1), &json!(true)), "{record}");
    assert!(record["outcome"]["report"]["ended"].is_string(), "{record}");
}

#[test]
fn a_translator_that_forgets_the_silent_is_kept_awake() {
    let lab = Lab::line(1).build();
    let _server = Iperf3::start(lab.server(), "");
    let router = lab.router(1);
    // It forgets a connection that is silent for three seconds, and lets nothing of what it does not know through.
    let _rule = router.rule(Hook::Forward, "ip protocol tcp ct state invalid", "drop");
    router.sysctl("net.netfilter.nf_conntrack_tcp_loose", "0");
    router.sysctl("net.netfilter.nf_conntrack_tcp_timeout_established", "3");
    let run = |keepalive: &str| {
        let (code, record, _) = bandwidth(
            lab.client(),
            &format!("-u -b 100K -l 500 -t 8 {keepalive} --snd-timeout 3s {}", lab.server().address4()),
        );
        (code, record["outcome"]["report"]["ended"].clone())
    };
    assert_eq!(run("--cntl-ka=1/1/3"), (Some(0), Value::Null));
    let (code, ended) = run("--cntl-ka=60");
    assert!(code != Some(0) && ended.is_string(), "{code:?} {ended}");
}

#[test]
fn an_endless_test_ends_when_it_is_interrupted() {
    let lab = Lab::line(0).build();
    let _server = Iperf3::start(lab.server(), "");
    let address = lab.server().address4().to_string();
    let mut command = lab.client().command(WADDLEPERF);
    command.args(["bandwidth", "--json", "-t", "0", "-b", "1M", &address]).stdout(Stdio::piped());
    let mut client = command.spawn().expect("it runs");
    sleep(Duration::from_millis(2500));
    assert!(client.try_wait().expect("asked").is_none(), "it has ended");
    kill(Pid::from_raw(client.id() as i32), Signal::SIGINT).expect("signalled");
    let output = client.wait_with_output().expect("it ends");
    let record: Value = serde_json::from_slice(&output.stdout).expect("a record");
    assert_eq!((output.status.code(), &record["partial"]), (Some(130), &json!(true)), "{record}");
    assert!(number(&record["outcome"]["report"]["up"]["sent"]["bytes"]) > 200_000.0, "{record}");
}

#[test]
fn a_server_that_is_interrupted_is_told_and_ends_with_1() {
    let lab = Lab::line(0).build();
    let server = Iperf3::start(lab.server(), "");
    let mut command = lab.client().command(WADDLEPERF);
    command.args(["bandwidth", "--json", "-t", "30", "-b", "1M"]);
    command.arg(lab.server().address4().to_string()).stdout(Stdio::piped());
    let client = command.spawn().expect("it runs");
    sleep(Duration::from_millis(1500));
    server.interrupt();
    let output = client.wait_with_output().expect("it ends");
    let record: Value = serde_json::from_slice(&output.stdout).expect("a record");
    assert_eq!(output.status.code(), Some(1), "{record}");
    let ended = record["outcome"]["report"]["ended"].as_str().unwrap_or_default();
    assert!(ended.contains("interrupted"), "{record}");
}

#[test]
fn families_sources_and_ports_are_as_asked() {
    let lab = Lab::line(0).build();
    let (four, six) = (lab.server().address4().to_string(), lab.server().address6().to_string());
    let (from4, from6) = (lab.client().address4().to_string(), lab.client().address6().to_string());
    for (args, host) in [
        (format!("-4 -B {from4} --cport 6000 -P 3 {four}"), &from4),
        (format!("-6 -B {from6} --cport 6000 -P 3 {six}"), &from6),
        (format!("-u -b 1M -B {from4} --cport 6000 -P 3 {four}"), &from4),
    ] {
        let server = Iperf3::start(lab.server(), "-J -1");
        let (code, record, says) = bandwidth(lab.client(), &format!("-t 1 {args}"));
        assert_eq!(code, Some(0), "{args}: {says} {record}");
        let connected = server.json()["start"]["connected"].clone();
        let ends: Vec<(String, u64)> = connected
            .as_array()
            .expect("streams")
            .iter()
            .map(|of| {
                let host = of["remote_host"].as_str().unwrap_or_default();
                // Its one socket serves both families.
                let plain = host.strip_prefix("::ffff:").unwrap_or(host).to_owned();
                (plain, of["remote_port"].as_u64().unwrap_or_default())
            })
            .collect();
        assert_eq!(ends, [6000, 6001, 6002].map(|port| (host.clone(), port)), "{args}");
    }
    for args in [format!("-6 {four}"), format!("-4 {six}"), format!("-B {from4} {six}")] {
        let (code, _, says) = bandwidth(lab.client(), &args);
        assert!(code.is_some_and(|code| code != 0), "{args}: {says}");
    }
}

#[test]
fn what_is_printed_has_units_times_and_titles_as_asked() {
    let lab = Lab::line(0).build();
    let _server = Iperf3::start(lab.server(), "");
    let address = lab.server().address4().to_string();
    let run = |args: &str| {
        let mut command: Command = lab.client().command(WADDLEPERF);
        command.args(["bandwidth", "-t", "1", "-i", "0.5", "-b", "8M"]).args(args.split_whitespace());
        let output = command.arg(&address).output().expect("it runs");
        assert!(output.status.success(), "{args}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let intervals = |text: &str| text.lines().filter(|line| line.contains(" sec ")).count();
    for (unit, name) in [("k", "kbit/s"), ("g", "Gbit/s"), ("K", "KiB/s"), ("M", "MiB/s")] {
        let text = run(&format!("-f {unit}"));
        assert!(intervals(&text) >= 2, "{text}");
        let rates = text.lines().filter(|line| line.contains(" sec ") || line.starts_with("up"));
        assert!(rates.clone().count() >= 3 && rates.clone().all(|line| line.contains(name)), "{text}");
    }
    let text = run("-T night --timestamp-format [%Y]");
    let year = clock::now().timestamp().to_zoned(jiff::tz::TimeZone::system()).year();
    let lines: Vec<&str> = text.lines().filter(|line| line.contains(" sec ")).collect();
    assert!(lines.iter().all(|line| line.starts_with(&format!("[{year}] night:  [  1]"))), "{text}");
    assert!(text.lines().any(|line| line.starts_with(&format!("[{year}] night:  up "))), "{text}");
    let directory = tempfile::tempdir().expect("a directory");
    let log = directory.path().join("log");
    let to_log = format!("--logfile {} --forceflush", log.display());
    for times in [1, 2] {
        assert_eq!(run(&to_log), "");
        let text = fs::read_to_string(&log).expect("a log");
        assert_eq!(text.matches("limit ").count(), times, "{text}");
        assert!(intervals(&text) >= 4 * times, "{text}");
    }
}
