//! A session of SSH that never blocks: each step is tried until it is done, and waited for no longer than the run may take.

use std::io;
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ssh2::{BlockDirections, Channel, ErrorCode, Session};

use super::guard::Guard;
use crate::failure::{Class, Failure};
use crate::sys::clock;
use crate::sys::wait::{Stop, wait, wait_either, wait_writable};

/// What libssh2 says where it would block (`LIBSSH2_ERROR_EAGAIN`).
const AGAIN: ErrorCode = ErrorCode::Session(-37);
/// Octets that a channel for characters lets the far side send before they are read.
pub(super) const WINDOW: u32 = 256 << 10;
/// The same of a channel for a download: over a way of 100 ms that is 335 Mbit/s. OpenSSH's server fills what it may into one
/// buffer, and is slowed down by it: with 8 MiB loopback took 98 to 153 MB/s, with 16 MiB 44 to 74, with this 158 to 198.
pub(super) const WIDE_WINDOW: u32 = 4 << 20;
/// Octets of one packet of a channel (RFC 4254 §5.2).
const PACKET: u32 = 32 << 10;

/// A session, and until when it may go on.
pub(super) struct Line<'a> {
    pub(super) session: Session,
    socket: TcpStream,
    stop: &'a Stop,
    deadline: Instant,
    guard: Arc<Guard>,
}

/// Why a step came to nothing.
#[derive(Debug)]
pub(super) enum Undone {
    /// libssh2 says so.
    Refused(ssh2::Error),
    /// It took too long, the run was interrupted, or the system says so.
    Failed(Failure),
}

impl Undone {
    /// The failure of a run that needed the step `what`.
    pub(super) fn failure(self, what: &str) -> Failure {
        match self {
            Self::Failed(failure) => failure,
            Self::Refused(error) => {
                let class = match error.code() {
                    // LIBSSH2_ERROR_AUTHENTICATION_FAILED, …_PUBLICKEY_UNVERIFIED, …_METHOD_NOT_SUPPORTED.
                    ErrorCode::Session(-18 | -19 | -33) => Class::Auth,
                    ErrorCode::Session(-9 | -30) => Class::Timeout,
                    _ => Class::Protocol,
                };
                class.because(format_args!("{what}: {}", said(&error)))
            }
        }
    }
}

/// libssh2's words, on one line and harmless.
pub(super) fn said(error: &ssh2::Error) -> String {
    crate::wire::text::escape(error.message()).trim().to_owned()
}

impl<'a> Line<'a> {
    /// A session over `socket`, which stands, until `deadline`.
    ///
    /// # Errors
    /// What the system says of the socket, and where libssh2 has no room.
    pub(super) fn new(socket: TcpStream, stop: &'a Stop, deadline: Instant) -> Result<Self, Failure> {
        let prepare = |error: &io::Error| Failure::from_io("prepare the connection", error);
        socket.set_nonblocking(true).map_err(|error| prepare(&error))?;
        // Each character of an echo is to leave at once (RFC 1122 §4.2.3.4).
        socket.set_nodelay(true).map_err(|error| prepare(&error))?;
        let own = socket.try_clone().map_err(|error| prepare(&error))?;
        let guard = Arc::new(Guard::over(&socket, stop, deadline)?);
        let mut session = Session::new()
            .map_err(|error| Class::Internal.because(format_args!("prepare ssh: {}", said(&error))))?;
        session.set_tcp_stream(own);
        session.set_blocking(false);
        Ok(Self { session, socket, stop, deadline, guard })
    }

    /// Who ends it from outside.
    pub(super) fn guard(&self) -> &Guard {
        &self.guard
    }

    /// The connection itself.
    pub(super) const fn socket(&self) -> &TcpStream {
        &self.socket
    }

    /// What interrupts the run.
    pub(super) const fn stop(&self) -> &Stop {
        self.stop
    }

    /// Whether the run is to end.
    pub(super) fn is_over(&self) -> bool {
        self.stop.is_set() || clock::now().mono >= self.deadline
    }

    /// Tries `step` until it is done.
    ///
    /// # Errors
    /// What libssh2 says, or that it takes too long.
    pub(super) fn patiently<T>(&self, mut step: impl FnMut() -> Result<T, ssh2::Error>) -> Result<T, Undone> {
        loop {
            match step() {
                Err(error) if error.code() == AGAIN => self.wait(self.deadline).map_err(Undone::Failed)?,
                // A session that was ended from outside has no reasons of its own.
                done => {
                    return done.map_err(|error| match self.guard.ended() {
                        Some(failure) => Undone::Failed(failure),
                        None => Undone::Refused(error),
                    });
                }
            }
        }
    }

    /// The same of a step that reads or writes.
    ///
    /// # Errors
    /// As [`patiently`](Self::patiently), in the words of `what`.
    pub(super) fn through<T>(
        &self,
        what: &str,
        mut step: impl FnMut() -> io::Result<T>,
    ) -> Result<T, Failure> {
        loop {
            match step() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait(self.deadline)?,
                Err(error) => {
                    if let Some(failure) = self.guard.ended() {
                        return Err(failure);
                    }
                    let why = crate::wire::text::escape(&error.to_string()).into_owned();
                    return Err(Class::Protocol.because(format_args!("{what}: {why}")));
                }
                Ok(done) => return Ok(done),
            }
        }
    }

    /// Waits for what the session waits for.
    ///
    /// # Errors
    /// That `until` is over, the run was interrupted, or what the system says.
    fn wait(&self, until: Instant) -> Result<(), Failure> {
        let left = until.saturating_duration_since(clock::now().mono);
        if left.is_zero() {
            return Err(Class::Timeout.because("the ssh server takes too long"));
        }
        let socket = self.socket.as_fd();
        let waited = match self.session.block_directions() {
            BlockDirections::Outbound => wait_writable(socket, Some(self.stop.as_fd()), left).map(drop),
            BlockDirections::Both => wait_either(socket, self.stop, left).map(drop),
            BlockDirections::Inbound | BlockDirections::None => {
                wait(&[socket], Some(self.stop), Some(left)).map(drop)
            }
        };
        waited.map_err(|error| Failure::from_io("wait for the ssh server", &error))?;
        if self.stop.is_set() {
            return Err(Class::Cancelled.because("interrupted before there was anything to report"));
        }
        Ok(())
    }

    /// A channel in which the far side runs something, and which takes `window` octets before they are read.
    ///
    /// # Errors
    /// That the server opens none.
    pub(super) fn channel(&self, window: u32) -> Result<Channel, Failure> {
        let opened = self.patiently(|| self.session.channel_open("session", window, PACKET, None));
        opened.map_err(|undone| undone.failure("open an ssh channel"))
    }

    /// A channel in which the far side runs `command`.
    ///
    /// # Errors
    /// As [`channel`](Self::channel), and that it does not run it.
    pub(super) fn exec(&self, command: &str, window: u32) -> Result<Channel, Failure> {
        let mut channel = self.channel(window)?;
        let done = self.patiently(|| channel.exec(command));
        done.map_err(|undone| undone.failure(&format!("run `{command}` at the ssh server")))?;
        Ok(channel)
    }

    /// A line over the same session that may go on until `span` from now, whatever the run's deadline and its wish to end:
    /// to clear up behind oneself.
    pub(super) fn afterwards<'b>(&'b self, never: &'b Stop, span: Duration) -> Result<Line<'b>, Failure> {
        let socket = self.socket.try_clone();
        let socket = socket.map_err(|error| Failure::from_io("clear up", &error))?;
        let (session, guard) = (self.session.clone(), Arc::clone(&self.guard));
        Ok(Line { session, socket, stop: never, deadline: clock::now().mono + span, guard })
    }
}
