//! What a run answers: exit codes, a plugin's line, and what a clock that jumps makes of it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{Place, closed_port, course, records};
use crate::tool::{output, stdout, tool};

#[test]
fn a_bad_file_is_one_line_that_says_where() {
    let place = Place::new(closed_port());
    for (text, expected) in [
        (
            "[autoperf]\nintervall = \"1m\"",
            "2: unknown key `intervall` in [autoperf], did you mean `interval`?",
        ),
        (
            "[autoperf]\n\ninterval = \"5x\"",
            "3: interval: `5x` is not a span of time (a number with ns, us, ms, s, m, h or d, such as 200ms)",
        ),
        ("[autoperf]\ninterval = \"5\"", "2: interval: `5` needs a unit, such as `5ms`"),
        (
            "[autoperf]\nthresholds = [\"rtt_p95 > 100\"]",
            "2: thresholds: threshold `rtt_p95 > 100`: `100` needs a unit, such as `100ms` (ns, us, ms, s, m, h, d)",
        ),
        (
            "[autoperf]\nraise = \"4/3\"",
            "2: raise: `4/3` is not a number of bad rounds of the last ones, at most of 60, such as 2/3",
        ),
        (
            "[[autoperf.target]]\nname = \"a\"\nhots = \"b\"",
            "3: unknown key `hots` in [[autoperf.target]], did you mean `host`?",
        ),
    ] {
        fs::write(place.config(), text).expect("write the configuration");
        let ended = output(&mut place.waddleperf(&["autoperf", "run"]));
        let error = String::from_utf8_lossy(&ended.stderr).into_owned();
        let expected = format!("waddleperf autoperf run: {}:{expected}\n", place.config().display());
        assert_eq!((ended.status.code(), error), (Some(2), expected), "{text}");
    }
}

#[test]
fn codes_follow_severity_only_where_asked() {
    let place = Place::new(closed_port());
    let mut codes = Vec::new();
    let mut lines = Vec::new();
    for arguments in [&["autoperf"][..], &["autoperf", "--strict"], &["autoperf", "run", "--nagios"]] {
        let ended = output(&mut place.waddleperf(arguments));
        codes.push(ended.status.code());
        lines.push(String::from_utf8_lossy(&ended.stdout).into_owned());
    }
    assert_eq!(codes, [Some(0), Some(1), Some(2)]);
    assert_eq!(lines[2], "WADDLEPERF CRITICAL - shop: udpping failed: refused\n");
    let unknown = output(&mut place.waddleperf(&["autoperf", "run", "--nagios", "--target", "ship"]));
    assert_eq!(unknown.status.code(), Some(3));
    assert_eq!(
        String::from_utf8_lossy(&unknown.stdout),
        "WADDLEPERF UNKNOWN - --target: no target is called `ship`; it may be shop\n"
    );
}

#[test]
fn a_plugin_that_is_asked_wrongly_says_unknown() {
    let place = Place::new(closed_port());
    let broken = "[autoperf]\nraise = \"4/3\"\n";
    let said = |arguments: &[&str], variable: Option<&str>| {
        let mut command = place.waddleperf(arguments);
        command.envs(variable.map(|value| ("WADDLEPERF_NAGIOS", value)));
        let ended = output(&mut command);
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        (ended.status.code(), text(&ended.stdout), text(&ended.stderr))
    };
    let check = |arguments: &[&str], variable: Option<&str>, why: &str| {
        let (code, out, err) = said(arguments, variable);
        assert_eq!((code, err.as_str(), out.lines().count()), (Some(3), "", 1), "{arguments:?}: {out}{err}");
        assert!(out.starts_with("WADDLEPERF UNKNOWN - ") && out.contains(why) && !out.contains('|'), "{out}");
    };
    check(&["autoperf", "run", "--nagios", "--tier", "4"], None, "invalid value '4' for '--tier <N>'");
    check(&["autoperf", "--nagios", "--traget", "shop"], None, "unexpected argument '--traget' found");
    check(&["autoperf", "run", "--nagios", "--strict"], None, "cannot be used with");
    check(&["autoperf", "run", "--tier", "4"], Some("1"), "invalid value '4'");
    fs::write(place.config(), broken).expect("write the configuration");
    check(&["autoperf", "run", "--nagios"], None, "2: raise: `4/3` is not");
    check(&["autoperf", "run"], Some("yes"), "2: raise: `4/3` is not");
    fs::remove_file(place.config()).expect("no configuration");
    check(&["autoperf", "run", "--nagios"], None, "no such file");
    // Whoever is no plugin is told as ever.
    for (arguments, variable) in [
        (&["autoperf", "run", "--tier", "4"][..], Some("no")),
        (&["autoperf", "run", "--", "--nagios"], None),
        (&["udpping", "--nagios"], None),
    ] {
        let (code, out, err) = said(arguments, variable);
        assert_eq!((code, out.as_str(), err.lines().count()), (Some(2), "", 1), "{arguments:?}: {err}");
    }
}

#[test]
fn without_a_word_it_runs_a_round() {
    let [place, other] = [(); 2].map(|()| Place::new(closed_port()));
    let bare = records(&output(&mut place.waddleperf(&["autoperf", "--json"])));
    let named = other.run();
    let shape = |records: &[serde_json::Value]| {
        let words = records.iter().map(|record| (course(record), record["target"].clone()));
        words.collect::<Vec<_>>()
    };
    assert_eq!(shape(&bare), shape(&named));
    let listed = stdout(&mut place.waddleperf(&["results", "list", "--kind", "autoperf"]));
    assert_eq!((bare.len(), listed.lines().count()), (1, 1), "it is kept: {listed}");
}

#[test]
fn a_probe_that_is_asked_wrongly_takes_no_round_with_it() {
    let place = Place::new(closed_port());
    let key = place.data().with_file_name("empty.key");
    fs::write(&key, "").expect("a key file");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("make it private");
    let text = fs::read_to_string(place.config()).expect("the configuration");
    let wrong =
        format!("[[autoperf.tier1.probe]]\nkind = \"udpping\"\nkey_file = {key:?}\n[[autoperf.target]]");
    fs::write(place.config(), text.replace("[[autoperf.target]]", &wrong)).expect("write the configuration");
    let record = &place.run()[0];
    assert_eq!((&record["round"], record["tests"].as_array().map(Vec::len)), (&"hard".into(), Some(1)));
    let listed = stdout(&mut place.waddleperf(&["results", "list", "--kind", "autoperf"]));
    assert_eq!(listed.lines().count(), 1, "{listed}");
}

#[test]
fn a_clock_that_jumps_is_told_and_makes_nothing_negative() {
    let place = Place::new(closed_port());
    assert_eq!(place.run()[0]["clock"], "ok");
    let mut later = tool("faketime");
    later.args(["-m", "-f", "+30d"]).env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    let plain = place.waddleperf(&["autoperf", "run", "--json"]);
    later.arg(plain.get_program()).args(plain.get_args());
    // A month later, then back again.
    let jumped = [records(&output(&mut later)), place.run()];
    for records in jumped {
        assert_eq!(records[0]["clock"], "stepped", "{records:?}");
        let elapsed = records[0]["elapsed_ms"].as_f64().expect("a number");
        assert!((0.0..60_000.0).contains(&elapsed), "{elapsed}");
        assert_ne!(records[0]["next"]["at"], serde_json::Value::Null);
    }
    assert_eq!(place.run()[0]["clock"], "ok");
}
