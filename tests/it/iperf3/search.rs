//! `bandwidth --find-max` at our server.

use serde_json::{Value, json};

use super::{OPEN, Server};
use crate::bandwidth::search::{payload, shaper};
use crate::lab::{Direction, Lab, alone};
use crate::tool::WADDLEPERF;

#[test]
fn the_rate_of_a_shaped_link_and_the_servers_own_limit_are_found() {
    let _alone = alone();
    let lab = Lab::line(1).build();
    let address = lab.server().address4();
    let search = |port: u16, args: &str| {
        let mut client = lab.client().command(WADDLEPERF);
        client.args(["bandwidth", "--json", "-u", "--find-max", "--trial", "1", "-l", "1400"]);
        let output =
            client.args(args.split_whitespace()).args(["-p", &port.to_string(), &address.to_string()]);
        let output = output.output().expect("it runs");
        let record: Value = serde_json::from_slice(&output.stdout).expect("a record");
        assert_eq!(output.status.code(), Some(0), "{args}: {record}");
        record["outcome"]["report"]["search"].clone()
    };
    let number = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("no number: {value}"));
    let command = || lab.server().command(WADDLEPERF);
    {
        let server = Server::launch(command(), &format!("[serve.iperf3]\n{OPEN}"), "0.0.0.0");
        for (mbit, direction, args) in [(100, Direction::Up, "-t 3"), (20, Direction::Down, "-R -t 3")] {
            let _queue = lab.router(1).shape(direction, shaper(mbit));
            let found = search(server.port, args);
            let (rate, expected) = (number(&found["found_bps"]), payload(mbit, 1400.0));
            assert!((rate / expected - 1.0).abs() < 0.05, "{args}: {rate} of {expected}: {found}");
            assert_eq!((&found["ended"], &found["bound"]), (&json!("found"), &json!("network")), "{found}");
        }
    }
    // Who asks for more than the server allows is refused, and the search goes on below.
    let server = Server::launch(command(), "[serve.iperf3]\nudp_rate = 5000000\n", "0.0.0.0");
    let found = search(server.port, "-t 1");
    let rate = number(&found["found_bps"]);
    assert!((4.85e6..=5e6).contains(&rate), "{found}");
    assert_eq!((&found["ended"], &found["bound"]), (&json!("found"), &json!("server")), "{found}");
}
