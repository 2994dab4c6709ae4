//! What is sent: random octets, so that nothing on the way can make less of them, or iperf's old pattern.

use std::io::{self, Write};
use std::net::TcpStream;

use super::pace::LEAST_LENT;
use crate::stats::Rng;
use crate::sys::bulk::Lent;
use crate::sys::random;

/// What is sent again and again over a connection.
pub(super) enum Payload {
    /// The kernel copies it with each write.
    Copied(Vec<u8>),
    /// Its pages leave as they are.
    Lent(Lent),
}

impl Payload {
    /// `octets`, of which `slice` leave at once, lent where the system has means for it.
    pub(super) fn new(octets: Vec<u8>, slice: usize, lends: bool) -> Self {
        let lent = lends.then(|| Lent::new(&octets[..slice]).ok()).flatten();
        match lent.filter(|lent| lent.octets() >= LEAST_LENT) {
            Some(lent) => Self::Lent(lent),
            None => Self::Copied(octets),
        }
    }

    /// Writes its first `octets`, or as many as there is room for; returns how many.
    ///
    /// # Errors
    /// What send(2) or splice(2) says; `WouldBlock` when there was no room within the socket's timeout.
    pub(super) fn write(&mut self, mut stream: &TcpStream, octets: usize) -> io::Result<usize> {
        match self {
            Self::Copied(payload) => stream.write(&payload[..octets]),
            Self::Lent(lent) => lent.send(stream, octets),
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
            let mut payload = Payload::new(octets.clone(), octets.len(), lends);
            assert_eq!(matches!(payload, Payload::Lent(_)), lends);
            near.set_write_timeout(Some(std::time::Duration::from_millis(20))).expect("a timeout");
            for wanted in [1, 70_000, 300_000] {
                let sent = payload.write(&near, wanted).expect("room");
                assert!((1..=wanted).contains(&sent), "{sent} of {wanted}");
                let mut came = vec![0; sent];
                far.read_exact(&mut came).expect("it comes");
                assert!(came == octets[..sent], "lends: {lends}, {wanted}");
                // What is lent goes on where a write has ended: to the end of what that one was to send.
                while let Payload::Lent(lent) = &payload
                    && lent.rests() > 0
                {
                    let sent = payload.write(&near, 300_000).expect("room");
                    came.resize(came.len() + sent, 0);
                    let at = came.len() - sent;
                    far.read_exact(&mut came[at..]).expect("it comes");
                    assert!(came == octets[..came.len()], "lends: {lends}, {wanted}");
                }
            }
            let full = std::iter::repeat_with(|| payload.write(&near, 300_000)).find_map(Result::err);
            assert_eq!(full.map(|error| error.kind()), Some(io::ErrorKind::WouldBlock), "lends: {lends}");
        }
        // A pipe that holds little is no help.
        assert!(matches!(Payload::new(octets, LEAST_LENT - 1, true), Payload::Copied(_)));
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
