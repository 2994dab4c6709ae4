//! HTTP/3: a connection over QUIC (RFC 9000, RFC 9114), of which quinn and h3 do the work.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use h3::client::{RequestStream, SendRequest};
use h3_quinn::{BidiStream, OpenStreams};
use hyper::body::Bytes;
use quinn::crypto::rustls::HandshakeData;
use quinn::{Endpoint, VarInt};
use rustls::pki_types::CertificateDer;
use tokio::time::timeout_at;

use super::bounded::{self, Bounded};
use super::handshake::server_name;
use super::link::{Carrier, Driver, Link, MOST_HEAD, Made, Sender};
use super::linker::{Attempting, Linker};
use super::report::Attempt;
use super::request::Ask;
use super::tasks::Owned;
use super::watch::Watch;
use crate::failure::{Class, Failure};
use crate::net::quic::{client, endpoint};
use crate::sys::clock;
use crate::wire::text::printable;

/// Sends requests of HTTP/3.
pub(super) type Requests = SendRequest<Bounded<OpenStreams>, Bytes>;
/// One of them, and its answer.
pub(super) type Stream = RequestStream<bounded::Stream<BidiStream<Bytes>>, Bytes>;

/// A QUIC connection; it is closed with its owner, and says so.
pub(super) struct Quic {
    connection: quinn::Connection,
    endpoint: Endpoint,
}

impl Quic {
    /// Octets in datagrams that went and came.
    pub(super) fn octets(&self) -> (u64, u64) {
        let stats = self.connection.stats();
        (stats.udp_tx.bytes, stats.udp_rx.bytes)
    }

    fn local(&self) -> Option<SocketAddr> {
        let bound = self.endpoint.local_addr().ok()?;
        Some(SocketAddr::new(self.connection.local_ip().unwrap_or(bound.ip()), bound.port()))
    }
}

impl Drop for Quic {
    fn drop(&mut self) {
        // H3_NO_ERROR (RFC 9114 §8.1).
        self.connection.close(VarInt::from_u32(0x100), b"");
    }
}

impl Linker<'_> {
    /// A connection of HTTP/3 to one of `addresses`, tried one after the other.
    ///
    /// # Errors
    /// Why there is none; class `tls` for a certificate that is not believed.
    pub(super) async fn quic(
        &self,
        ask: &Ask,
        addresses: &[SocketAddr],
        at: Attempting<'_>,
    ) -> Result<Link, Failure> {
        let mut attempts = Vec::new();
        let mut failure = Class::Resolve.because(format_args!("{ask}: no address to connect to"));
        for (n, to) in addresses.iter().enumerate() {
            let now = clock::now().mono;
            let share = at.deadline.saturating_duration_since(now) / (addresses.len() - n) as u32;
            let tried = timeout_at((now + share).into(), self.quic_to(ask, *to, now)).await;
            let tried = tried.unwrap_or_else(|_| {
                Err(Class::Timeout.because(format_args!("connect to {to} over quic: no answer in time")))
            });
            let took = clock::now().mono.saturating_duration_since(now);
            let began = now.saturating_duration_since(at.start);
            let mut attempt = Attempt { took: Some(took), ..given_up(*to, QUIC, began) };
            match tried {
                Ok(mut link) => {
                    (attempt.took, attempt.won) = (Some(link.made.connect_time), true);
                    attempts.push(attempt);
                    link.made.attempts = attempts;
                    return Ok(link);
                }
                Err(why) => {
                    attempt.error = Some(why.detail.clone());
                    attempts.push(attempt);
                    failure = why;
                }
            }
        }
        Err(failure)
    }

    async fn quic_to(&self, ask: &Ask, to: SocketAddr, began: Instant) -> Result<Link, Failure> {
        let name = server_name(ask)?;
        let host = ask.url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let clients = self.clients().await?;
        // What an attempt that was given up has shown is nobody's.
        clients.witness.take();
        let config = client(Arc::clone(&clients.quic));
        let endpoint = endpoint(to.is_ipv6(), self.way());
        let endpoint =
            endpoint.map_err(|error| Failure::from_io(format_args!("bind udp for {to}"), &error))?;
        let connecting = endpoint
            .connect_with(config, to, &host)
            .map_err(|error| Class::Internal.because(format_args!("prepare quic: {error}")))?;
        let connection = connecting.await.map_err(|error| failed(to, &error))?;
        let connect_time = clock::now().mono.saturating_duration_since(began);
        let quic = Quic { connection: connection.clone(), endpoint };
        let data = connection.handshake_data().and_then(|data| data.downcast::<HandshakeData>().ok());
        let chain = connection.peer_identity().and_then(|chain| chain.downcast::<Vec<CertificateDer>>().ok());
        let alpn = data.and_then(|data| data.protocol);
        // Of a session that is resumed nothing is shown.
        let is_resumed = clients.witness.take().is_none();
        let tls = clients.judge(None, alpn, is_resumed, chain.map(|chain| *chain).unwrap_or_default(), &name);
        self.believe(ask, clients, &tls)?;
        let said = |why: String| {
            Class::Protocol.because(format_args!("{ask}: http/3: {}", printable(why.as_bytes())))
        };
        let mut builder = h3::client::builder();
        builder.max_field_section_size(MOST_HEAD as u64).send_grease(false);
        let built = builder.build(Bounded(h3_quinn::Connection::new(connection))).await;
        let (mut driver, requests) = built.map_err(|error| said(error.to_string()))?;
        let tasks = Owned::default();
        tasks.0.spawn(async move {
            // How it ends is told by the answer.
            let _ = poll_fn(|cx| driver.poll_close(cx)).await;
        });
        let made = Made { tls: Some(tls), ..Made::new(to, quic.local(), connect_time, clock::now().mono) };
        let (watch, wire) = (Watch::new(false), Watch::new(false));
        let (sender, carrier) = (Sender::Http3(requests), Carrier::Quic(quic));
        Ok(Link {
            sender,
            origin: ask.url.origin(),
            watch,
            wire,
            made,
            carrier,
            driver: Driver::NONE,
            _tasks: tasks,
        })
    }
}

fn failed(to: SocketAddr, error: &quinn::ConnectionError) -> Failure {
    use quinn::ConnectionError as Error;
    let class = match error {
        Error::TimedOut => Class::Timeout,
        Error::TransportError(error) if (0x100..0x200).contains(&u64::from(error.code)) => Class::Tls,
        _ => Class::Protocol,
    };
    class.because(format_args!("connect to {to} over quic: {}", printable(error.to_string().as_bytes())))
}

/// What carries HTTP/3, and what carries the others.
pub(super) const QUIC: &str = "quic";
pub(super) const TCP: &str = "tcp";

/// An attempt that came to no end, as another one won.
pub(super) fn given_up(address: SocketAddr, proto: &str, start: Duration) -> Attempt {
    Attempt { address, proto: proto.to_owned(), start, took: None, won: false, error: None }
}
