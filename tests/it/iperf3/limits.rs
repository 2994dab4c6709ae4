//! The limits of `[serve.iperf3]`, by what a stock client says of them.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use waddleperf::sys::clock;

use super::ends::{running, signal};
use super::raw::{Raw, udp};
use super::{Server, number, read};
use crate::lab::shared;
use crate::tool::WADDLEPERF;

#[test]
fn what_is_over_a_limit_is_refused_with_iperf3s_reason() {
    let _turn = shared();
    // With no settings: what a server on a public host allows.
    let server = Server::with("");
    for (args, reason) in [
        ("-t 31", "test duration too long"),
        ("-t 10 -O 25", "test duration too long"),
        ("-t 0", "test duration too long"),
        ("-P 17", "number of parallel streams too large"),
        ("-b 1001M", "total required bandwidth is larger than server limit"),
        ("-P 2 --bidir -b 251M", "total required bandwidth is larger than server limit"),
        ("-u -b 101M", "total required bandwidth is larger than server limit"),
        ("-n 6G", "total required bandwidth is larger than server limit"),
    ] {
        let said = server.complaint(args);
        assert!(said.contains(reason), "{args}: {said}");
    }
    server.report("-P 16 -b 1M -t 1");
}

#[test]
fn our_own_client_tells_the_reason_with_its_number() {
    let _turn = shared();
    let server = Server::with("udp_rate = 10000000\ntime = \"5s\"\n");
    for (args, number, reason) in [
        ("-u -b 0 -t 3 -l 1000", 27, "the rate is larger than the server's limit"),
        ("-u -b 11M -t 3 -l 1000", 27, "the rate is larger than the server's limit"),
        ("-P 17 -t 3", 6, "too many parallel streams"),
        ("-t 6", 37, "the test is longer than the server's limit"),
    ] {
        let mut client = Command::new(WADDLEPERF);
        client.args(["bandwidth", "-J", "-p", &server.port.to_string(), "127.0.0.1"]);
        let output = client.args(args.split_whitespace()).output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let document: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(output.status.code(), Some(1), "{args}: {text}");
        let error = document["error"].as_str().unwrap_or_default();
        let number = format!("iperf3's error {number}");
        assert!(error.contains(reason) && error.contains(&number), "{args}: {error}");
        assert_eq!(text.matches("\"error\"").count(), 1, "{args}: {text}");
    }
}

#[test]
fn a_rate_holds_both_ways() {
    let _turn = shared();
    let server = Server::with("rate = 40000000\nudp_rate = 20000000\n");
    for args in ["-t 2", "-t 2 -P 4", "-t 2 -R", "-t 2 -R -P 4", "-t 2 --bidir", "-u -R -b 0 -l 1000 -t 2"] {
        let report = server.report(args);
        let (sum, rate) = if args.contains("-u") { ("sum", 20e6) } else { ("sum_received", 40e6) };
        let back = report.pointer("/end/sum_received_bidir_reverse/bytes").and_then(Value::as_f64);
        let bits = (number(&report, &format!("/end/{sum}/bytes")) + back.unwrap_or(0.0)) * 8.0;
        // A client that receives reads more than was sent in its time: nothing but its own buffers.
        assert!((0.3 * rate * 2.0..rate * 2.4 + 2e6).contains(&bits), "{args}: {bits} bits");
    }
}

#[test]
fn a_flow_that_is_too_fast_ends_its_test() {
    let _turn = shared();
    let server = Server::with("udp_rate = 10000000\n");
    let said = server.complaint("-u -b 0 -l 1000 -t 10");
    assert!(said.contains("total required bandwidth is larger than server limit"), "{said}");
    server.report("-u -b 10M -l 1000 -t 1");
}

#[test]
fn octets_are_limited_by_test_and_by_day() {
    let _turn = shared();
    let server = Server::with("rate = 0\nbytes = 20000000\nbytes_per_source = 50000000\n");
    let reason = "total required bandwidth is larger than server limit";
    let said = server.complaint("-t 5");
    assert!(said.contains(reason), "{said}");
    // Until the day's octets are used up.
    let refused = (0..20)
        .map(|_| server.client("-n 10M").output().expect("it runs"))
        .find(|output| !output.status.success());
    let said = String::from_utf8_lossy(&refused.expect("a refusal").stderr).into_owned();
    assert!(said.contains(reason), "{said}");
    assert!(server.complaint("-u -b 1M -t 1").contains(reason), "nothing more on this day");
}

#[test]
fn short_tests_count_as_long_ones_do() {
    let _turn = shared();
    // Each is over before any look at it.
    let server = Server::with("rate = 0\nbytes_per_source = 10000000\n");
    let ended: Vec<bool> =
        (0..5).map(|_| server.client("-n 5M").output().expect("it runs").status.success()).collect();
    // A busy machine may take long enough for a look at the second.
    assert_eq!((ended[0], &ended[2..]), (true, &[false; 3][..]), "{ended:?}");
    let server = Server::with("tests_per_minute = 3\n");
    let said: Vec<bool> = (0..5)
        .map(|_| {
            let output = server.client("-n 1K").output().expect("it runs");
            String::from_utf8_lossy(&output.stderr).contains("busy")
        })
        .collect();
    assert_eq!(said, [false, false, false, true, true]);
}

#[test]
fn a_test_that_goes_on_long_after_its_time_ends_with_iperf3s_number() {
    let server = Server::open();
    // Clients that stand still do not end theirs; what is sent to them goes on.
    let modes = "-u -R -t 3 -b 100K -l 500 -p";
    let (mut stock, _said) = running(&server, "-u -R -t 3 -b 100K -l 500");
    signal(&stock, Signal::SIGSTOP);
    let mut ours = Command::new(WADDLEPERF);
    ours.args(["bandwidth", "--json-stream", "-i", "0.2"]).args(modes.split(' '));
    let mut ours =
        ours.args([&server.port.to_string(), "127.0.0.1"]).stdout(Stdio::piped()).spawn().expect("it runs");
    let mut lines = BufReader::new(ours.stdout.take().expect("its stdout")).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("interval")), "it ends");
    kill(Pid::from_raw(ours.id().cast_signed()), Signal::SIGSTOP).expect("stopped");
    let began = clock::now().mono;
    let mut raw = Raw::ask(
        &server,
        &json!({"udp": true, "reverse": true, "omit": 0, "time": 3, "parallel": 1,
        "len": 500, "bandwidth": 100_000}),
    );
    raw.stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a time-out");
    raw.hear(&[10]);
    let flow = udp(&server, [127, 0, 0, 1]);
    flow.send(b"9876").expect("sent");
    raw.hear(&[1, 2]);
    assert_eq!(raw.rest(), [0xfe, 0, 0, 0, 160, 0, 0, 0, 0]);
    let took = clock::now().mono - began;
    assert!((43.0..46.0).contains(&took.as_secs_f64()), "{took:?}");
    // Those who come to themselves are told, too.
    signal(&stock, Signal::SIGCONT);
    kill(Pid::from_raw(ours.id().cast_signed()), Signal::SIGCONT).expect("continued");
    assert!(lines.any(|line| line.contains("iperf3's error 160")), "our client is not told");
    assert_eq!(ours.wait().expect("it ends").code(), Some(1));
    assert_eq!(stock.wait().expect("it ends").code(), Some(1));
    let said = read(stock.stderr.take());
    assert!(said.contains("160"), "{said}");
}
