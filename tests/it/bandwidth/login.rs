//! A stock server that wants a login.

use std::process::Command;

use serde_json::Value;

use super::server::Iperf3;
use crate::lab::Lab;
use crate::rsa::{Keys, USER, shown};
use crate::tool::WADDLEPERF;

fn told(command: &mut Command) -> (Option<i32>, Value, String) {
    let output = command.output().expect("it runs");
    let record = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output.status.code(), record, String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_stock_server_lets_in_who_has_the_password() {
    let lab = Lab::line(0).build();
    let keys = Keys::new();
    let (private, users) = (keys.private(), keys.users());
    let _server = Iperf3::start(
        lab.server(),
        &format!("--rsa-private-key-path {} --authorized-users-path {}", shown(&private), shown(&users)),
    );
    let address = lab.server().address4().to_string();
    let run = |more: &str, password: &str| {
        let mut command = lab.client().command(WADDLEPERF);
        command.args(["bandwidth", "--json", "-t", "1", &address]).args(more.split_whitespace());
        told(command.env("IPERF3_PASSWORD", password))
    };
    let old = format!("{} --use-pkcs1-padding", keys.client());
    for more in [old.clone(), format!("{old} -R"), format!("{old} -u -b 5M")] {
        let (code, record, says) = run(&more, USER.1);
        assert_eq!(code, Some(0), "{more}: {says} {record}");
    }
    // 3.12 takes no OAEP: it says so without a reason, and the hint is ours.
    for (more, password, word) in [
        (keys.client(), USER.1, "servers up to iperf 3.16 want --use-pkcs1-padding"),
        (old, "wrong", "name, password or clock may be wrong"),
        (String::new(), USER.1, "--username"),
    ] {
        let (code, record, says) = run(&more, password);
        let failure = &record["outcome"]["failure"];
        assert_eq!((code, failure["class"].as_str()), (Some(1), Some("auth")), "{more}: {says} {record}");
        assert!(says.contains(word) && says.contains("authorization failed"), "{more}: {says}");
    }
}
