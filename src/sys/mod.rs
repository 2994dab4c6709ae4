//! The system calls: the only place with `unsafe`, one safe function per call, and the only clock.

pub mod capability;
pub mod clock;
pub mod datagram;
pub mod host;
pub mod landlock;
pub mod lock;
pub mod privilege;
pub mod process;
pub mod random;
pub mod route;
pub mod service;
pub mod tcp;

pub mod wait;
