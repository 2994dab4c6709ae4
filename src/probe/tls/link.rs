//! A connection to the server, made ready for TLS: TCP, and what is said in the clear before.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Starttls;
use super::starttls::{Dialogue, Step};
use crate::failure::{Class, Failure, reason};
use crate::net::dial::{self, Unmade};
use crate::sys::clock;
use crate::sys::connect;
use crate::wire::tls::{Flight, Garbled};

/// How connections are made.
#[derive(Clone, Debug)]
pub(super) struct Way {
    pub(super) peer: SocketAddr,
    pub(super) egress: connect::Way,
    pub(super) starttls: Option<Starttls>,
    /// Whom the dialogue before TLS names.
    pub(super) host: String,
    /// How long each step may take: the connection, the dialogue, the handshake.
    pub(super) patience: Duration,
}

/// A connection on which TLS begins.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) stream: TcpStream,
    /// From SYN until the connection stood.
    pub(super) connect: Duration,
    /// The dialogue before TLS.
    pub(super) starttls: Option<Duration>,
    /// Octets that came in the clear after the server had agreed to TLS.
    pub(super) early: usize,
}

/// What came of a ClientHello that was written by hand.
#[derive(Debug)]
pub(super) enum Answer {
    /// An answer, or the connection's end after as much of one as there is: an end without a word is a no, too.
    Said(Box<Flight>),
    /// Nothing, or not enough, came in time.
    Silent,
    /// Something else, or what contradicts itself.
    Garbled,
    /// There was no connection.
    Unreached(Failure),
}

impl Way {
    /// Asks by `hello`, reads what is not encrypted, and closes.
    pub(super) async fn ask(&self, hello: &[u8]) -> Answer {
        let mut stream = match self.open().await {
            Ok(opened) => opened.stream,
            Err(failure) => return Answer::Unreached(failure),
        };
        let mut flight = Flight::default();
        let asking = async {
            if stream.write_all(hello).await.is_err() {
                return Ok(());
            }
            let mut some = [0; 8192];
            while !flight.is_over {
                match stream.read(&mut some).await {
                    Ok(0) | Err(_) => break,
                    Ok(count) => flight.push(&some[..count])?,
                }
            }
            Ok::<_, Garbled>(())
        };
        match timeout(self.patience, asking).await {
            Ok(Ok(())) => Answer::Said(Box::new(flight)),
            Ok(Err(_)) => Answer::Garbled,
            Err(_) => Answer::Silent,
        }
    }

    /// Connects, and says what precedes TLS.
    ///
    /// # Errors
    /// Why there is no connection, or no TLS on it.
    pub(super) async fn open(&self) -> Result<Opened, Failure> {
        let made = timeout(self.patience, dial::connect(self.peer, &self.egress)).await;
        let made = made.unwrap_or(Err(Unmade::Silent)).map_err(|unmade| unmade.failure(self.peer))?;
        let connect = made.stood.saturating_duration_since(made.began);
        // What is asked for is small, and waits for nothing.
        let _ = made.stream.set_nodelay(true);
        let mut opened = Opened { stream: made.stream, connect, starttls: None, early: 0 };
        if let Some(with) = self.starttls {
            let began = clock::now().mono;
            let agreed = timeout(self.patience, dialogue(&mut opened.stream, with, &self.host)).await;
            let wrong = |class: Class, why: &str| {
                class.because(format_args!("ask {} for tls ({}): {why}", self.peer, with.word()))
            };
            let agreed = agreed.map_err(|_| wrong(Class::Timeout, "nothing more came in time"))?;
            opened.early = agreed.map_err(|why| wrong(Class::Protocol, &why))?;
            opened.starttls = Some(clock::now().mono.saturating_duration_since(began));
        }
        Ok(opened)
    }
}

/// Comes to TLS by the dialogue of `with`, which may name `host`: octets that came too early.
async fn dialogue(stream: &mut TcpStream, with: Starttls, host: &str) -> Result<usize, String> {
    let (mut dialogue, mut step) = Dialogue::new(with, host);
    let wrong = |error: std::io::Error| reason(&error);
    loop {
        match step {
            Step::Refused(why) => return Err(why),
            Step::Begin { say, early } => {
                stream.write_all(&say).await.map_err(wrong)?;
                return Ok(early);
            }
            Step::Say(say) => stream.write_all(&say).await.map_err(wrong)?,
            Step::Listen => {}
        }
        let mut some = [0; 4096];
        let count = stream.read(&mut some).await.map_err(wrong)?;
        if count == 0 {
            return Err("it closed the connection".to_owned());
        }
        step = dialogue.hear(&some[..count]);
    }
}
