//! One connection of a load, over TCP (RFC 7766) or TLS (RFC 7858): many queries on their way, answered in any order.
//!
//! A connection that the server ends is made again, at once if it has served; what waited on it is lost.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::ClientConnection;
use tokio::runtime::Handle;
use tokio::sync::oneshot::{self, error::TryRecvError};
use tokio_util::task::TaskTracker;

use crate::probe::resolvertime::client::{Bare, Client, Made};
use crate::sys::clock;

/// Octets that wait to be sent, about: beyond them the server is too slow, and nothing more is added.
const MOST_OUT: usize = 64 << 10;
/// Octets that are read at once, and how often one after the other.
const CHUNK: usize = 16 << 10;
const MOST_READS: usize = 16;
/// The time between two attempts to connect to a server that ends connections without an answer.
const AGAIN: Duration = Duration::from_millis(100);
/// Such attempts, one after the other, before it is given up.
const MOST_FRUITLESS: u32 = 10;

/// Makes connections, on the runtime's threads.
#[derive(Clone)]
pub(super) struct Dialer {
    client: Arc<Client>,
    runtime: Handle,
    tasks: TaskTracker,
    timeout: Duration,
}

impl Dialer {
    /// Connections of `client`, each in `timeout`; `tasks` owns what is under way.
    pub(super) fn new(client: Client, tasks: TaskTracker, timeout: Duration) -> Self {
        Self { client: Arc::new(client), runtime: Handle::current(), tasks, timeout }
    }

    fn dial(&self) -> oneshot::Receiver<Option<Bare>> {
        let (to, from) = oneshot::channel();
        let (client, deadline) = (Arc::clone(&self.client), clock::now().mono + self.timeout);
        let dialing = async move {
            let _ = to.send(client.bare(deadline).await.ok());
        };
        self.tasks.spawn_on(dialing, &self.runtime);
        from
    }
}

/// A connection, from one to the next.
pub(super) struct Line {
    state: State,
    dialer: Dialer,
    /// When it was last begun.
    begun: Instant,
    /// Connections in a row that gave no answer.
    fruitless: u32,
    /// How each connection was made.
    pub(super) made: Vec<Made>,
}

enum State {
    Standing(Box<Stream>),
    Dialing(oneshot::Receiver<Option<Bare>>),
    /// Until it is time to dial.
    Waiting,
    Given,
}

impl Line {
    /// A line that stands.
    pub(super) fn new(bare: Bare, dialer: Dialer) -> Self {
        let made = vec![bare.made.clone()];
        let state = State::Standing(Box::new(Stream::new(bare)));
        Self { state, dialer, begun: clock::now().mono, fruitless: 0, made }
    }

    /// The stream, if the line stands.
    pub(super) fn stream(&mut self) -> Option<&mut Stream> {
        match &mut self.state {
            State::Standing(stream) => Some(stream),
            _ => None,
        }
    }

    /// What there is to wait for, if the line stands.
    pub(super) fn socket(&self) -> Option<BorrowedFd<'_>> {
        match &self.state {
            State::Standing(stream) => Some(stream.socket.as_fd()),
            _ => None,
        }
    }

    /// Whether more can be sent.
    pub(super) fn has_room(&self) -> bool {
        matches!(&self.state, State::Standing(stream) if stream.out.len() < MOST_OUT)
    }

    /// Whether something must be done before long without anything to wait for.
    pub(super) fn is_restless(&self) -> bool {
        match &self.state {
            State::Standing(stream) => stream.has_more(),
            State::Dialing(_) | State::Waiting => true,
            State::Given => false,
        }
    }

    /// Whether it will never stand again.
    pub(super) fn is_given_up(&self) -> bool {
        matches!(self.state, State::Given)
    }

    /// The connection has ended.
    pub(super) fn end(&mut self) {
        if let State::Standing(stream) = &self.state {
            self.fruitless = if stream.served { 0 } else { self.fruitless + 1 };
            self.state = State::Waiting;
        }
    }

    /// Goes on with making a connection.
    pub(super) fn go_on(&mut self, now: Instant) {
        match &mut self.state {
            State::Waiting if self.fruitless >= MOST_FRUITLESS => self.state = State::Given,
            State::Waiting if self.fruitless == 0 || now >= self.begun + AGAIN => {
                self.begun = now;
                self.state = State::Dialing(self.dialer.dial());
            }
            State::Dialing(dialed) => match dialed.try_recv() {
                Ok(Some(bare)) => {
                    self.made.push(bare.made.clone());
                    self.state = State::Standing(Box::new(Stream::new(bare)));
                }
                Err(TryRecvError::Empty) => {}
                Ok(None) | Err(TryRecvError::Closed) => {
                    self.fruitless += 1;
                    self.state = State::Waiting;
                }
            },
            _ => {}
        }
    }
}

/// A connection that stands, and what is on its way in it.
pub(super) struct Stream {
    socket: TcpStream,
    tls: Option<ClientConnection>,
    /// What is still to be sent.
    out: Vec<u8>,
    /// What has come, up to the message that is not whole yet.
    heard: Vec<u8>,
    /// It has brought an answer.
    served: bool,
}

impl Stream {
    fn new(bare: Bare) -> Self {
        let Bare { stream, tls, .. } = bare;
        Self { socket: stream, tls, out: Vec::new(), heard: Vec::new(), served: false }
    }

    /// Puts a query behind the others, with this identifier; [`flush`](Self::flush) sends.
    pub(super) fn put(&mut self, query: &[u8], id: [u8; 2]) {
        self.out.extend((query.len() as u16).to_be_bytes());
        self.out.extend(id);
        self.out.extend(&query[2..]);
    }

    /// Whether something is still to be sent.
    fn has_more(&self) -> bool {
        !self.out.is_empty() || self.tls.as_ref().is_some_and(|tls| tls.wants_write())
    }

    /// Sends as much as the system takes.
    ///
    /// # Errors
    /// Those of a connection that has ended.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        let Some(tls) = &mut self.tls else {
            let sent = written(&mut self.socket, &self.out)?;
            self.out.drain(..sent);
            return Ok(());
        };
        loop {
            let taken = tls.writer().write(&self.out)?;
            self.out.drain(..taken);
            while tls.wants_write() {
                match tls.write_tls(&mut self.socket) {
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                    Err(error) => return Err(error),
                }
            }
            if self.out.is_empty() {
                return Ok(());
            }
        }
    }

    /// Takes in what has come: `each` gets every whole message. Whether more may come.
    ///
    /// # Errors
    /// Those of a connection that has broken, or of TLS that is none.
    pub(super) fn hear(&mut self, mut each: impl FnMut(&[u8])) -> io::Result<bool> {
        let mut goes_on = true;
        for _ in 0..MOST_READS {
            let before = self.heard.len();
            goes_on = self.read()?;
            if self.heard.len() == before {
                break;
            }
            let mut at = 0;
            while let Some((length, rest)) = self.heard[at..].split_first_chunk::<2>()
                && let Some(message) = rest.get(..u16::from_be_bytes(*length).into())
            {
                self.served = true;
                each(message);
                at += 2 + message.len();
            }
            self.heard.drain(..at);
            if !goes_on {
                break;
            }
        }
        Ok(goes_on)
    }

    /// Reads a chunk at most. Whether more may come.
    fn read(&mut self) -> io::Result<bool> {
        let before = self.heard.len();
        let Some(tls) = &mut self.tls else {
            self.heard.resize(before + CHUNK, 0);
            let read = self.socket.read(&mut self.heard[before..]);
            self.heard.truncate(before + *read.as_ref().unwrap_or(&0));
            return match read {
                Ok(count) => Ok(count > 0),
                Err(error) if is_moment(&error) => Ok(true),
                Err(error) => Err(error),
            };
        };
        let goes_on = match tls.read_tls(&mut self.socket) {
            Ok(count) => count > 0,
            Err(error) if is_moment(&error) => true,
            Err(error) => return Err(error),
        };
        let state =
            tls.process_new_packets().map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        let ready = state.plaintext_bytes_to_read();
        self.heard.resize(before + ready, 0);
        tls.reader().read_exact(&mut self.heard[before..])?;
        Ok(goes_on && !state.peer_has_closed())
    }
}

/// Whether it is only that nothing can be done at the moment.
fn is_moment(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

/// How many octets of `octets` the system takes.
fn written(socket: &mut TcpStream, octets: &[u8]) -> io::Result<usize> {
    let mut sent = 0;
    while sent < octets.len() {
        match socket.write(&octets[sent..]) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(count) => sent += count,
            Err(error) if is_moment(&error) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(sent)
}
