//! A newer database: its checksum, out of its wrapping, looked through. (Who has it puts it into its place.)

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};
use flate2::read::MultiGzDecoder;
use jiff::Timestamp;

use super::databases::{About, MOST_OCTETS, checked};
use crate::failure::{Class, Failure};

/// Octets of a tar archive's block; its mark stands in the first one.
const BLOCK: usize = 512;
/// Where the mark stands, and what it is (POSIX ustar).
const USTAR: (usize, &[u8]) = (257, b"ustar");
/// Files of an archive that are looked at before the database.
const MOST_FILES: usize = 64;

/// A SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checksum([u8; 32]);

/// A database that was fetched and is right.
#[derive(Debug, PartialEq, Eq)]
pub struct Newer {
    /// What it is, where it will lie.
    pub about: About,
    /// All of it.
    pub octets: Vec<u8>,
    /// When the one was made whose place it takes.
    pub replaces: Option<Timestamp>,
}

impl Checksum {
    /// The one at the start of `text`, as sha256sum(1) and MaxMind write it.
    pub fn parse(text: &str) -> Option<Self> {
        let digits =
            text.split_ascii_whitespace().next().filter(|word| word.len() == 64 && word.is_ascii())?;
        let mut sum = [0; 32];
        for (at, octet) in sum.iter_mut().enumerate() {
            *octet = u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).ok()?;
        }
        Some(Self(sum))
    }

    fn of(file: &Path) -> io::Result<Self> {
        let (mut file, mut sum, mut part) = (File::open(file)?, Context::new(&SHA256), vec![0; 1 << 16]);
        loop {
            match file.read(&mut part)? {
                0 => break,
                length => sum.update(&part[..length]),
            }
        }
        let mut out = [0; 32];
        out.copy_from_slice(sum.finish().as_ref());
        Ok(Self(out))
    }
}

/// The database in the file `fetched`, which is to lie at `to`. Reads files: not for an async thread.
///
/// # Errors
/// Class `protocol`: another checksum than `expected`, no database inside, a broken one, or one that is older than what is
/// there (unless `any_age`); those of the file system.
pub fn newer(fetched: &Path, expected: Option<Checksum>, any_age: bool, to: &Path) -> Result<Newer, Failure> {
    let unread = |error: &io::Error| Failure::from_io(format_args!("read {}", fetched.display()), error);
    let wrong = |why: String| Class::Protocol.because(format_args!("{why}; {} stays as it is", to.display()));
    if let Some(expected) = expected
        && Checksum::of(fetched).map_err(|error| unread(&error))? != expected
    {
        return Err(wrong("what was fetched has another checksum than it should".to_owned()));
    }
    let file = File::open(fetched).map_err(|error| unread(&error))?;
    let octets =
        unwrapped(file).map_err(|error| wrong(format!("what was fetched cannot be unpacked: {error}")))?;
    let about =
        checked(to, &octets).map_err(|why| wrong(format!("what was fetched is no database: {why}")))?;
    let replaces = built(to);
    if !any_age && about.built.zip(replaces).is_some_and(|(new, old)| new < old) {
        return Err(wrong("what was fetched is older than what is there (--force takes it)".to_owned()));
    }
    Ok(Newer { about, octets, replaces })
}

/// When the database at `file` was made.
fn built(file: &Path) -> Option<Timestamp> {
    let databases = super::Databases::open(&[file.to_owned()]).ok()?;
    databases.about().next()?.built
}

/// The database in `file`, which may be compressed, and in an archive.
fn unwrapped(mut file: File) -> io::Result<Vec<u8>> {
    let mut magic = [0; 2];
    let length = read_up_to(&mut file, &mut magic)?;
    let whole = io::Cursor::new(magic[..length].to_vec()).chain(file);
    if magic == [0x1f, 0x8b] { opened(MultiGzDecoder::new(whole)) } else { opened(whole) }
}

fn opened(mut from: impl Read) -> io::Result<Vec<u8>> {
    let mut block = [0; BLOCK];
    let length = read_up_to(&mut from, &mut block)?;
    let mut whole = io::Cursor::new(block[..length].to_vec()).chain(from);
    if !block[USTAR.0..].starts_with(USTAR.1) {
        return limited(&mut whole);
    }
    let mut archive = tar::Archive::new(whole);
    for entry in archive.entries()?.take(MOST_FILES) {
        let mut entry = entry?;
        if entry.header().entry_type().is_file() && entry.path_bytes().ends_with(b".mmdb") {
            return limited(&mut entry);
        }
    }
    Err(io::Error::other("there is no .mmdb file in the archive"))
}

/// All of `from`, unless that is more than a database may have.
fn limited(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    from.take(MOST_OCTETS + 1).read_to_end(&mut octets)?;
    if octets.len() as u64 > MOST_OCTETS {
        return Err(io::Error::other(format!("it has more than {} MiB", MOST_OCTETS >> 20)));
    }
    Ok(octets)
}

fn read_up_to(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match from.read(&mut buffer[length..]) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::super::databases::tests::database;
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::fs;
    use std::io::Write;

    fn gzip(octets: &[u8]) -> Vec<u8> {
        let mut out = GzEncoder::new(Vec::new(), Compression::fast());
        out.write_all(octets).expect("memory");
        out.finish().expect("memory")
    }

    fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut out = tar::Builder::new(Vec::new());
        for (name, octets) in files {
            let mut header = tar::Header::new_ustar();
            header.set_size(octets.len() as u64);
            header.set_cksum();
            out.append_data(&mut header, name, *octets).expect("memory");
        }
        out.into_inner().expect("memory")
    }

    fn sum(octets: &[u8]) -> String {
        let digest = aws_lc_rs::digest::digest(&SHA256, octets);
        digest.as_ref().iter().map(|octet| format!("{octet:02x}")).collect()
    }

    #[test]
    fn a_database_comes_in_each_wrapping() {
        let directory = tempfile::tempdir().expect("a directory");
        let (fetched, to) = (directory.path().join("fetched"), directory.path().join("a.mmdb"));
        let plain = database(1_000);
        let packed = archive(&[("x/COPYRIGHT.txt", b"text"), ("x/a.mmdb", &plain)]);
        for octets in [plain.clone(), gzip(&plain), packed.clone(), gzip(&packed)] {
            fs::write(&fetched, &octets).expect("write");
            let expected = Checksum::parse(&format!("{}  name\n", sum(&octets)));
            assert!(expected.is_some());
            let found = newer(&fetched, expected, false, &to).expect("a database");
            assert_eq!((found.about.kind.as_str(), found.octets), ("Test", plain.clone()));
        }
    }

    #[test]
    fn what_is_wrong_is_not_taken() {
        let directory = tempfile::tempdir().expect("a directory");
        let (fetched, to) = (directory.path().join("fetched"), directory.path().join("a.mmdb"));
        fs::write(&to, database(2_000)).expect("write");
        let whole = database(3_000);
        let other = Checksum::parse(&sum(b"other"));
        let cut = gzip(&whole);
        let bomb = gzip(&vec![0; (MOST_OCTETS + 1) as usize]);
        let (empty, none) = (archive(&[("x/readme", b"text")]), None);
        for (octets, expected, says) in [
            (&whole[..], other, "another checksum"),
            (&cut[..cut.len() / 2], none, "cannot be unpacked"),
            (&bomb[..], none, "more than 256 MiB"),
            (&empty[..], none, "no .mmdb file"),
            (&whole[..whole.len() / 2], none, "no database"),
            (b"", none, "no database"),
            (&database(1_000)[..], none, "older"),
        ] {
            fs::write(&fetched, octets).expect("write");
            let failure = newer(&fetched, expected, false, &to).expect_err(says);
            assert!(failure.detail.contains(says), "{says}: {failure}");
        }
        fs::write(&fetched, database(1_000)).expect("write");
        let found = newer(&fetched, None, true, &to).expect("forced");
        assert_eq!(found.replaces.map(|old| old.as_second()), Some(2_000));
    }

    #[test]
    fn a_checksum_is_64_digits() {
        for (text, whole) in [("", false), ("ab", false), (&"g".repeat(64), false), (&"é".repeat(32), false)]
        {
            assert_eq!(Checksum::parse(text).is_some(), whole, "{text}");
        }
    }
}
