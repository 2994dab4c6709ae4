//! What precedes TLS: services by their script, and some that lie.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

use rustls::crypto::aws_lc_rs::kx_group;

use super::pki::{Pki, Wish};
use super::servers::greeted_by_rustls;
use super::{ids, record, report, run};
use crate::lab::shared;
use crate::stranger::{endless, listen, misdeeds};
use crate::tool::{WADDLEPERF, cheap_output};

/// What a service says: the first without being asked (it may be nothing), each other after it has heard something.
type Script = &'static [&'static [u8]];

const MYSQL: &[u8] = b"\x4a\0\0\0\x0a8.0.32\0\x0b\0\0\0abcdefgh\0\xff\xff\xff\x02\0\xff\xdf\x15\0\0\0\0\0\0\0\0\0\0ijklmnopqrst\0caching_sha2_password\0";

const XMPP: &[u8] =
    b"<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>\
    <stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>";
const PROCEED: &[u8] = b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";

const SCRIPTS: [(&str, Script); 9] = [
    ("smtp", &[b"220-mail\r\n220 mail\r\n", b"250-mail\r\n250 STARTTLS\r\n", b"220 go\r\n"]),
    ("imap", &[b"* OK hi\r\n", b"* X\r\na OK go\r\n"]),
    ("pop3", &[b"+OK hi\r\n", b"+OK go\r\n"]),
    ("ftp", &[b"220 hi\r\n", b"234 go\r\n"]),
    ("ldap", &[b"", b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"]),
    ("postgres", &[b"", b"S"]),
    ("mysql", &[MYSQL]),
    ("xmpp", &[b"", XMPP, PROCEED]),
    ("xmpp-server", &[b"", XMPP, PROCEED]),
];

/// Plays `script`. Whether the client listened to its end.
pub(super) fn play(stream: &mut TcpStream, script: Script) -> bool {
    script.iter().enumerate().all(|(n, say)| {
        let heard = n == 0 || stream.read(&mut [0; 512]).is_ok_and(|count| count > 0);
        heard && stream.write_all(say).is_ok()
    })
}

#[test]
fn each_service_is_asked_for_tls_in_its_own_words() {
    let pki = Pki::new();
    let ca = pki.root();
    let identity = pki.leaf(Wish { elliptic: true, ..Wish::default() });
    for (name, script) in SCRIPTS {
        let greet = greeted_by_rustls(&identity, vec![kx_group::SECP256R1]);
        let port = listen(move |mut stream| {
            if play(&mut stream, script) {
                // MySQL's client says that it wants TLS, and says no more in the clear.
                let is_mysql = script == [MYSQL];
                if is_mysql && stream.read_exact(&mut [0; 36]).is_err() {
                    return;
                }
                greet(stream);
            }
        });
        let args = ["--starttls", name, "--ca-file", &ca, "--scan"];
        let (code, report) = report(&format!("localhost:{port}"), &args);
        assert_eq!((code, &report["version"]), (Some(0), &"TLSv1.3".into()), "{name}: {report}");
        assert_eq!((&report["starttls"], &report["injected_bytes"]), (&name.into(), &0.into()));
        assert!(report["phases"]["starttls_ms"].as_f64().is_some_and(|time| time > 0.0));
        assert_eq!(report["scan"]["versions"]["tlsv1_2"], true, "{name}: {report}");
    }
}

#[test]
fn words_before_the_protection_are_a_finding() {
    let pki = Pki::new();
    let ca = pki.root();
    let identity = pki.leaf(Wish { elliptic: true, ..Wish::default() });
    let greet = greeted_by_rustls(&identity, vec![kx_group::X25519]);
    let port = listen(move |mut stream| {
        if play(&mut stream, &[b"* OK hi\r\n", b"a OK go\r\n* PREAUTH\r\n"]) {
            greet(stream);
        }
    });
    let (_, report) = report(&format!("localhost:{port}"), &["--starttls", "imap", "--ca-file", &ca]);
    assert_eq!(
        (&report["injected_bytes"], ids(&report)),
        (&11.into(), vec!["starttls_injection"]),
        "{report}"
    );
}

#[test]
fn who_lies_or_refuses_is_told_and_nothing_of_it_is_raw() {
    let lies: [(&str, Script, &str, &str); 8] = [
        ("smtp", &[b"554 no \x1b[2J\r\n"], "protocol", "554 no \\u{1b}[2J"),
        ("smtp", &[b"220 a\r\n", b"250 a\r\n", b"454 not now\r\n"], "protocol", "454 not now"),
        ("imap", &[b"* OK\r\n", b"a OK\r\n", b"a BAD what is this\r\n"], "protocol", "does not speak TLS"),
        ("pop3", &[b"+OK", b""], "timeout", "in time"),
        ("postgres", &[b"", b"N"], "protocol", "it said N"),
        ("ftp", &[&[b'x'; 8192]], "protocol", "longer than 4 KiB"),
        ("xmpp", &[b"", b"<stream:stream><stream:error>\x1b[2J</stream:error>"], "protocol", "\\u{1b}[2J"),
        ("xmpp", &[b"", &[b'<'; 8192]], "protocol", "longer than 4 KiB"),
    ];
    for (name, script, class, says) in lies {
        let port = listen(move |mut stream| {
            play(&mut stream, script);
            // It stays, whatever it is told.
            while stream.read(&mut [0; 512]).is_ok_and(|count| count > 0) {}
        });
        let patience = if class == "timeout" { "1s" } else { "60s" };
        let args = ["--starttls", name, "--timeout", patience, "--deadline", "10m"];
        let host = format!("127.0.0.1:{port}");
        let (code, record) = record(&host, &args);
        let failure = &record["outcome"]["failure"];
        assert_eq!((code, &failure["class"]), (Some(1), &class.into()), "{name}: {record}");
        assert!(failure["detail"].as_str().is_some_and(|detail| detail.contains(says)), "{name}: {record}");
        let text = run(&host, &args);
        assert!(!(text.stdout + &text.stderr).contains('\u{1b}'));
    }
}

/// A chain is shown as far as it goes; everything else is a failure of TLS.
#[test]
fn what_follows_starttls_in_place_of_a_handshake_is_told_and_costs_little() {
    let script: Script = &[b"220 mail\r\n", b"250-mail\r\n250 STARTTLS\r\n", b"220 go\r\n"];
    let data = tempfile::tempdir().expect("a directory");
    for deed in misdeeds() {
        let name = deed.name;
        let port = listen(move |mut stream| {
            if play(&mut stream, script) {
                endless(&mut stream, &deed.first, &deed.then);
            }
        });
        let mut command = Command::new(WADDLEPERF);
        command.arg("--data").arg(data.path()).args([
            "tls",
            "--json",
            "--starttls",
            "smtp",
            "--timeout",
            "60s",
        ]);
        command.args(["--deadline", "10m", &format!("127.0.0.1:{port}")]);
        let _turn = shared();
        let output = cheap_output(&mut command);
        let record: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a record");
        let (report, failure) = (&record["outcome"]["report"], &record["outcome"]["failure"]);
        let is_told = report["handshake_error"].is_string() || failure["class"] == "tls";
        assert!(is_told && output.status.code() == Some(1), "{name}: {record}");
    }
}
