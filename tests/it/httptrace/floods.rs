//! Servers of HTTP/2 and HTTP/3 that never stop: frames by hand, because no library sends such. Each ends in a word, in time and in
//! little memory.

use std::fs;
use std::io::Write;

use super::nginx::Nginx;
use super::origin::certified;
use super::{cheap_failure, quic};
use crate::http2::{
    CONTINUATION, DATA, END_HEADERS, HEADERS, OK, PING, PUSH_PROMISE, RST_STREAM, SETTINGS, WINDOW_UPDATE,
    frame, request,
};
use crate::stranger::listen;

/// `:status: 103` (RFC 7541 §6.2.2), and a field of 1,000 octets.
const EARLY: &[u8] = b"\x08\x03103";
fn field() -> Vec<u8> {
    [&b"\x00\x01x\x7f\xe9\x06"[..], &[b'x'; 1000]].concat()
}

/// Says `first` once it is asked, then `then` without end: its port.
fn http2(first: Vec<u8>, then: Vec<u8>) -> u16 {
    let many = then.repeat(65_536 / then.len() + 1);
    listen(move |mut stream| {
        if request(&mut stream).is_ok() && stream.write_all(&first).is_ok() {
            while stream.write_all(&many).is_ok() {}
        }
    })
}

#[test]
fn nothing_that_a_server_of_http2_repeats_without_end_costs_much() {
    let head = || frame(HEADERS, END_HEADERS, 1, OK);
    let long = [OK, &field().repeat(70)[..]].concat();
    for (name, first, then, class) in [
        ("a head that goes on", frame(HEADERS, 0, 1, OK), frame(CONTINUATION, 0, 1, &field()), "protocol"),
        ("and one with nothing in it", frame(HEADERS, 0, 1, OK), frame(CONTINUATION, 0, 1, &[]), "protocol"),
        ("a head that is too long", Vec::new(), frame(HEADERS, END_HEADERS, 1, &long[..16_384]), "protocol"),
        ("hints", Vec::new(), frame(HEADERS, END_HEADERS, 1, EARLY), "timeout"),
        ("settings", Vec::new(), frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 9]), "timeout"),
        ("pings", Vec::new(), frame(PING, 0, 0, &[7; 8]), "timeout"),
        ("windows", Vec::new(), frame(WINDOW_UPDATE, 0, 0, &[0x7f, 0xff, 0xff, 0xff]), "protocol"),
        ("promises", Vec::new(), frame(PUSH_PROMISE, END_HEADERS, 1, &[0, 0, 0, 2, 0x82]), "protocol"),
        ("resets", Vec::new(), frame(RST_STREAM, 0, 1, &[0, 0, 0, 2]), "protocol"),
        ("nothing, again and again", head(), frame(DATA, 0, 1, &[]), "protocol"),
        ("a body beyond its window", head(), frame(DATA, 0, 1, &[0; 16_384]), "protocol"),
        ("a frame that is too long", head(), [&[0xff; 3][..], &[0; 6]].concat(), "protocol"),
        ("unknown frames", Vec::new(), frame(0x42, 0, 0, &[0; 1000]), "timeout"),
    ] {
        let url = format!("http://127.0.0.1:{}/", http2(first, then));
        let patience = if class == "timeout" { "2" } else { "60" };
        let (is, detail) = cheap_failure(&["--http2-prior-knowledge", "-m", patience, &url]);
        assert_eq!(is, class, "{name}: {detail}");
    }
}

/// nginx keeps to the windows that it is given.
#[test]
fn a_gigabyte_over_http2_is_not_waited_for() {
    let nginx = Nginx::start();
    let file = fs::File::create(nginx.directory().join("html/large")).expect("a file");
    file.set_len(1 << 30).expect("a length");
    let ca = nginx.ca();
    let words = ["--cacert", ca.to_str().expect("a path"), &nginx.https("/large")];
    let (class, detail) = cheap_failure(&words);
    assert!(class == "protocol" && detail.contains("longer than 10485760"), "{class}: {detail}");
}

/// What a server of HTTP/3 does with a connection.
#[derive(Clone, Copy)]
enum Does {
    /// Says this on its control stream, the latter without end.
    Control(&'static [u8], &'static [u8]),
    /// Says this on the request's stream, the latter without end.
    Answers(&'static [u8], &'static [u8]),
    /// Resets the request's stream.
    Resets,
    /// Fills as many streams of its own as it may open, of the type that this says, one way or both.
    Fills(&'static [u8], bool),
}

/// Its stream's type, and empty settings (RFC 9114 §6.2.1, §7.2.4).
const CONTROL: &[u8] = &[0, 4, 0];
/// A length of 1 GiB (RFC 9000 §16) behind a frame's type.
const HEAD_WITHOUT_END: &[u8] = b"\x01\xc0\0\0\0\x40\0\0\0";
const UNKNOWN_WITHOUT_END: &[u8] = b"\x21\xc0\0\0\0\x40\0\0\0";
const PROMISE_WITHOUT_END: &[u8] = b"\x05\xc0\0\0\0\x40\0\0\0";
const SETTINGS_WITHOUT_END: &[u8] = b"\0\x04\xc0\0\0\0\x40\0\0\0";
/// `:status: 200` (RFC 9204 §4.5), then a body of 1 GiB, and trailers of 1 GiB.
const BODY: &[u8] = b"\x01\x03\0\0\xd9\0\xc0\0\0\0\x40\0\0\0";
const TRAILERS: &[u8] = b"\x01\x03\0\0\xd9\x01\xc0\0\0\0\x40\0\0\0";

type Ended = Result<(), Box<dyn std::error::Error + Send + Sync>>;

async fn endless(stream: &mut quinn::SendStream, piece: &[u8]) -> Ended {
    let many = piece.repeat(65_536 / piece.len() + 1);
    loop {
        stream.write_all(&many).await?;
    }
}

async fn fill(mut stream: quinn::SendStream, kind: &'static [u8]) -> Ended {
    stream.write_all(kind).await?;
    endless(&mut stream, &[0]).await
}

async fn http3(incoming: quinn::Incoming, does: Does) -> Ended {
    let connection = incoming.await?;
    let mut control = connection.open_uni().await?;
    if let Does::Control(first, then) = does {
        control.write_all(first).await?;
        return endless(&mut control, then).await;
    }
    control.write_all(CONTROL).await?;
    let (mut answer, _question) = connection.accept_bi().await?;
    match does {
        Does::Control(..) => {}
        Does::Answers(first, then) => {
            answer.write_all(first).await?;
            endless(&mut answer, then).await?;
        }
        Does::Resets => answer.reset(2_u32.into())?,
        Does::Fills(kind, false) => loop {
            tokio::spawn(fill(connection.open_uni().await?, kind));
        },
        Does::Fills(kind, true) => loop {
            tokio::spawn(fill(connection.open_bi().await?.0, kind));
        },
    }
    connection.closed().await;
    Ok(())
}

#[test]
fn nothing_that_a_server_of_http3_repeats_without_end_costs_much() {
    let directory = tempfile::tempdir().expect("a directory");
    let (config, ca) = certified(directory.path(), &["127.0.0.1"]);
    let ca = ca.to_str().expect("a path");
    for (name, does, class) in [
        ("a head without end", Does::Answers(HEAD_WITHOUT_END, &[0]), "protocol"),
        ("a riddle without end", Does::Answers(UNKNOWN_WITHOUT_END, &[0]), "protocol"),
        (
            "riddles",
            Does::Answers(
                b"",
                b"\x21\x40\x40xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            ),
            "timeout",
        ),
        ("a promise without end", Does::Answers(PROMISE_WITHOUT_END, &[0]), "protocol"),
        ("a body of 1 GiB", Does::Answers(BODY, &[0]), "protocol"),
        ("trailers without end", Does::Answers(TRAILERS, &[0]), "protocol"),
        ("a frame of HTTP/2", Does::Answers(b"\x06\0", &[0]), "protocol"),
        ("a reset", Does::Resets, "protocol"),
        ("settings without end", Does::Control(SETTINGS_WITHOUT_END, &[0]), "protocol"),
        ("settings again and again", Does::Control(CONTROL, &CONTROL[1..]), "protocol"),
        ("farewells", Does::Control(CONTROL, b"\x07\x01\0"), "protocol"),
        ("streams of an unknown kind", Does::Fills(b"\x21", false), "timeout"),
        ("streams both ways", Does::Fills(b"\x21", true), "timeout"),
    ] {
        let at = quic::serving("127.0.0.1:0", (*config).clone(), move |incoming| http3(incoming, does));
        let patience = if class == "timeout" { "2" } else { "60" };
        let url = format!("https://{at}/");
        let (is, detail) = cheap_failure(&["--http3-only", "--cacert", ca, "-m", patience, &url]);
        assert_eq!(is, class, "{name}: {detail}");
    }
}
