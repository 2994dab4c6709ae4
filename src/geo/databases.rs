//! Databases in MaxMind's format (MMDB): what each is, and what all together say of an address.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use maxminddb::{Metadata, Reader};
use serde::{Deserialize, Serialize};

use crate::failure::{Class, Failure};

/// Databases that are opened at most.
const MOST: usize = 8;
/// Octets that a database may have: it is held in memory as a whole, for a mapped file that is replaced ends the process.
pub(super) const MOST_OCTETS: u64 = 256 << 20;

/// Databases that are asked in turn. None at all answers nothing.
#[derive(Default)]
pub struct Databases(Vec<Database>);

struct Database {
    about: About,
    reader: Reader<Vec<u8>>,
}

/// What a database is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct About {
    /// Where it lies.
    pub file: PathBuf,
    /// What its maker calls it: `GeoLite2-City`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it was made.
    pub built: Option<Timestamp>,
    /// Its length.
    #[serde(rename = "size_bytes")]
    pub size: u64,
    /// 4, or 6 for both families.
    pub ip_version: u16,
}

/// What is known of an address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Number of its autonomous system.
    pub asn: Option<u32>,
    /// The name of who runs that.
    pub as_name: Option<String>,
    /// Its country, ISO 3166-1.
    pub country: Option<String>,
    /// The part of the country, in English.
    pub region: Option<String>,
    /// The city, in English.
    pub city: Option<String>,
    /// The network that its autonomous system's entry is about, as `192.0.2.0/24`.
    pub prefix: Option<String>,
}

/// The part of an entry that is read, of the forms that MaxMind, DB-IP and IPinfo write.
#[derive(Deserialize)]
struct Entry {
    autonomous_system_number: Option<u32>,
    autonomous_system_organization: Option<String>,
    /// IPinfo: `AS64500`.
    asn: Option<String>,
    as_name: Option<String>,
    country: Option<Country>,
    country_code: Option<String>,
    subdivisions: Option<Vec<Named>>,
    region: Option<Text>,
    city: Option<Text>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Country {
    Coded { iso_code: Option<String> },
    Named(String),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Names(Named),
    Plain(String),
}

#[derive(Deserialize)]
struct Named {
    names: Option<Names>,
}

#[derive(Deserialize)]
struct Names {
    en: Option<String>,
}

impl Databases {
    /// Opens `files`. Reads files: not for an async thread.
    ///
    /// # Errors
    /// Which of `files` is no database, and why.
    pub fn open(files: &[PathBuf]) -> Result<Self, Failure> {
        let open = |file: &PathBuf| {
            Database::read(file)
                .map_err(|why| Class::Usage.because(format_args!("--geo {}: {why}", file.display())))
        };
        files.iter().take(MOST).map(open).collect::<Result<_, _>>().map(Self)
    }

    /// Opens those of `files` that can be read; why each other one cannot goes to `complain`.
    pub(super) fn open_what_can(files: &[PathBuf], mut complain: impl FnMut(&Path, &str)) -> Self {
        let readable =
            files.iter().filter_map(|file| Database::read(file).map_err(|why| complain(file, &why)).ok());
        Self(readable.take(MOST).collect())
    }

    /// What each of them is, in the order in which they are asked.
    pub fn about(&self) -> impl Iterator<Item = &About> {
        self.0.iter().map(|database| &database.about)
    }

    /// What the databases say of `address`, each field by the first that has it.
    pub fn place(&self, address: IpAddr) -> Place {
        let mut place = Place::default();
        for database in &self.0 {
            let Ok(found) = database.reader.lookup(address) else { continue };
            let Ok(Some(entry)) = found.decode::<Entry>() else { continue };
            if let (None, Some(asn)) = (place.asn, entry.system()) {
                place.asn = Some(asn);
                place.as_name = entry.autonomous_system_organization.or(entry.as_name);
                place.prefix = found.network().ok().map(|network| network.to_string());
            }
            if place.country.is_none() {
                place.country = entry.country_code.or_else(|| entry.country?.code());
            }
            let region = entry.subdivisions.and_then(|parts| parts.into_iter().next()?.english());
            place.region = place.region.or(region).or_else(|| entry.region?.english());
            place.city = place.city.or_else(|| entry.city?.english());
        }
        place
    }
}

impl Entry {
    fn system(&self) -> Option<u32> {
        self.autonomous_system_number.or_else(|| self.asn.as_ref()?.strip_prefix("AS")?.parse().ok())
    }
}

impl Country {
    /// Its code; a name alone is none.
    fn code(self) -> Option<String> {
        match self {
            Self::Coded { iso_code } => iso_code,
            Self::Named(name) => Some(name).filter(|name| name.len() == 2),
        }
    }
}

impl Text {
    fn english(self) -> Option<String> {
        match self {
            Self::Names(named) => named.english(),
            Self::Plain(text) => Some(text).filter(|text| !text.is_empty()),
        }
    }
}

impl Named {
    fn english(self) -> Option<String> {
        self.names?.en
    }
}

impl Database {
    fn read(file: &Path) -> Result<Self, String> {
        let about = fs::metadata(file).map_err(|error| crate::failure::reason(&error))?;
        if !about.is_file() || about.len() > MOST_OCTETS {
            return Err(format!("is not a file of {} MiB at most", MOST_OCTETS >> 20));
        }
        let octets = fs::read(file).map_err(|error| crate::failure::reason(&error))?;
        Self::of(file, octets)
    }

    fn of(file: &Path, octets: Vec<u8>) -> Result<Self, String> {
        let size = octets.len() as u64;
        let reader = Reader::from_source(octets).map_err(|error| error.to_string())?;
        Ok(Self { about: About::of(file, reader.metadata(), size), reader })
    }
}

impl About {
    fn of(file: &Path, told: &Metadata, size: u64) -> Self {
        let built = i64::try_from(told.build_epoch).ok().and_then(|epoch| Timestamp::from_second(epoch).ok());
        Self {
            file: file.to_owned(),
            kind: told.database_type.clone(),
            built,
            size,
            ip_version: told.ip_version,
        }
    }
}

/// What `octets`, which would lie at `file`, are, if they are a whole database, entry for entry.
///
/// # Errors
/// What is wrong with it.
pub(super) fn checked(file: &Path, octets: &[u8]) -> Result<About, String> {
    let reader = Reader::from_source(octets).map_err(|error| error.to_string())?;
    reader.verify().map_err(|error| error.to_string())?;
    Ok(About::of(file, reader.metadata(), octets.len() as u64))
}

/// Reads any octets as a database, and asks it.
pub(super) fn fuzz(octets: &[u8]) {
    let file = Path::new("x.mmdb");
    let about = checked(file, octets);
    let database = Database::of(file, octets.to_vec());
    assert!(about.is_err() || database.is_ok(), "what is whole can be read");
    let all = Databases(database.into_iter().collect());
    for address in [IpAddr::from([127, 0, 0, 1]), IpAddr::from([255; 4]), IpAddr::from([0; 16])] {
        let _ = all.place(address);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// MaxMind DB format 2.0: a control octet (type and size), then the value.
    fn text(value: &str) -> Vec<u8> {
        let control = match value.len() {
            length @ 0..29 => vec![2 << 5 | length as u8],
            length => vec![2 << 5 | 29, (length - 29) as u8],
        };
        [control, value.as_bytes().to_vec()].concat()
    }

    fn number(kind: u8, value: u32) -> Vec<u8> {
        [&[kind << 5 | 4][..], &value.to_be_bytes()].concat()
    }

    fn map(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let all = members.iter().flat_map(|(name, value)| [text(name), value.clone()].concat());
        std::iter::once(7 << 5 | members.len() as u8).chain(all).collect()
    }

    /// A database in which everything below 128.0.0.0 is `entry`, and nothing else is known, made at `built`.
    fn holding(entry: &[u8], built: u32) -> Vec<u8> {
        // One node: the left record points to the first entry behind 16 zeros, the right one says "nothing".
        let tree = [0u8, 0, 17, 0, 0, 1];
        let short = |value: u16| [&[5 << 5 | 2][..], &value.to_be_bytes()].concat();
        // An extended type: 64 bits (type 9) of 4 octets.
        let long = [&[4, 2][..], &built.to_be_bytes()].concat();
        let metadata = map(&[
            ("binary_format_major_version", short(2)),
            ("binary_format_minor_version", short(0)),
            ("build_epoch", long),
            ("database_type", text("Test")),
            ("description", map(&[("en", text("Test"))])),
            ("ip_version", short(4)),
            ("languages", vec![1, 4, 0x42, b'e', b'n']),
            ("node_count", number(6, 1)),
            ("record_size", short(24)),
        ]);
        [&tree[..], &[0; 16], entry, b"\xab\xcd\xefMaxMind.com", &metadata].concat()
    }

    /// One of AS 64500 in Germany, made at `built`.
    pub(in crate::geo) fn database(built: u32) -> Vec<u8> {
        let country = map(&[("iso_code", text("DE"))]);
        let entry = map(&[
            ("autonomous_system_number", number(6, 64_500)),
            ("autonomous_system_organization", text("Example")),
            ("country", country),
        ]);
        holding(&entry, built)
    }

    fn place_in(octets: Vec<u8>) -> Place {
        let database = Database::of(Path::new("test.mmdb"), octets).expect("a database");
        Databases(vec![database]).place([10, 0, 0, 1].into())
    }

    #[test]
    fn a_database_is_asked_and_says_nothing_of_what_it_does_not_know() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("test.mmdb");
        fs::write(&file, database(1_700_000_000)).expect("write the database");
        let databases = Databases::open(std::slice::from_ref(&file)).expect("a database");
        let known = Place {
            asn: Some(64_500),
            as_name: Some("Example".to_owned()),
            country: Some("DE".to_owned()),
            prefix: Some("0.0.0.0/1".to_owned()),
            ..Place::default()
        };
        assert_eq!(databases.place([10, 0, 0, 1].into()), known);
        assert_eq!(databases.place([192, 0, 2, 1].into()), Place::default());
        assert_eq!(databases.place(std::net::Ipv6Addr::LOCALHOST.into()), Place::default());
        let about = databases.about().next().expect("one");
        assert_eq!(
            (about.kind.as_str(), about.built.map(|built| built.as_second())),
            ("Test", Some(1_700_000_000))
        );
        fs::write(&file, b"no database").expect("write");
        assert!(Databases::open(&[file]).is_err_and(|failure| failure.class == Class::Usage));
        assert_eq!(Databases::default().place([10, 0, 0, 1].into()), Place::default());
    }

    #[test]
    fn a_place_is_read_in_each_makers_form() {
        let named = |name: &str| map(&[("names", map(&[("en", text(name))]))]);
        // A list of one (extended type 11).
        let list = |value: Vec<u8>| [vec![1, 4], value].concat();
        let maxmind = map(&[
            ("city", named("Ulm")),
            ("subdivisions", list(named("BW"))),
            ("country", named("Germany")),
        ]);
        let ipinfo = map(&[
            ("asn", text("AS64501")),
            ("as_name", text("Other")),
            ("country", text("Germany")),
            ("country_code", text("DE")),
            ("region", text("BW")),
            ("city", text("Ulm")),
        ]);
        let (maxmind, ipinfo) = (place_in(holding(&maxmind, 1)), place_in(holding(&ipinfo, 1)));
        for place in [&maxmind, &ipinfo] {
            assert_eq!(
                (place.city.as_deref(), place.region.as_deref()),
                (Some("Ulm"), Some("BW")),
                "{place:?}"
            );
        }
        assert_eq!((maxmind.country, maxmind.asn), (None, None), "a name is no code");
        assert_eq!((ipinfo.country.as_deref(), ipinfo.asn), (Some("DE"), Some(64_501)));
        assert_eq!(ipinfo.as_name.as_deref(), Some("Other"));
    }

    #[test]
    fn a_broken_database_never_panics() {
        let whole = database(1_700_000_000);
        assert!(checked(Path::new("x.mmdb"), &whole).is_ok());
        for at in 0..whole.len() {
            for value in [0, 0xff, whole[at] ^ 0x55] {
                let mut broken = whole.clone();
                broken[at] = value;
                fuzz(&broken);
            }
        }
    }
}
