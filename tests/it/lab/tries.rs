//! What a host without time may spoil, and what it has lost itself.

use super::Node;

/// The first of three attempts that holds: a rate that is not made up for, tokens that a bucket has no room for, are lost to who
/// had no processor for a moment. What must hold each time is asserted inside.
///
/// # Panics
/// When none holds, with what each has said.
#[track_caller]
pub(crate) fn one_of_three<T>(mut attempt: impl FnMut() -> Result<T, String>) -> T {
    let mut said = Vec::new();
    for _ in 0..3 {
        match attempt() {
            Ok(found) => return found,
            Err(why) => said.push(why),
        }
    }
    panic!("none of three: {said:#?}");
}

/// `Err` with what is seen where that is not so.
pub(crate) fn holds(is_so: bool, seen: impl FnOnce() -> String) -> Result<(), String> {
    if is_so { Ok(()) } else { Err(seen()) }
}

/// Datagrams that came to `nodes` and found no room at a socket whose reader had no processor.
pub(crate) fn overflowed<const N: usize>(nodes: [&Node; N]) -> u64 {
    nodes.iter().map(|node| node.counter("UdpRcvbufErrors")).sum()
}
