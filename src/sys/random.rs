//! The kernel's random numbers.
//!
//! Not aws-lc's: its generator first measures the processor's jitter for 30 ms, longer than a whole ping takes.

use std::io;

/// 32 octets that nobody can guess.
///
/// # Errors
/// When the kernel gives none (a filter on system calls).
pub fn octets() -> io::Result<[u8; 32]> {
    let mut octets = [0u8; 32];
    #[expect(unsafe_code, reason = "getrandom(2) has no safe wrapper in nix")]
    // SAFETY: the pointer and the length are those of a live array; the kernel only writes into it.
    let count = unsafe { nix::libc::getrandom(octets.as_mut_ptr().cast(), octets.len(), 0) };
    match usize::try_from(count) {
        Ok(count) if count == octets.len() => Ok(octets),
        // Up to 256 octets are given whole or not at all (getrandom(2)).
        Ok(_) => Err(io::ErrorKind::UnexpectedEof.into()),
        Err(_) => Err(io::Error::last_os_error()),
    }
}

/// 16 hexadecimal digits that nobody can guess: a part of a name.
///
/// # Errors
/// As [`octets`].
pub fn word() -> io::Result<String> {
    Ok(octets()?.iter().take(8).map(|octet| format!("{octet:02x}")).collect())
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_two_draws_are_alike() {
        assert_ne!(super::octets().expect("random octets"), super::octets().expect("random octets"));
        let word = super::word().expect("a word");
        assert!(word.len() == 16 && word.bytes().all(|letter| letter.is_ascii_hexdigit()), "{word}");
        assert_ne!(word, super::word().expect("a word"));
    }
}
