//! Servers that mean harm end in a word, soon.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::origin::{Origin, Stream, whole};
use super::{failure, run, said};

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
