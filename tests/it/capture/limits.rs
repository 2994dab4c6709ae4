//! A capture ends, is told why it cannot begin, and is never asked for from afar.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use waddleperf::failure::Class;
use waddleperf::net::{Policy, Resolver};
use waddleperf::probe::capture::{Capture, Reading, Subject};
use waddleperf::probe::{Agent, Ctx, Outcome, Probe};
use waddleperf::sys::clock;
use waddleperf::sys::wait::sleep;
use waddleperf::wire::pcap::Link;

use super::running::{Running, command, file, here, number, packets, send};
use crate::lab::{Lab, alone};
use crate::tool::{real_root, stdout, tool};

#[test]
fn so_many_packets_are_kept_and_the_rest_is_counted() {
    let lab = Lab::line(0).build();
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("a.pcapng");
    let arguments = ["-f", "udp dst port 9", "-c", "100", "-w", path.to_str().expect("UTF-8")];
    let ours = Running::start(lab.client(), &arguments);
    send(lab.client(), lab.server().address4(), 3000, 100);
    let (record, code) = ours.wait();
    let report = super::running::report(&record);
    assert_eq!((code, record["partial"].as_bool(), report["ended"].as_str()), (Some(0), None, Some("count")));
    assert_eq!(
        (number(&report, "/packets"), packets(&std::fs::read(&path).expect("the file")).len()),
        (100, 100)
    );
    let [duration, span] = ["duration_ms", "span_ms"].map(|name| report[name].as_f64().expect("a time"));
    assert!(duration >= span, "from before the first packet to the last: {report}");
    let (received, beyond) = (number(&report, "/received"), number(&report, "/dropped_limit"));
    assert_eq!(received, 100 + beyond + number(&report, "/dropped_kernel"), "{report}");
}

#[test]
fn a_file_has_its_size_and_no_more() {
    let lab = Lab::line(0).build();
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("a.pcapng");
    let arguments = ["-f", "udp dst port 9", "--size", "1", "--full", "-w", path.to_str().expect("UTF-8")];
    let ours = Running::start(lab.client(), &arguments);
    send(lab.client(), lab.server().address4(), 2000, 1400);
    let (record, code) = ours.wait();
    assert_eq!((code, record["outcome"]["report"]["ended"].as_str()), (Some(0), Some("size")), "{record}");
    let size = std::fs::metadata(&path).expect("the file").len();
    assert!((1 << 20) - 1600 < size && size < (1 << 20) + 100, "{size}");
    let report = super::running::report(&record);
    let sums = ["/packets", "/dropped_limit", "/dropped_kernel"].map(|pointer| number(&report, pointer));
    assert_eq!(sums.iter().sum::<u64>(), number(&report, "/received"), "{report}");
}

#[test]
fn an_interface_that_goes_down_ends_it() {
    let lab = Lab::line(0).build();
    let ours = Running::start(lab.client(), &["--all"]);
    lab.client().ip("link set up0 down");
    let (record, _) = ours.wait();
    assert_eq!(record["outcome"]["report"]["ended"], "interface", "{record}");
}

#[test]
fn another_program_reads_along_and_may_leave() {
    let lab = Lab::line(0).build();
    let mut ours = command(lab.client(), &["-q", "-i", "up0", "-f", "udp dst port 9", "-w", "-"]);
    let mut ours = ours.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("start the capture");
    let tshark = {
        // The command holds our end of the pipe, too: it goes before anybody waits.
        let mut tshark = tool("tshark");
        tshark.args(["-r", "-", "-c", "20", "-T", "fields", "-e", "udp.dstport"]);
        tshark.stdin(ours.stdout.take().expect("a pipe")).stdout(Stdio::piped()).stderr(Stdio::null());
        tshark.spawn().expect("start tshark")
    };
    let done = AtomicBool::new(false);
    let output = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                send(lab.client(), lab.server().address4(), 50, 100);
            }
        });
        let output = tshark.wait_with_output().expect("wait for tshark");
        let ended = ours.wait();
        done.store(true, Ordering::Relaxed);
        let ended = ended.expect("wait for the capture");
        assert_eq!(ended.code(), Some(0));
        output
    });
    assert_eq!(String::from_utf8_lossy(&output.stdout), "9\n".repeat(20));
    let mut said = String::new();
    std::io::Read::read_to_string(&mut ours.stderr.take().expect("a pipe"), &mut said).expect("what it says");
    assert!(said.contains("until nobody read them any more"), "the summary goes to stderr: {said}");
}

#[test]
fn a_reader_that_sleeps_holds_nobody_up_and_what_is_lost_is_counted() {
    let lab = Lab::line(0).build();
    for (name, ends) in [("-", "interrupted"), ("/dev/stdout", "duration")] {
        let duration = if ends == "duration" { "2s" } else { "60s" };
        let arguments =
            ["-q", "-i", "up0", "-f", "udp dst port 9", "-w", name, "-B", "512", "--duration", duration];
        let mut ours = command(lab.client(), &arguments);
        let mut ours = ours.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("start the capture");
        // Nobody reads from the pipe, beyond the first octets: then it runs.
        let pipe = ours.stdout.as_mut().expect("a pipe");
        let begin = clock::now().mono;
        let mut first = [0; 4];
        std::io::Read::read_exact(pipe, &mut first).expect("the beginning of a file");
        assert_eq!(first, [0x0a, 0x0d, 0x0d, 0x0a]);
        send(lab.client(), lab.server().address4(), 60_000, 100);
        if ends == "interrupted" {
            kill(Pid::from_raw(ours.id().cast_signed()), Signal::SIGTERM).expect("it runs");
        }
        let ended = ours.wait().expect("it ends");
        assert!(begin.elapsed().as_secs() < 10, "{:?}", begin.elapsed());
        assert_eq!(ended.code(), Some(if ends == "interrupted" { 143 } else { 0 }), "{ended:?}");
        let mut said = String::new();
        std::io::Read::read_to_string(&mut ours.stderr.take().expect("a pipe"), &mut said)
            .expect("what it says");
        assert!(said.contains("the kernel dropped packets"), "{said}");
    }
}

/// More than it can take in: the ring is never empty. It ends all the same when it shall, and then takes in what the ring holds.
#[test]
fn a_flood_ends_in_time_and_what_is_lost_of_it_is_counted() {
    let _alone = alone();
    let lab = Lab::line(0).build();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let began = clock::now().mono;
                while !done.load(Ordering::Relaxed) && began.elapsed().as_secs() < 20 {
                    send(lab.client(), lab.server().address4(), 10_000, 18);
                }
            });
        }
        let run = |arguments: &[&str], signal: Option<Signal>| {
            let ours = Running::start(lab.client(), arguments);
            let begin = clock::now().mono;
            if let Some(signal) = signal {
                sleep(Duration::from_secs(1));
                ours.signal(signal);
            }
            (ours.wait(), begin.elapsed())
        };
        let by_itself = run(&["--all", "--anon", "-B", "512", "--duration", "1s"], None);
        let told_to = run(&["--all", "--anon", "-B", "512"], Some(Signal::SIGINT));
        done.store(true, Ordering::Relaxed);
        for (((record, code), lasted), expected) in
            [(by_itself, (Some(0), "duration")), (told_to, (Some(130), "interrupted"))]
        {
            let report = super::running::report(&record);
            assert_eq!((code, report["ended"].as_str()), (expected.0, Some(expected.1)), "{report}");
            let open = report["duration_ms"].as_f64().expect("a time");
            assert!((1000.0..5000.0).contains(&open), "it captured for {open} ms: {report}");
            // A busy machine is late by less than the flood goes on.
            assert!(lasted < Duration::from_secs(8), "{lasted:?}");
            let sums =
                ["/packets", "/dropped_limit", "/dropped_kernel"].map(|pointer| number(&report, pointer));
            assert_eq!(sums.iter().sum::<u64>(), number(&report, "/received"), "{report}");
            assert!(sums[2] > 0, "a flood: {report}");
        }
    });
}

#[test]
fn files_turn_by_time() {
    let lab = Lab::line(0).build();
    let place = tempfile::tempdir().expect("a directory");
    let path = place.path().join("a.pcapng");
    let name = path.to_str().expect("UTF-8");
    let ours = Running::start(
        lab.client(),
        &["-i", "up0", "-f", "udp dst port 9", "-w", name, "-G", "200ms", "-W", "3", "-c", "6"],
    );
    // Each packet begins a file of its own, as it comes later than the one before may wait.
    for _ in 0..6 {
        send(lab.client(), lab.server().address4(), 1, 100);
        sleep(Duration::from_millis(250));
    }
    let (record, _) = ours.wait();
    let files = record["outcome"]["report"]["files"].as_array().expect("files").clone();
    let names: Vec<String> =
        files.iter().map(|file| file["file"].as_str().expect("a name").replace(name, "")).collect();
    assert_eq!(names, ["0", "1", "2"], "a ring of three: {record}");
    assert!(files.iter().all(|file| file["packets"] == 1), "{record}");
}

#[test]
fn who_may_not_capture_is_told_what_it_needs() {
    if !real_root("capture::limits::who_may_not_capture_is_told_what_it_needs") {
        return;
    }
    let place = tempfile::tempdir().expect("a directory");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(place.path(), mode).expect("open it");
    let program = place.path().join("waddleperf");
    crate::tool::copy_to(&program);
    let mut command = tool("runuser");
    command.args(["-u", "nobody", "--", "env", "-i", "HOME=/nonexistent"]).arg(&program);
    let output =
        command.args(["--data", "/nonexistent", "capture", "--all", "-i", "lo"]).output().expect("run it");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(
        said.contains("needs CAP_NET_RAW") && said.contains("setcap") && said.lines().count() == 1,
        "{said}"
    );
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_opened() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("a.pcapng");
    let file = file.to_str().expect("UTF-8");
    for (arguments, word) in [
        (&[][..], "TARGET is missing"),
        (&["--all", "h.example"], "--all keeps every host's"),
        (&["-f", "tcp prot 80"], "at character 5"),
        (&["--bpf", "1,6 0 0"], "--bpf"),
        (&["--all", "-c", "0"], "--count 0"),
        (&["--all", "--duration", "0"], "--duration 0"),
        (&["--all", "-s", "10"], "--snaplen is too small"),
        (&["--all", "-W", "3", "-w", file], "--files goes with"),
        (&["--all", "-C", "1"], "--file-size is of no use"),
        (&["--all", "-C", "1", "-w", "-"], "--write -"),
        (&["--all", "-B", "1"], "--buffer takes"),
        (&["--all", "-i", "no-such-if", "-w", file], "no such interface"),
        (&["read", "a.pcap", "-i", "lo"], "--interface is of no use"),
        (&["read", "/nonexistent/a.pcap"], "no such file"),
        (&["tcp", "port", "80"], "-f 'tcp port 80'"),
        (&["--all", "-w", "-", "--watch"], "--watch needs stdout"),
        (&["--all", "--promisc"], "--promisc is for one interface"),
        (&["--all", "-G", "1h", "-w", "/tmp/%!"], "strftime(3)"),
        (&["-D"], "--list-interfaces"),
        (&["--all", "-c", "many"], "--count"),
        (&["--all", "-c", "-1"], "-1"),
        (&["--all", "-s", "1.5"], "--snaplen"),
        (&["--all", "--duration", "long"], "--duration"),
        (&["--all", "--size", "1M"], "--size"),
        (&["--all", "-B", "big"], "--buffer"),
        (&["--all", "-w", file, "-C", "1.5"], "--file-size"),
        (&["--all", "-w", file, "-G", "soon"], "--rotate"),
        (&["--all", "-w", file, "-C", "1", "-W", "10001"], "--files takes"),
        (&["--all", "-w", file, "-C", "1", "-W", "-1"], "-1"),
    ] {
        let output = here(arguments).output().expect("run it");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && said.contains(word), "{arguments:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(!std::path::Path::new(file).exists(), "{arguments:?} opened the file");
    }
}

#[test]
fn nobody_else_may_ask_for_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let (there, new) = (dir.path().join("there"), dir.path().join("new"));
    std::fs::write(&there, file(Link::Raw, &[vec![0x45; 20]])).expect("a file");
    let target = |text: &str| Subject(text.into());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for asked in [
        Capture { target: target("8.8.8.8"), ..Capture::default() },
        Capture { all: true, write: Some(new.clone()), ..Capture::default() },
        Capture { target: target(&there.to_string_lossy()), read: Reading(true), ..Capture::default() },
    ] {
        let agent = Agent { id: uuid::Uuid::nil(), host: "test".into(), version: "0".into() };
        let ctx = Ctx::new(Arc::new(agent), Arc::new(Policy::Remote), Resolver::default());
        let Outcome::Failure(refusal) = runtime.block_on(Probe::from(asked.clone()).run(&ctx)).outcome else {
            panic!("it ran: {asked:?}");
        };
        let expected = (Class::Permission, "capture is for this host's own users");
        assert_eq!((refusal.class, refusal.detail.as_str()), expected);
    }
    assert!(!new.exists());
}

/// A line of what the kernel says of a thread, a number in hexadecimal digits.
fn bits(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("the kernel says it");
    u64::from_str_radix(line.trim(), 16).expect("a number")
}

#[test]
fn no_thread_of_a_capture_may_do_more_than_open_files() {
    const DAC_OVERRIDE: u64 = 1 << 1;
    const NET_RAW: u64 = 1 << 13;
    let own = std::fs::read_to_string("/proc/thread-self/status").expect("our own state");
    assert_ne!(bits(&own, "CapPrm:") & NET_RAW, 0, "there is something to give up");
    let lab = Lab::line(0).build();
    let ours = Running::start(lab.client(), &["--all"]);
    let threads = || {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", ours.id())).expect("it runs").flatten();
        tasks.map(|task| std::fs::read_to_string(task.path().join("status")).unwrap_or_default())
    };
    let is_bare = |status: String| {
        // One that has ended meanwhile has nothing to say.
        if status.is_empty() {
            return true;
        }
        let left = ["CapPrm:", "CapEff:", "CapInh:", "CapAmb:"].map(|set| bits(&status, set) & !DAC_OVERRIDE);
        left == [0; 4] && bits(&status, "NoNewPrivs:") == 1
    };
    // A thread that is being born has not come to that yet.
    let began = clock::now().mono;
    while !threads().all(is_bare) {
        assert!(began.elapsed() < Duration::from_secs(20), "{}", threads().collect::<String>());
        sleep(Duration::from_millis(20));
    }
    send(lab.client(), lab.server().address4(), 10, 100);
    assert!(number(&ours.stop(), "/packets") >= 10, "and it goes on");
}

#[test]
fn an_interface_is_promiscuous_while_it_is_asked_to_be_and_no_longer() {
    let lab = Lab::line(0).build();
    let is_promiscuous = || {
        let told = stdout(lab.client().command("ip").args(["-d", "link", "show", "up0"]));
        let mut words = told.split_whitespace().skip_while(|word| *word != "promiscuity").skip(1);
        words.next().expect("ip -d says it") != "0"
    };
    for (arguments, expected) in [(&["--all", "--promisc"][..], true), (&["--all"], false)] {
        let ours = Running::start(lab.client(), arguments);
        assert_eq!(is_promiscuous(), expected, "{arguments:?}");
        ours.stop();
        assert!(!is_promiscuous(), "after {arguments:?}");
    }
}
