//! The test server: reflectors, the store's owner, autoperf's daemon.

pub mod reflector;
