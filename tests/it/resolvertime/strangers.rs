//! Servers over TLS, HTTPS and QUIC that lie and never stop: a typed outcome in time and in little memory.

use std::io::{Result, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};
use waddleperf::wire::dns::Message;

use super::encrypted::{Said, quic};
use super::server::{address, aliases, behind_length, looped, octets, reply, talk};
use super::{answers, command, findings, report_of};
use crate::certificate::certified;
use crate::http2::{self, DATA, END_HEADERS, END_STREAM, HEADERS, frame};
use crate::lab::shared;
use crate::stranger::{endless, listen, misdeeds};
use crate::tool::{WADDLEPERF, cheap_output};

/// What a server makes of a query: a message, and whether it sends it without end.
#[derive(Clone, Copy)]
struct Deed {
    name: &'static str,
    message: fn(&Message) -> Vec<u8>,
    endless: bool,
}

fn wrong(query: &Message) -> Vec<u8> {
    octets(&Message { id: query.id ^ 1, ..reply(query, vec![address(query, 66)]) })
}

const DEEDS: [Deed; 4] = [
    Deed { name: "another identifier", message: wrong, endless: false },
    Deed { name: "names that go round in a circle", message: looped, endless: false },
    Deed { name: "a hundred aliases", message: aliases, endless: false },
    Deed { name: "the wrong answer without end", message: wrong, endless: true },
];

/// Runs with these words: the one server of its report.
#[track_caller]
fn asked(words: &str) -> (Value, Value) {
    let _turn = shared();
    let output =
        cheap_output(&mut command(Command::new(WADDLEPERF), &format!("{words} a.example -c 1 --json")));
    let report = report_of(&output);
    (report["servers"][0].clone(), report)
}

fn protected(config: &Arc<ServerConfig>, stream: TcpStream) -> StreamOwned<ServerConnection, TcpStream> {
    StreamOwned::new(ServerConnection::new(Arc::clone(config)).expect("a connection"), stream)
}

/// DNS over TLS as `deed` has it: its port.
fn over_tls(config: Arc<ServerConfig>, deed: Deed) -> u16 {
    listen(move |stream| {
        talk(protected(&config, stream), &move |query: &Message, _| {
            let often = if deed.endless { 5000 } else { 1 };
            vec![(deed.message)(query); often]
        });
    })
}

/// Answers one query over HTTPS.
fn answer(mut stream: impl std::io::Read + Write, deed: Deed) -> Result<()> {
    let body = http2::request(&mut stream)?;
    let message = (deed.message)(&Message::parse(&body).expect("a query"));
    // content-type is name 31 of the static table (RFC 7541 appendix A).
    let head = [http2::OK, b"\x0f\x10\x17application/dns-message"].concat();
    stream.write_all(&frame(HEADERS, END_HEADERS, 1, &head))?;
    if deed.endless {
        loop {
            stream.write_all(&frame(DATA, 0, 1, &message))?;
        }
    }
    stream.write_all(&frame(DATA, END_STREAM, 1, &message))?;
    stream.flush()?;
    // Until the client goes.
    std::io::copy(&mut stream, &mut std::io::sink()).map(drop)
}

fn over_https(config: &ServerConfig, deed: Deed) -> u16 {
    let mut config = config.clone();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let config = Arc::new(config);
    // A client that goes away is what some of these are about.
    listen(move |stream| drop(answer(protected(&config, stream), deed)))
}

fn over_quic(ca: &Path, deed: Deed) -> u16 {
    let said = move |query: &Message| -> Said {
        let one = behind_length(&(deed.message)(query));
        let then = if deed.endless { one.clone() } else { Vec::new() };
        (one, then)
    };
    quic(ca, said).port()
}

#[test]
fn what_is_no_answer_is_none_over_whatever_it_comes() {
    let directory = tempfile::tempdir().expect("a directory");
    let (ca, quics) = (directory.path().join("ca.pem"), directory.path().join("quic.pem"));
    let config = certified(&ca, &["127.0.0.1"]);
    for deed in DEEDS {
        for (scheme, port, ca) in [
            ("tls", over_tls(Arc::clone(&config), deed), &ca),
            ("https", over_https(&config, deed), &ca),
            ("quic", over_quic(&quics, deed), &quics),
        ] {
            let is_answer = deed.name == "a hundred aliases";
            // Over TLS the right answer may still follow a wrong one.
            let patience = if scheme == "tls" && !is_answer { "1s" } else { "60s" };
            let words = format!("-s {scheme}://127.0.0.1:{port} --ca-file {} -W {patience}", ca.display());
            let (server, report) = asked(&words);
            let name = format!("{} over {scheme}: {server}", deed.name);
            let counts = &server["counts"];
            assert_eq!(counts["received"], u64::from(is_answer), "{name}");
            match (is_answer, scheme) {
                (true, _) => {
                    assert_eq!(
                        (answers(&server).len(), findings(&report)),
                        (100, vec!["alias_chain"]),
                        "{name}"
                    )
                }
                (false, "tls") => assert_eq!(counts["timeouts"], 1, "{name}"),
                _ => assert_eq!(server["failure"]["class"], "protocol", "{name}"),
            }
            let strays = counts["mismatched"].as_u64();
            assert!(is_answer || deed.endless || strays == Some(1), "{name}");
        }
    }
}

#[test]
fn no_handshake_is_a_failure_of_tls_whatever_comes_in_its_place() {
    for deed in misdeeds() {
        let name = deed.name;
        let port = listen(move |mut stream| endless(&mut stream, &deed.first, &deed.then));
        for scheme in ["tls", "https"] {
            let (server, _) = asked(&format!("-s {scheme}://127.0.0.1:{port} -k -W 60s"));
            assert_eq!(
                (&server["failure"]["class"], &server["counts"]["received"]),
                (&json!("tls"), &json!(0)),
                "{name} over {scheme}: {server}"
            );
        }
    }
}
