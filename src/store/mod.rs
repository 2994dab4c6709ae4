//! What is kept: measurements and autoperf's runs, in one redb file with one writing process and a spool.

mod data;
pub mod run;

pub use data::Data;
