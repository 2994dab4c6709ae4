//! Bodies that came compressed (`Content-Encoding`), undone a little at a time, so that who sends a bomb is found out before it
//! takes any room.

use std::io::{self, ErrorKind, Write};

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use flate2::write::{MultiGzDecoder, ZlibDecoder};

use super::zstd::Zstd;

/// What this program can undo, as a request says it.
pub(super) const ACCEPTED: &str = "deflate, gzip, br, zstd";
/// Octets of deflate that are decoded at once: none becomes more than 1,032.
const PIECE: usize = 1 << 10;
/// Octets that brotli, which knows no such bound, may make at once.
const ROOM: usize = 64 << 10;

pub(super) enum Decoder {
    Gzip(MultiGzDecoder<Vec<u8>>),
    Zlib(ZlibDecoder<Vec<u8>>),
    Brotli(Box<Brotli>),
    Zstd(Box<Zstd>),
}

impl Decoder {
    /// That for a `Content-Encoding`; `None` where there is none, or this program has none for it.
    pub(super) fn of(encoding: &str) -> Option<Self> {
        match encoding.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Some(Self::Gzip(MultiGzDecoder::new(Vec::new()))),
            "deflate" => Some(Self::Zlib(ZlibDecoder::new(Vec::new()))),
            "br" => Some(Self::Brotli(Box::new(Brotli::new()))),
            "zstd" => Some(Self::Zstd(Box::new(Zstd::new()))),
            _ => None,
        }
    }

    /// Decodes some of `octets`, which are taken off it; `None` when there is nothing more to be made of them.
    pub(super) fn next(&mut self, octets: &mut &[u8]) -> io::Result<Option<Vec<u8>>> {
        fn flate<D: Write>(
            decoder: &mut D,
            octets: &mut &[u8],
            text: impl FnOnce(&mut D) -> &mut Vec<u8>,
        ) -> io::Result<Option<Vec<u8>>> {
            let (piece, rest) = octets.split_at(octets.len().min(PIECE));
            *octets = rest;
            decoder.write_all(piece)?;
            Ok((!piece.is_empty()).then(|| std::mem::take(text(decoder))))
        }
        match self {
            Self::Gzip(decoder) => flate(decoder, octets, MultiGzDecoder::get_mut),
            Self::Zlib(decoder) => flate(decoder, octets, ZlibDecoder::get_mut),
            Self::Brotli(brotli) => brotli.next(octets),
            Self::Zstd(zstd) => zstd.next(octets),
        }
    }

    /// What is left at the end of the body.
    pub(super) fn end(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Gzip(decoder) => decoder.finish(),
            Self::Zlib(decoder) => decoder.finish(),
            Self::Brotli(brotli) if brotli.is_whole => Ok(Vec::new()),
            Self::Brotli(_) => Err(io::Error::new(ErrorKind::UnexpectedEof, "brotli: it ends early")),
            Self::Zstd(zstd) if zstd.is_whole() => Ok(Vec::new()),
            Self::Zstd(_) => Err(io::Error::new(ErrorKind::UnexpectedEof, "zstd: it ends early")),
        }
    }
}

/// Decodes any octets as each encoding, as far as a body that nobody looks at would be.
pub(super) fn fuzz(octets: &[u8]) {
    for encoding in ["gzip", "deflate", "br", "zstd"] {
        let (mut rest, mut made) = (octets, 0);
        let mut decoder = Decoder::of(encoding).expect("it is known");
        let why = loop {
            match decoder.next(&mut rest) {
                Ok(Some(text)) if made < 4 << 20 => made += text.len(),
                Ok(Some(_)) => break None,
                Ok(None) => break decoder.end().err(),
                Err(error) => break Some(error),
            }
        };
        assert!(why.is_none_or(|why| !why.to_string().contains(char::is_control)), "it may be shown");
    }
}

/// Brotli (RFC 7932), whose window is 16 MiB at most: larger ones are an extension that browsers do not take either.
pub(super) struct Brotli {
    state: BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    /// Octets that came out of it.
    total: usize,
    /// There is more than there was room for.
    has_more: bool,
    is_whole: bool,
}

impl Brotli {
    fn new() -> Self {
        let alloc = StandardAlloc::default;
        let state = BrotliState::new_strict(alloc(), alloc(), alloc());
        Self { state, total: 0, has_more: false, is_whole: false }
    }

    fn next(&mut self, octets: &mut &[u8]) -> io::Result<Option<Vec<u8>>> {
        if octets.is_empty() && !self.has_more {
            return Ok(None);
        }
        let damaged = |why| Err(io::Error::new(ErrorKind::InvalidData, why));
        if self.is_whole {
            return damaged("brotli: something follows its end");
        }
        let mut text = vec![0; ROOM];
        let (mut available, mut taken) = (octets.len(), 0);
        let (mut room, mut made) = (text.len(), 0);
        let came = BrotliDecompressStream(
            &mut available,
            &mut taken,
            octets,
            &mut room,
            &mut made,
            &mut text,
            &mut self.total,
            &mut self.state,
        );
        *octets = octets.get(taken..).unwrap_or_default();
        self.has_more = matches!(came, BrotliResult::NeedsMoreOutput);
        self.is_whole = matches!(came, BrotliResult::ResultSuccess);
        if matches!(came, BrotliResult::ResultFailure) {
            return damaged("brotli: it is damaged");
        }
        text.truncate(made);
        Ok(Some(text))
    }
}
