//! What is kept: measurements and autoperf's runs, in one redb file with one writing process and a spool.
//!
//! [`Access`] is the way in. The process that holds redb's lock owns the store and writes it; any other drops one
//! file per record into the [`spool`] and reads through the owner's [`control`] socket, so that the same calls
//! mean the same everywhere. The store keeps measurements and cannot make one; it renders nothing.
//!
//! In reading order: [`Data`] (the directory), [`Record`], the tables (`schema`), `point` and `roll` (the compact
//! forms that charts read), `insert`, `page`, `chart`, `summary`, `rollup`, `retention`, `verify`, then
//! [`Store`], [`Access`] and [`control`].

mod access;
mod chart;
pub mod control;
mod data;
mod fault;
mod file;
mod filter;
mod held;
mod insert;
mod owner;
mod page;
mod point;
mod query;
mod record;
mod retention;
mod roll;
mod rollup;
pub mod run;
mod schema;
mod series;
mod settings;
pub mod spool;
mod summary;
mod verify;

pub use access::{Access, Holder, Waiting, apart, blocking};
pub use chart::{Line, Thinned};
pub use data::Data;
pub use filter::Filter;
pub use owner::Store;
pub use page::{Order, Page};
pub use point::Point;
pub use query::{Answer, Query, Stats};
pub use record::{Gap, Record, fuzz_spool_record};
pub use retention::Pruned;
pub use roll::{Roll, Spread};
pub use series::Key;
pub use settings::{Retention, Settings};
pub use summary::Summary;
pub use verify::Verified;
