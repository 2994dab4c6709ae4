//! What is sent: random octets, so that nothing on the way can make less of them, or iperf's old pattern.

use std::io;

use crate::stats::Rng;
use crate::sys::random;

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
