//! A TLS session over a connection: rustls, driven here, so that each moment is where the code makes it true, and what was
//! learned of a handshake that broke off is not lost.

use std::io;
use std::time::Duration;

use rustls::ClientConnection;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::failure::{Class, reason};
use crate::sys::clock;
use crate::units::{Now, nanos};
use crate::wire::tls::{Flight, Garbled, MOST_OCTETS};

/// Octets of the head of an answer by HTTP.
const MOST_HEAD: usize = 16 << 10;
/// Octets that are told of what is no TLS.
const TOLD: usize = 60;
/// How long tickets may take that nobody has to ask for.
const TICKETS: Duration = Duration::from_millis(300);

/// A session, or a handshake under way.
pub(super) struct Session {
    stream: TcpStream,
    pub(super) tls: ClientConnection,
    /// What the server said in the clear.
    pub(super) flight: Flight,
    /// What it said first, where that was no TLS.
    pub(super) strange: Option<Vec<u8>>,
    octets: usize,
}

/// Why a handshake did not come to its end.
#[derive(Debug)]
pub(super) enum Broken {
    /// The library, or the server by an alert, refused.
    Tls(rustls::Error),
    /// The connection ended: how.
    Ended(String),
    /// Nothing more came in time.
    Silent,
    /// The server never ends.
    Endless,
}

/// Why there is no answer by HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unheard {
    /// None came within this time.
    Silent(Duration),
    /// The connection ended without one.
    Ended,
    /// What came is something else.
    Strange,
}

/// The head of an answer by HTTP.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) text: String,
    /// The moment in the middle between the question and the first octet of the answer.
    pub(super) at: u64,
}

impl Broken {
    /// Why, for a person.
    pub(super) fn why(&self) -> String {
        match self {
            Self::Tls(error) => error.to_string(),
            Self::Ended(how) => how.clone(),
            Self::Silent => "nothing more came in time".to_owned(),
            Self::Endless => format!("it sent more than {} KiB", MOST_OCTETS >> 10),
        }
    }

    /// What kind of obstacle it is to who needed a handshake.
    pub(super) const fn class(&self) -> Class {
        match self {
            Self::Silent => Class::Timeout,
            Self::Tls(_) | Self::Ended(_) | Self::Endless => Class::Tls,
        }
    }
}

impl Unheard {
    /// Why, for a person.
    pub(super) fn why(self) -> String {
        match self {
            Self::Silent(patience) => format!("no answer by HTTP came in {} ms", patience.as_millis()),
            Self::Ended => "the connection ended without an answer by HTTP".to_owned(),
            Self::Strange => "what it answered is no HTTP".to_owned(),
        }
    }
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Ended(reason(&error))
    }
}

impl Session {
    pub(super) fn new(stream: TcpStream, tls: ClientConnection) -> Self {
        Self { stream, tls, flight: Flight::default(), strange: None, octets: 0 }
    }

    /// Shakes hands within `patience`: the time that took.
    ///
    /// # Errors
    /// Why there is no session; what was learned until then stays.
    pub(super) async fn shake(&mut self, patience: Duration) -> Result<Duration, Broken> {
        let began = clock::now().mono;
        let shaking = async {
            loop {
                self.flush().await?;
                if !self.tls.is_handshaking() {
                    return Ok(());
                }
                self.listen().await?;
                if self.octets > MOST_OCTETS {
                    return Err(Broken::Endless);
                }
            }
        };
        timeout(patience, shaking).await.unwrap_or(Err(Broken::Silent))?;
        Ok(clock::now().mono.saturating_duration_since(began))
    }

    async fn flush(&mut self) -> Result<(), Broken> {
        let mut out = Vec::new();
        while self.tls.wants_write() {
            self.tls.write_tls(&mut out)?;
        }
        Ok(self.stream.write_all(&out).await?)
    }

    /// Takes in what has come, and answers an error by its alert.
    async fn listen(&mut self) -> Result<(), Broken> {
        let mut some = vec![0; 16 << 10];
        let count = self.stream.read(&mut some).await?;
        if count == 0 {
            return Err(Broken::Ended("it closed the connection".to_owned()));
        }
        let mut left = &some[..count];
        self.octets += count;
        // Of all else that is wrong the library says more.
        if !self.flight.is_over && self.flight.push(left) == Err(Garbled::NoTls) && self.octets == count {
            self.strange = Some(left[..count.min(TOLD)].to_vec());
        }
        while !left.is_empty() {
            self.tls.read_tls(&mut left)?;
            if let Err(error) = self.tls.process_new_packets() {
                let _ = self.flush().await;
                return Err(Broken::Tls(error));
            }
        }
        Ok(())
    }

    /// Asks by HTTP for nothing but a head, within `patience`.
    ///
    /// # Errors
    /// Why none came.
    pub(super) async fn ask(&mut self, host: &str, patience: Duration) -> Result<Head, Unheard> {
        let agent = concat!("waddleperf/", env!("CARGO_PKG_VERSION"));
        let request = format!(
            "HEAD / HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {agent}\r\nAccept: */*\r\nConnection: close\r\n\r\n"
        );
        io::Write::write_all(&mut self.tls.writer(), request.as_bytes()).map_err(|_| Unheard::Ended)?;
        let (asked, mut at, mut said) = (clock::now(), None::<Now>, Vec::new());
        let asking = async {
            self.flush().await.map_err(|_| Unheard::Ended)?;
            while said.len() < MOST_HEAD {
                let heard = self.listen().await;
                let before = said.len();
                let _ = io::Read::read_to_end(&mut self.tls.reader(), &mut said);
                if said.len() > before {
                    at.get_or_insert_with(clock::now);
                }
                // Whoever speaks something else does so at once.
                if !b"HTTP/1.".starts_with(&said[..said.len().min(7)]) {
                    return Err(Unheard::Strange);
                }
                if let Some(end) = said.windows(4).position(|four| four == b"\r\n\r\n") {
                    said.truncate(end);
                    return Ok(at.unwrap_or(asked));
                }
                heard.map_err(|_| Unheard::Ended)?;
            }
            Err(Unheard::Strange)
        };
        let at = timeout(patience, asking).await.unwrap_or(Err(Unheard::Silent(patience)))?;
        let half = nanos(at.mono.saturating_duration_since(asked.mono)) / 2;
        Ok(Head { text: String::from_utf8_lossy(&said).into_owned(), at: asked.wall.saturating_add(half) })
    }

    /// Waits a moment for the tickets that a server of TLS 1.3 gives; whether something else came, which a server says that
    /// speaks first.
    pub(super) async fn await_ticket(&mut self) -> bool {
        let waiting = async {
            while self.tls.tls13_tickets_received() == 0 {
                if self.listen().await.is_err() {
                    return;
                }
            }
        };
        let _ = timeout(TICKETS, waiting).await;
        let mut said = [0; 1];
        io::Read::read(&mut self.tls.reader(), &mut said).is_ok_and(|count| count > 0)
    }

    /// Says goodbye.
    pub(super) async fn close(mut self) {
        self.tls.send_close_notify();
        let _ = timeout(TICKETS, self.flush()).await;
    }
}
