//! What the kernel says of this process.

/// Whether the kernel started this process with more rights than its caller has (`AT_SECURE`, getauxval(3)):
/// then nothing of its environment and nothing of its own name may be believed.
#[expect(unsafe_code, reason = "getauxval has no safe wrapper")]
pub fn is_secure() -> bool {
    // SAFETY: getauxval takes a number, reads what the kernel left at start, and touches nothing else.
    unsafe { nix::libc::getauxval(nix::libc::AT_SECURE) != 0 }
}
