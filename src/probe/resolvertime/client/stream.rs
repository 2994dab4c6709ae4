//! Over TCP and TLS: messages behind their length (RFC 1035 §4.2.2, RFC 7858 §3.3).

use std::io;
use std::time::{Duration, Instant};

use rustls::ClientConnection;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::session::Secured;
use super::{Client, MOST_STRAYS, Made, Put, Raw, Strays, Unanswered, until};
use crate::failure::{Class, Failure};
use crate::net::dial::{self, Unmade};
use crate::probe::resolvertime::Transport;
use crate::sys::clock;

/// What messages travel over.
pub(super) trait Io: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Io for T {}

/// A connection that somebody else uses.
pub(in crate::probe::resolvertime) struct Bare {
    /// It does not block.
    pub(in crate::probe::resolvertime) stream: std::net::TcpStream,
    pub(in crate::probe::resolvertime) tls: Option<ClientConnection>,
    pub(in crate::probe::resolvertime) made: Made,
}

/// A connection.
pub(super) struct Stream(Box<dyn Io>);

impl Client {
    /// A TCP connection to the server, and how long it took.
    pub(super) async fn dial(
        &self,
        deadline: Instant,
    ) -> Result<(tokio::net::TcpStream, Duration), Unanswered> {
        let to = self.peer;
        let connect = async {
            dial::connect(to, &self.asking.egress.way()).await.map_err(|why| match why {
                Unmade::Silent => Unanswered::Silent,
                Unmade::Icmp(unreachable) => Unanswered::Icmp(unreachable),
                Unmade::Closed(_) => Unanswered::Broken(why.failure(to)),
                Unmade::NotTried(_) => Unanswered::NotSent(why.failure(to)),
            })
        };
        let connection = until(deadline, connect).await?;
        let time = connection.rtt.unwrap_or(connection.stood.saturating_duration_since(connection.began));
        Ok((connection.stream, time))
    }
}

impl Client {
    /// A connection over TCP or TLS, for somebody else to use.
    pub(in crate::probe::resolvertime) async fn bare(&self, deadline: Instant) -> Result<Bare, Unanswered> {
        let (stream, connect) = self.dial(deadline).await?;
        // What is asked for is small, and waits for nothing.
        let _ = stream.set_nodelay(true);
        let (stream, tls, made) = if self.spec.transport == Transport::Dot {
            let Secured { stream, tls, session } = self.secured(stream, b"dot", deadline).await?;
            let (stream, connection) = stream.into_inner();
            (
                stream,
                Some(connection),
                Made { connect: Some(connect), tls: Some(tls), session: Some(session) },
            )
        } else {
            (stream, None, Made { connect: Some(connect), tls: None, session: None })
        };
        let failed = |error| Unanswered::NotSent(Failure::from_io("take a connection over", &error));
        Ok(Bare { stream: stream.into_std().map_err(failed)?, tls, made })
    }
}

impl Stream {
    pub(super) async fn open(client: &Client, deadline: Instant) -> Result<(Self, Made), Unanswered> {
        let (stream, connect) = client.dial(deadline).await?;
        let connect = Some(connect);
        if client.spec.transport != Transport::Dot {
            return Ok((Self(Box::new(stream)), Made { connect, tls: None, session: None }));
        }
        let Secured { stream, tls, session } = client.secured(stream, b"dot", deadline).await?;
        Ok((Self(Box::new(stream)), Made { connect, tls: Some(tls), session: Some(session) }))
    }

    pub(super) async fn ask(
        &mut self,
        query: &Put,
        deadline: Instant,
        strays: &mut Strays,
    ) -> Result<Raw, Unanswered> {
        until(deadline, async {
            let broken = |error: io::Error| {
                let what = format_args!("ask over a connection");
                match error.kind() {
                    io::ErrorKind::UnexpectedEof => Unanswered::Broken(
                        Class::Protocol.because(format_args!("{what}: the server ended it before an answer")),
                    ),
                    _ => Unanswered::Broken(Failure::from_io(what, &error)),
                }
            };
            let sent = clock::now().mono;
            self.0.write_all(&framed(query)).await.map_err(broken)?;
            self.0.flush().await.map_err(broken)?;
            while strays.count <= MOST_STRAYS {
                let mut length = [0; 2];
                self.0.read_exact(&mut length).await.map_err(broken)?;
                let mut bytes = vec![0; u16::from_be_bytes(length).into()];
                self.0.read_exact(&mut bytes).await.map_err(broken)?;
                if let Some(raw) = Raw::of(&bytes, query, sent, strays) {
                    return Ok(raw);
                }
            }
            Err(Unanswered::Silent)
        })
        .await
    }
}

/// A query behind its length.
pub(super) fn framed(query: &Put) -> Vec<u8> {
    let mut out = vec![0; 2];
    query.write(&mut out);
    let length = (out.len() - 2) as u16;
    out[..2].copy_from_slice(&length.to_be_bytes());
    out
}
