//! Servers that are no SSH servers, or bad ones: each is a failure of its kind, in time, and nothing raw is shown.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::server::Sshd;
use crate::lab::{Lab, shared};
use crate::tool::{WADDLEPERF, peak_memory, real_root};

/// What a server does with a connection.
type Manner = fn(TcpStream);

/// Longest that any of them may take.
const LIMIT: Duration = Duration::from_secs(30);

fn of(manner: Manner) -> (Option<i32>, String, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || listener.incoming().flatten().for_each(manner));
    let directory = tempfile::tempdir().expect("a directory");
    let mut command = Command::new(WADDLEPERF);
    command
        .args(["sshping", "--json", "-F", "none", "--no-auth", "-w", "4s", "--data"])
        .arg(directory.path());
    let _turn = shared();
    #[expect(clippy::disallowed_methods, reason = "a test's own clock")]
    let began = Instant::now();
    let output = command.arg(format!("127.0.0.1:{port}")).output().expect("it runs");
    assert!(began.elapsed() < LIMIT, "it takes too long");
    let record: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a record");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!text.contains('\u{1b}'), "nothing raw: {text:?}");
    let class = record["outcome"]["failure"]["class"].as_str().unwrap_or("none").to_owned();
    (output.status.code(), class, text)
}

/// A packet of SSH before there are keys (RFC 4253 §6): a message of number `kind` with `length` octets more.
fn packet(kind: u8, length: usize) -> Vec<u8> {
    let padding = 4 + (8 - (4 + 1 + 1 + length + 4) % 8) % 8;
    let whole = u32::try_from(1 + 1 + length + padding).expect("it is short");
    let mut octets = whole.to_be_bytes().to_vec();
    octets.extend([u8::try_from(padding).expect("it is short"), kind]);
    octets.resize(octets.len() + length + padding, 0);
    octets
}

/// Introduces itself, then says the same without end.
fn repeat(mut stream: TcpStream, packet: &[u8]) {
    let many = packet.repeat(65_536 / packet.len());
    let _ = stream.write_all(b"SSH-2.0-x\r\n");
    while stream.write_all(&many).is_ok() {}
}

/// Keeps the connection, and says nothing, until the other end goes.
fn hold(mut stream: TcpStream) {
    let _ = std::io::copy(&mut stream, &mut std::io::sink());
}

#[test]
fn each_is_a_failure_of_its_kind() {
    let cases: [(&str, Manner, &[&str], &str); 11] = [
        ("closes at once", drop, &["protocol"], "closes"),
        ("says nothing", hold, &["timeout"], "too long"),
        (
            "speaks HTTP",
            |mut stream| drop(stream.write_all(b"HTTP/1.1 400 Bad\r\n\r\n")),
            &["protocol"],
            "HTTP/1.1",
        ),
        (
            "speaks HTTP when spoken to",
            |mut stream| {
                let _ = stream.read(&mut [0; 256]);
                let _ = stream.write_all(b"HTTP/1.1 400 Bad\r\n\r\n");
            },
            &["protocol"],
            "no ssh server",
        ),
        (
            "speaks TLS",
            |mut stream| drop(stream.write_all(&[0x15, 3, 1, 0, 2, 2, 40])),
            &["protocol"],
            "no ssh server",
        ),
        (
            "is too old",
            |mut stream| drop(stream.write_all(b"SSH-1.5-x\x1b[31m\n")),
            &["protocol"],
            "not SSH 2",
        ),
        (
            "has a first line of 1 MB",
            |mut stream| drop(stream.write_all(&[&b"SSH-2.0-"[..], &[b'x'; 1 << 20]].concat())),
            &["protocol"],
            "longer than",
        ),
        (
            "greets without end",
            |mut stream| while stream.write_all(b"welcome\r\n").is_ok() {},
            &["protocol"],
            "no ssh server",
        ),
        (
            "speaks nonsense after its line",
            |mut stream| {
                let _ = stream.write_all(b"SSH-2.0-x\r\n");
                let _ = stream.write_all(&[0xff; 4096]);
                hold(stream);
            },
            &["protocol", "timeout"],
            "keys",
        ),
        // SSH_MSG_IGNORE is thrown away, a message of the future is kept: neither is to go on for ever.
        (
            "sends nothings without end",
            |stream| repeat(stream, &packet(2, 1000)),
            &["protocol"],
            "KiB before anybody",
        ),
        (
            "sends riddles without end",
            |stream| repeat(stream, &packet(200, 1)),
            &["protocol"],
            "KiB before anybody",
        ),
    ];
    for (name, manner, classes, says) in cases {
        let (code, class, text) = of(manner);
        assert!(code == Some(1) && classes.contains(&class.as_str()), "{name}: {code:?} {class} {text}");
        assert!(text.contains(says), "{name}: {text}");
    }
}

/// Begins like this, then goes on like that without end.
fn endless(mut stream: TcpStream, first: &[u8], then: &[u8]) {
    let many = then.repeat(65_536 / then.len() + 1);
    let _ = stream.write_all(first);
    while stream.write_all(&many).is_ok() {}
}

#[test]
fn a_flood_costs_little_memory() {
    let floods: [(&str, Manner); 9] = [
        ("lines before its own", |stream| endless(stream, b"", b"welcome\r\n")),
        ("a line without an end", |stream| endless(stream, b"SSH-2.0-", b"x")),
        ("riddles", |stream| repeat(stream, &packet(200, 1))),
        ("large riddles", |stream| repeat(stream, &packet(200, 34_000))),
        ("nothings", |stream| repeat(stream, &packet(2, 1000))),
        ("remarks", |stream| repeat(stream, &packet(4, 1000))),
        ("lists of methods", |stream| repeat(stream, &packet(20, 30_000))),
        ("a packet of 4 GiB", |stream| endless(stream, b"SSH-2.0-x\r\n\xff\xff\xff\xf0\x04", b"x")),
        ("a packet of 256 KiB", |stream| endless(stream, b"SSH-2.0-x\r\n\0\x03\xff\xf8\x04", b"x")),
    ];
    for (name, manner) in floods {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
        let port = listener.local_addr().expect("an address").port();
        thread::spawn(move || listener.incoming().flatten().for_each(manner));
        let directory = tempfile::tempdir().expect("a directory");
        let mut command = Command::new(WADDLEPERF);
        command.args(["sshping", "--json", "-F", "none", "--no-auth", "-w", "10s", "--data"]);
        command.arg(directory.path()).arg(format!("127.0.0.1:{port}"));
        let _turn = shared();
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        let peak = peak_memory(&mut child, LIMIT);
        assert!(peak > 0 && peak < 64 << 10, "{name}: {peak} KiB");
    }
}

/// A real server, into which one may log in, and whatever is asked for there never stops to send.
#[test]
fn a_flood_after_the_login_costs_little_and_ends_in_time() {
    if !real_root("sshd lets somebody log in") {
        return;
    }
    let lab = Lab::line(0).build();
    let sshd = Sshd::start(lab.server());
    let key = sshd.key();
    let (nothing, download) =
        ("cat /dev/zero", "case $SSH_ORIGINAL_COMMAND in head*) yes;; esac; cat >/dev/null");
    for (forced, asked, class, says) in [
        (nothing, &["-r", "e"][..], "protocol", "cat at the ssh server echoes nothing"),
        (nothing, &["-r", "e", "--tty"], "protocol", "a shell at the ssh server echoes nothing"),
        ("yes >&2", &["-r", "e"], "timeout", "the ssh server takes too long"),
        // It reads nothing of an upload.
        (nothing, &["-r", "s", "-s", "8"], "timeout", "the ssh server takes too long"),
        (download, &["-r", "s", "-s", "1"], "protocol", "octets of 1000000"),
        ("yes", &["-r", "s", "-s", "1", "--sftp"], "protocol", "begin sftp"),
    ] {
        sshd.force(forced);
        let mut command = lab.client().command(WADDLEPERF);
        command.args(["sshping", "--json", "-F", "none", "--accept-new", "-w", "4s", "-i", &key, "--data"]);
        command.arg(sshd.path("data")).arg("--known-hosts").arg(sshd.path("known_hosts"));
        command.args(asked).arg(sshd.target()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("it starts");
        let peak = peak_memory(&mut child, Duration::from_secs(15));
        let output = child.wait_with_output().expect("it has ended");
        let record: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a record");
        let report = &record["outcome"]["report"];
        let [failure] = report["failures"].as_array().expect("failures").as_slice() else {
            panic!("{report}")
        };
        let detail = failure["detail"].as_str().expect("words");
        assert!(failure["class"] == class && detail.contains(says), "{forced}: {report}");
        assert_eq!(
            (output.status.code(), &report["login"]["method"]),
            (Some(1), &"publickey".into()),
            "{forced}"
        );
        assert!(peak > 0 && peak < 32 << 10, "{forced}: {peak} KiB");
    }
}
