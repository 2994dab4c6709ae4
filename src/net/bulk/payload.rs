//! What is sent: random octets, so that nothing on the way can make less of them, or iperf's old pattern.

use std::fs::File;
use std::io::{self, Write};
use std::net::TcpStream;

use crate::stats::Rng;
use crate::sys::{bulk, random};

/// What is sent again and again over a connection.
pub(super) enum Payload {
    /// The kernel copies it with each write.
    Copied(Vec<u8>),
    /// A file in memory whose pages leave as they are.
    Lent(File),
}

impl Payload {
    /// `octets`, which the kernel copies or lends.
    ///
    /// # Errors
    /// When the system gives no file in memory.
    pub(super) fn new(octets: Vec<u8>, lends: bool) -> io::Result<Self> {
        Ok(match lends {
            true => Self::Lent(bulk::memory_file(&octets)?),
            false => Self::Copied(octets),
        })
    }

    /// Writes its first `octets`, or as many as there is room for; returns how many.
    ///
    /// # Errors
    /// What send(2) or sendfile(2) says; `WouldBlock` when there was no room within the socket's timeout.
    pub(super) fn write(&self, mut stream: &TcpStream, octets: usize) -> io::Result<usize> {
        match self {
            Self::Copied(payload) => stream.write(&payload[..octets]),
            Self::Lent(file) => bulk::send_file(stream, file, octets),
        }
    }
}

/// `length` octets.
///
/// # Errors
/// When the system has no random octets.
pub(super) fn octets(length: usize, repeats: bool) -> io::Result<Vec<u8>> {
    if repeats {
        return Ok((0..length).map(|n| b'0' + (n % 10) as u8).collect());
    }
    let seed = random::octets()?;
    let (first, _) = seed.split_first_chunk().expect("32 octets are more than 8");
    let mut rng = Rng::new(u64::from_ne_bytes(*first));
    let words = std::iter::repeat_with(|| rng.bits().to_ne_bytes()).take(length.div_ceil(8));
    let mut payload: Vec<u8> = words.flatten().collect();
    payload.truncate(length);
    Ok(payload)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::net::TcpListener;

    #[test]
    fn what_is_lent_comes_as_what_is_copied() {
        let octets = octets(300_000, false).expect("octets");
        for lends in [false, true] {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
            let near = TcpStream::connect(listener.local_addr().expect("an address")).expect("a connection");
            let (mut far, _) = listener.accept().expect("a connection");
            let payload = Payload::new(octets.clone(), lends).expect("a payload");
            near.set_write_timeout(Some(std::time::Duration::from_millis(20))).expect("a timeout");
            // Each write begins with the first octet, however much the one before it has got through.
            for wanted in [1, 70_000, 300_000] {
                let sent = payload.write(&near, wanted).expect("room");
                assert!((1..=wanted).contains(&sent), "{sent} of {wanted}");
                let mut came = vec![0; sent];
                far.read_exact(&mut came).expect("it comes");
                assert!(came == octets[..sent], "lends: {lends}, {wanted}");
            }
            let full = std::iter::repeat_with(|| payload.write(&near, 300_000)).find_map(Result::err);
            assert_eq!(full.map(|error| error.kind()), Some(io::ErrorKind::WouldBlock), "lends: {lends}");
        }
    }

    #[test]
    fn a_pattern_repeats_and_random_octets_do_not() {
        assert_eq!(octets(12, true).expect("octets"), b"012345678901");
        let (one, other) = (octets(4099, false).expect("octets"), octets(4099, false).expect("octets"));
        assert_eq!(one.len(), 4099);
        assert_ne!(one, other);
        let mut packed = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        std::io::Write::write_all(&mut packed, &one).expect("packed");
        assert!(packed.finish().expect("packed").len() > 4000);
    }
}
