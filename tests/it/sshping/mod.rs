//! `sshping` against OpenSSH's own server over shaped links, whose keys ssh-keygen made and hashed, and against servers
//! that are none.

mod echo;
mod hostile;
mod login;
mod server;

use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use waddleperf::sys::clock;
use waddleperf::sys::wait::sleep;

use crate::lab::{Lab, Node, alone};
use crate::tool::{WADDLEPERF, real_root, stdout, tool};
use server::Sshd;

/// What `sshping` at `node` with `args` says of `server`: its exit code, the record or null, and stderr.
fn sshping(node: &Node, server: &Sshd, args: &[&str]) -> (Option<i32>, Value, String) {
    let mut command = node.command(WADDLEPERF);
    command.args(["sshping", "--json", "-F", "none", "--no-agent", "--data"]).arg(server.path("data"));
    command.arg("--known-hosts").arg(server.path("known_hosts")).args(args).arg(server.target());
    let output = command.output().expect("it runs");
    let record = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output.status.code(), record, String::from_utf8_lossy(&output.stderr).into_owned())
}

fn ms(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("no time: {value}"))
}

#[test]
fn steps_echoes_and_transfers_are_those_of_a_delayed_line() {
    if !real_root("sshd lets somebody log in") {
        return;
    }
    let lab = Lab::line(1).delay(Duration::from_millis(20)).build();
    let sshd = Sshd::start(lab.server());
    let key = sshd.key();
    let (code, record, says) =
        sshping(lab.client(), &sshd, &["--accept-new", "-i", &key, "-c", "20", "-s", "1"]);
    assert_eq!(code, Some(0), "{says}");
    let report = &record["outcome"]["report"];
    assert!(
        report["banner"].as_str().is_some_and(|banner| banner.starts_with("SSH-2.0-OpenSSH")),
        "{report}"
    );
    let phases = &report["phases"];
    // One round trip each at least: 40 ms. The exchange of keys takes two and logging in two more.
    for (phase, least) in [("connect_ms", 40.0), ("kex_ms", 40.0), ("auth_ms", 80.0), ("channel_ms", 80.0)] {
        assert!(ms(&phases[phase]) >= least, "{phase}: {phases}");
    }
    assert!(ms(&phases["connect_ms"]) < 80.0 && phases["dns_ms"].is_null(), "{phases}");
    let echo = &report["echo"];
    assert_eq!((&echo["sent"], &echo["received"]), (&Value::from(20), &Value::from(20)));
    assert!((40.0..60.0).contains(&ms(&echo["rtt"]["p50_ms"])), "{echo}");
    for way in ["upload", "download"] {
        assert_eq!(report[way]["bytes"], 1_000_000, "{way}");
        assert!(report[way]["throughput_bps"].as_f64().is_some_and(|rate| rate > 1e5), "{way}");
    }
    assert_eq!(
        (&report["login"]["method"], &report["host_key"]["trust"]),
        (&"publickey".into(), &"accepted".into())
    );
    assert!(ms(&report["tcp"]["rtt_ms"]) >= 40.0);
    let listed = stdout(tool("ssh-keygen").arg("-lf").arg(sshd.path("host.pub")));
    assert!(listed.contains(report["host_key"]["fingerprint"].as_str().expect("a fingerprint")), "{listed}");
}

#[test]
fn a_terminal_echoes_too_and_sftp_leaves_nothing_behind() {
    if !real_root("sshd lets somebody log in") {
        return;
    }
    let lab = Lab::line(0).build();
    let sshd = Sshd::start(lab.server());
    let key = sshd.key();
    // More than a terminal takes of one line.
    let args = ["--accept-new", "-i", &key, "--tty", "-c", "4200", "-s", "2", "--sftp", "-t", "60s"];
    let (code, record, says) = sshping(lab.client(), &sshd, &args);
    assert_eq!(code, Some(0), "{says} {record}");
    let report = &record["outcome"]["report"];
    assert_eq!((&report["echo"]["by"], &report["echo"]["received"]), (&"tty".into(), &Value::from(4200)));
    assert_eq!(
        (&report["upload"]["bytes"], &report["download"]["bytes"]),
        (&Value::from(2_000_000), &Value::from(2_000_000))
    );
    assert_eq!(files(), Vec::<String>::new());
    // What is no echo is said to be none, and the run still has its steps.
    let (code, record, _) = sshping(lab.client(), &sshd, &["-i", &key, "-r", "e", "-e", "tr a-z A-Z"]);
    let failure = &record["outcome"]["report"]["failures"][0];
    assert!(code == Some(1) && failure["class"] == "protocol" || failure["class"] == "timeout", "{record}");
}

/// Files that are sent and fetched.
fn files() -> Vec<String> {
    let entries = std::fs::read_dir("/tmp").expect("a directory").flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with("waddleperf-sshping-")).collect()
}

/// Nobody else's files are there meanwhile.
#[test]
fn who_interrupts_a_transfer_leaves_no_file_behind() {
    if !real_root("sshd lets somebody log in") {
        return;
    }
    let _alone = alone();
    let lab = Lab::line(0).build();
    let sshd = Sshd::start(lab.server());
    let mut command = lab.client().command(WADDLEPERF);
    command.args([
        "sshping",
        "--json",
        "-F",
        "none",
        "--accept-new",
        "-r",
        "s",
        "-s",
        "16000",
        "--sftp",
        "-i",
    ]);
    command.arg(sshd.key()).arg("--known-hosts").arg(sshd.path("known_hosts"));
    command.arg("--data").arg(sshd.path("data")).arg(sshd.target()).stdout(Stdio::piped());
    let child = command.spawn().expect("it runs");
    let began = clock::now().mono;
    while files().is_empty() {
        assert!(clock::now().mono - began < Duration::from_secs(60), "no file is sent");
        sleep(Duration::from_millis(5));
    }
    kill(Pid::from_raw(child.id() as i32), Signal::SIGINT).expect("interrupt it");
    let output = child.wait_with_output().expect("it ends");
    let record: Value = serde_json::from_slice(&output.stdout).expect("a record");
    assert_eq!((output.status.code(), files()), (Some(130), Vec::new()), "{record}");
    let report = &record["outcome"]["report"];
    assert!(report["login"].is_object() && report["upload"].is_null(), "what there was by then: {record}");
}

#[test]
fn a_servers_key_is_known_given_or_let_in_and_never_changed() {
    if !real_root("sshd lets somebody log in") {
        return;
    }
    let lab = Lab::line(0).build();
    let sshd = Sshd::start(lab.server());
    let key = sshd.key();
    let run =
        |args: &[&str]| sshping(lab.client(), &sshd, &[&["-i", &key, "-r", "e", "-c", "2"], args].concat());
    let trust = |record: &Value| record["outcome"]["report"]["host_key"]["trust"].clone();

    let (code, record, says) = run(&[]);
    let listed = stdout(tool("ssh-keygen").arg("-lf").arg(sshd.path("host.pub")));
    let fingerprint = listed.split_whitespace().nth(1).expect("a fingerprint");
    assert!(code == Some(1) && says.contains(fingerprint) && says.contains("--accept-new"), "{says}");
    assert_eq!(record["outcome"]["failure"]["class"], "auth");

    assert_eq!(trust(&run(&["--host-key", fingerprint]).1), "given");
    let (code, _, says) = run(&["--host-key", "SHA256:AAAA"]);
    assert!(code == Some(1) && says.contains(fingerprint), "{says}");

    assert_eq!(trust(&run(&["--accept-new"]).1), "accepted");
    assert_eq!(trust(&run(&[]).1), "known");
    // ssh-keygen hides the names; they are known all the same.
    stdout(tool("ssh-keygen").arg("-H").arg("-f").arg(sshd.path("known_hosts")));
    let text = std::fs::read_to_string(sshd.path("known_hosts")).expect("known hosts");
    assert!(text.starts_with("|1|"), "{text}");
    assert_eq!(trust(&run(&[]).1), "known");

    let other = sshd.with_another_key(lab.server());
    let (code, record, says) = sshping(lab.client(), &other, &["-i", &key, "--accept-new"]);
    assert!(code == Some(1) && says.contains("somebody may be in between"), "{says}");
    assert_eq!(record["outcome"]["failure"]["class"], "auth");
}

#[test]
fn who_may_not_log_in_is_told_what_was_tried_and_may_still_look() {
    if !real_root("sshd lets somebody log in") {
        return;
    }
    let lab = Lab::line(0).build();
    let sshd = Sshd::start(lab.server());
    let wrong = sshd.path("stranger");
    stdout(tool("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&wrong));
    let wrong = wrong.to_str().expect("a path");
    let (code, record, says) = sshping(lab.client(), &sshd, &["--accept-new", "-i", wrong]);
    assert!(code == Some(1) && says.contains(wrong) && says.contains("publickey"), "{says}");
    assert_eq!(record["outcome"]["failure"]["class"], "auth");

    let (code, record, says) = sshping(lab.client(), &sshd, &["--no-auth"]);
    let report = &record["outcome"]["report"];
    assert_eq!(code, Some(0), "{says}");
    assert!(report["login"].is_null() && report["echo"].is_null() && ms(&report["phases"]["kex_ms"]) > 0.0);
    assert_eq!(report["host_key"]["trust"], "unchecked");

    let secret = sshd.path("password");
    std::fs::write(&secret, "s3cret\n").expect("write");
    let secret = secret.to_str().expect("a path");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(secret, mode).expect("a mode");
    let (code, record, says) = sshping(lab.client(), &sshd, &["--password-file", secret]);
    assert!(code == Some(2) && says.contains("chmod 600") && !says.contains("s3cret"), "{says}");
    assert!(!record.to_string().contains("s3cret"));
}

#[test]
fn the_configuration_of_ssh_counts_and_a_jump_is_refused() {
    if !real_root("sshd lets somebody log in") {
        return;
    }
    let lab = Lab::line(0).build();
    let sshd = Sshd::start(lab.server());
    let config = sshd.path("config");
    let text = format!(
        "Host here\n  HostName {}\n  Port {}\n  User root\n  IdentityFile {}\nHost there\n  ProxyJump gate\n",
        lab.server().address4(),
        server::PORT,
        sshd.path("user").display()
    );
    std::fs::write(&config, text).expect("write");
    let run = |target: &str| {
        let mut command: Command = lab.client().command(WADDLEPERF);
        command.args(["sshping", "--json", "--no-agent", "--accept-new", "-r", "e", "-c", "3", "--data"]);
        command.arg(sshd.path("data")).arg("-F").arg(&config);
        command.arg("--known-hosts").arg(sshd.path("known_hosts")).arg(target);
        command.output().expect("it runs")
    };
    let output = run("here");
    let record: Value = serde_json::from_slice(&output.stdout).expect("a record");
    assert_eq!(record["outcome"]["report"]["echo"]["received"], 3, "{record}");
    assert_eq!(record["address"], lab.server().address4().to_string());
    let output = run("there");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(3) && text.contains("gate"), "{text}");
}
