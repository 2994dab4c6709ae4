//! Runs from cron beside a server that holds the store are as good as runs alone.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use waddleperf::store::{Answer, Data, Filter, Order, Query, Record, Store};

use super::{Place, closed_port, course};
use crate::tool::{WADDLEPERF, output};

/// A server without targets, ended with the test; and its reflector's port.
struct Server(Child, u16);

impl Server {
    fn on(place: &Place) -> Self {
        let mut child = Command::new(WADDLEPERF)
            .args([
                "serve",
                "--listen",
                "iperf3=off",
                "--listen",
                "udpping=127.0.0.1:0",
                "--user",
                "root",
                "--config",
                "/dev/null",
                "--data",
            ])
            .arg(place.data())
            .stdout(Stdio::piped())
            .spawn()
            .expect("start the server");
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().expect("its output"));
        out.read_line(&mut line).expect("its first line");
        let port =
            line.strip_prefix("udpping listens on udp 127.0.0.1:").and_then(|port| port.trim().parse().ok());
        Self(child, port.unwrap_or_else(|| panic!("its port in {line:?}")))
    }

    fn end(mut self) {
        let pid = Pid::from_raw(i32::try_from(self.0.id()).expect("a pid"));
        kill(pid, Signal::SIGTERM).expect("SIGTERM");
        assert!(self.0.wait().expect("its end").success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the store lists: runs and measurements, oldest first.
fn listed(place: &Place) -> Vec<String> {
    let store = Store::take(&Data::at(place.data())).expect("the store").expect("free");
    let query = Query::List { filter: Filter::default(), after: None, limit: 1000, order: Order::Oldest };
    let Answer::List(page) = store.ask(&query).expect("a list") else { panic!("a list") };
    let told = page.records.iter().map(|record| match record {
        Record::Run(run) => course(&serde_json::to_value(run).expect("JSON")),
        Record::Measurement(found) => format!("{} of tier {}", found.probe.kind(), found.labels["tier"]),
        Record::Gap(_) => "a gap".to_owned(),
    });
    told.collect()
}

#[test]
fn beside_a_server_as_alone() {
    let port = closed_port();
    let (alone, beside) = (Place::new(port), Place::new(port));
    let server = Server::on(&beside);
    let expected = [
        "1 schedule hard suspect critical",
        "1 confirm hard tier2 critical",
        "2 confirmed hard tier3 critical",
        "3 escalation hard cooldown critical",
    ];
    for place in [&alone, &beside] {
        let records: Vec<_> = (0..2).flat_map(|_| place.run()).collect();
        assert_eq!(records.iter().map(course).collect::<Vec<_>>(), expected);
        assert_eq!(records[3]["budget"]["tier2"], 11);
        assert_eq!(records[1]["incident"], records[3]["incident"]);
    }
    server.end();
    let (alone, beside) = (listed(&alone), listed(&beside));
    assert_eq!(alone.len(), 8, "{alone:?}");
    assert_eq!(alone, beside);
}

#[test]
fn a_plugin_tells_numbers_and_limits() {
    let served = Place::new(closed_port());
    let server = Server::on(&served);
    let place = Place::new(server.1);
    let ended = output(&mut place.waddleperf(&["autoperf", "run", "--nagios"]));
    let line = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert_eq!(ended.status.code(), Some(0), "{line}");
    let (text, data) = line.trim_end().split_once(" | ").expect("performance data");
    assert_eq!(text, "WADDLEPERF OK - shop is well");
    let data: Vec<&str> = data.split(' ').collect();
    assert!(data.contains(&"'loss_ratio'=0%;5;;0;100"), "{line}");
    let rtt = data.iter().find_map(|datum| datum.strip_prefix("'rtt_p95'=")).expect("rtt_p95");
    let value = rtt.strip_suffix("s;0.1;;0;").expect("its limits");
    assert!(value.parse::<f64>().expect("a number") < 0.1, "{rtt}");
    server.end();
}
