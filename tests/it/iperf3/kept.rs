//! Each test is a record in the store, with who and from where; and our own client against our own server.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use waddleperf::sys::wait::sleep;

use super::{OPEN, Server};
use crate::geoip::places;
use crate::lab::shared;
use crate::tool::{WADDLEPERF, stdout, tool};

/// The records that are kept in `data`, the oldest first, once there are `count`.
#[track_caller]
fn exported(data: &Path, count: usize) -> Vec<Value> {
    let mut text = String::new();
    for _ in 0..100 {
        let mut command = Command::new(WADDLEPERF);
        command.arg("--data").arg(data).args(["results", "export"]);
        text = stdout(&mut command);
        if text.lines().count() >= count {
            break;
        }
        sleep(Duration::from_millis(50));
    }
    let record = |line: &str| serde_json::from_str(line).expect("a record");
    let mut all: Vec<Value> = text.lines().map(record).collect();
    assert_eq!(all.len(), count, "{text}");
    all.sort_by_key(|record| record["at"].as_str().map(str::to_owned));
    all
}

impl Server {
    /// The records that it has kept, the oldest first, once there are `count`.
    #[track_caller]
    pub(super) fn records(&self, count: usize) -> Vec<Value> {
        exported(&self._data.path().join("data"), count)
    }
}

#[test]
fn each_record_tells_where_its_client_belongs() {
    let _turn = shared();
    let place = tempfile::tempdir().expect("a directory");
    let database = place.path().join("places.mmdb");
    std::fs::write(&database, crate::geoip::places(1_700_000_000)).expect("write");
    let server = Server::with(&format!("{OPEN}\n[geo]\nfiles = [\"{}\"]\n", database.display()));
    server.report("-n 1K");
    let records = server.records(1);
    let labels = &records[0]["labels"];
    assert_eq!((&labels["country"], &labels["asn"]), (&json!("DE"), &json!("64500")), "{}", records[0]);
    let unknown = Server::open();
    unknown.report("-n 1K");
    let records = unknown.records(1);
    assert!(
        records[0]["labels"]["country"].is_null() && records[0]["labels"]["asn"].is_null(),
        "{}",
        records[0]
    );
}

#[test]
fn each_test_is_a_record_with_who_and_from_where() {
    let _turn = shared();
    let server = Server::open();
    let up = server.report("-t 1 -P 2 -b 8M --title why --extra-data more");
    let down = server.report("-t 1 -u -R -b 4M -l 1000");
    let mut cut = tool("iperf3");
    cut.args(["-c", "127.0.0.1", "-t", "20", "-b", "1M", "-p", &server.port.to_string()]);
    let mut cut = cut.stdout(Stdio::null()).spawn().expect("it starts");
    sleep(Duration::from_millis(1500));
    cut.kill().expect("killed");
    cut.wait().expect("waited for");
    let records = server.records(3);
    let report = |n: usize| &records[n]["outcome"]["report"];
    for record in &records {
        assert_eq!(
            (&record["address"], &record["labels"]["role"]),
            (&json!("127.0.0.1"), &json!("server")),
            "{record}"
        );
        assert_eq!(
            (&record["labels"]["client_version"], &record["probe"]["kind"]),
            (&json!("3.12"), &json!("bandwidth"))
        );
    }
    assert_eq!(
        (&records[0]["probe"]["title"], &records[0]["probe"]["extra_data"]),
        (&json!("why"), &json!("more"))
    );
    // Both ends have told each other the same.
    assert_eq!(report(0)["up"]["received"]["bytes"], up["end"]["sum_received"]["bytes"]);
    assert_eq!(report(0)["up"]["sent"]["bytes"], up["end"]["sum_sent"]["bytes"]);
    assert_eq!(report(0)["up"]["parts"].as_array().map(Vec::len), Some(2));
    assert_eq!(report(0)["up"]["retransmits"], up["end"]["sum_sent"]["retransmits"]);
    assert!(
        report(0)["up"]["congestion"].is_string()
            && report(0)["down"].is_null()
            && report(0)["ended"].is_null()
    );
    let udp = &report(1)["down"]["udp"];
    assert_eq!(udp["seen"], down["end"]["sum_received"]["packets"], "{udp} {}", down["end"]);
    assert_eq!(
        (&udp["lost"], &records[1]["partial"]),
        (&down["end"]["sum_received"]["lost_packets"], &Value::Null)
    );
    // Of who vanished there is what was seen, and nothing of what he would have told.
    assert_eq!(
        (&records[2]["partial"], &report(2)["up"]["sent"]),
        (&json!(true), &Value::Null),
        "{}",
        records[2]
    );
    assert!(report(2)["ended"].is_string() && report(2)["up"]["received"]["bytes"].as_u64() > Some(50_000));
    server.signal(Signal::SIGTERM);
}

#[test]
fn who_is_interrupted_leaves_what_came_of_it_at_both_ends() {
    let _turn = shared();
    let config = format!("[serve]\ndrain = \"0s\"\n[serve.iperf3]\n{OPEN}");
    for (is_client, code, why) in [
        (true, 130, ["interrupted", "the client was interrupted"]),
        (false, 1, ["the far side was interrupted", "the server ends"]),
    ] {
        for args in ["", "-R", "--bidir -P 2", "-u -l 1000 -R"] {
            let server = Server::configured(&config, "127.0.0.1");
            let own = tempfile::tempdir().expect("a directory");
            let mut client = Command::new(WADDLEPERF);
            client.arg("--data").arg(own.path()).args([
                "bandwidth",
                "--save",
                "-i",
                "0.2",
                "-t",
                "30",
                "-b",
                "5M",
            ]);
            client.args(args.split_whitespace()).args(["-p", &server.port.to_string(), "127.0.0.1"]);
            let mut client = client.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
            let mut lines = BufReader::new(client.stdout.take().expect("its stdout")).lines();
            assert!(lines.any(|line| line.expect("text").contains("bit/s")), "{args}: it ends");
            let process = if is_client { client.id() } else { server.child.id() };
            kill(Pid::from_raw(process.cast_signed()), Signal::SIGINT).expect("signalled");
            let rest: Vec<String> = lines.map_while(Result::ok).collect();
            assert_eq!(client.wait().expect("it ends").code(), Some(code), "{args}: {rest:#?}");
            let records = [exported(own.path(), 1), server.records(1)];
            // What each end knows itself: of the way up the client what was sent.
            for ((record, why), [up, down]) in
                records.iter().flatten().zip(why).zip([["sent", "received"], ["received", "sent"]])
            {
                let report = &record["outcome"]["report"];
                assert_eq!((&record["partial"], &report["ended"]), (&json!(true), &json!(why)), "{record}");
                for moved in [&report["up"][up], &report["down"][down]] {
                    assert!(moved.is_null() || moved["bytes"].as_u64() > Some(10_000), "{args}: {record}");
                }
            }
        }
    }
}

#[test]
fn a_record_says_where_a_client_is_by_the_servers_own_database() {
    let _turn = shared();
    let data = tempfile::tempdir().expect("make a directory");
    let geo = data.path().join("data/geo");
    fs::create_dir_all(&geo).expect("make a directory");
    fs::write(geo.join("test.mmdb"), places(1_700_000_000)).expect("write a database");
    let config = format!("[serve.iperf3]\n{OPEN}");
    let server = Server::at(Command::new(WADDLEPERF), data, &config, "127.0.0.1", "udpping=off");
    server.report("-n 100K");
    let labels = server.records(1)[0]["labels"].clone();
    assert_eq!((&labels["country"], &labels["asn"]), (&json!("DE"), &json!("64500")), "{labels}");
    // Where nobody knows, nothing is said.
    let server = Server::open();
    server.report("-n 100K");
    let labels = server.records(1)[0]["labels"].clone();
    assert!(labels["role"] == "server" && labels["country"].is_null() && labels["asn"].is_null(), "{labels}");
}

#[test]
fn a_record_says_whether_the_server_copied() {
    let _turn = shared();
    // Ours say what they want; of stock clients the server decides.
    for (settings, own, copies) in [
        ("", "", (false, false)),
        ("", "--rx-copy", (true, false)),
        ("", "--tx-copy", (false, true)),
        ("rx_copy = true\ntx_copy = true", "", (true, true)),
    ] {
        let server = Server::with(&format!("{OPEN}{settings}\n"));
        let mut command = Command::new(WADDLEPERF);
        command.args(["bandwidth", "-R", "-n", "1M", "-p", &server.port.to_string(), "127.0.0.1"]);
        stdout(command.args(own.split_whitespace()));
        server.report("-R -n 1M");
        let records = server.records(2);
        let said = |n: usize| {
            let report = &records[n]["outcome"]["report"];
            (report["copied"] == json!(true), report["lent"] == json!(false))
        };
        let by_stock = settings.contains("true");
        assert_eq!((said(0), said(1)), (copies, (by_stock, by_stock)), "{settings} {own}");
    }
}

#[test]
fn our_own_client_is_served_too() {
    let _turn = shared();
    let server = Server::open();
    let port = server.port.to_string();
    for args in [
        "-t 1",
        "-t 1 -R -P 2",
        "-t 1 --bidir",
        "-n 5M -P 3",
        "-u -t 1 -b 10M -l 1000",
        "-u -t 1 -b 10M -R -O 1",
        "-u -t 1 -b 5M --bidir --gso",
        "-t 1 --get-server-output",
    ] {
        let mut command = Command::new(WADDLEPERF);
        command.args(["bandwidth", "--json", "-p", &port]).args(args.split_whitespace()).arg("127.0.0.1");
        let record: Value = serde_json::from_str(&stdout(&mut command)).expect("a record");
        let report = &record["outcome"]["report"];
        assert_eq!(report["ended"], Value::Null, "{args}: {report}");
        for way in ["up", "down"].into_iter().filter(|way| report[*way].is_object()) {
            let flow = &report[way];
            let (sent, received) = (flow["sent"]["bytes"].as_f64(), flow["received"]["bytes"].as_f64());
            let (sent, received) = (sent.expect("octets"), received.expect("octets"));
            assert!(
                received > 1e5 && (sent - received).abs() <= 0.1 * sent + 2e7,
                "{args} {way}: {sent} {received}"
            );
            // Our server tells what was omitted.
            assert!(flow["udp"].is_null() || flow["udp"]["with_omitted"] == false, "{args} {way}: {flow}");
        }
        if args.contains("output") {
            assert!(
                report["server_output"].as_str().is_some_and(|text| text.contains("receiver")),
                "{report}"
            );
        }
    }
}
