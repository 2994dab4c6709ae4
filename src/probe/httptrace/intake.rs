//! What becomes of an answer's body: counted, decoded, kept as far as somebody wants to look at it, written to a file; and the
//! limits that hold whatever a server sends.

use hyper::body::Bytes;

use super::decode::Decoder;
use super::sink::Sink;
use crate::failure::{Class, Failure};

/// How many times longer than it came a body may become (security.md 3.3), once it is longer than [`FREE`].
const MOST_RATIO: u64 = 100;
/// Decoded octets of which nobody asks how few they were.
const FREE: u64 = 1 << 20;

/// Takes a body in.
pub(super) struct Intake {
    /// Octets as they came.
    encoded: u64,
    /// What they became; `None` where they were not decoded.
    decoded: Option<u64>,
    /// Octets that are accepted, as they came and as they became.
    most: u64,
    decoder: Option<Decoder>,
    /// The body itself, where somebody wants to look at it.
    kept: Option<Vec<u8>>,
    sink: Option<Sink>,
}

/// A body that was taken in whole.
#[derive(Debug, Default)]
pub(super) struct Body {
    pub(super) encoded: u64,
    pub(super) decoded: Option<u64>,
    pub(super) kept: Vec<u8>,
}

fn damaged(error: &std::io::Error) -> Failure {
    Class::Protocol.because(format_args!("decode the body: {error}"))
}

impl Intake {
    /// For a body of at most `most` octets, decoded if `encoding` is one that can be, kept if `keeps`.
    pub(super) fn new(most: u64, encoding: Option<&str>, keeps: bool, sink: Option<Sink>) -> Self {
        let decoder = encoding.and_then(Decoder::of);
        Self {
            encoded: 0,
            decoded: decoder.is_some().then_some(0),
            most,
            decoder,
            kept: keeps.then(Vec::new),
            sink,
        }
    }

    /// Takes some octets in.
    ///
    /// # Errors
    /// Class `protocol` for too many and for what cannot be decoded; those of the file.
    pub(super) async fn take(&mut self, octets: Bytes) -> Result<(), Failure> {
        self.encoded += octets.len() as u64;
        if self.encoded > self.most {
            return Err(self.too_long("the body"));
        }
        let Some(mut decoder) = self.decoder.take() else {
            return self.put(octets).await;
        };
        let mut rest = &octets[..];
        while let Some(text) = decoder.next(&mut rest).map_err(|error| damaged(&error))? {
            self.put_decoded(text).await?;
        }
        self.decoder = Some(decoder);
        Ok(())
    }

    /// The body is whole.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    pub(super) async fn end(mut self) -> Result<Body, Failure> {
        if let Some(decoder) = self.decoder.take() {
            // An answer to HEAD, or 204, has a header and nothing to decode.
            let text = if self.encoded > 0 { decoder.end() } else { Ok(Vec::new()) };
            self.put_decoded(text.map_err(|error| damaged(&error))?).await?;
        }
        if let Some(sink) = self.sink {
            sink.end().await?;
        }
        Ok(Body { encoded: self.encoded, decoded: self.decoded, kept: self.kept.unwrap_or_default() })
    }

    /// The body is not whole: what there is of it is written.
    pub(super) async fn give_up(self) {
        if let Some(sink) = self.sink {
            // Why it is not whole is told already.
            let _ = sink.end().await;
        }
    }

    fn too_long(&self, what: &str) -> Failure {
        Class::Protocol
            .because(format_args!("{what} is longer than {} octets: --max-bytes allows more", self.most))
    }

    async fn put_decoded(&mut self, text: Vec<u8>) -> Result<(), Failure> {
        let decoded = self.decoded.unwrap_or(0) + text.len() as u64;
        self.decoded = Some(decoded);
        if decoded > FREE && decoded / MOST_RATIO > self.encoded {
            return Err(Class::Protocol.because(format_args!(
                "the body becomes more than {MOST_RATIO} times longer when it is decoded: it is not decoded any further"
            )));
        }
        if decoded > self.most {
            return Err(self.too_long("the decoded body"));
        }
        self.put(text.into()).await
    }

    async fn put(&mut self, text: Bytes) -> Result<(), Failure> {
        if let Some(kept) = &mut self.kept {
            kept.extend_from_slice(&text);
        }
        match &mut self.sink {
            Some(sink) => sink.put(text).await,
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text).expect("memory");
        encoder.finish().expect("memory")
    }

    async fn taken(octets: &[u8], encoding: Option<&str>, most: u64) -> Result<Body, Failure> {
        let mut intake = Intake::new(most, encoding, true, None);
        for piece in octets.chunks(16_384) {
            intake.take(Bytes::copy_from_slice(piece)).await?;
        }
        intake.end().await
    }

    #[tokio::test]
    async fn a_body_is_decoded_and_counted_twice() {
        let text = b"waddle ".repeat(100);
        let short = gzip(&text);
        let body = taken(&short, Some("gzip"), 1 << 20).await.expect("whole");
        assert_eq!((body.encoded, body.decoded), (short.len() as u64, Some(700)));
        assert_eq!(body.kept, text);
        let body = taken(&text, None, 1 << 20).await.expect("whole");
        assert_eq!((body.encoded, body.decoded), (700, None));
        let body = taken(b"", Some("gzip"), 1).await.expect("whole");
        assert_eq!((body.encoded, body.decoded), (0, Some(0)));
    }

    /// By Node's zlib 1.1.0 (`brotliCompressSync`): "waddle " a hundred times, and 64 MiB of zeros.
    const SHORT: &str = "1bbb02f88d946ede441576d72064656ca2b648e09bf400";
    const BOMB: &str = "cfffff7ff82700e2b14020f7fe9ffffffff04f00c4610180eefd3fffffffe19f0088c32200ddfbfffcffffc73f0110870500baf7\
                        ff";

    /// A window of 128 KiB, and 512 blocks that each say 128 KiB of zeros (RFC 8878 §3.1.1.2).
    fn zstd_bomb() -> Vec<u8> {
        [&b"\x28\xb5\x2f\xfd\0\x38"[..], &b"\x02\0\x10\0".repeat(512)].concat()
    }

    fn octets(hex: &str) -> Vec<u8> {
        let digits: Vec<u32> = hex.chars().filter_map(|digit| digit.to_digit(16)).collect();
        digits.chunks(2).map(|two| (two[0] * 16 + two[1]) as u8).collect()
    }

    #[tokio::test]
    async fn brotli_is_undone_however_it_is_cut() {
        let short = octets(SHORT);
        for size in [1, 2, 7, 100] {
            let mut intake = Intake::new(1 << 20, Some("br"), true, None);
            for piece in short.chunks(size) {
                intake.take(Bytes::copy_from_slice(piece)).await.expect("good");
            }
            let body = intake.end().await.expect("whole");
            assert_eq!((body.encoded, body.decoded), (short.len() as u64, Some(700)));
            assert_eq!(body.kept, b"waddle ".repeat(100));
        }
        let mut large = Intake::new(1 << 30, Some("br"), true, None);
        // What it says of its window is more than 16 MiB (0x11: large window brotli).
        assert!(large.take(Bytes::from_static(&[0x11, 0x1e, 0, 0, 0, 0, 0, 0])).await.is_err());
    }

    #[tokio::test]
    async fn bombs_floods_and_damage_end_in_a_word() {
        let bomb = gzip(&vec![0; 64 << 20]);
        for (octets, encoding, most, word) in [
            (&bomb[..], Some("gzip"), 1 << 30, "100 times longer"),
            (&bomb, Some("gzip"), 1 << 19, "the decoded body is longer than 524288"),
            (&[7; 2000], None, 1999, "the body is longer than 1999"),
            (&gzip(b"waddle")[..12], Some("gzip"), 100, "decode the body"),
            (&octets(BOMB), Some("br"), 1 << 30, "100 times longer"),
            (&octets(BOMB), Some("br"), 1 << 19, "the decoded body is longer than 524288"),
            (&octets(SHORT)[..12], Some("br"), 1000, "it ends early"),
            (&zstd_bomb(), Some("zstd"), 1 << 30, "100 times longer"),
            (&zstd_bomb(), Some("zstd"), 1 << 19, "the decoded body is longer than 524288"),
            (&zstd_bomb()[..10], Some("zstd"), 1 << 30, "it ends early"),
            (&[7; 2000], Some("zstd"), 9999, "zstd: it is damaged"),
            (&[octets(SHORT), vec![0]].concat(), Some("br"), 1000, "something follows its end"),
            (&[0xff; 2000], Some("br"), 9999, "damaged"),
            (&[7; 2000], Some("deflate"), 9999, "decode the body"),
        ] {
            let failure = taken(octets, encoding, most).await.expect_err(word);
            assert!(failure.class == Class::Protocol && failure.detail.contains(word), "{failure}");
        }
    }
}
