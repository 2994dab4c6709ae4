//! Zstandard (RFC 8878) a block at a time: ruzstd decodes a block that is whole, this cuts what comes into such blocks.
//!
//! The window is 8 MiB at most, which is all that HTTP allows (RFC 9659), and a block makes 128 KiB (RFC 8878 §3.1.1.2.4).

use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// The largest window.
const MOST_WINDOW: u64 = 8 << 20;
/// Octets of the longest part that must be there as a whole: a block, its header, a checksum.
const MOST_BLOCK: usize = 128 << 10;
const BLOCK_HEADER: usize = 3;
const CHECKSUM: usize = 4;
const MAGIC: u32 = 0xFD2F_B528;

/// Decodes what comes.
pub(super) struct Zstd {
    decoder: FrameDecoder,
    /// What has come of the next part.
    held: Vec<u8>,
    place: Place,
}

/// Where in the stream the next part begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Between frames; at the very beginning, too.
    Frame,
    /// Between blocks of a frame, which may end with a checksum.
    Block { has_checksum: bool },
    /// In a frame that is passed over: octets that are left of it.
    Skipped(u64),
}

/// What a part is, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Frame { length: usize, has_checksum: bool },
    Skippable { content: u64 },
    Block { length: usize },
}

impl Zstd {
    pub(super) fn new() -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(MOST_WINDOW);
        Self { decoder, held: Vec::new(), place: Place::Frame }
    }

    /// Whether a frame is whole.
    pub(super) fn is_whole(&self) -> bool {
        self.place == Place::Frame && self.held.is_empty()
    }

    /// Takes octets off `octets` until a part is whole: what is made of it. `None` when there are too few.
    pub(super) fn next(&mut self, octets: &mut &[u8]) -> io::Result<Option<Vec<u8>>> {
        if let Place::Skipped(left) = self.place {
            let passed = usize::try_from(left).unwrap_or(usize::MAX).min(octets.len());
            *octets = &octets[passed..];
            let left = left - passed as u64;
            self.place = if left > 0 { Place::Skipped(left) } else { Place::Frame };
            return Ok((left == 0).then(Vec::new));
        }
        loop {
            let wanted = match self.part()? {
                Ok(part) if self.held.len() >= part.length() => return self.take(part).map(Some),
                Ok(part) => part.length(),
                Err(wanted) => wanted,
            };
            let missing = (wanted - self.held.len()).min(octets.len());
            if missing == 0 {
                return Ok(None);
            }
            self.held.extend(&octets[..missing]);
            *octets = &octets[missing..];
        }
    }

    /// What begins in `held`, or how many octets tell.
    fn part(&self) -> io::Result<Result<Part, usize>> {
        let held = &self.held;
        if let Place::Block { has_checksum } = self.place {
            let Some([a, b, c]) = held.first_chunk() else { return Ok(Err(BLOCK_HEADER)) };
            let header = u32::from_le_bytes([*a, *b, *c, 0]);
            let (is_last, kind, size) = (header & 1 == 1, header >> 1 & 3, (header >> 3) as usize);
            if kind == 3 || size > MOST_BLOCK {
                return damaged();
            }
            let content = if kind == 1 { 1 } else { size };
            let end = if is_last && has_checksum { CHECKSUM } else { 0 };
            return Ok(Ok(Part::Block { length: BLOCK_HEADER + content + end }));
        }
        let Some(magic) = held.first_chunk() else { return Ok(Err(4)) };
        match u32::from_le_bytes(*magic) {
            MAGIC => {
                let Some(descriptor) = held.get(4) else { return Ok(Err(5)) };
                let is_single = descriptor >> 5 & 1;
                let window = usize::from(1 - is_single);
                let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
                let size = [usize::from(is_single), 2, 4, 8][usize::from(descriptor >> 6)];
                let length = 5 + window + dictionary + size;
                Ok(Ok(Part::Frame { length, has_checksum: descriptor >> 2 & 1 == 1 }))
            }
            magic if magic >> 4 == 0x0184_D2A5 => match held.get(4..8) {
                Some(&[a, b, c, d]) => {
                    Ok(Ok(Part::Skippable { content: u32::from_le_bytes([a, b, c, d]).into() }))
                }
                _ => Ok(Err(8)),
            },
            _ => damaged(),
        }
    }

    /// Decodes `part`, all of which is there.
    fn take(&mut self, part: Part) -> io::Result<Vec<u8>> {
        let octets: Vec<u8> = self.held.drain(..part.length()).collect();
        match part {
            Part::Frame { has_checksum, .. } => {
                let begun = guarded(|| self.decoder.reset(&octets[..]));
                begun?.map_err(|error| io::Error::new(ErrorKind::InvalidData, format!("zstd: {error}")))?;
                self.place = Place::Block { has_checksum };
                Ok(Vec::new())
            }
            Part::Skippable { content } => {
                self.place = if content > 0 { Place::Skipped(content) } else { Place::Frame };
                Ok(Vec::new())
            }
            Part::Block { .. } => {
                let one = BlockDecodingStrategy::UptoBlocks(1);
                let decoded = guarded(|| self.decoder.decode_blocks(&octets[..], one));
                decoded?.map_err(|error| io::Error::new(ErrorKind::InvalidData, format!("zstd: {error}")))?;
                if self.decoder.is_finished() {
                    self.place = Place::Frame;
                }
                Ok(self.decoder.collect().unwrap_or_default())
            }
        }
    }
}

impl Part {
    const fn length(self) -> usize {
        match self {
            Self::Frame { length, .. } | Self::Block { length } => length,
            Self::Skippable { .. } => 8,
        }
    }
}

fn damaged<T>() -> io::Result<T> {
    Err(io::Error::new(ErrorKind::InvalidData, "zstd: it is damaged"))
}

/// What ruzstd does, which asserts here and there what only a fault of its own could break: such a one is damage, too.
fn guarded<T>(decode: impl FnOnce() -> T) -> io::Result<T> {
    catch_unwind(AssertUnwindSafe(decode)).or_else(|_| damaged())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    /// By libzstd 1.5.4 (`ZSTD_compress`, level 3): "waddle " a hundred times.
    const SHORT: &[u8] =
        b"\x28\xb5\x2f\xfd\x60\xbc\x01\x75\x00\x00\x38\x77\x61\x64\x64\x6c\x65\x20\x01\x00\xb2\x54\x15\x23";

    fn decoded(octets: &[u8], cut: usize) -> io::Result<(Vec<u8>, bool)> {
        let (mut zstd, mut text) = (Zstd::new(), Vec::new());
        for piece in octets.chunks(cut) {
            let mut rest = piece;
            while let Some(some) = zstd.next(&mut rest)? {
                text.extend(some);
            }
            assert!(rest.is_empty(), "all of it is taken");
        }
        Ok((text, zstd.is_whole()))
    }

    #[test]
    fn frames_are_decoded_however_they_are_cut() {
        let long: Vec<u8> = (0..700_000u32).flat_map(|n| (n % 1000).to_le_bytes()).collect();
        let frame = compress_to_vec(&long[..], CompressionLevel::Fastest);
        assert!(frame.len() < long.len() / 2);
        let skipped = [&[0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
        let all = [SHORT, &skipped, &frame, SHORT].concat();
        let text = [&b"waddle ".repeat(100)[..], &long, &b"waddle ".repeat(100)].concat();
        for cut in [1, 7, 1000, 1 << 20] {
            let (found, is_whole) = decoded(&all, cut).expect("good");
            assert!(is_whole && found == text, "cut by {cut}");
        }
        assert!(!decoded(&all[..all.len() - 1], 100).expect("so far").1);
    }

    #[test]
    fn what_wants_too_much_is_refused_before_it_takes_it() {
        let window = |descriptor| [0x28, 0xb5, 0x2f, 0xfd, 0, descriptor];
        // 2^(10 + 13) octets are 8 MiB; one more is too many.
        assert!(decoded(&window(13 << 3), 100).is_ok());
        for wrong in [
            &window(14 << 3)[..],
            b"none",
            &[&window(0)[..], &[7, 0, 0]].concat(),
            &[&window(0)[..], &[0xfc, 0xff, 0xff]].concat(),
        ] {
            assert!(decoded(wrong, 100).is_err(), "{wrong:x?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]
        /// Whatever was changed on the way, it ends in a word, and no block makes more than it may.
        #[test]
        fn damage_is_no_fault(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), cut in 1usize..3000) {
            let text: Vec<u8> = (0..9000u32).flat_map(|n| (n * n % 77).to_le_bytes()).collect();
            for frame in [SHORT.to_vec(), compress_to_vec(&text[..], CompressionLevel::Fastest)] {
                let mut frame = frame;
                for (at, octet) in &changes {
                    let at = at.index(frame.len());
                    frame[at] = *octet;
                }
                if let Ok((text, _)) = decoded(&frame, cut) {
                    prop_assert!(text.len() <= frame.len() * (1 << 20));
                }
            }
        }
    }
}
