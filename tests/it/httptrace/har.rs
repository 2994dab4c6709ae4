//! HAR 1.2: each object has what the format demands of it, of the kind that it demands, and nothing else. What DevTools make of
//! our files is seen by hand: `scripts/har-in-devtools`.

use std::fs;

use serde_json::Value;

use super::nginx::Nginx;
use super::origin::{Origin, whole};
use super::{run, said};

/// What a field must be.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Text,
    /// A date and time with its offset (ISO 8601).
    Moment,
    /// A whole number; -1 where it is not known.
    Count,
    /// Milliseconds, 0 or more.
    Time,
    /// The same, or -1 where there was no such thing.
    TimeOrNone,
    Bool,
    /// An object, of these fields.
    Object(&'static [Field]),
    /// A list of such objects.
    List(&'static [Field]),
}

/// Name, whether it must be there, and what it must be.
type Field = (&'static str, bool, Kind);

const NAMED: &[Field] = &[("name", true, Kind::Text), ("value", true, Kind::Text)];
const COOKIE: &[Field] = &[
    ("name", true, Kind::Text),
    ("value", true, Kind::Text),
    ("path", false, Kind::Text),
    ("domain", false, Kind::Text),
    ("expires", false, Kind::Moment),
    ("httpOnly", false, Kind::Bool),
    ("secure", false, Kind::Bool),
];
const POST: &[Field] = &[("mimeType", true, Kind::Text), ("text", true, Kind::Text)];
const REQUEST: &[Field] = &[
    ("method", true, Kind::Text),
    ("url", true, Kind::Text),
    ("httpVersion", true, Kind::Text),
    ("cookies", true, Kind::List(COOKIE)),
    ("headers", true, Kind::List(NAMED)),
    ("queryString", true, Kind::List(NAMED)),
    ("postData", false, Kind::Object(POST)),
    ("headersSize", true, Kind::Count),
    ("bodySize", true, Kind::Count),
];
const CONTENT: &[Field] = &[
    ("size", true, Kind::Count),
    ("compression", false, Kind::Count),
    ("mimeType", true, Kind::Text),
    ("text", false, Kind::Text),
];
const RESPONSE: &[Field] = &[
    ("status", true, Kind::Count),
    ("statusText", true, Kind::Text),
    ("httpVersion", true, Kind::Text),
    ("cookies", true, Kind::List(COOKIE)),
    ("headers", true, Kind::List(NAMED)),
    ("content", true, Kind::Object(CONTENT)),
    ("redirectURL", true, Kind::Text),
    ("headersSize", true, Kind::Count),
    ("bodySize", true, Kind::Count),
];
const TIMINGS: &[Field] = &[
    ("blocked", false, Kind::TimeOrNone),
    ("dns", false, Kind::TimeOrNone),
    ("connect", false, Kind::TimeOrNone),
    ("send", true, Kind::Time),
    ("wait", true, Kind::Time),
    ("receive", true, Kind::Time),
    ("ssl", false, Kind::TimeOrNone),
];
const ENTRY: &[Field] = &[
    ("startedDateTime", true, Kind::Moment),
    ("time", true, Kind::Time),
    ("request", true, Kind::Object(REQUEST)),
    ("response", true, Kind::Object(RESPONSE)),
    ("cache", true, Kind::Object(&[])),
    ("timings", true, Kind::Object(TIMINGS)),
    ("serverIPAddress", false, Kind::Text),
    ("connection", false, Kind::Text),
];
const CREATOR: &[Field] = &[("name", true, Kind::Text), ("version", true, Kind::Text)];
const LOG: &[Field] = &[
    ("version", true, Kind::Text),
    ("creator", true, Kind::Object(CREATOR)),
    ("pages", false, Kind::List(&[])),
    ("entries", true, Kind::List(ENTRY)),
];

/// What is wrong with `value`, which is at `place`.
fn faults(value: &Value, kind: Kind, place: &str, out: &mut Vec<String>) {
    let is_right = match kind {
        Kind::Text => value.is_string(),
        Kind::Moment => value.as_str().is_some_and(|at| at.parse::<jiff::Timestamp>().is_ok()),
        Kind::Count => value.as_i64().is_some_and(|count| count >= -1),
        Kind::Time => value.as_f64().is_some_and(|ms| ms >= 0.0),
        Kind::TimeOrNone => value.as_f64().is_some_and(|ms| ms >= 0.0 || ms == -1.0),
        Kind::Bool => value.is_boolean(),
        Kind::Object(fields) => match value.as_object() {
            Some(object) => {
                for (name, is_needed, kind) in fields {
                    match object.get(*name) {
                        Some(value) => faults(value, *kind, &format!("{place}.{name}"), out),
                        None if *is_needed => out.push(format!("{place}.{name} is missing")),
                        None => {}
                    }
                }
                let known = |name: &str| fields.iter().any(|(known, ..)| *known == name);
                out.extend(
                    object
                        .keys()
                        .filter(|name| !known(name))
                        .map(|name| format!("{place}.{name} is unknown")),
                );
                true
            }
            None => false,
        },
        Kind::List(fields) => match value.as_array() {
            Some(list) => {
                for (n, value) in list.iter().enumerate() {
                    faults(value, Kind::Object(fields), &format!("{place}[{n}]"), out);
                }
                true
            }
            None => false,
        },
    };
    if !is_right {
        out.push(format!("{place} is no {kind:?}: {value}"));
    }
}

/// The entries of what these words make, which is a HAR, and whose times add up.
#[track_caller]
fn entries(words: &[&str]) -> Vec<Value> {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("page.har");
    let output = run(&[&["--har", file.to_str().expect("a path")], words].concat());
    assert!(output.status.success(), "{}", said(&output));
    let har: Value = serde_json::from_str(&fs::read_to_string(file).expect("a HAR")).expect("JSON");
    let mut wrong = Vec::new();
    faults(&har, Kind::Object(&[("log", true, Kind::Object(LOG))]), "", &mut wrong);
    assert!(wrong.is_empty(), "{wrong:#?}\n{har:#}");
    assert_eq!(har["log"]["version"], "1.2");
    let entries = har["log"]["entries"].as_array().expect("entries").clone();
    for entry in &entries {
        let timings = &entry["timings"];
        let part = |name: &str| timings[name].as_f64().filter(|ms| *ms > 0.0).unwrap_or(0.0);
        // TLS is a part of connecting.
        let sum: f64 = ["blocked", "dns", "connect", "send", "wait", "receive"].map(part).iter().sum();
        let time = entry["time"].as_f64().expect("a time");
        assert!((sum - time).abs() < 0.01, "{sum} of {time}: {entry:#}");
        assert!(part("ssl") <= part("connect"), "{entry:#}");
    }
    entries
}

#[test]
fn a_har_is_one_whatever_was_asked() {
    let origin = Origin::http(Box::new(|_, stream| {
        let head = "200 OK\r\nContent-Type: text/plain\r\nSet-Cookie: sid=s3cret; Path=/; Secure; HttpOnly; Domain=a.example";
        whole(stream, head, b"hello")
    }));
    let url = origin.url("/a?b=c&d=e");
    let found = entries(&["-c", "2", "-H", "Cookie: a=1; b=2", "-d", "x=y", &url]);
    assert_eq!(found.len(), 2);
    for entry in &found {
        let (request, response) = (&entry["request"], &entry["response"]);
        assert_eq!((&request["queryString"][1]["value"], &request["bodySize"]), (&"e".into(), &3.into()));
        assert_eq!(request["postData"]["mimeType"], "application/x-www-form-urlencoded");
        let names: Vec<_> =
            request["cookies"].as_array().expect("a list").iter().map(|one| &one["name"]).collect();
        assert_eq!(names, ["a", "b"]);
        let cookie = &response["cookies"][0];
        assert_eq!(
            (&cookie["name"], &cookie["secure"], &cookie["path"]),
            (&"sid".into(), &true.into(), &"/".into())
        );
        assert_ne!(cookie["value"], "s3cret");
        assert_eq!((&response["content"]["size"], &response["bodySize"]), (&5.into(), &5.into()));
        // What was not, is -1.
        assert_eq!((&entry["timings"]["dns"], &entry["timings"]["ssl"]), (&(-1.0).into(), &(-1.0).into()));
    }
}

/// Redirect, TLS, HTTP/2, compression and a connection that is used again, as nginx does them.
#[test]
fn each_leg_and_repeat_is_an_entry() {
    let nginx = Nginx::start();
    let ca = nginx.ca();
    let ca = ca.to_str().expect("a path");
    let found = entries(&["--cacert", ca, "-c", "2", "--keepalive", "--compressed", &nginx.http("/moved")]);
    let told: Vec<_> =
        found.iter().map(|one| (&one["response"]["status"], &one["response"]["httpVersion"])).collect();
    let (moved, there) = ((&301.into(), &"HTTP/1.1".into()), (&200.into(), &"HTTP/2".into()));
    assert_eq!(told, [moved, there, moved, there]);
    assert_eq!(found[0]["response"]["redirectURL"], nginx.https("/"));
    assert!(found[1]["timings"]["ssl"].as_f64() > Some(0.0), "{:#}", found[1]);
    let long = &entries(&["--cacert", ca, "--compressed", &nginx.https("/long.txt")])[0]["response"];
    let number = |value: &Value| value.as_i64().expect("a number");
    let content = &long["content"];
    assert_eq!(number(&content["size"]) - number(&content["compression"]), number(&long["bodySize"]));
    assert!(number(&content["compression"]) > 200_000, "{content}");
}
