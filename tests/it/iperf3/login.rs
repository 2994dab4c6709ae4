//! A server that wants a login: stock clients of 3.12, our own, and clients that say what they like.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use waddleperf::sys::clock;
use waddleperf::sys::wait::sleep;
use waddleperf::wire::iperf3::{Claim, Padding};

use super::raw::{Raw, tcp};
use super::{OPEN, Server, told};
use crate::lab::shared;
use crate::rsa::{Keys, USER, shown};
use crate::tool::{WADDLEPERF, tool};

/// What a server says before it closes: 142, and nothing else.
const REFUSED: [u8; 9] = [0xfe, 0, 0, 0, 142, 0, 0, 0, 0];

/// A server that lets the users of `keys` in.
fn guarded(keys: &Keys, more: &str) -> Server {
    let (private, users) = (keys.private(), keys.users());
    Server::with(&format!(
        "{OPEN}rsa_private_key_path = {:?}\nauthorized_users_path = {:?}\n{more}",
        shown(&private),
        shown(&users)
    ))
}

/// A stock client that logs in with `password`.
fn stock(server: &Server, keys: &Keys, password: &str, args: &str) -> Command {
    let mut command = server.client(&format!("{} {args}", keys.client()));
    command.env("IPERF3_PASSWORD", password);
    command
}

fn now() -> i64 {
    (clock::now().wall / 1_000_000_000) as i64
}

#[track_caller]
fn refused(command: &mut Command) {
    let output = command.output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("test authorization failed"), "{command:?}: {said}");
}

#[test]
fn stock_clients_log_in_where_their_padding_is_taken() {
    let _turn = shared();
    let keys = Keys::new();
    // 3.12 knows no other padding than PKCS#1 v1.5.
    let server = guarded(&keys, "use_pkcs1_padding = true\n");
    for args in ["-t 1 -J", "-t 1 -R -P 2 -J", "-u -b 5M -t 1 -l 1000 -J"] {
        let (is_well, report) = told(&mut stock(&server, &keys, USER.1, args));
        assert!(is_well && report.get("error").is_none(), "{args}: {report:#}");
    }
    refused(&mut stock(&server, &keys, "wrong", "-t 1"));
    refused(&mut server.client("-t 1"));
    let public = keys.public();
    let other = format!("--username luigi --rsa-public-key-path {} -t 1", shown(&public));
    refused(server.client(&other).env("IPERF3_PASSWORD", USER.1));
    refused(&mut stock(&guarded(&keys, ""), &keys, USER.1, "-t 1"));
}

#[test]
fn users_are_read_again_and_a_broken_file_leaves_those_who_were_there() {
    let _turn = shared();
    let keys = Keys::new();
    let server = guarded(&keys, "use_pkcs1_padding = true\n");
    let users = fs::read_to_string(keys.users()).expect("users");
    let login = |password: &str| {
        stock(&server, &keys, password, "-n 100K").output().expect("it runs").status.success()
    };
    let becomes = |password: &str, is_let_in: bool| {
        server.signal(Signal::SIGHUP);
        // Of ten logins that fail in a minute none is looked at any more.
        (0..6).any(|_| {
            sleep(Duration::from_millis(300));
            login(password) == is_let_in
        })
    };
    assert!(login(USER.1) && !login("other"));
    let claim = Claim { user: USER.0.to_owned(), password: "other".to_owned(), at: 0 };
    let digest: String = claim.digest().iter().map(|octet| format!("{octet:02x}")).collect();
    keys.write("users.csv", &format!("{},{digest}\n", USER.0));
    assert!(becomes("other", true), "the new password");
    assert!(!login(USER.1), "the old password");
    keys.write("users.csv", "nonsense\n");
    server.signal(Signal::SIGHUP);
    sleep(Duration::from_millis(500));
    assert!(login("other") && !login(USER.1), "what was before");
    keys.write("users.csv", &users);
    assert!(becomes(USER.1, true), "the first password again");
}

#[test]
fn a_clock_that_is_off_by_a_minute_is_refused() {
    let _turn = shared();
    let keys = Keys::new();
    let strict = guarded(&keys, "use_pkcs1_padding = true\n");
    let lenient = guarded(&keys, "use_pkcs1_padding = true\ntime_skew_threshold = \"2m\"\n");
    for offset in ["-60s", "+60s"] {
        let late = |server: &Server| {
            let mut command = tool("faketime");
            let args =
                format!("-f {offset} iperf3 -c 127.0.0.1 -n 100K -p {} {}", server.port, keys.client());
            command.args(args.split_whitespace()).env("IPERF3_PASSWORD", USER.1);
            command
        };
        refused(&mut late(&strict));
        let output = late(&lenient).output().expect("it runs");
        assert!(output.status.success(), "{offset}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn a_token_is_taken_once_and_only_while_it_is_fresh() {
    let _turn = shared();
    let keys = Keys::new();
    let server = guarded(&keys, "");
    let ask = |token: &str| {
        let mut params = tcp();
        params["authtoken"] = json!(token);
        Raw::ask(&server, &params)
    };
    let token = keys.token(USER.1, now(), Padding::Oaep);
    // It is let in: the streams may come.
    ask(&token).hear(&[10]);
    assert_eq!(ask(&token).rest(), REFUSED, "a second time");
    for (name, token) in [
        ("late", keys.token(USER.1, now() - 60, Padding::Oaep)),
        ("early", keys.token(USER.1, now() + 60, Padding::Oaep)),
        ("wrong password", keys.token("wrong", now(), Padding::Oaep)),
        ("the padding that is not taken", keys.token(USER.1, now(), Padding::Pkcs1)),
        ("nonsense", "x".repeat(344)),
        ("nothing", String::new()),
    ] {
        assert_eq!(ask(&token).rest(), REFUSED, "{name}");
    }
    assert_eq!(Raw::ask(&server, &tcp()).rest(), REFUSED, "no token");
}

#[test]
fn who_fails_ten_times_in_a_minute_is_not_heard() {
    let _turn = shared();
    let keys = Keys::new();
    let server = guarded(&keys, "");
    let mut params = tcp();
    for n in 0..10 {
        params["authtoken"] = json!(keys.token("wrong", now(), Padding::Oaep));
        assert_eq!(Raw::ask(&server, &params).rest(), REFUSED, "{n}");
    }
    // The minute is counted from the server's start.
    params["authtoken"] = json!(keys.token(USER.1, now(), Padding::Oaep));
    assert_eq!(Raw::ask(&server, &params).rest(), REFUSED, "the right one as well");
}

#[test]
fn a_token_is_not_looked_at_where_there_is_no_key() {
    let _turn = shared();
    let keys = Keys::new();
    let server = Server::open();
    let (is_well, report) = told(&mut stock(&server, &keys, "whatever", "-n 1M -J"));
    assert!(is_well && report.get("error").is_none(), "{report:#}");
}

#[test]
fn our_own_client_logs_in_by_file_or_variable_and_its_record_holds_no_secret() {
    let _turn = shared();
    let keys = Keys::new();
    let server = guarded(&keys, "");
    let file = keys.write("password", &format!("{}\n", USER.1));
    let run = |more: &str, password: Option<&str>| {
        let mut command = Command::new(WADDLEPERF);
        command.args(["bandwidth", "--json", "-t", "1", "-p", &server.port.to_string(), "127.0.0.1"]);
        command.args(more.split_whitespace()).env_remove("IPERF3_PASSWORD");
        command.envs(password.map(|password| ("IPERF3_PASSWORD", password)));
        let output = command.output().expect("it runs");
        let record: Value = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(!text.contains(USER.1), "{text}");
        (output.status.code(), record, String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, record, says) = run(&keys.client(), Some(USER.1));
    assert_eq!(code, Some(0), "{says}");
    assert_eq!(record["probe"]["login"]["username"], USER.0);
    let by_file = format!("{} --password-file {}", keys.client(), shown(&file));
    let (code, _, says) = run(&by_file, None);
    assert_eq!(code, Some(0), "{says}");
    for (more, password, code, word) in [
        (keys.client(), Some("wrong"), 1, "--use-pkcs1-padding"),
        (format!("{} --use-pkcs1-padding", keys.client()), Some(USER.1), 1, "without --use-pkcs1-padding"),
        (String::new(), None, 1, "--username"),
        (keys.client(), None, 2, "IPERF3_PASSWORD"),
        (keys.client(), Some("with blanks"), 2, "white space"),
        ("--username mario".to_owned(), None, 2, "--rsa-public-key-path"),
    ] {
        let (ended, record, says) = run(&more, password);
        assert!(ended == Some(code) && says.contains(word), "{more}: {ended:?} {says}");
        if code == 1 {
            assert_eq!(record["outcome"]["failure"]["class"], "auth", "{record}");
        }
    }
    // Who has logged in stands in the server's record.
    let users: Vec<Value> = server.records(2).iter().map(|record| record["labels"]["user"].clone()).collect();
    assert_eq!(users, [json!(USER.0), json!(USER.0)]);
}

#[test]
fn files_that_others_may_read_or_that_hold_something_else_are_refused() {
    let keys = Keys::new();
    let (private, users) = (keys.private(), keys.users());
    let serve = |private: &str, users: &str| {
        let mut command = Command::new(WADDLEPERF);
        let data = tempfile::tempdir().expect("a directory");
        command.args(["serve", "--listen", "udpping=off", "--listen", "iperf3=127.0.0.1:0", "--data"]);
        command.arg(data.path()).args(["--rsa-private-key-path", private, "--authorized-users-path", users]);
        let output = command.output().expect("it runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let nobody = keys.write("nobody.csv", "# nobody\n");
    let open = keys.write("open.pem", "x");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).expect("a mode");
    let (public, missing) = (keys.public(), keys.public().with_file_name("missing"));
    for (private, users, word) in [
        (&public, &users, "no private key"),
        (&private, &nobody, "it names nobody"),
        (&open, &users, "chmod 600"),
        (&missing, &users, "no such file"),
    ] {
        let (code, says) = serve(shown(private), shown(users));
        assert!(code == Some(2) && says.contains(word), "{code:?} {says}");
    }
}

#[test]
fn networks_that_may_not_test_are_told_so() {
    let _turn = shared();
    for (settings, may) in [
        ("allow = [\"127.0.0.0/8\"]\n", true),
        ("allow = [\"192.0.2.0/24\", \"2001:db8::/32\"]\n", false),
        ("deny = [\"127.0.0.1\"]\n", false),
        ("allow = [\"127.0.0.0/8\"]\ndeny = [\"127.0.0.0/30\"]\n", false),
    ] {
        let server = Server::with(&format!("{OPEN}{settings}"));
        if may {
            server.report("-n 1M");
        } else {
            let said = server.complaint("-n 1M");
            assert!(said.contains("test authorization failed"), "{settings}: {said}");
        }
    }
}
