//! The control connection of iperf3's protocol, for a thread that waits for it and for nothing else.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use crate::sys::clock;
use crate::sys::wait::{Stop, wait, wait_writable};
use crate::wire::iperf3::{Code, Frame, Frames, Refusal, State, encode};

/// A control connection.
#[derive(Debug)]
pub struct Control {
    stream: TcpStream,
    frames: Frames,
}

/// Why a conversation ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// What was awaited has not come in time.
    #[error("{0} did not come in time")]
    Late(&'static str),
    /// The far side has closed, or its host has reset the connection.
    #[error("the control connection has been closed before {0}")]
    Closed(&'static str),
    /// We shall end.
    #[error("interrupted")]
    Stopped,
    /// The far side was interrupted.
    #[error("the far side was interrupted")]
    Terminated,
    /// The server is busy, or does not want us.
    #[error("the server is busy running a test; try again later")]
    Busy,
    /// The server says what is wrong.
    #[error("the server says: {0}")]
    Refused(Code),
    /// The far side says what nobody understands.
    #[error("{0}")]
    Nonsense(#[from] Refusal),
    /// The system says what is wrong.
    #[error("{0}")]
    System(#[from] io::Error),
}

impl Control {
    /// A conversation over `stream`.
    ///
    /// # Errors
    /// What the system says.
    pub fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Self { stream, frames: Frames::default() })
    }

    /// The connection.
    pub const fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Says a state.
    ///
    /// # Errors
    /// When that cannot be said by `until`.
    pub fn say(&mut self, state: State, until: Instant) -> Result<(), Broken> {
        self.write(&[state.byte()], until)
    }

    /// Sends JSON in a frame.
    ///
    /// # Errors
    /// When that cannot be sent by `until`.
    pub fn send(&mut self, json: &serde_json::Value, until: Instant) -> Result<(), Broken> {
        self.write(&encode(json), until)
    }

    /// Writes octets.
    ///
    /// # Errors
    /// When they cannot be written by `until`.
    pub fn write(&mut self, mut octets: &[u8], until: Instant) -> Result<(), Broken> {
        while !octets.is_empty() {
            match self.stream.write(octets) {
                Ok(written) => octets = &octets[written..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    let left = until.saturating_duration_since(clock::now().mono);
                    if left.is_zero() {
                        return Err(Broken::Late("room to write"));
                    }
                    wait_writable(self.stream.as_fd(), None, left)?;
                }
                Err(error) if is_gone(&error) => return Err(Broken::Closed("all was said")),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Takes in what has come, without waiting. Whether the far side may still say more.
    ///
    /// # Errors
    /// What the system says.
    fn fill(&mut self) -> io::Result<bool> {
        let mut buffer = [0; 16 << 10];
        match self.stream.read(&mut buffer) {
            Ok(0) => Ok(false),
            Ok(read) => {
                self.frames.push(&buffer[..read]);
                Ok(true)
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(true),
            Err(error) if is_gone(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Waits until `take` finds what it wants among what has come.
    fn until<T>(
        &mut self,
        what: &'static str,
        stop: Option<&Stop>,
        until: Instant,
        mut take: impl FnMut(&mut Frames) -> Result<Option<T>, Broken>,
    ) -> Result<T, Broken> {
        loop {
            if let Some(found) = take(&mut self.frames)? {
                return Ok(found);
            }
            let left = until.saturating_duration_since(clock::now().mono);
            if stop.is_some_and(Stop::is_set) {
                return Err(Broken::Stopped);
            }
            if left.is_zero() {
                return Err(Broken::Late(what));
            }
            let woken = wait(&[self.stream.as_fd()], stop, Some(left))?;
            if woken.readable & 1 == 1 && !self.fill()? {
                // What came before the end may be what is wanted.
                return take(&mut self.frames)?.ok_or(Broken::Closed(what));
            }
        }
    }

    /// The next state that the server says, which is `wanted` and nothing else.
    ///
    /// # Errors
    /// What else it says, or that it says nothing.
    pub fn expect(
        &mut self,
        wanted: State,
        what: &'static str,
        stop: &Stop,
        until: Instant,
    ) -> Result<(), Broken> {
        let said = self.heard(what, Some(stop), until)?;
        if said == wanted {
            return Ok(());
        }
        Err(Refusal::unexpected(format_args!("the far side says {said:?}"), what).into())
    }

    /// The next state that the far side says. What ends a test is an error.
    ///
    /// # Errors
    /// That the far side refuses, or has ended, or says nothing.
    pub fn heard(
        &mut self,
        what: &'static str,
        stop: Option<&Stop>,
        until: Instant,
    ) -> Result<State, Broken> {
        match self.until(what, stop, until, |frames| frames.state(what).map_err(Broken::from))? {
            State::AccessDenied => Err(Broken::Busy),
            State::ServerTerminate | State::ClientTerminate => Err(Broken::Terminated),
            State::ServerError => Err(Broken::Refused(self.code(until))),
            state => Ok(state),
        }
    }

    /// The number behind a server's error; not every server sends it to the end.
    fn code(&mut self, until: Instant) -> Code {
        let until = until.min(clock::now().mono + Duration::from_secs(2));
        let octets = self.until("the number of an error", None, until, |frames| Ok(frames.octets::<4>()));
        Code(octets.map_or(0, i32::from_be_bytes))
    }

    /// A state that came meanwhile, without waiting; that the far side has ended is an error.
    ///
    /// # Errors
    /// As [`heard`](Self::heard).
    pub fn glance(&mut self, what: &'static str) -> Result<Option<State>, Broken> {
        let is_open = self.fill()?;
        if self.frames.waiting() == 0 {
            return if is_open { Ok(None) } else { Err(Broken::Closed(what)) };
        }
        self.heard(what, None, clock::now().mono + Duration::from_millis(100)).map(Some)
    }

    /// The first byte of what has come and was not taken, without waiting.
    ///
    /// # Errors
    /// That the far side has ended.
    pub fn peek(&mut self, what: &'static str) -> Result<Option<u8>, Broken> {
        let is_open = self.fill()?;
        match self.frames.first() {
            None if !is_open => Err(Broken::Closed(what)),
            first => Ok(first),
        }
    }

    /// The next `N` octets.
    ///
    /// # Errors
    /// That they do not come.
    pub fn octets<const N: usize>(
        &mut self,
        what: &'static str,
        stop: &Stop,
        until: Instant,
    ) -> Result<[u8; N], Broken> {
        self.until(what, Some(stop), until, |frames| Ok(frames.octets()))
    }

    /// The next frame.
    ///
    /// # Errors
    /// That it does not come, or is longer than `awaited` may be.
    pub fn frame(
        &mut self,
        awaited: Frame,
        what: &'static str,
        stop: &Stop,
        until: Instant,
    ) -> Result<Vec<u8>, Broken> {
        self.until(what, Some(stop), until, |frames| frames.frame(awaited).map_err(Broken::from))
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn pair() -> (Control, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
        let far = TcpStream::connect(listener.local_addr().expect("an address")).expect("a connection");
        let (near, _) = listener.accept().expect("a connection");
        (Control::new(near).expect("a conversation"), far)
    }

    fn soon() -> Instant {
        clock::now().mono + Duration::from_secs(10)
    }

    #[test]
    fn states_and_frames_come_in_any_pieces() {
        let (mut control, mut far) = pair();
        let stop = Stop::new().expect("a switch");
        far.write_all(&[9, 10, 13, 0, 0, 0, 2, b'{']).expect("sent");
        assert!(control.expect(State::ParamExchange, "parameters", &stop, soon()).is_ok());
        assert_eq!(control.glance("more").expect("a state"), Some(State::CreateStreams));
        assert_eq!(control.heard("results", Some(&stop), soon()).expect("a state"), State::ExchangeResults);
        far.write_all(b"}\x0e").expect("sent");
        let frame = control.frame(Frame::ServerResults, "results", &stop, soon()).expect("a frame");
        assert_eq!(frame, b"{}");
        drop(far);
        assert_eq!(control.heard("the end", Some(&stop), soon()).expect("a state"), State::DisplayResults);
        assert!(matches!(control.heard("the end", Some(&stop), soon()), Err(Broken::Closed("the end"))));
    }

    #[test]
    fn what_ends_a_test_is_told_apart() {
        let stop = Stop::new().expect("a switch");
        let heard = |octets: &[u8]| {
            let (mut control, mut far) = pair();
            far.write_all(octets).expect("sent");
            drop(far);
            control.heard("a state", Some(&stop), soon()).expect_err("no state").to_string()
        };
        assert!(heard(&[0xff]).contains("busy"));
        assert!(heard(&[11]).contains("interrupted"));
        assert!(heard(&[0xfe, 0, 0, 0, 27, 0, 0, 0, 0]).contains("limit (iperf3's error 27)"));
        assert!(heard(&[0xfe, 0]).contains("iperf3's error 0"));
        assert!(heard(&[77]).contains("77"));
        assert!(heard(&[]).contains("closed before a state"));
    }

    #[test]
    fn waiting_ends_with_the_time_and_with_the_wish() {
        let (mut control, _far) = pair();
        let stop = Stop::new().expect("a switch");
        let soon = clock::now().mono + Duration::from_millis(20);
        assert!(matches!(control.heard("a word", Some(&stop), soon), Err(Broken::Late("a word"))));
        assert_eq!(control.glance("a word").expect("open"), None);
        stop.set();
        assert!(matches!(control.heard("a word", Some(&stop), super::tests::soon()), Err(Broken::Stopped)));
    }
}
