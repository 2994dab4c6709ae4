//! One body for the property tests and for cargo-fuzz.

use super::datagram::{Header, header, is_hello, is_welcome, unwrapped};
use super::{Frame, Frames, Params, Results, State};

/// A control connection that brings `bytes`, cut where they say: frames end, and hold no more than they may.
pub fn fuzz_frame(bytes: &[u8]) {
    let mut frames = Frames::default();
    let mut rest = bytes;
    while let Some((&length, after)) = rest.split_first() {
        let (piece, after) = after.split_at(after.len().min(usize::from(length)));
        frames.push(piece);
        rest = after;
        let before = frames.waiting();
        let taken = match length % 3 {
            0 => usize::from(frames.byte().map(State::of).is_some()),
            1 => frames.octets::<8>().map_or(0, |_| 8),
            _ => match frames.frame(Frame::Params) {
                Ok(frame) => frame.map_or(0, |frame| frame.len() + 4),
                Err(_) => return,
            },
        };
        assert_eq!(frames.waiting() + taken, before);
    }
}

/// Parameters: those that are read are within bounds, and are read again as they are written.
pub fn fuzz_params(bytes: &[u8]) {
    let Ok(params) = Params::parse(bytes) else { return };
    let (least, most) = Params::lengths(params.transport);
    assert!((least..=most).contains(&params.length) && (1..=128).contains(&params.parallel));
    assert!(
        params.window <= 512 << 20 && params.time <= 86_400 && params.omit <= 600 && params.burst <= 1000
    );
    assert_eq!(Params::parse(params.to_json().to_string().as_bytes()).as_ref(), Ok(&params));
}

/// Results: those that are read are read again as they are written.
pub fn fuzz_results(bytes: &[u8]) {
    let Ok(results) = Results::parse(bytes) else { return };
    let again = Results::parse(results.to_json().to_string().as_bytes()).expect("our own words");
    assert_eq!(again.streams.len(), results.streams.len());
    for (was, is) in results.streams.iter().zip(&again.streams) {
        assert_eq!(
            (was.id, was.bytes, was.lost(), was.counted()),
            (is.id, is.bytes, is.lost(), is.counted())
        );
    }
}

/// Datagrams: a header that is read is read again as it is written.
pub fn fuzz_datagram(bytes: &[u8]) {
    let _ = (is_hello(bytes), is_welcome(bytes));
    for is_wide in [false, true] {
        let Some(found) = Header::read(is_wide, bytes) else { continue };
        let _ = unwrapped(found.number as u32, found.sent_us);
        // More than a million microseconds are seconds.
        let mut again = vec![0; header(is_wide)];
        found.write(is_wide, &mut again);
        let read = Header::read(is_wide, &again);
        assert!(read.is_some_and(|read| read.number == found.number));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop, proptest};

    proptest! {
        #[test]
        fn nothing_breaks_the_readers(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            super::fuzz_frame(&bytes);
            super::fuzz_datagram(&bytes);
        }

        #[test]
        fn nothing_breaks_json(
            key in "omit|time|num|blockcount|len|parallel|udp|window|bandwidth|MSS|TOS|burst|title|streams|id",
            value in "-?[0-9]{1,25}(\\.[0-9]{1,3})?|true|\"x{0,20}\"|\\[\\[[0-9]?\\]\\]|\\[\\{\"id\":[0-9],\"bytes\":-?[0-9]{1,20}\\}\\]",
        ) {
            let text = format!(
                "{{\"cpu_util_total\":1,\"cpu_util_user\":1,\"cpu_util_system\":1,\"streams\":[],\"{key}\":{value}}}"
            );
            super::fuzz_params(text.as_bytes());
            super::fuzz_results(text.as_bytes());
        }
    }
}
