//! What is asked wrongly: one line with what, where and the remedy, exit code 2, and nothing on stdout.

use super::{Reflector, said, waddleperf};

#[test]
fn a_bad_option_is_one_line_with_its_remedy() {
    let dir = tempfile::tempdir().expect("make a directory");
    for (args, what) in [
        (&["udpping"][..], "<TARGET>"),
        (&["udpping", "-c", "0", "h.example"], "--count 0: send at least 1 packet, or use --watch"),
        (&["udpping", "-c", "many", "h.example"], "invalid value 'many' for '--count <N>'"),
        (&["udpping", "-i", "fast", "h.example"], "invalid value 'fast' for '--interval <TIME>'"),
        (&["udpping", "-W", "0", "h.example"], "--timeout 0: give each reply some time, such as 2s"),
        (&["udpping", "-w", "0", "h.example"], "--deadline 0 leaves no time to send"),
        (&["udpping", "-4", "-6", "h.example"], "-4 and -6 exclude each other"),
        (&["udpping", "-6", "127.0.0.1"], "127.0.0.1 is not of the address family that -4, -6 or the source"),
        (&["udpping", "--source", "::1", "127.0.0.1"], "127.0.0.1 is not of the address family"),
        (&["udpping", "-4", "--source", "::1", "h.example"], "--source ::1 is not of the family asked for"),
        (&["udpping", "-I", "nope", "h.example"], "-I nope: this host has no such interface or address"),
        (
            &["udpping", "-k", "secret", "h.example"],
            "a key comes from a file that only you can read: --key-file",
        ),
        (&["udpping", "127.0.0.1:2000"], "name the host alone, `127.0.0.1`, and set the port to 2000"),
        (&["udpping", "[::1]:2000"], "name the host alone, `[::1]`, and set the port to 2000"),
        (&["udpping", "http://h.example:80/x"], "is a URL: name the host alone, `h.example`"),
        (&["udpping", "-p", "0", "h.example"], "--port 0: name the reflector's port, 1-65535"),
        (&["udpping", "-p", "70000", "h.example"], "--port <PORT>"),
        (&["udpping", "--burst", "0", "h.example"], "--burst takes 1 to 1000 packets"),
        (&["udpping", "-s", "65508", "h.example"], "a UDP datagram carries at most 65507 octets"),
        (&["udpping", "--dscp", "64", "h.example"], "`64` is no DSCP: 0 to 63"),
        (&["udpping", "--protocol", "icmp", "h.example"], "[possible values: wp1, stamp, twamp, echo]"),
        (&["udpping", "--protocl", "wp1", "h.example"], "'--protocol'"),
        (
            &["udpping", "--schedule", "poisson", "-i", "0", "h.example"],
            "--interval 0: a poisson schedule needs one above 0",
        ),
        (&["udpping", "--protocol", "echo", "--key-file", "k", "h.example"], "only wp1 and stamp packets"),
        (&["udpping", "--json", "--csv", "h.example"], "'--json' cannot be used with '--csv'"),
        (&["udpping", "--label", "site", "h.example"], "write a label as NAME=VALUE, as `site=berlin`"),
        (&["udpping", "--fail-on", "loss_ratio>1", "h.example"], "`1` needs a unit, such as `1%`"),
        (&["udpping", "--fail-on", "loss>1%", "h.example"], "the nearest is"),
        (&["udpping", "--fail-on", "throughput<1Mbit/s", "h.example"], "udpping does not measure that"),
        (&["udpping", "--fail-on", "imported.rtt_p95>1ms", "h.example"], "udpping does not measure that"),
        (&["udpping", "--fail-on", "loss_ratio>150%", "h.example"], "loss_ratio is never above 100%"),
        (&["udping", "h.example"], "'udpping'"),
        (&["tls"], "TARGET is missing: name the host"),
        (&["sshping"], "TARGET is missing: name the host"),
        (&["bandwidth"], "is missing: name the server"),
        (
            &["results", "list", "--kind", "udping"],
            "no records are of the kind `udping`; the nearest is `udpping`",
        ),
        (
            &["--config", "/nowhere/else.toml", "udpping", "h.example"],
            "read /nowhere/else.toml: no such file",
        ),
    ] {
        let (out, err, code) = said(waddleperf(dir.path()).args(args));
        assert!(err.starts_with("waddleperf") && err.contains(what), "{args:?}: {err}");
        assert_eq!((out.as_str(), err.lines().count(), code), ("", 1, Some(2)), "{args:?}: {err}");
    }
}

#[test]
fn an_impossible_file_is_one_line_with_its_place_for_whoever_reads_it() {
    let dir = tempfile::tempdir().expect("make a directory");
    let file = dir.path().join("w.toml");
    let place = file.to_str().expect("UTF-8");
    for (text, line, what) in [
        ("[probe.udpping]\ncount = 0", 2, "count 0: send at least 1 packet"),
        ("[store]\nspool_bytes = 0", 2, "spool_bytes is too small: at least 1048576 (1 MiB)"),
        ("[[autoperf.target]]\nname = \"a\"", 1, "host is missing"),
        ("[autoperf]\n\nfast = 0", 3, "fast takes 1 or more; 1 keeps the interval"),
        ("[autoperf]\ninterval = 200", 2, "interval: 200 has no unit: write \"200ms\""),
    ] {
        std::fs::write(&file, text).expect("write the configuration");
        for args in [
            &["config", "check", place][..],
            &["--config", place, "config", "check"],
            &["--config", place, "serve"],
            &["--config", place, "autoperf", "run"],
            &["--config", place, "autoperf", "check"],
            &["--config", place, "autoperf", "daemon"],
        ] {
            let (out, err, code) = said(waddleperf(dir.path()).args(args));
            assert!(err.contains(&format!(": {place}:{line}: {what}")), "{args:?}: {err}");
            assert_eq!((out.as_str(), err.lines().count(), code), ("", 1, Some(2)), "{args:?}: {err}");
        }
    }
}

#[test]
fn a_variable_is_checked_like_its_flag() {
    let dir = tempfile::tempdir().expect("make a directory");
    let (out, err, code) =
        said(waddleperf(dir.path()).args(["udpping", "h.example"]).env("WADDLEPERF_COUNT", "many"));
    assert!(err.contains("invalid value 'many' for '--count <N>'"), "{err}");
    assert_eq!((out.as_str(), err.lines().count(), code), ("", 1, Some(2)));
}

#[test]
fn a_reflector_that_is_not_there_is_one_line_and_1() {
    let reflector = Reflector::start();
    let mut command = waddleperf(reflector.dir.path());
    // The port of the reflector, on an address where it does not listen.
    let (_, err, code) = said(command.args(["udpping", "-q", "127.0.0.2", "-p", &reflector.port]));
    assert!(err.contains("connection refused"), "{err}");
    assert_eq!((err.lines().count(), code), (1, Some(1)));
}
