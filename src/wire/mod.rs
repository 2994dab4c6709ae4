//! Pure codecs: octets to checked views and back. No I/O, no clock, no panics; every length is hostile.

mod bytes;
pub mod dns;
pub mod filter;
pub mod frame;
pub mod icmp;
pub mod iperf3;
pub mod ocsp;
pub mod pcap;
pub mod quic;
pub mod sct;
pub mod sff;
pub mod stamp;
pub mod tcp;
pub mod text;
pub mod tls;
pub mod wp1;
pub mod x509;
