//! Where an address belongs: its autonomous system and its country, from local databases (MMDB) and nothing else.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use maxminddb::Reader;
use serde::{Deserialize, Serialize};

use crate::failure::{Class, Failure};

/// Where distributions and MaxMind's updater put databases.
const PLACES: [&str; 2] = ["/usr/share/GeoIP", "/var/lib/GeoIP"];
/// Databases that are opened at most.
const MOST: usize = 8;
/// Octets that a database may have: it is read as a whole.
const MOST_OCTETS: u64 = 1 << 30;

/// Databases that are asked in turn. None at all answers nothing.
#[derive(Default)]
pub struct Databases(Vec<Reader<Vec<u8>>>);

/// What is known of an address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Number of its autonomous system.
    pub asn: Option<u32>,
    /// Its country, ISO 3166-1.
    pub country: Option<String>,
    /// The network that its autonomous system's entry is about, as `192.0.2.0/24`.
    pub prefix: Option<String>,
}

/// The part of an entry that is read, of the forms that MaxMind, DB-IP and IPinfo write.
#[derive(Deserialize)]
struct Entry {
    autonomous_system_number: Option<u32>,
    country: Option<Country>,
}

#[derive(Deserialize)]
struct Country {
    iso_code: Option<String>,
}

impl Databases {
    /// Opens `files`, or without any those in the usual places that can be read. Reads files: not for an async thread.
    ///
    /// # Errors
    /// Which of `files` is no database, and why.
    pub fn open(files: &[PathBuf]) -> Result<Self, Failure> {
        if files.is_empty() {
            return Ok(Self(usual().iter().take(MOST).filter_map(|file| read(file).ok()).collect()));
        }
        let open = |file: &PathBuf| {
            read(file).map_err(|why| Class::Usage.because(format_args!("--geo {}: {why}", file.display())))
        };
        files.iter().take(MOST).map(open).collect::<Result<_, _>>().map(Self)
    }

    /// What the databases say of `address`.
    pub fn place(&self, address: IpAddr) -> Place {
        let mut place = Place::default();
        for database in &self.0 {
            let Ok(found) = database.lookup(address) else { continue };
            let Ok(Some(entry)) = found.decode::<Entry>() else { continue };
            if let (None, Some(asn)) = (place.asn, entry.autonomous_system_number) {
                place.asn = Some(asn);
                place.prefix = found.network().ok().map(|network| network.to_string());
            }
            place.country = place.country.or_else(|| entry.country?.iso_code);
        }
        place
    }
}

/// The databases in the usual places, by name.
fn usual() -> Vec<PathBuf> {
    let files = PLACES.iter().filter_map(|place| fs::read_dir(place).ok()).flatten().flatten();
    let is_database = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "mmdb");
    let mut files: Vec<PathBuf> = files.map(|entry| entry.path()).filter(is_database).collect();
    files.sort();
    files
}

fn read(file: &Path) -> Result<Reader<Vec<u8>>, String> {
    let about = fs::metadata(file).map_err(|error| crate::failure::reason(&error))?;
    if !about.is_file() || about.len() > MOST_OCTETS {
        return Err("is not a file of 1 GiB at most".to_owned());
    }
    Reader::open_readfile(file).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// MaxMind DB format 2.0: a control octet (type and size), then the value.
    fn text(value: &str) -> Vec<u8> {
        [&[2 << 5 | value.len() as u8], value.as_bytes()].concat()
    }

    fn number(kind: u8, value: u32) -> Vec<u8> {
        [&[kind << 5 | 4][..], &value.to_be_bytes()].concat()
    }

    fn map(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let all = members.iter().flat_map(|(name, value)| [text(name), value.clone()].concat());
        std::iter::once(7 << 5 | members.len() as u8).chain(all).collect()
    }

    /// A database in which everything below 128.0.0.0 is AS 64500 in Germany, and nothing else is known.
    fn database() -> Vec<u8> {
        let country = map(&[("iso_code", text("DE"))]);
        let entry = map(&[("autonomous_system_number", number(6, 64_500)), ("country", country)]);
        // One node: the left record points to the first entry behind 16 zeros, the right one says "nothing".
        let tree = [0u8, 0, 17, 0, 0, 1];
        let short = |value: u16| [&[5 << 5 | 2][..], &value.to_be_bytes()].concat();
        let metadata = map(&[
            ("binary_format_major_version", short(2)),
            ("binary_format_minor_version", short(0)),
            ("build_epoch", vec![1, 2, 1]),
            ("database_type", text("Test")),
            ("description", map(&[])),
            ("ip_version", short(4)),
            ("languages", vec![0, 4]),
            ("node_count", number(6, 1)),
            ("record_size", short(24)),
        ]);
        [&tree[..], &[0; 16], &entry, b"\xab\xcd\xefMaxMind.com", &metadata].concat()
    }

    #[test]
    fn a_database_is_asked_and_says_nothing_of_what_it_does_not_know() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("test.mmdb");
        fs::write(&file, database()).expect("write the database");
        let databases = Databases::open(std::slice::from_ref(&file)).expect("a database");
        let known =
            Place { asn: Some(64_500), country: Some("DE".to_owned()), prefix: Some("0.0.0.0/1".to_owned()) };
        assert_eq!(databases.place([10, 0, 0, 1].into()), known);
        assert_eq!(databases.place([192, 0, 2, 1].into()), Place::default());
        assert_eq!(databases.place(std::net::Ipv6Addr::LOCALHOST.into()), Place::default());
        fs::write(&file, b"no database").expect("write");
        assert!(Databases::open(&[file]).is_err_and(|failure| failure.class == Class::Usage));
        assert_eq!(Databases::default().place([10, 0, 0, 1].into()), Place::default());
    }

    #[test]
    fn a_broken_database_never_panics() {
        let whole = database();
        for at in 0..whole.len() {
            for value in [0, 0xff, whole[at] ^ 0x55] {
                let mut broken = whole.clone();
                broken[at] = value;
                if let Ok(reader) = Reader::from_source(broken) {
                    let _ = Databases(vec![reader]).place([10, 0, 0, 1].into());
                }
            }
        }
    }
}
