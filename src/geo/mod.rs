//! Where an address belongs: its autonomous system, its country, its city, from local databases (MMDB) and nothing else.
//!
//! Nobody is asked over the network. Without a database every field is null. Private addresses are looked up like all
//! others: public databases do not know them, one's own may.

mod atlas;
mod databases;
mod newer;
mod settings;

pub use atlas::Atlas;
pub use databases::{About, Databases, Place};
pub use newer::{Checksum, Newer, newer};
pub use settings::{Settings, Source};

/// The body of the fuzz target for databases.
pub fn fuzz(octets: &[u8]) {
    databases::fuzz(octets);
}
