//! The edges of what may be asked for: the shortest and the longest writes, and more than a server allows.

use serde_json::Value;

use super::factor::{report, waddleperf};
use super::number;
use super::server::Iperf3;
use crate::lab::Lab;
use crate::tool::WADDLEPERF;

#[test]
fn writes_and_datagrams_have_any_length() {
    let lab = Lab::line(0).build();
    let _server = Iperf3::start(lab.server(), "");
    for (length, args) in [
        (16, "-u -b 1M"),
        (16, "-u -b 1M -R"),
        (65_507, "-u -b 50M"),
        (65_507, "-u -b 50M -R"),
        (1 << 20, "-b 100M"),
        (1 << 20, "-b 100M -R --rx-copy"),
        (1, "-b 100K"),
    ] {
        let found = report(&lab, &format!("-t 1 -l {length} {args}"));
        assert_eq!(found["length_bytes"], length, "{args}");
        let flow = &found[if args.contains("-R") { "down" } else { "up" }];
        let received = number(&flow["received"]["bytes"]);
        assert!(received > 1000.0, "{args}: {flow}");
        if args.contains("-u") {
            let seen = number(&flow["udp"]["seen"]);
            assert_eq!(received, (seen - number(&flow["udp"]["lost"])) * f64::from(length), "{args}: {flow}");
        }
    }
}

/// What `-J` prints of a test that is refused or ended by its server: its `error`.
#[track_caller]
fn refused(lab: &Lab, args: &str) -> String {
    let mut command = lab.client().command(WADDLEPERF);
    command.args(["bandwidth", "-J"]).args(args.split_whitespace());
    let output = command.arg(lab.server().address4().to_string()).output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{args}: {text}");
    assert_eq!(text.matches("\"error\"").count(), 1, "{args}: {text}");
    let document: Value =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{args}: {error}: {text}"));
    for (member, is_there) in [
        ("start", document["start"].is_object()),
        ("intervals", document["intervals"].is_array()),
        ("end", document["end"].is_object()),
    ] {
        assert!(is_there, "{args}: no {member}: {text}");
    }
    document["error"].as_str().expect("a text").to_owned()
}

#[test]
fn a_stock_server_that_limits_closes_and_that_is_told() {
    let lab = Lab::line(0).build();
    let _server = Iperf3::start(lab.server(), "--server-bitrate-limit 5M");
    // Version 3.12 gives its own client no other reason.
    for args in ["-b 10M", "-b 3M -P 2", "-b 0 -t 10", "-u -b 10M"] {
        let said = refused(&lab, args);
        assert!(said.contains("the control connection has been closed"), "{args}: {said}");
    }
    report(&lab, "-b 2M -t 1");
}

#[test]
fn what_our_server_limits_is_told_as_it_says_it() {
    let lab = Lab::line(0).build();
    let server =
        waddleperf(&lab, "time = \"5s\"\nudp_rate = 5000000\nrate = 5000000\nstreams = 2\nbytes = 1000000\n");
    for (args, reason) in [
        ("-t 30", "longer than the server's limit"),
        ("-P 3 -t 1", "streams"),
        ("-b 10M -t 1", "larger than the server's limit"),
        ("-n 2M", "larger than the server's limit"),
        ("-t 4", "larger than the server's limit"),
    ] {
        let said = refused(&lab, &format!("-p {} {args}", server.port));
        assert!(said.contains(reason), "{args}: {said}");
    }
}

#[test]
fn nobody_there_is_an_error_in_the_same_form() {
    let lab = Lab::line(0).build();
    let said = refused(&lab, "-t 1");
    assert!(said.contains("refused"), "{said}");
}
