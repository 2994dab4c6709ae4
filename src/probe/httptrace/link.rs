//! A connection on which HTTP is spoken, and all that is known of it.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::{Duration, Instant};

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use url::Origin;

use super::alternatives::Http3;
use super::handshake::Shaken;
use super::quic::{Quic, Requests};
use super::report::{Attempt, Lookup};
use super::request::Ask;
use super::tasks::{Owned, Tasks};
use super::watch::{Watch, Watched};
use crate::failure::{Class, Failure};
use crate::probe::TcpState;

/// Octets of the longest head of an answer, and headers in it (security.md 3.3).
pub(super) const MOST_HEAD: usize = 64 << 10;
pub(super) const MOST_HEADERS: usize = 100;

/// What carries requests.
pub(super) enum Sender {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
    Http3(Requests),
}

/// What is below HTTP and TLS.
pub(super) enum Carrier {
    /// The same socket, to ask the kernel about it.
    Tcp(Option<OwnedFd>),
    Quic(Quic),
}

/// A connection, and all that is known of it.
pub(super) struct Link {
    pub(super) sender: Sender,
    /// Whom it is to.
    pub(super) origin: Origin,
    /// What passes of HTTP, and what passes below TLS.
    pub(super) watch: Arc<Watch>,
    pub(super) wire: Arc<Watch>,
    pub(super) made: Made,
    pub(super) carrier: Carrier,
    /// What moves octets. It ends with the connection.
    pub(super) driver: Driver,
    pub(super) _tasks: Owned,
}

/// How a connection came to be.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) dns: Option<Lookup>,
    pub(super) http3: Option<Http3>,
    pub(super) attempts: Vec<Attempt>,
    pub(super) remote: SocketAddr,
    pub(super) local: Option<SocketAddr>,
    pub(super) tls: Option<Shaken>,
    pub(super) dns_time: Option<Duration>,
    pub(super) connect_time: Duration,
    pub(super) tls_time: Option<Duration>,
    /// When the first request could be written.
    pub(super) ready: Instant,
}

impl Made {
    /// A connection to `remote`, which took `connect_time` and stood at `ready`; nothing else is known.
    pub(super) fn new(
        remote: SocketAddr,
        local: Option<SocketAddr>,
        connect_time: Duration,
        ready: Instant,
    ) -> Self {
        Self {
            dns: None,
            http3: None,
            attempts: Vec::new(),
            remote,
            local,
            tls: None,
            dns_time: None,
            connect_time,
            tls_time: None,
            ready,
        }
    }

    /// What the judgement of its certificate took, which is no part of anybody's time.
    pub(super) fn judged(&self) -> Duration {
        self.tls.as_ref().map_or(Duration::ZERO, |tls| tls.judged_in)
    }
}

impl Link {
    /// What the kernel knows of it now.
    pub(super) fn tcp(&self) -> Option<TcpState> {
        let Carrier::Tcp(Some(socket)) = &self.carrier else { return None };
        TcpState::of(socket.as_fd())
    }

    /// Whether another request can go over it.
    pub(super) async fn is_open(&mut self) -> bool {
        match &mut self.sender {
            Sender::Http1(sender) => self.driver.along(sender.ready()).await.is_ok(),
            Sender::Http2(sender) => sender.ready().await.is_ok(),
            // Whether it is closed is told by who asks over it.
            Sender::Http3(_) => true,
        }
    }

    /// All octets that went and came so far, TLS and handshakes included.
    pub(super) fn octets(&self) -> (u64, u64) {
        match &self.carrier {
            Carrier::Quic(quic) => quic.octets(),
            Carrier::Tcp(_) => {
                let seen = self.wire.seen();
                (seen.sent, seen.received)
            }
        }
    }
}

/// What moves the octets of HTTP/1.1, whoever waits for them: in the same task, because each change of tasks and threads takes its
/// time, which would be told as the network's. HTTP/2 and HTTP/3 have tasks of their own, as their servers may say something at
/// any time.
pub(super) struct Driver(Option<Pin<Box<dyn Future<Output = ()> + Send>>>);

impl Driver {
    /// None is needed.
    pub(super) const NONE: Self = Self(None);

    /// Does `work`, and moves octets meanwhile.
    pub(super) async fn along<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|cx| {
            if self.0.as_mut().is_some_and(|driver| driver.as_mut().poll(cx).is_ready()) {
                self.0 = None;
            }
            work.as_mut().poll(cx)
        })
        .await
    }
}

/// Speaks HTTP over `stream`.
pub(super) async fn spoken<S>(
    ask: &Ask,
    stream: S,
    http2: bool,
    tasks: &Tasks,
) -> Result<(Sender, Driver, Arc<Watch>), Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let watch = Watch::new(http2);
    let io = TokioIo::new(Watched::new(stream, Arc::clone(&watch)));
    let failed = |error: hyper::Error| {
        Class::Protocol.because(format_args!("{ask}: {}", super::exchange::said(&error)))
    };
    if http2 {
        let mut builder = http2::Builder::new(tasks.clone());
        builder.max_header_list_size(MOST_HEAD as u32);
        let (sender, connection) = builder.handshake(io).await.map_err(failed)?;
        tasks.spawn(async move {
            // How it ends is told by the answer.
            let _ = connection.await;
        });
        return Ok((Sender::Http2(sender), Driver::NONE, watch));
    }
    let mut builder = http1::Builder::new();
    builder.title_case_headers(true).max_headers(MOST_HEADERS).max_buf_size(MOST_HEAD);
    let (sender, connection) = builder.handshake(io).await.map_err(failed)?;
    let driver = Driver(Some(Box::pin(async move {
        let _ = connection.await;
    })));
    Ok((Sender::Http1(sender), driver, watch))
}
