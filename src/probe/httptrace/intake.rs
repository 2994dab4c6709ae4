//! What becomes of an answer's body: counted, decoded, kept as far as somebody wants to look at it, written to a file; and the
//! limits that hold whatever a server sends.

use std::io::Write;

use flate2::write::{MultiGzDecoder, ZlibDecoder};
use tokio::io::AsyncWriteExt;

use crate::failure::{Class, Failure};

/// How many times longer than it came a body may become (security.md 3.3), once it is longer than [`FREE`].
const MOST_RATIO: u64 = 100;
/// Decoded octets of which nobody asks how few they were.
const FREE: u64 = 1 << 20;
/// Octets that are decoded at once: none becomes more than 1,032.
const PIECE: usize = 1 << 10;

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
    file: Option<tokio::fs::File>,
}

/// A body that was taken in whole.
#[derive(Debug, Default)]
pub(super) struct Body {
    pub(super) encoded: u64,
    pub(super) decoded: Option<u64>,
    pub(super) kept: Vec<u8>,
}

enum Decoder {
    Gzip(MultiGzDecoder<Vec<u8>>),
    Zlib(ZlibDecoder<Vec<u8>>),
}

impl Decoder {
    /// That for a `Content-Encoding`; `None` where there is none, or this program has none for it.
    fn of(encoding: &str) -> Option<Self> {
        match encoding.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Some(Self::Gzip(MultiGzDecoder::new(Vec::new()))),
            "deflate" => Some(Self::Zlib(ZlibDecoder::new(Vec::new()))),
            _ => None,
        }
    }

    fn push(&mut self, octets: &[u8]) -> std::io::Result<Vec<u8>> {
        match self {
            Self::Gzip(decoder) => decoder.write_all(octets).map(|()| std::mem::take(decoder.get_mut())),
            Self::Zlib(decoder) => decoder.write_all(octets).map(|()| std::mem::take(decoder.get_mut())),
        }
    }

    fn end(self) -> std::io::Result<Vec<u8>> {
        match self {
            Self::Gzip(decoder) => decoder.finish(),
            Self::Zlib(decoder) => decoder.finish(),
        }
    }
}

fn damaged(error: &std::io::Error) -> Failure {
    Class::Protocol.because(format_args!("decode the body: {error}"))
}

impl Intake {
    /// For a body of at most `most` octets, decoded if `encoding` is one that can be, kept if `keeps`.
    pub(super) fn new(most: u64, encoding: Option<&str>, keeps: bool, file: Option<tokio::fs::File>) -> Self {
        let decoder = encoding.and_then(Decoder::of);
        Self {
            encoded: 0,
            decoded: decoder.is_some().then_some(0),
            most,
            decoder,
            kept: keeps.then(Vec::new),
            file,
        }
    }

    /// Takes some octets in.
    ///
    /// # Errors
    /// Class `protocol` for too many and for what cannot be decoded; those of the file.
    pub(super) async fn take(&mut self, octets: &[u8]) -> Result<(), Failure> {
        self.encoded += octets.len() as u64;
        if self.encoded > self.most {
            return Err(self.too_long("the body"));
        }
        let Some(mut decoder) = self.decoder.take() else {
            return self.put(octets).await;
        };
        for piece in octets.chunks(PIECE) {
            let text = decoder.push(piece).map_err(|error| damaged(&error))?;
            self.put_decoded(&text).await?;
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
            self.put_decoded(&text.map_err(|error| damaged(&error))?).await?;
        }
        if let Some(file) = &mut self.file {
            file.flush().await.map_err(|error| Failure::from_io("write the body", &error))?;
        }
        Ok(Body { encoded: self.encoded, decoded: self.decoded, kept: self.kept.unwrap_or_default() })
    }

    fn too_long(&self, what: &str) -> Failure {
        Class::Protocol
            .because(format_args!("{what} is longer than {} octets: --max-bytes allows more", self.most))
    }

    async fn put_decoded(&mut self, text: &[u8]) -> Result<(), Failure> {
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
        self.put(text).await
    }

    async fn put(&mut self, text: &[u8]) -> Result<(), Failure> {
        if let Some(kept) = &mut self.kept {
            kept.extend(text);
        }
        if let Some(file) = &mut self.file {
            file.write_all(text).await.map_err(|error| Failure::from_io("write the body", &error))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text).expect("memory");
        encoder.finish().expect("memory")
    }

    async fn taken(octets: &[u8], encoding: Option<&str>, most: u64) -> Result<Body, Failure> {
        let mut intake = Intake::new(most, encoding, true, None);
        for piece in octets.chunks(16_384) {
            intake.take(piece).await?;
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

    #[tokio::test]
    async fn bombs_floods_and_damage_end_in_a_word() {
        let bomb = gzip(&vec![0; 64 << 20]);
        for (octets, encoding, most, word) in [
            (&bomb[..], Some("gzip"), 1 << 30, "100 times longer"),
            (&bomb, Some("gzip"), 1 << 19, "the decoded body is longer than 524288"),
            (&[7; 2000], None, 1999, "the body is longer than 1999"),
            (&gzip(b"waddle")[..12], Some("gzip"), 100, "decode the body"),
            (&[7; 2000], Some("deflate"), 9999, "decode the body"),
        ] {
            let failure = taken(octets, encoding, most).await.expect_err(word);
            assert!(failure.class == Class::Protocol && failure.detail.contains(word), "{failure}");
        }
    }
}
