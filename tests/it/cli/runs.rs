//! What a run prints and keeps, how it is stopped, and what it ends with.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};
use std::time::Duration;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use waddleperf::store::{Access, Answer, Data, Filter, Order, Query, Settings};
use waddleperf::sys::wait::sleep;

use super::{Reflector, said, told};

#[test]
fn text_is_a_line_for_each_reply_and_a_summary() {
    let (out, err, code) = said(&mut Reflector::start().udpping(&[]));
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines[0], "127.0.0.1: wp1, 80 octets every 10ms");
    for (seq, line) in lines[1..4].iter().enumerate() {
        let start = format!("80 bytes from 127.0.0.1: seq={seq} ttl=");
        assert!(line.starts_with(&start) && line.contains(" ms (up "), "{line}");
    }
    assert_eq!(lines[4..6], ["", "--- 127.0.0.1 udpping ---"]);
    assert!(lines[6].starts_with("3 sent, 3 received, 0.0 % lost (up 0.0 %, down 0.0 %)"), "{}", lines[6]);
    assert!(!out.contains('\x1b'), "colours are for terminals");
    assert_eq!((err.as_str(), code), ("", Some(0)));
}

#[test]
fn quiet_is_the_summary_alone_and_timestamps_come_first() {
    let reflector = Reflector::start();
    let (out, ..) = said(&mut reflector.udpping(&["-q"]));
    assert!(out.starts_with("--- 127.0.0.1 udpping ---\n"), "{out}");
    let (out, ..) = said(&mut reflector.udpping(&["-D"]));
    let stamped = out.lines().nth(1).expect("a line for the first reply");
    let seconds =
        stamped.strip_prefix('[').and_then(|rest| rest.split_once("] 80 bytes from ")).map(|cut| cut.0);
    let seconds: f64 = seconds.and_then(|seconds| seconds.parse().ok()).expect("a time in brackets");
    assert!(seconds > 1.7e9, "{stamped}");
}

#[test]
fn json_is_one_line_and_csv_two() {
    let reflector = Reflector::start();
    let (out, err, code) =
        said(&mut reflector.udpping(&["--json", "--label", "site=berlin", "--label", "rack=b=7"]));
    let record: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((out.lines().count(), err.as_str(), code), (1, "", Some(0)));
    assert_eq!(record["labels"], serde_json::json!({"site": "berlin", "rack": "b=7"}));
    assert_eq!(record["outcome"]["report"]["counts"]["received"], 3);
    let (out, ..) = said(&mut reflector.udpping(&["--csv"]));
    let columns: Vec<usize> = out.lines().map(|line| line.split(',').count()).collect();
    assert!(columns.len() == 2 && columns[0] == columns[1], "{out}");
}

#[test]
fn a_raised_threshold_ends_with_1_and_is_named() {
    let reflector = Reflector::start();
    let (out, err, code) =
        said(&mut reflector.udpping(&["-q", "--fail-on", "rtt_min > 0ns", "--fail-on", "loss_ratio > 1%"]));
    assert!(out.contains("3 received"), "{out}");
    assert!(err.starts_with("waddleperf udpping: 'rtt_min > 0ns' is raised: rtt_min is "), "{err}");
    assert_eq!((err.lines().count(), code), (1, Some(1)));
    let (_, err, code) = said(&mut reflector.udpping(&["--fail-on", "udpping.loss_ratio > 1%"]));
    assert_eq!((err.as_str(), code), ("", Some(0)));
}

#[test]
fn what_is_saved_can_be_read_and_nothing_else_is_kept() {
    let reflector = Reflector::start();
    let data = reflector.dir.path().join("kept");
    let place = data.to_str().expect("UTF-8");
    said(&mut reflector.udpping(&["--data", place, "--save", "--no-save"]));
    assert!(!Data::at(&data).store().exists(), "a run without --save makes no store");
    let (_, err, code) = said(&mut reflector.udpping(&["--data", place, "--save", "--label", "n=1"]));
    assert_eq!((err.as_str(), code), ("", Some(0)));
    let (_, _, code) =
        said(reflector.udpping(&["--data", place, "--label", "n=2"]).env("WADDLEPERF_SAVE", "1"));
    assert_eq!(code, Some(0));
    assert_eq!(labels(&data, "n"), ["1", "2"]);
}

/// The values of the label `name` of what is kept below `data`, oldest first.
fn labels(data: &Path, name: &str) -> Vec<String> {
    let access = Access::open(&Data::at(data), &Settings::default()).expect("a store");
    let query = Query::List { filter: Filter::default(), after: None, limit: 10, order: Order::Oldest };
    let Answer::List(page) = access.ask(&query).expect("an answer") else {
        panic!("records were asked for");
    };
    page.records.iter().filter_map(|record| record.labels().remove(name)).collect()
}

/// A run that would take long, from its first reply on.
fn long(reflector: &Reflector, args: &[&str]) -> (Child, BufReader<ChildStdout>) {
    let mut command = reflector.udpping(&[args, &["-c", "100000"]].concat());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    while !line.contains("seq=0") {
        line.clear();
        assert!(out.read_line(&mut line).expect("a line") > 0, "it ended early");
    }
    (child, out)
}

fn send(signal: Signal, to: &Child) {
    kill(Pid::from_raw(to.id().cast_signed()), signal).expect("it runs");
}

#[test]
fn a_signal_ends_it_with_what_there_is() {
    let reflector = Reflector::start();
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let (child, mut out) = long(&reflector, &[]);
        send(signal, &child);
        let mut rest = String::new();
        out.read_to_string(&mut rest).expect("the rest");
        assert!(rest.contains("--- 127.0.0.1 udpping, interrupted ---\n"), "{rest}");
        let (_, err, ended) = told(child.wait_with_output().expect("it ends"));
        assert_eq!((err.as_str(), ended), ("", Some(code)));
    }
}

#[test]
fn a_second_signal_ends_who_writes_to_a_reader_that_sleeps() {
    let reflector = Reflector::start();
    let mut traced = super::waddleperf(reflector.dir.path());
    traced.args(["httptrace", "http://127.0.0.1:1/", "--json"]);
    for mut command in [reflector.udpping(&["--json"]), traced] {
        // Nothing more fits into the pipe.
        let (_reader, mut writer) = std::io::pipe().expect("a pipe");
        for (flags, fills) in [(OFlag::O_NONBLOCK, true), (OFlag::empty(), false)] {
            fcntl(&writer, FcntlArg::F_SETFL(flags)).expect("flags");
            while fills && writer.write(&[b'.'; 512]).is_ok() {}
        }
        let mut child = command.stdout(writer).stderr(Stdio::null()).spawn().expect("it starts");
        drop(command);
        let writes = || {
            let threads = fs::read_dir(format!("/proc/{}/task", child.id())).expect("threads").flatten();
            let mut where_each = threads.map(|thread| fs::read_to_string(thread.path().join("wchan")));
            where_each.any(|place| place.is_ok_and(|place| place.contains("pipe_write")))
        };
        assert!((0..1000).any(|_| writes() || pause()), "it prints its record");
        for _ in 0..2 {
            send(Signal::SIGINT, &child);
            // Two that come at once are one.
            sleep(Duration::from_millis(200));
        }
        let has_ended = (0..1000).any(|_| child.try_wait().expect("a child").is_some() || pause());
        let _ = child.kill();
        let code = child.wait().expect("a child").code();
        assert!(has_ended && code == Some(130), "{code:?}");
    }
}

/// A moment; `false`.
fn pause() -> bool {
    sleep(Duration::from_millis(10));
    false
}

#[test]
fn a_reader_that_goes_away_ends_it_and_is_no_failure() {
    let reflector = Reflector::start();
    for args in [&[][..], &["--watch"]] {
        let (child, out) = long(&reflector, args);
        drop(out);
        let (_, err, code) = told(child.wait_with_output().expect("it ends"));
        assert_eq!((err.as_str(), code), ("", Some(0)), "{args:?}");
    }
}

#[test]
fn a_watch_goes_on_until_it_is_told_and_counts_all_runs() {
    let reflector = Reflector::start();
    let mut child =
        reflector.udpping(&["--watch", "-c", "2"]).stdout(Stdio::piped()).spawn().expect("it starts");
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    while !line.starts_with("run 2: 2 sent, 0.0 % lost") {
        line.clear();
        assert!(out.read_line(&mut line).expect("a line") > 0, "it ended early");
    }
    send(Signal::SIGTERM, &child);
    let mut rest = String::new();
    out.read_to_string(&mut rest).expect("the rest");
    assert!(rest.contains("--- 127.0.0.1: ") && rest.contains("packets       sent"), "{rest}");
    assert_eq!(child.wait().expect("it ends").code(), Some(143));
}
