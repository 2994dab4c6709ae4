//! The moments of a request and its answer, seen where octets pass: a stream that looks at what goes through it.
//!
//! Over HTTP/1.1 the request ends with the last octet before the answer, and the answer begins with the first octet that comes.
//! HTTP/2 also exchanges settings and window updates, so its frames are followed (RFC 9113 §4.1).

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::sys::clock;

/// Looks at what passes one stream.
#[derive(Debug)]
pub(super) struct Watch(Mutex<Moments>);

/// What was seen since the request began.
#[derive(Clone, Debug, Default)]
pub(super) struct Moments {
    /// The last octet of the request was handed on.
    pub(super) written: Option<Instant>,
    /// The first octet of the answer's head came.
    pub(super) first: Option<Instant>,
    /// The last octets that came did.
    pub(super) last: Option<Instant>,
    /// The stream ended.
    pub(super) ended: Option<Instant>,
    /// Octets so far, in this direction and in the other.
    pub(super) sent: u64,
    pub(super) received: u64,
    /// What was written is still in a buffer.
    is_pending: bool,
    /// Where HTTP/2 is spoken: its frames, there and back.
    frames: Option<(Frames, Frames)>,
}

impl Watch {
    pub(super) fn new(is_http2: bool) -> Arc<Self> {
        // The client's first frame follows a preface of 24 octets (RFC 9113 §3.4).
        let frames = is_http2.then(|| (Frames::after(24), Frames::after(0)));
        Arc::new(Self(Mutex::new(Moments { frames, ..Moments::default() })))
    }

    /// A request begins: what was seen of the one before is forgotten, octets are counted on.
    pub(super) fn begin(&self) {
        let mut seen = self.lock();
        (seen.written, seen.first, seen.last, seen.ended, seen.is_pending) = (None, None, None, None, false);
    }

    /// What was seen so far.
    pub(super) fn seen(&self) -> Moments {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Moments> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Moments {
    fn wrote(&mut self, octets: &[u8]) {
        self.sent += octets.len() as u64;
        match &mut self.frames {
            None => self.is_pending = true,
            Some((out, _)) => {
                let mut ended = false;
                out.follow(octets, |frame| ended |= frame.is_whole && frame.ends_stream());
                self.is_pending |= ended;
            }
        }
    }

    fn flushed(&mut self) {
        if self.is_pending && self.first.is_none() {
            (self.written, self.is_pending) = (Some(clock::now().mono), false);
        }
    }

    fn read(&mut self, octets: &[u8]) {
        let now = clock::now().mono;
        if octets.is_empty() {
            self.ended = Some(now);
            return;
        }
        self.last = Some(now);
        self.received += octets.len() as u64;
        let begins = match &mut self.frames {
            None => true,
            Some((_, back)) => {
                let mut head = false;
                back.follow(octets, |frame| head |= frame.kind == HEADERS);
                head
            }
        };
        if begins && self.first.is_none() {
            self.first = Some(now);
        }
    }
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const END_STREAM: u8 = 1;

/// The frames of one direction of HTTP/2, found without reading what is in them.
#[derive(Clone, Debug)]
struct Frames {
    head: [u8; 9],
    /// Octets of the head that are there.
    have: usize,
    /// Octets that are passed over before the next head.
    skip: usize,
    current: Option<Frame>,
}

#[derive(Clone, Copy, Debug)]
struct Frame {
    kind: u8,
    flags: u8,
    /// All of it has passed; before, its head has.
    is_whole: bool,
}

impl Frame {
    const fn ends_stream(self) -> bool {
        matches!(self.kind, DATA | HEADERS) && self.flags & END_STREAM != 0
    }
}

impl Frames {
    const fn after(skip: usize) -> Self {
        Self { head: [0; 9], have: 0, skip, current: None }
    }

    /// Tells `each` of frames whose head, and then of those whose end, is in `octets`.
    fn follow(&mut self, mut octets: &[u8], mut each: impl FnMut(Frame)) {
        loop {
            let passed = self.skip.min(octets.len());
            (self.skip, octets) = (self.skip - passed, &octets[passed..]);
            if self.skip > 0 {
                return;
            }
            if let Some(frame) = self.current.take() {
                each(Frame { is_whole: true, ..frame });
            }
            let taken = (9 - self.have).min(octets.len());
            self.head[self.have..self.have + taken].copy_from_slice(&octets[..taken]);
            (self.have, octets) = (self.have + taken, &octets[taken..]);
            if self.have < 9 {
                return;
            }
            let [a, b, c, kind, flags, ..] = self.head;
            let frame = Frame { kind, flags, is_whole: false };
            each(frame);
            (self.have, self.skip, self.current) =
                (0, u32::from_be_bytes([0, a, b, c]) as usize, Some(frame));
        }
    }
}

/// Reads any octets as frames.
pub(super) fn fuzz(octets: &[u8]) {
    let mut frames = Frames::after(0);
    let (mut begun, mut ended) = (0, 0);
    for part in octets.chunks(5) {
        frames.follow(part, |frame| if frame.is_whole { ended += 1 } else { begun += 1 });
    }
    assert!(ended == begun || ended + 1 == begun, "one frame at a time");
}

/// A stream that is looked at.
#[derive(Debug)]
pub(super) struct Watched<S> {
    inner: S,
    watch: Arc<Watch>,
}

impl<S> Watched<S> {
    pub(super) const fn new(inner: S, watch: Arc<Watch>) -> Self {
        Self { inner, watch }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, into))?;
        self.watch.lock().read(&into.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.inner).poll_write(cx, octets))?;
        self.watch.lock().wrote(&octets[..written]);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.inner).poll_flush(cx))?;
        self.watch.lock().flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(kind: u8, flags: u8, length: usize) -> Vec<u8> {
        let mut octets = (length as u32).to_be_bytes()[1..].to_vec();
        octets.extend([kind, flags, 0, 0, 0, 1]);
        octets.resize(9 + length, HEADERS);
        octets
    }

    #[test]
    fn of_http2_settings_are_no_request_and_no_answer() {
        let watch = Watch::new(true);
        let mut seen = watch.lock();
        seen.wrote(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        seen.wrote(&frame(4, 0, 18));
        seen.wrote(&frame(HEADERS, 4, 40));
        seen.flushed();
        assert_eq!(seen.written, None, "the body is still to come");
        let body = frame(DATA, END_STREAM, 5);
        seen.wrote(&body[..10]);
        seen.flushed();
        assert_eq!(seen.written, None, "and its end");
        seen.wrote(&body[10..]);
        assert_eq!(seen.written, None, "it is in a buffer");
        seen.flushed();
        assert!(seen.written.is_some());
        seen.read(&[frame(4, 0, 6), frame(8, 0, 4)].concat());
        assert_eq!(seen.first, None);
        seen.read(&frame(HEADERS, 4, 20)[..9]);
        assert!(seen.first >= seen.written);
        assert_eq!((seen.sent, seen.received), (24 + 27 + 49 + 14, 15 + 13 + 9));
    }

    #[test]
    fn of_http1_the_first_octet_ends_the_request() {
        let watch = Watch::new(false);
        let mut seen = watch.lock();
        seen.wrote(b"POST / HTTP/1.1\r\n\r\n");
        seen.flushed();
        let head = seen.written;
        seen.wrote(b"body");
        seen.flushed();
        assert!(head.is_some() && seen.written > head);
        let whole = seen.written;
        seen.read(b"");
        assert_eq!((seen.first, seen.last), (None, None), "the end of a stream is no octet");
        assert!(seen.ended.is_some());
        seen.read(b"H");
        let first = seen.first;
        seen.read(b"TTP/1.1");
        assert!(seen.first == first && seen.last >= first);
        seen.wrote(b"too late");
        seen.flushed();
        assert_eq!(seen.written, whole);
    }

    proptest! {
        /// However the octets are cut, the same frames are seen.
        #[test]
        fn cuts_change_nothing(kinds in prop::collection::vec((0u8..10, 0u8..2, 0usize..40), 0..8), cut in 1usize..30) {
            let octets: Vec<u8> = kinds.iter().flat_map(|&(kind, flags, length)| frame(kind, flags, length)).collect();
            let mut found = Vec::new();
            let mut frames = Frames::after(0);
            for part in octets.chunks(cut) {
                frames.follow(part, |frame| if !frame.is_whole { found.push((frame.kind, frame.flags)) });
            }
            prop_assert_eq!(found, kinds.iter().map(|&(kind, flags, _)| (kind, flags)).collect::<Vec<_>>());
        }
    }
}
