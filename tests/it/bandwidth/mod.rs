//! `bandwidth` against the stock iperf3 as server: what both say, what filters and shapers counted, and servers that are none.

mod counted;
mod edges;
pub(crate) mod factor;
pub(crate) mod form;
mod greeting;
mod hostile;
mod latency;
mod login;
mod names;
mod newer;
mod options;
pub(crate) mod search;
pub(crate) mod server;
mod stream;
mod timeouts;
mod witness;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use waddleperf::sys::wait::sleep;

use crate::lab::{Direction, Lab, Loss, Node, Shaper, alone, holds, one_of_three, overflowed};
use crate::tool::WADDLEPERF;
use server::Iperf3;

/// What `bandwidth` at `node` with `args` says: its exit code, the record or null, and stderr.
pub(crate) fn bandwidth(node: &Node, args: &str) -> (Option<i32>, Value, String) {
    let output =
        node.command(WADDLEPERF).args(["bandwidth", "--json"]).args(args.split_whitespace()).output();
    let output = output.expect("it runs");
    let record = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output.status.code(), record, String::from_utf8_lossy(&output.stderr).into_owned())
}

/// The report of a test that succeeds, and what the server says of it.
fn both(lab: &Lab, args: &str) -> (Value, Value) {
    let server = Iperf3::start(lab.server(), "-J -1");
    let (code, mut record, says) = bandwidth(lab.client(), &format!("{args} {}", lab.server().address4()));
    assert_eq!(code, Some(0), "{args}: {says} {record}");
    let report = record["outcome"]["report"].take();
    assert_eq!(report["ended"], Value::Null, "{args}: {report}");
    (report, server.json())
}

pub(crate) fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("no number: {value}"))
}

#[test]
fn both_ends_count_the_same_octets_of_tcp() {
    let lab = Lab::line(1).build();
    for (args, streams) in [
        ("-t 1", 1),
        ("-t 1 -R", 1),
        ("-t 1 -Z", 1),
        ("-t 1 -R -Z", 1),
        ("-t 1 -P 4", 4),
        ("-t 1 -R -P 2 --rx-copy", 2),
        ("-t 1 --bidir -P 2", 2),
        ("-t 1 -w 256K -M 1200 -N -S 0x10 -C reno", 1),
        ("-t 1 -O 1", 1),
        ("-t 1 -O 1 -R", 1),
    ] {
        let (report, server) = both(&lab, args);
        for (name, sum, suffix) in [("up", "sum_received", ""), ("down", "sum_sent", "_bidir_reverse")] {
            let flow = &report[name];
            if flow.is_null() {
                continue;
            }
            // Of one direction alone the server has no suffix.
            let suffix = if report["up"].is_null() || report["down"].is_null() { "" } else { suffix };
            let theirs = &server["end"][format!("{sum}{suffix}")];
            let told = if name == "up" { &flow["received"] } else { &flow["sent"] };
            assert_eq!(told["bytes"], theirs["bytes"], "{args} {name}: {flow} {theirs}");
            let (sent, received) = (number(&flow["sent"]["bytes"]), number(&flow["received"]["bytes"]));
            assert!(received > 1e6, "{args} {name}: {received}");
            // What was on the way at either end of what counts.
            assert!(
                (sent - received).abs() <= 0.02 * sent + 32e6 * streams as f64,
                "{args} {name}: {sent} sent, {received} received"
            );
            let parts = flow["parts"].as_array().expect("parts");
            assert_eq!(parts.len(), streams, "{args} {name}");
            let sum: f64 = parts.iter().map(|part| number(&part["received_bytes"])).sum();
            assert!((sum - received).abs() < 1.0, "{args} {name}: the sum of the streams");
            assert!(flow["retransmits"].is_u64() && flow["congestion"].is_string(), "{args} {name}: {flow}");
            assert!(flow["limit"]["evidence"].as_array().is_some_and(|all| !all.is_empty()), "{flow}");
        }
        assert!(number(&report["cpu"]["remote"]["total_ratio"]) > 0.0, "{args}");
    }
}

#[test]
fn streams_have_iperf3s_numbers_and_options_reach_the_wire() {
    let _alone = alone();
    let lab = Lab::line(1).build();
    let (report, server, packets) = one_of_three(|| {
        let capture = lab.client().capture(Direction::Up);
        let (report, server) =
            both(&lab, "-t 1 -P 3 -b 5M -S 0x48 -M 1000 -C reno -T title --extra-data more");
        let parts = report["up"]["parts"].as_array().expect("parts");
        let is_at_rate = |part: &Value| (number(&part["throughput_bps"]) / 5e6 - 1.0).abs() < 0.03;
        let is_so = parts.iter().all(is_at_rate) && report["up"]["limit"]["factor"] == "rate";
        holds(is_so, || report["up"].to_string())?;
        Ok((report, server, capture.stop()))
    });
    let ids = |of: &Value| {
        of.as_array().expect("streams").iter().map(|part| part["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&report["up"]["parts"]), [json!(1), json!(3), json!(4)]);
    assert_eq!((&server["title"], &server["extra_data"]), (&json!("title"), &json!("more")));
    assert_eq!(server["start"]["test_start"]["tos"], 0x48);
    assert_eq!(report["up"]["congestion"], "reno");
    let connected = server["start"]["connected"].as_array().expect("streams");
    let ports: Vec<u64> = connected.iter().filter_map(|of| of["remote_port"].as_u64()).collect();
    let from = |frame: &[u8]| u64::from(u16::from_be_bytes([frame[34], frame[35]]));
    let data: Vec<_> = packets.iter().filter(|packet| ports.contains(&from(&packet.frame))).collect();
    assert!(data.len() > 100, "{} segments of {ports:?}", data.len());
    for packet in data {
        assert_eq!(packet.frame[15], 0x48, "type of service");
    }
}

#[test]
fn what_is_omitted_is_not_of_the_number() {
    let lab = Lab::line(1).build();
    // The other way a stock server stops at the number that it has sent since its own clock began to count.
    for args in ["-n 3M", "-n 3M -P 2", "-u -b 40M -l 1000 -n 2M", "-n 3M -R", "-k 24 -R -P 2"] {
        let (report, _) = both(&lab, &format!("{args} -O 1"));
        let flow = if report["up"].is_null() { &report["down"] } else { &report["up"] };
        let own = if report["up"].is_null() { &flow["received"] } else { &flow["sent"] };
        let number = if args.contains("-u") { 2 << 20 } else { 3 << 20 };
        let intervals = flow["intervals"].as_array().expect("intervals");
        let omitted = intervals.iter().find(|interval| interval["omitted"] == true).expect("what is omitted");
        // What was under way when counting began is in it: a write, a read or a batch of each stream, and where a busy host takes
        // time away between the beginning of the one count and of the other, 20 ms of it.
        let late = omitted["bytes"].as_u64().expect("octets") / 50;
        let octets = own["bytes"].as_u64().expect("octets");
        assert!(
            (number..number + (2 << 20) + late).contains(&octets),
            "{args}: {octets} of {number}: {flow}"
        );
        let elapsed = own["elapsed_ms"].as_f64().expect("a time");
        assert!(elapsed < 5000.0, "{args}: {elapsed} ms: {flow}");
    }
}

#[test]
fn both_ends_count_the_same_datagrams() {
    let _alone = alone();
    let lab = Lab::line(1).build();
    for args in
        ["-t 1 -b 20M -l 1000", "-t 1 -b 20M -R -P 2", "-t 1 -b 10M --bidir", "-t 1 -b 20M -l 1000 -O 1"]
    {
        one_of_three(|| {
            let (report, server) = both(&lab, &format!("-u {args}"));
            assert!(server["end"]["sum"]["packets"].is_u64(), "{args}");
            for name in ["up", "down"] {
                let Some(udp) = report[name]["udp"].as_object() else { continue };
                let (sent, seen) = (number(&udp["sent"]), number(&udp["seen"]));
                // Of those that are on the way at the end nobody knows.
                assert!(sent >= seen && sent - seen <= 0.02 * sent + 4.0, "{args} {name}: {udp:?}");
                let asked =
                    if args.contains("20M") { 20e6 } else { 10e6 } * number(&json!(report["streams"]));
                let off = number(&report[name]["throughput_bps"]) / asked - 1.0;
                let is_clean = udp["lost"] == 0 && udp["loss_ratio"] == 0.0;
                holds(
                    is_clean
                        && number(&udp["jitter_ms"]) < 2.0
                        && off.abs() < 0.03
                        && report[name]["limit"]["factor"] == "rate",
                    || format!("{args} {name}: {off} {udp:?} {}", report[name]["limit"]),
                )?;
            }
            Ok(())
        });
    }
}

#[test]
fn loss_is_what_the_filter_has_dropped() {
    let lab = Lab::line(1).build();
    for (args, way) in [("", "up"), ("-R", "down")] {
        let router = lab.router(1);
        let everything = |loss| if way == "up" { router.drop_up(loss) } else { router.drop_down(loss) };
        // The conversation over TCP repairs its own losses; datagrams do not.
        let rule = everything(Loss::Exact { every: 20 });
        let before = overflowed([lab.client(), lab.server()]);
        let (report, _) = both(&lab, &format!("-u -b 10M -l 500 -t 2 {args}"));
        let udp = &report[way]["udp"];
        let (lost, behind, dropped) = (number(&udp["lost"]), number(&udp["behind"]), rule.dropped() as f64);
        // Of those after the last that was seen, which a server sends until it hears of the end, the filter drops its share;
        // and a few segments of the conversation.
        let unread = (overflowed([lab.client(), lab.server()]) - before) as f64;
        let expected = dropped + unread - behind * 0.05;
        assert!((lost - expected).abs() <= 10.0, "{way}: {lost} lost, {dropped} dropped: {udp}");
        let ratio = number(&udp["loss_ratio"]) - unread / number(&udp["seen"]);
        assert!((ratio - 0.05).abs() < 0.005, "{way}: {ratio}");
        assert_eq!((&report[way]["streams"], udp["duplicates"].as_u64().unwrap_or(0)), (&Value::Null, 0));
    }
}

#[test]
fn goodput_is_what_a_shaper_lets_through() {
    let _alone = alone();
    let lab = Lab::line(1).build();
    for (mbit, way) in [(20, "up"), (100, "up"), (100, "down")] {
        let direction = if way == "up" { Direction::Up } else { Direction::Down };
        let rate = mbit * 1_000_000;
        // A busy host comes too late for tokens that a smaller bucket has no room for: 10 ms of them.
        let shaper = Shaper::TokenBucket { rate, burst: rate / 800, latency: Duration::from_millis(30) };
        let _queue = lab.router(1).shape(direction, shaper);
        let reverse = if way == "up" { "" } else { "-R" };
        // A frame of 1,514 octets carries 1,448 of payload.
        let expected = rate as f64 * 1448.0 / 1514.0;
        one_of_three(|| {
            let (report, _) = both(&lab, &format!("-t 4 -O 1 {reverse}"));
            let (share, limit) = (number(&report[way]["throughput_bps"]) / expected, &report[way]["limit"]);
            assert!(share < 1.03, "{mbit} {way}: {share}");
            holds(share > 0.97 && limit["factor"] == "network", || format!("{mbit} {way}: {share} {limit}"))
        });
    }
}

#[test]
fn a_number_of_octets_or_blocks_ends_a_test_exactly() {
    let lab = Lab::line(0).build();
    for (args, octets, slack) in [
        ("-n 10M", 10 << 20, 0),
        ("-n 10M -P 3", 10 << 20, 0),
        ("-k 80", 80 * (128 << 10), 0),
        ("-u -b 100M -k 500 -l 1000", 500_000, 0),
        ("-u -b 100M -n 1M -l 1000 -P 3", 1 << 20, 1000),
    ] {
        let (report, _) = both(&lab, args);
        let sent = report["up"]["sent"]["bytes"].as_u64().expect("octets");
        assert!((octets..=octets + slack).contains(&sent), "{args}: {sent} of {octets}");
    }
    // Who receives reads no more than that.
    for args in ["-n 10M -R", "-n 10M -R -P 3 --rx-copy"] {
        let (report, _) = both(&lab, args);
        assert_eq!(report["down"]["received"]["bytes"], 10 << 20, "{args}: {report}");
    }
}

#[test]
fn the_window_is_named_where_it_is_what_limits() {
    let _alone = alone();
    let lab = Lab::line(1).delay(Duration::from_millis(20)).build();
    one_of_three(|| {
        let (report, _) = both(&lab, "-t 2 -w 64K");
        let rtt = number(&report["up"]["tcp"]["rtt_min_ms"]);
        let is_so = report["up"]["limit"]["factor"] == "window" && (40.0..45.0).contains(&rtt);
        holds(is_so, || format!("{rtt} {}", report["up"]["limit"]))
    });
}

#[test]
fn who_is_busy_or_not_there_or_interrupted_is_told() {
    let lab = Lab::line(0).build();
    let address = lab.server().address4().to_string();
    let (code, record, _) = bandwidth(lab.client(), &address);
    assert_eq!((code, &record["outcome"]["failure"]["class"]), (Some(1), &json!("refused")), "{record}");
    let _server = Iperf3::start(lab.server(), "");
    let mut first = lab.client().command(WADDLEPERF);
    let first = first.args(["bandwidth", "--json", "-t", "30", "-b", "1M", &address]);
    let first = first.stdout(std::process::Stdio::piped()).spawn().expect("it runs");
    sleep(Duration::from_millis(1500));
    let (code, record, _) = bandwidth(lab.client(), &address);
    let failure = &record["outcome"]["failure"];
    assert_eq!((code, &failure["class"]), (Some(1), &json!("refused")), "{record}");
    assert!(failure["detail"].as_str().is_some_and(|detail| detail.contains("busy")), "{failure}");
    let pid = nix::unistd::Pid::from_raw(first.id() as i32);
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).expect("signalled");
    let output = first.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130));
    let record: Value = serde_json::from_slice(&output.stdout).expect("a record");
    let report = &record["outcome"]["report"];
    assert_eq!((&record["partial"], &report["ended"]), (&json!(true), &json!("interrupted")), "{record}");
    assert!(number(&report["up"]["sent"]["bytes"]) > 50_000.0, "{report}");
    // What the server never told is not nothing.
    assert_eq!((&report["up"]["received"], &report["up"]["throughput_bps"]), (&Value::Null, &Value::Null));
    // And it is free again.
    server::until_idle(lab.server());
    let (code, _, says) = bandwidth(lab.client(), &format!("-t 1 {address}"));
    assert_eq!(code, Some(0), "{says}");
}

#[test]
fn letters_are_iperf3s_on_the_command_line() {
    let lab = Lab::line(0).build();
    let server = Iperf3::start(lab.server(), "-J -1");
    let address = lab.server().address4();
    let args = format!(
        "-c {address} -p 5201 -t 1 -i 0.5 -b 10M/4 -l 1k -B {} --cport 6000 -P 2",
        lab.client().address4()
    );
    let (code, record, says) = bandwidth(lab.client(), &args);
    assert_eq!(code, Some(0), "{says}");
    assert_eq!(record["probe"]["target"], json!(address.to_string()));
    let connected = server.json()["start"]["connected"].clone();
    let ports: Vec<&Value> =
        connected.as_array().expect("streams").iter().map(|of| &of["remote_port"]).collect();
    assert_eq!(ports, [&json!(6000), &json!(6001)]);
    let scalars: BTreeMap<&str, f64> =
        BTreeMap::from([("throughput_bps", number(&record["outcome"]["report"]["up"]["throughput_bps"]))]);
    assert!(scalars["throughput_bps"] > 15e6, "{scalars:?}");
    for (args, word) in [
        ("-u -C reno host.example", "--congestion"),
        ("-l 15 -u host.example", "--length"),
        ("-t 90000 host.example", "--time"),
        ("-R --bidir host.example", "--bidir"),
        ("-b x host.example", "`x`"),
    ] {
        let (code, _, says) = bandwidth(lab.client(), args);
        assert_eq!(code, Some(2), "{args}: {says}");
        assert!(says.contains(word), "{args}: {says}");
    }
}
