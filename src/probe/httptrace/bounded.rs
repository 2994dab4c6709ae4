//! QUIC streams for h3, on which no frame but one of data is longer than the head of an answer may be.
//!
//! h3 gathers each such frame whole before it looks at it, and its length is the server's to say: without a bound a server could have
//! as much memory as it likes. What it says on streams of its own is bounded as a whole, as that is settings and a farewell.

use std::task::{Context, Poll, ready};

use h3::error::Code;
use h3::quic::{
    Connection, ConnectionErrorIncoming, OpenStreams, RecvStream, SendStream, StreamErrorIncoming, StreamId,
    WriteBuf,
};
use hyper::body::{Buf, Bytes};

use super::link::MOST_HEAD;
use crate::wire::quic::varint;

/// The type of a frame of the body (RFC 9114 §7.2.1).
const DATA: u64 = 0;

/// A connection, or what opens streams of one, whose streams are bounded.
#[derive(Clone)]
pub(super) struct Bounded<C>(pub(super) C);

/// A stream of it.
pub(super) struct Stream<S> {
    inner: S,
    passed: Passed,
}

/// What has come on a stream so far.
enum Passed {
    /// Octets, on one that the server has opened.
    Octets(usize),
    /// Frames, on one that carries an answer.
    Frames(Frames),
}

/// The frames of a stream (RFC 9114 §7.1), found without reading what is in them.
#[derive(Debug, Default)]
struct Frames {
    /// Type and length of the next one, each of 8 octets at most (RFC 9000 §16), as far as they are there.
    head: [u8; 16],
    have: usize,
    /// Octets that are passed over before the next head.
    skip: u64,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server sends more than {MOST_HEAD} octets beside the body")]
struct TooLong;

impl Passed {
    fn pass(&mut self, octets: &[u8]) -> Result<(), TooLong> {
        match self {
            Self::Frames(frames) => frames.follow(octets),
            Self::Octets(all) => {
                *all = all.saturating_add(octets.len());
                if *all > MOST_HEAD { Err(TooLong) } else { Ok(()) }
            }
        }
    }
}

impl Frames {
    fn follow(&mut self, mut octets: &[u8]) -> Result<(), TooLong> {
        while !octets.is_empty() {
            let passed = octets.len().min(usize::try_from(self.skip).unwrap_or(usize::MAX));
            (self.skip, octets) = (self.skip - passed as u64, &octets[passed..]);
            let Some((first, rest)) = octets.split_first() else { break };
            (self.head[self.have], self.have, octets) = (*first, self.have + 1, rest);
            if let Some((kind, length)) = self.whole() {
                if kind != DATA && length > MOST_HEAD as u64 {
                    return Err(TooLong);
                }
                (self.have, self.skip) = (0, length);
            }
        }
        Ok(())
    }

    /// Type and length, once they are there.
    fn whole(&self) -> Option<(u64, u64)> {
        let (kind, rest) = varint(&self.head[..self.have])?;
        Some((kind, varint(rest)?.0))
    }
}

/// Reads any octets as frames.
pub(super) fn fuzz(octets: &[u8]) {
    let (mut whole, mut parts) = (Frames::default(), Frames::default());
    let cut = octets.chunks(3).try_for_each(|part| parts.follow(part));
    assert_eq!(whole.follow(octets), cut, "however they are cut");
}

impl<C: OpenStreams<Bytes>> OpenStreams<Bytes> for Bounded<C>
where
    C::BidiStream: RecvStream<Buf = Bytes>,
{
    type BidiStream = Stream<C::BidiStream>;
    type SendStream = C::SendStream;

    fn poll_open_bidi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Self::BidiStream, StreamErrorIncoming>> {
        let inner = ready!(self.0.poll_open_bidi(cx))?;
        Poll::Ready(Ok(Stream { inner, passed: Passed::Frames(Frames::default()) }))
    }

    fn poll_open_send(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Self::SendStream, StreamErrorIncoming>> {
        self.0.poll_open_send(cx)
    }

    fn close(&mut self, code: Code, reason: &[u8]) {
        self.0.close(code, reason);
    }
}

impl<C: Connection<Bytes>> Connection<Bytes> for Bounded<C>
where
    C::BidiStream: RecvStream<Buf = Bytes>,
    C::RecvStream: RecvStream<Buf = Bytes>,
{
    type RecvStream = Stream<C::RecvStream>;
    type OpenStreams = Bounded<C::OpenStreams>;

    fn poll_accept_recv(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Self::RecvStream, ConnectionErrorIncoming>> {
        let inner = ready!(self.0.poll_accept_recv(cx))?;
        Poll::Ready(Ok(Stream { inner, passed: Passed::Octets(0) }))
    }

    fn poll_accept_bidi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Self::BidiStream, ConnectionErrorIncoming>> {
        let inner = ready!(self.0.poll_accept_bidi(cx))?;
        Poll::Ready(Ok(Stream { inner, passed: Passed::Octets(0) }))
    }

    fn opener(&self) -> Self::OpenStreams {
        Bounded(self.0.opener())
    }
}

impl<S: RecvStream<Buf = Bytes>> RecvStream for Stream<S> {
    type Buf = Bytes;

    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, StreamErrorIncoming>> {
        let octets = ready!(self.inner.poll_data(cx))?;
        let passed = self.passed.pass(octets.as_deref().unwrap_or_default());
        Poll::Ready(passed.map(|()| octets).map_err(|why| StreamErrorIncoming::Unknown(why.into())))
    }

    fn stop_sending(&mut self, error_code: u64) {
        self.inner.stop_sending(error_code);
    }

    fn recv_id(&self) -> StreamId {
        self.inner.recv_id()
    }
}

impl<B: Buf, S: SendStream<B>> SendStream<B> for Stream<S> {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamErrorIncoming>> {
        self.inner.poll_ready(cx)
    }

    fn send_data<T: Into<WriteBuf<B>>>(&mut self, data: T) -> Result<(), StreamErrorIncoming> {
        self.inner.send_data(data)
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamErrorIncoming>> {
        self.inner.poll_finish(cx)
    }

    fn reset(&mut self, reset_code: u64) {
        self.inner.reset(reset_code);
    }

    fn send_id(&self) -> StreamId {
        self.inner.send_id()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_frame_is_too_long_when_its_length_says_so_and_a_body_never_is() {
        let frames = |octets: &[u8]| Frames::default().follow(octets);
        let [longest, longer] = [MOST_HEAD as u32, MOST_HEAD as u32 + 1].map(|length| {
            let length = (0x8000_0000 | length).to_be_bytes();
            [&[1][..], &length].concat()
        });
        assert_eq!(frames(&longest), Ok(()));
        assert_eq!(frames(&longer), Err(TooLong));
        assert_eq!(frames(b"\x21\xc0\0\0\0\x40\0\0\0"), Err(TooLong), "of an unknown type");
        let body = [&b"\x01\x03\0\0\xd9\0\xc0\0\0\0\0\0\0\x02ab"[..], &longer].concat();
        assert_eq!(frames(&body), Err(TooLong), "trailers");
        assert_eq!(frames(&body[..16]), Ok(()));
        assert_eq!(frames(b"\0\xff\xff\xff\xff\xff\xff\xff\xffx"), Ok(()));
        let mut own = Passed::Octets(MOST_HEAD - 1);
        assert_eq!([own.pass(b"x"), own.pass(b"x")], [Ok(()), Err(TooLong)]);
    }

    proptest! {
        #[test]
        fn any_octets_are_read(octets in prop::collection::vec(any::<u8>(), 0..200)) {
            fuzz(&octets);
        }
    }
}
