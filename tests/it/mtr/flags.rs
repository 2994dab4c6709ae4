//! The flags that mtr's users type, by what is then sent.

use std::io::Write;
use std::process::Stdio;

use serde_json::json;

use super::trace::{cycles, hops, path, report, report_once, run, server};
use crate::lab::{Hook, Lab};
use crate::tool::WADDLEPERF;

/// The echoes beside the probes that tell who translates addresses: their checksum is 0xffff.
const BUT_WITNESSES: &str = "@th,16,16 != 0xffff";

#[test]
fn probes_are_as_the_flags_want_them() {
    let lab = Lab::line(2).build();
    let own = lab.client().address4();
    for (flags, matching) in [
        ("-Q 184", "ip dscp ef".to_owned()),
        ("-Q 0xb9", "ip dscp ef ip ecn ect1".to_owned()),
        ("-M 7", "meta mark 7".to_owned()),
        ("-M 0x10 -u --flows 2", "meta l4proto udp meta mark 16".to_owned()),
        (&format!("-a {own}"), format!("ip saddr {own}")),
        (&format!("--address {own}"), format!("ip saddr {own}")),
        ("-I up0", "oifname up0".to_owned()),
        // Octets 16 to 19 of the payload: behind what a probe needs.
        ("-B 165", "@th,192,32 0xa5a5a5a5".to_owned()),
        ("-B 165 -u", "meta l4proto udp @th,192,32 0xa5a5a5a5".to_owned()),
    ] {
        let sent =
            lab.client().rule(Hook::Output, &format!("ip ttl <= 3 {BUT_WITNESSES} {matching}"), "accept");
        let report = report_once(lab.client(), server(&lab, false), &format!("-c 2 -i 0.1 -m 3 {flags}"));
        let flows = if flags.contains("--flows") { 2 } else { 1 };
        assert_eq!(sent.dropped(), cycles(&report) * 3 * flows, "{flags}: {report}");
        assert_eq!(report["reached"], true, "{flags}");
        sent.lift();
    }
}

#[test]
fn a_list_is_traced_one_after_the_other() {
    let lab = Lab::line(2).build();
    let near = lab.router(1).address4();
    let far = lab.server().address4();
    let listed = |arguments: &[&str]| {
        let mut command = lab.client().command(WADDLEPERF);
        command.args(["mtr", "-n", "-c", "1", "--no-save"]).args(arguments);
        command
            .env("HOME", "/nonexistent")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("start mtr");
        let list = format!("# two\n{near}\n\n{far} and more\n");
        child.stdin.take().expect("stdin").write_all(list.as_bytes()).expect("it reads or has ended");
        let output = child.wait_with_output().expect("it ends");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned(), output.stderr)
    };
    let (code, printed, said) = listed(&["-F", "-", "--json"]);
    assert_eq!(code, Some(0), "{}", String::from_utf8_lossy(&said));
    let records: Vec<serde_json::Value> =
        printed.lines().map(|line| serde_json::from_str(line).expect("a record")).collect();
    let ends: Vec<_> = records
        .iter()
        .map(|record| (record["probe"]["target"].clone(), path(&record["outcome"]["report"]).pop().flatten()))
        .collect();
    assert_eq!(
        ends,
        [(json!(near.to_string()), Some(near.into())), (json!(far.to_string()), Some(far.into()))]
    );
    assert_eq!(listed(&["-F", "-", "--csv"]).1.lines().count(), 3, "one header");
    // As mtr does: a report for each host.
    let named = listed(&[&near.to_string(), &far.to_string(), "--json"]);
    let ends: Vec<serde_json::Value> = named
        .1
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("a record")["address"].clone())
        .collect();
    assert_eq!(ends, [json!(near.to_string()), json!(far.to_string())], "{named:?}");
    for wrong in [
        &["-F", "-", "192.0.2.1"][..],
        &["-F", "-", "--watch"],
        &["-F", "/nonexistent"],
        &["192.0.2.1", "192.0.2.2", "--watch"],
    ] {
        let (code, printed, said) = listed(wrong);
        assert_eq!((code, printed.as_str()), (Some(2), ""), "{wrong:?}");
        assert_eq!(String::from_utf8_lossy(&said).lines().count(), 1, "{wrong:?}");
    }
}

#[test]
fn what_cannot_be_shown_or_sent_is_refused_in_one_line() {
    let lab = Lab::line(1).build();
    for flags in [
        "-y 5",
        "-Q 256",
        "-Q 16 --ecn",
        "-M 4294967296",
        "-B 0x1g",
        "-o Z",
        "--json --mtr-json",
        "--csv -l",
        "--json --dot",
        "--json --format mtr-csv",
        "-j -C",
    ] {
        let output = run(lab.client(), server(&lab, false), flags);
        assert_eq!(output.status.code(), Some(2), "{flags}");
        assert_eq!(String::from_utf8_lossy(&output.stderr).lines().count(), 1, "{flags}: {output:?}");
    }
    assert_eq!(hops(&report(lab.client(), server(&lab, false), "-c 1 -y 4 -r -w -b -e")).len(), 2);
    // Over IPv6 its length is a probe's number.
    let output = run(lab.client(), server(&lab, true), "-u --strategy dublin -s 100 -c 1");
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    for (v6, bytes) in [(false, json!(100)), (true, json!(null))] {
        let size = if v6 { "" } else { "-s 100" };
        let found =
            report(lab.client(), server(&lab, v6), &format!("-u --strategy dublin -c 2 -i 0.1 {size}"));
        assert_eq!((&found["packet_bytes"], &found["reached"]), (&bytes, &json!(true)), "{found}");
    }
}
