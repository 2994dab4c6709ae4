//! Pure codecs: octets to checked views and back. No I/O, no clock, no panics; every length is hostile.

mod bytes;
pub mod icmp;
pub mod stamp;
pub mod tcp;
pub mod wp1;
