//! Servers that mean harm end in a word, soon.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::origin::{Origin, Stream, whole};
use super::{failure, report, run, said};
use crate::lab::shared;
use crate::tool::{WADDLEPERF, peak_kib};

fn endless(stream: &mut dyn Stream, piece: &[u8]) -> std::io::Result<()> {
    loop {
        stream.write_all(piece)?;
    }
}

fn bomb() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..64 {
        encoder.write_all(&[0; 1 << 20]).expect("memory");
    }
    encoder.finish().expect("memory")
}

/// By Node's zlib 1.1.0 (`brotliCompressSync`): 64 MiB of zeros, and "waddle " a hundred times.
const BROTLI_BOMB: [u8; 53] = *b"\xcf\xff\xff\x7f\xf8\x27\x00\xe2\xb1\x40\x20\xf7\xfe\x9f\xff\xff\xff\xf0\x4f\x00\xc4\x61\x01\x80\xee\xfd\x3f\
    \xff\xff\xff\xe1\x9f\x00\x88\xc3\x22\x00\xdd\xfb\xff\xcf\xff\xff\xc7\x3f\x01\x10\x87\x05\x00\xba\xf7\xff";
const BROTLI: [u8; 23] =
    *b"\x1b\xbb\x02\xf8\x8d\x94\x6e\xde\x44\x15\x76\xd7\x20\x64\x65\x6c\xa2\xb6\x48\xe0\x9b\xf4\x00";

/// By libzstd 1.5.4 (`ZSTD_compress`, level 3): the same text.
const ZSTD: &[u8] =
    b"\x28\xb5\x2f\xfd\x60\xbc\x01\x75\x00\x00\x38\x77\x61\x64\x64\x6c\x65\x20\x01\x00\xb2\x54\x15\x23";

/// A window of 8 MiB, and blocks that each say 128 KiB of zeros: 1 GiB of them in 32 KiB.
fn zstd_bomb() -> Vec<u8> {
    [&b"\x28\xb5\x2f\xfd\0\x68"[..], &b"\x02\0\x10\0".repeat(8192)].concat()
}

/// What a server sends is taken in piece by piece: neither a bomb, of either kind, nor a body without end takes much memory.
#[test]
fn a_flood_costs_little_memory() {
    let bomb = bomb();
    let origin =
        Origin::http(Box::new(move |head, stream| match head.split(' ').nth(1).unwrap_or_default() {
            "/gzip" => whole(stream, "200 OK\r\nContent-Encoding: gzip", &bomb),
            "/br" => whole(stream, "200 OK\r\nContent-Encoding: br", &BROTLI_BOMB),
            "/zstd" => whole(stream, "200 OK\r\nContent-Encoding: zstd", &zstd_bomb()),
            "/good/zstd" => whole(stream, "200 OK\r\nContent-Encoding: zstd", ZSTD),
            "/good" => whole(stream, "200 OK\r\nContent-Encoding: br", &BROTLI),
            _ => {
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
                endless(stream, &[b'x'; 65_536])
            }
        }));
    for path in ["/gzip", "/br", "/zstd", "/endless"] {
        let mut command = std::process::Command::new(WADDLEPERF);
        command.args(["--data", "/nowhere", "httptrace", "--no-save", "--json", "--compressed"]);
        command.args(["--max-bytes", "200000000", &origin.url(path)]);
        let _turn = shared();
        let peak = peak_kib(&mut command);
        assert!(peak > 0 && peak < 64 << 10, "{path}: {peak} KiB");
    }
    for (path, size) in [("/good", 23), ("/good/zstd", 24)] {
        let sizes = &report(&["--compressed", &origin.url(path)])["legs"][0]["sizes"];
        assert_eq!((&sizes["body_bytes"], &sizes["decoded_bytes"]), (&size.into(), &700.into()), "{sizes}");
    }
    assert!(origin.asked().iter().all(|head| head.contains("Accept-Encoding: deflate, gzip, br, zstd\r\n")));
}

#[test]
fn whatever_comes_ends_in_a_word() {
    let bomb = bomb();
    let origin =
        Origin::http(Box::new(move |head, stream| match head.split(' ').nth(1).unwrap_or_default() {
            "/headers" => {
                stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
                endless(stream, b"X-Header: again and again\r\n")
            }
            "/header" => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nX: ")?;
                endless(stream, &[b'x'; 4096])
            }
            "/interim" => endless(stream, b"HTTP/1.1 103 Early Hints\r\n\r\n"),
            "/many" => whole(stream, &format!("200 OK\r\n{}", "a: b\r\n".repeat(200).trim_end()), b""),
            "/body" => {
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
                endless(stream, &[b'x'; 65_536])
            }
            "/long" => whole(stream, "200 OK", &vec![0; 4096]),
            "/short" => {
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nfour")?;
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
            "/bomb" => whole(stream, "200 OK\r\nContent-Encoding: gzip", &bomb),
            "/br" => whole(stream, "200 OK\r\nContent-Encoding: br", &BROTLI_BOMB),
            "/noise" => stream.write_all(b"220 smtp.example \x1b[2J ESMTP\r\n"),
            "/drip" => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1")?;
                stream.flush()?;
                stream.read_exact(&mut [0])
            }
            "/silent" => stream.read_exact(&mut [0]),
            "/loop" => whole(stream, "302 Found\r\nLocation: /loop2", b""),
            "/loop2" => whole(stream, "302 Found\r\nLocation: /loop", b""),
            "/file" => whole(stream, "302 Found\r\nLocation: file:///etc/passwd", b""),
            path => {
                let next = path.trim_start_matches("/on").parse::<u32>().unwrap_or(0) + 1;
                whole(stream, &format!("302 Found\r\nLocation: /on{next}"), b"")
            }
        }));
    for (path, flags, class, words) in [
        ("/headers", "", "protocol", "too large"),
        ("/header", "", "protocol", "too large"),
        ("/interim", "-m 2", "timeout", "no answer in time"),
        ("/many", "", "protocol", "too large"),
        ("/body", "", "protocol", "longer than 10485760"),
        ("/long", "--max-bytes 4095", "protocol", "longer than 4095"),
        ("/short", "", "protocol", "truncated: 4 of 100"),
        ("/bomb", "--compressed --max-bytes 1000000000", "protocol", "100 times longer"),
        ("/bomb", "--compressed", "protocol", "longer"),
        ("/br", "--compressed --max-bytes 1000000000", "protocol", "100 times longer"),
        ("/noise", "", "protocol", ""),
        ("/drip", "-m 1", "timeout", "not whole in time"),
        ("/silent", "-m 1", "timeout", "no answer in time"),
        ("/loop", "", "protocol", "round in a circle"),
        ("/file", "", "protocol", "file"),
        ("/on", "", "protocol", "more than 10 redirects"),
    ] {
        let url = origin.url(path);
        let words_of: Vec<&str> = flags.split_whitespace().chain([url.as_str()]).collect();
        let (is, detail) = failure(&words_of);
        assert!(is == class && detail.contains(words), "{path}: {is}: {detail}");
    }
    let text = said(&run(&[&origin.url("/noise")]));
    assert!(!text.contains('\x1b') && text.contains("/noise"), "{text:?}");
}
