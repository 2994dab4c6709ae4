//! `results` and `health`: the same answers with the store's lock and beside the process that has it.

use std::fs;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::tool::{WADDLEPERF, output, stdout};

/// Outputs of other tools, one record in each.
const FILES: [&str; 9] = [
    "ping.txt",
    "ping-D.txt",
    "ping-q.txt",
    "ping-6.txt",
    "ping-lost.txt",
    "mtr.json",
    "iperf3.json",
    "iperf3-udp.json",
    "irtt.json",
];

/// A data directory of its own.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(WADDLEPERF);
        command.arg("--data").arg(self.data()).args(words).env("TZ", "UTC");
        command
    }

    fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    #[track_caller]
    fn says(&self, words: &[&str]) -> String {
        stdout(&mut self.command(words))
    }

    #[track_caller]
    fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.says(words)).expect("JSON")
    }

    /// Imports what the tool wrote into `name`.
    #[track_caller]
    fn import(&self, name: &str) -> Output {
        output(&mut self.import_command(name))
    }

    fn import_command(&self, name: &str) -> Command {
        let mut command = self.command(&["results", "import", "--at", "2026-11-25T09:00:00Z"]);
        command.arg(file(name));
        command
    }

    #[track_caller]
    fn import_all(&self) {
        for name in FILES {
            let done = self.import(name);
            assert!(done.status.success(), "{name}: {}", String::from_utf8_lossy(&done.stderr));
        }
    }

    /// A server on this data. Its store answers from here on.
    #[track_caller]
    fn serve(&self) -> Server {
        let listen = ["serve", "--listen", "iperf3=off", "--listen", "udpping=127.0.0.1:0"];
        let child = self.command(&listen).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let server = Server(child.expect("start a server"));
        // Taking the store is the server's first act; until it answers, this one may have the store itself.
        let well =
            (0..500).any(|_| self.command(&["health"]).output().is_ok_and(|done| done.status.success()));
        assert!(well, "the server is not well");
        server
    }
}

/// A server that ends with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let pid = Pid::from_raw(i32::try_from(self.0.id()).expect("a process id"));
        let _ = kill(pid, Signal::SIGTERM);
        let _ = self.0.wait();
    }
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/import").join(name)
}

#[test]
fn what_is_imported_is_listed_shown_and_exported_and_twice_is_once() {
    let place = Place::new();
    place.import_all();
    place.import_all();
    let ids = place.says(&["results", "ids"]);
    assert_eq!(ids.lines().count(), FILES.len());

    let list = place.says(&["results", "list"]);
    assert_eq!(list.lines().count(), FILES.len(), "one line a record:\n{list}");
    assert!(list.contains("2026-11-25 09:30:43") && list.contains("no reply"), "{list}");
    let first = ids.lines().next().expect("an id");
    assert!(place.says(&["results", "show", first]).contains(&format!("id         {first}\n")));
    let shown = place.json(&["results", "show", first, "--json"]);
    assert_eq!(shown["id"], first);

    let export = place.says(&["results", "export"]);
    let exported: Vec<Value> =
        export.lines().map(|line| serde_json::from_str(line).expect("a record")).collect();
    assert_eq!(exported.len(), FILES.len());
    assert_eq!(exported.last(), Some(&shown), "oldest first");
    let csv = place.says(&["results", "export", "--format", "csv"]);
    assert_eq!(csv.lines().count(), FILES.len() + 1);
    assert!(csv.starts_with("id,at,"), "{csv}");
    assert_eq!(place.json(&["results", "verify", "--json"])["wrong"], 0);
    assert_eq!(place.json(&["results", "stats", "--json"])["store"]["records"], FILES.len());
}

#[test]
fn pages_follow_their_cursor_and_filters_narrow() {
    let place = Place::new();
    place.import_all();
    let mut found = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let mut words = vec!["results", "ids", "--json", "--limit", "4"];
        words.extend(after.iter().flat_map(|after| ["--after", after.as_str()]));
        let page = place.json(&words);
        found.extend(page["ids"].as_array().expect("ids").clone());
        after = page["next"].as_str().map(str::to_owned);
        if after.is_none() {
            break;
        }
    }
    let all = place.json(&["results", "ids", "--json"]);
    assert_eq!(Some(&found), all["ids"].as_array());
    for (words, expected) in [
        (["--target", "::1"], 1),
        (["--label", "tool=iperf3"], 2),
        (["--kind", "udpping"], 0),
        (["--since", "2026-11-25T09:30:44Z"], 2),
        (["--until", "2026-11-25T09:30:44Z"], 7),
    ] {
        let list = place.json(&[&["results", "list", "--json"][..], &words].concat());
        assert_eq!(list["records"].as_array().map(Vec::len), Some(expected), "{words:?}");
    }
}

#[test]
fn a_question_gets_the_same_answer_beside_a_server() {
    let place = Place::new();
    place.import_all();
    let questions: [&[&str]; 8] = [
        &["results", "list"],
        &["results", "list", "--json", "--limit", "3"],
        &["results", "ids", "--kind", "imported"],
        &["results", "export"],
        &["results", "export", "--format", "csv"],
        &["results", "stats", "--scalar", "rtt_p95"],
        &["results", "prune", "--older", "1h", "--dry-run"],
        &["results", "show", "ffff"],
    ];
    let ask = |words: &&[&str]| {
        let done = output(&mut place.command(words));
        // A server makes roll-ups meanwhile, and the file grows with them.
        let passing = |line: &&str| line.starts_with("roll-ups ") || line.starts_with("file ");
        let text = |octets: &[u8]| -> String {
            String::from_utf8_lossy(octets)
                .lines()
                .filter(|line| !passing(line))
                .map(|line| line.to_owned() + "\n")
                .collect()
        };
        (done.status.code(), text(&done.stdout), text(&done.stderr))
    };
    let alone: Vec<_> = questions.iter().map(ask).collect();
    let server = place.serve();
    for (words, expected) in questions.iter().zip(alone) {
        assert_eq!(ask(words), expected, "{words:?}");
    }
    drop(server);
}

#[test]
fn two_processes_keep_beside_the_owner_and_all_is_listed() {
    let place = Place::new();
    let server = place.serve();
    let both = ["irtt.json", "iperf3.json"].map(|name| place.import_command(name).spawn().expect("start"));
    for mut child in both {
        assert!(child.wait().expect("an end").success());
    }
    assert_eq!(place.says(&["results", "list"]).lines().count(), 2);
    drop(server);
    assert_eq!(place.says(&["results", "ids"]).lines().count(), 2);
}

#[test]
fn health_is_0_beside_a_server_and_1_without() {
    let place = Place::new();
    let code = |words: &[&str]| output(&mut place.command(words)).status.code();
    assert_eq!((code(&["health"]), code(&["health", "--json"])), (Some(1), Some(1)));
    let server = place.serve();
    assert_eq!(code(&["health"]), Some(0));
    assert_eq!(place.json(&["health", "--json"])["well"], true);
    drop(server);
    assert_eq!(code(&["health"]), Some(1));
}

#[test]
fn what_is_asked_wrongly_is_told_on_one_line() {
    let place = Place::new();
    let nonsense = place.0.path().join("nonsense");
    fs::write(&nonsense, "nothing that a tool wrote").expect("a file");
    let nonsense = nonsense.to_str().expect("a path");
    for (words, code) in [
        (&["results", "import", nonsense][..], 2),
        (&["results", "import", "/nowhere/at/all"], 3),
        (&["results", "show", "abcd"], 2),
        (&["results", "list", "--since", "yesterday"], 2),
        (&["results", "list", "--label", "x"], 2),
        (&["results", "list", "--limit", "0"], 2),
    ] {
        let done = output(&mut place.command(words));
        let told = String::from_utf8_lossy(&done.stderr);
        assert_eq!((done.status.code(), told.lines().count()), (Some(code), 1), "{words:?}: {told}");
    }
}

#[test]
fn what_is_old_goes_and_a_dry_run_says_how_much() {
    let place = Place::new();
    for (name, at) in [("ping.txt", "2020-01-01T00:00:00Z"), ("mtr.json", "2020-02-01T00:00:00Z")] {
        stdout(place.command(&["results", "import", "--at", at]).arg(file(name)));
    }
    let older = ["results", "prune", "--older", "20d"];
    assert_eq!(place.says(&[&older[..], &["--dry-run"]].concat()), "1 record would go\n");
    assert_eq!(place.says(&["results", "ids"]).lines().count(), 2);
    assert_eq!(place.json(&[&older[..], &["--json"]].concat())["records"], 1);
    assert_eq!(place.says(&["results", "ids"]).lines().count(), 1);
    assert_eq!(place.json(&["results", "verify", "--json"])["wrong"], 0);
}

#[test]
fn a_server_that_hangs_is_not_well() {
    let place = Place::new();
    fs::create_dir_all(place.data()).expect("a directory");
    let _silent = UnixListener::bind(place.data().join("control.sock")).expect("a socket");
    let done = output(&mut place.command(&["health"]));
    let told = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.code() == Some(1) && told.contains("no answer within 2 s"), "{told}");
}

#[test]
fn a_pipe_is_read_as_well() {
    let place = Place::new();
    let import = ["results", "import", "--format", "ping", "-", "--label", "site=a"];
    let input = fs::File::open(file("ping-D.txt")).expect("a file");
    assert_eq!(stdout(place.command(&import).stdin(input)), "1 record kept\n");
    assert_eq!(place.says(&["results", "ids", "--label", "site=a"]).lines().count(), 1);
}

#[test]
fn a_reader_who_goes_away_is_no_failure() {
    let place = Place::new();
    place.import_all();
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let done = output(place.command(&["results", "export"]).stdout(writer));
    assert!(done.status.success() && done.stderr.is_empty(), "{}", String::from_utf8_lossy(&done.stderr));
}
