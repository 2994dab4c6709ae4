//! `tls` beside sslscan and openssl, against servers of many kinds and against some that lie. All of it on loopback.

mod delayed;
mod hostile;
mod logs;
mod pki;
mod scanning;
mod servers;
mod services;
mod starttls;

use std::process::{Command, Output};

use serde_json::Value;

use crate::lab::shared;
use crate::tool::{WADDLEPERF, output};
use pki::{Pki, Wish};
use servers::Server;

/// One run's end.
struct Run {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// Looks at `target` with `args`, patiently unless they say otherwise: the machine may be busy.
fn run(target: &str, args: &[&str]) -> Run {
    let patience: &[&str] =
        if args.contains(&"--timeout") { &[] } else { &["--timeout", "60s", "--deadline", "10m"] };
    let dir = tempfile::tempdir().expect("a directory");
    let mut command = Command::new(WADDLEPERF);
    command.arg("--data").arg(dir.path()).args(["tls", target]).args(args).args(patience);
    let _turn = shared();
    let Output { status, stdout, stderr } = output(&mut command);
    let text = |octets: Vec<u8>| String::from_utf8(octets).expect("UTF-8");
    Run { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
}

/// The record of a run with `args`.
fn record(target: &str, args: &[&str]) -> (Option<i32>, Value) {
    let ran = run(target, &[&["--json"], args].concat());
    let record = serde_json::from_str(&ran.stdout);
    (ran.code, record.unwrap_or_else(|error| panic!("{error}: {}{}", ran.stdout, ran.stderr)))
}

/// The exit code and the report.
fn report(target: &str, args: &[&str]) -> (Option<i32>, Value) {
    let (code, record) = record(target, args);
    let report = record["outcome"]["report"].clone();
    assert!(report.is_object(), "{record}");
    (code, report)
}

fn ids(report: &Value) -> Vec<&str> {
    let all = report["findings"].as_array().expect("findings");
    all.iter().filter_map(|finding| finding["id"].as_str()).collect()
}

#[test]
fn a_good_server_is_ok_and_told_whole() {
    let pki = Pki::new();
    let server = Server::openssl(&pki.leaf(Wish::default()), &["-alpn", "h2,http/1.1"]);
    let ca = pki.root();
    let (code, report) = report(&server.name("localhost"), &["--ca-file", &ca]);
    assert_eq!((code, &report["verify"], ids(&report).len()), (Some(0), &"ok".into(), 0), "{report}");
    for (key, expected) in [
        ("version", "TLSv1.3"),
        ("suite", "TLS_AES_256_GCM_SHA384"),
        ("group", "x25519"),
        ("alpn", "h2"),
        ("server_name", "localhost"),
    ] {
        assert_eq!(report[key], expected, "{key}: {report}");
    }
    let path = report["built"]["path"].as_array().expect("a path");
    assert_eq!(path.iter().map(|link| link["sent"].as_u64()).collect::<Vec<_>>(), [Some(0), Some(1), None]);
    assert_eq!(report["chain"][0]["sans"], serde_json::json!(["localhost", "127.0.0.1"]));
    assert_eq!(report["resumption"]["resumed"], true, "{report}");
    for phase in ["dns_ms", "connect_ms", "tls_ms", "total_ms"] {
        assert!(report["phases"][phase].as_f64().is_some_and(|time| time > 0.0), "{phase}");
    }
    let days = report["expires_in_s"].as_f64().expect("a time") / 86_400.0;
    assert!((80.0..91.0).contains(&days), "{days}");
}

#[test]
fn what_is_wrong_is_said_by_its_name_and_the_report_is_whole() {
    let pki = Pki::new();
    let other = Pki::new();
    let day = |days| Wish { days: Some(days), ..Wish::default() };
    let alone = pki.leaf(Wish { alone: true, ..Wish::default() });
    for (identity, name, root, verify, id) in [
        (pki.leaf(day((-40, -10))), "localhost", &pki, "expired", "cert_expirationStatus"),
        (pki.leaf(day((10, 40))), "localhost", &pki, "not_yet", "cert_notBefore"),
        (
            pki.leaf(Wish { name: "other.example", ..Wish::default() }),
            "localhost",
            &pki,
            "name",
            "cert_trust",
        ),
        (pki.own(), "localhost", &pki, "untrusted", "cert_chain_of_trust"),
        (alone, "localhost", &pki, "untrusted", "cert_chain_of_trust"),
        (pki.leaf(Wish::default()), "localhost", &other, "untrusted", "cert_chain_of_trust"),
    ] {
        let server = Server::openssl(&identity, &[]);
        let ca = root.root();
        let (code, report) = report(&server.name(name), &["--ca-file", &ca]);
        assert_eq!((code, report["verify"].as_str()), (Some(1), Some(verify)), "{report}");
        assert_eq!(ids(&report), [id], "{report}");
        assert_eq!((&report["version"], &report["handshake_error"]), (&"TLSv1.3".into(), &Value::Null));
        assert!(report["chain"][0]["sha256"].as_str().is_some_and(|digest| digest.len() == 64));
    }
    let server = Server::openssl(&pki.leaf(day((-1, 5))), &[]);
    let ca = pki.root();
    let (code, soon) = report(&server.name("localhost"), &["--ca-file", &ca]);
    assert_eq!((code, ids(&soon), &soon["verify"]), (Some(0), vec!["cert_expirationStatus"], &"ok".into()));
    let text = run(&server.name("localhost"), &["--ca-file", &ca, "--fail-on", "tls_expires_in < 14d"]);
    assert_eq!(text.code, Some(1), "{}{}", text.stdout, text.stderr);
    assert!(text.stdout.contains("its certificate expires in 4 days"), "{}", text.stdout);
}

#[test]
fn a_server_of_old_is_shown_though_nobody_can_shake_hands_with_it() {
    let pki = Pki::new();
    let ca = pki.root();
    let server = Server::openssl(&pki.leaf(Wish::default()), &["-tls1", "-cipher", "ALL:@SECLEVEL=0"]);
    let (code, report) = report(&server.name("localhost"), &["--ca-file", &ca]);
    assert_eq!(
        (code, &report["version"], &report["verify"]),
        (Some(1), &"TLSv1.0".into(), &"ok".into()),
        "{report}"
    );
    assert!(
        report["handshake_error"].as_str().is_some_and(|why| why.contains("ProtocolVersion")),
        "{report}"
    );
    assert_eq!(ids(&report), ["handshake", "TLS1_2"]);
    assert_eq!(report["chain_count"], 2);
}

#[test]
fn a_staple_is_read_and_a_revoked_certificate_is_refused() {
    let pki = Pki::new();
    let ca = pki.root();
    let identity = pki.leaf(Wish::default());
    for (revoked, verify, status) in [(false, "ok", "good"), (true, "revoked", "revoked")] {
        let staple = pki.staple(&identity, revoked);
        let server = Server::openssl(&identity, &["-status_file", &staple]);
        let (code, report) = report(&server.name("localhost"), &["--ca-file", &ca]);
        let told = &report["ocsp"];
        assert_eq!(
            (told["stapled"].as_bool(), told["status"].as_str()),
            (Some(true), Some(status)),
            "{report}"
        );
        assert_eq!(
            (told["matches"].as_bool(), report["verify"].as_str()),
            (Some(true), Some(verify)),
            "{report}"
        );
        assert_eq!(code, Some(i32::from(revoked)));
        assert!(told["next_update"].is_string());
    }
}

#[test]
fn nginx_tells_its_clock_and_resumes_sessions() {
    let pki = Pki::new();
    let ca = pki.root();
    let server =
        Server::nginx(&pki.leaf(Wish::default()), "ssl_protocols TLSv1.2 TLSv1.3; ssl_early_data on;");
    let (code, report) = report(&server.name("localhost"), &["--ca-file", &ca]);
    assert_eq!((code, &report["alpn"]), (Some(0), &"h2".into()), "{report}");
    assert!(report["http"]["clock_skew_ms"].as_f64().is_some_and(|skew| skew.abs() < 2000.0), "{report}");
    assert!(report["http_error"].is_null(), "{report}");
    let resumption = &report["resumption"];
    assert_eq!((&resumption["ticket"], &resumption["resumed"]), (&true.into(), &true.into()), "{report}");
    assert_eq!((&resumption["early_data"], ids(&report)), (&true.into(), vec!["early_data"]), "{report}");
}

#[test]
fn who_gives_no_answer_by_http_is_told_as_such_and_keeps_no_scan_waiting() {
    let pki = Pki::new();
    let ca = pki.root();
    let identity = pki.leaf(Wish::default());
    // It answers GET alone, and serves one connection at a time.
    let server = Server::openssl(&identity, &[]);
    let (code, silent) = report(&server.name("localhost"), &["--scan", "--ca-file", &ca]);
    let why = |report: &Value| report["http_error"].as_str().unwrap_or_default().to_owned();
    assert!(code == Some(0) && silent["http"].is_null(), "{silent}");
    assert!(why(&silent).starts_with("no answer by HTTP came in "), "{silent}");
    let scan = &silent["scan"];
    assert!(scan["incomplete"].is_null() && scan["unanswered"] == 0, "{silent}");
    assert_eq!(scan["versions"]["tlsv1_3"], true, "{silent}");
    let server = Server::openssl(&identity, &["-alpn", "waddle"]);
    let (_, other) = report(&server.name("localhost"), &["--alpn", "waddle", "--ca-file", &ca]);
    assert_eq!(why(&other), "it was not asked by HTTP: it chose waddle", "{other}");
}

#[test]
fn old_sessions_are_resumed_by_number_and_a_wish_for_a_certificate_is_told() {
    let pki = Pki::new();
    let ca = pki.root();
    let identity = pki.leaf(Wish::default());
    let server = Server::openssl(&identity, &["-tls1_2", "-no_ticket"]);
    let (code, old) = report(&server.name("localhost"), &["--ca-file", &ca]);
    assert_eq!((code, &old["version"]), (Some(0), &"TLSv1.2".into()), "{old}");
    let told = ["ticket", "session_id", "resumed"].map(|key| old["resumption"][key].as_bool());
    assert_eq!(
        (told, &old["resumption"]["early_data"]),
        ([Some(false), Some(true), Some(true)], &Value::Null),
        "{old}"
    );
    let server = Server::openssl(&identity, &["-verify", "1"]);
    let (code, asks) = report(&server.name("localhost"), &["--ca-file", &ca]);
    assert_eq!(
        (code, ids(&asks), &asks["wants_client_certificate"]),
        (Some(0), vec!["clientAuth"], &true.into()),
        "{asks}"
    );
}

#[test]
fn what_cannot_be_asked_is_refused_by_name() {
    for (args, says) in [
        (&["https://h.example/"][..], "URL"),
        (&["h.example:1", "-p", "2"], "not the port"),
        (&["h.example", "--rate", "5"], "--scan"),
        (&["h.example", "--starttls", "nonsense"], "nonsense"),
        (&["h.example", "--ca-file", "/nonexistent"], "/nonexistent"),
        (&["h.example", "--timeout", "0"], "timeout"),
    ] {
        let ran = run(args[0], &args[1..]);
        assert!(ran.code == Some(2) && (ran.stderr + &ran.stdout).contains(says), "{args:?}");
    }
}
