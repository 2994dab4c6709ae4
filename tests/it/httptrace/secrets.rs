//! What tells who asks is sent, and recorded nowhere.

use std::fs;

use serde_json::Value;

use super::origin::{Origin, whole};
use super::{run, said};

#[test]
fn secrets_are_sent_and_not_kept() {
    let directory = tempfile::tempdir().expect("a directory");
    let at = |name: &str| directory.path().join(name).to_str().expect("a path").to_owned();
    fs::write(at("user"), "duck:s3cret\n").expect("write");
    fs::write(at("headers"), "Cookie: sid=s3cret\nX-Seen: yes\n").expect("write");
    let elsewhere =
        Origin::http(Box::new(|_, stream| whole(stream, "200 OK\r\nSet-Cookie: sid=s3cret", b"s3cret")));
    let to = elsewhere.url("/there");
    let origin = Origin::http(Box::new(move |_, stream| {
        whole(
            stream,
            &format!("307 Temporary Redirect\r\nLocation: {}", to.replace("://", "://u:s3cret@")),
            b"",
        )
    }));
    let (user, headers, har, url) =
        (at("user"), format!("@{}", at("headers")), at("page.har"), origin.url("/"));
    let words = ["--user-file", &user, "-H", &headers, "-d", "password=s3cret", "--har", &har, &url];
    for format in [&["--json"][..], &[], &["-w", "%{json} %{header_json} %{redirect_url}"]] {
        let output = run(&[format, &words].concat());
        let text = said(&output);
        assert!(output.status.success() && !text.contains("s3cret"), "{text}");
        assert!(!fs::read_to_string(&har).expect("a HAR").contains("s3cret"));
    }
    let (here, there) = (origin.asked(), elsewhere.asked());
    // Basic, of `duck:s3cret`.
    assert!(here[0].contains("Authorization: Basic ZHVjazpzM2NyZXQ=\r\n"), "{here:?}");
    assert!(here[0].contains("Cookie: sid=s3cret\r\n") && here[0].ends_with("password=s3cret"), "{here:?}");
    assert!(!there[0].contains("Authorization") && !there[0].contains("Cookie"), "{there:?}");
    assert!(there[0].contains("X-Seen: yes") && there[0].ends_with("password=s3cret"), "{there:?}");
    // Unless they shall be seen.
    let shown = said(&run(&[&["--json", "--show-secrets"][..], &words].concat()));
    assert!(shown.contains("sid=s3cret"), "{shown}");
    assert!(fs::read_to_string(&har).expect("a HAR").contains("ZHVjazpzM2NyZXQ="));
}

/// What HAR 1.2 demands of each entry (the format's own list), and that its times add up.
#[test]
fn a_har_is_one() {
    let directory = tempfile::tempdir().expect("a directory");
    let har = directory.path().join("page.har");
    let har = har.to_str().expect("a path");
    let origin =
        Origin::http(Box::new(|_, stream| whole(stream, "200 OK\r\nContent-Type: text/plain", b"hello")));
    assert!(run(&["-c", "2", "--har", har, &origin.url("/a?b=c&d=e")]).status.success());
    let har: Value = serde_json::from_str(&fs::read_to_string(har).expect("a HAR")).expect("JSON");
    assert_eq!(har["log"]["version"], "1.2");
    let entries = har["log"]["entries"].as_array().expect("entries");
    assert_eq!(entries.len(), 2);
    for entry in entries {
        for (part, keys) in [
            ("request", "method url httpVersion cookies headers queryString headersSize bodySize"),
            (
                "response",
                "status statusText httpVersion cookies headers content redirectURL headersSize bodySize",
            ),
            ("timings", "send wait receive blocked dns connect ssl"),
        ] {
            for key in keys.split(' ') {
                assert!(!entry[part][key].is_null(), "{part}.{key}: {entry}");
            }
        }
        assert!(
            entry["startedDateTime"].as_str().is_some_and(|at| at.parse::<jiff::Timestamp>().is_ok()),
            "{entry}"
        );
        assert_eq!(entry["request"]["queryString"][1]["value"], "e");
        assert_eq!(entry["response"]["content"]["size"], 5);
        // TLS is a part of connecting, and what was not is -1.
        let parts = ["blocked", "dns", "connect", "send", "wait", "receive"];
        let sum: f64 =
            parts.iter().filter_map(|part| entry["timings"][part].as_f64()).filter(|ms| *ms > 0.0).sum();
        let time = entry["time"].as_f64().expect("a time");
        assert!((sum - time).abs() < 0.01, "{sum} of {time}: {entry}");
    }
}
