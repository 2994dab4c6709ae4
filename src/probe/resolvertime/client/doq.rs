//! Over QUIC (RFC 9250): each query in a stream of its own.

use std::sync::Arc;
use std::time::Instant;

use quinn::crypto::rustls::{HandshakeData, QuicClientConfig};
use quinn::{Connection, Endpoint, ReadToEndError};

use super::session::Side;
use super::stream::framed;
use super::{Client, Made, Put, Raw, Strays, Unanswered, until};
use crate::failure::{Class, Failure};
use crate::net::quic::{self, endpoint};
use crate::net::tls::Session as Agreed;
use crate::probe::resolvertime::Tls;
use crate::sys::clock;

/// The code with which a connection is left (RFC 9250 §4.3).
const NO_ERROR: u32 = 0;

/// A QUIC connection.
pub(super) struct Session {
    connection: Connection,
    // It owns the socket.
    _endpoint: Endpoint,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.connection.close(NO_ERROR.into(), b"");
    }
}

impl Session {
    pub(super) async fn open(client: &Client, deadline: Instant) -> Result<(Self, Made), Unanswered> {
        let what = format!("ask quic {}", client.peer);
        let broken = |why: &dyn std::fmt::Display, class: Class| {
            Unanswered::Broken(class.because(format_args!("{what}: {why}")))
        };
        let endpoint = endpoint(client.peer.is_ipv6(), &client.asking.egress.way())
            .map_err(|error| Unanswered::NotSent(Failure::from_io(&what, &error)))?;
        let Side { secure, config, witness, name } = client.side(b"doq")?;
        let crypto = QuicClientConfig::try_from(config).map_err(|error| broken(&error, Class::Internal))?;
        let config = quic::client(Arc::new(crypto));
        let began = clock::now().mono;
        let shake = async {
            let connecting = endpoint.connect_with(config, client.peer, &client.spec.name);
            let connecting = connecting.map_err(|error| broken(&error, Class::Usage))?;
            connecting.await.map_err(|error| match &error {
                quinn::ConnectionError::TimedOut => Unanswered::Silent,
                quinn::ConnectionError::TransportError(_) => broken(&error, Class::Tls),
                _ => broken(&error, Class::Refused),
            })
        };
        let connection = until(deadline, shake).await?;
        let tls = clock::now().mono.saturating_duration_since(began);
        let data = connection.handshake_data().and_then(|data| data.downcast::<HandshakeData>().ok());
        let verdict = secure.verdict(witness.map(|witness| witness.take()), &name);
        let agreed = data.map(|data| Agreed {
            version: "TLSv1.3",
            suite: String::new(),
            group: None,
            alpn: data.protocol,
            resumed: crate::net::tls::Resumed::Full,
        });
        let session = Tls::of(agreed, verdict, &client.spec.name);
        let made = Made { connect: None, tls: Some(tls), session: Some(session) };
        Ok((Self { connection, _endpoint: endpoint }, made))
    }

    pub(super) async fn ask(
        &self,
        query: &Put,
        deadline: Instant,
        strays: &mut Strays,
    ) -> Result<Raw, Unanswered> {
        let broken = |class: Class, why: &dyn std::fmt::Display| {
            Unanswered::Broken(class.because(format_args!("ask over quic: {why}")))
        };
        until(deadline, async {
            let sent = clock::now().mono;
            let (mut to, mut from) =
                self.connection.open_bi().await.map_err(|error| broken(Class::Refused, &error))?;
            to.write_all(&framed(query)).await.map_err(|error| broken(Class::Refused, &error))?;
            to.finish().map_err(|error| broken(Class::Refused, &error))?;
            let most = usize::from(u16::MAX) + 2;
            let bytes = from.read_to_end(most).await.map_err(|error| match &error {
                ReadToEndError::TooLong => broken(Class::Protocol, &"the answer is longer than a message"),
                ReadToEndError::Read(error) => broken(Class::Refused, error),
            })?;
            let message = bytes.split_first_chunk::<2>();
            let message = message
                .filter(|(length, message)| usize::from(u16::from_be_bytes(**length)) == message.len());
            let (_, message) =
                message.ok_or_else(|| broken(Class::Protocol, &"the answer is no DNS message"))?;
            let raw = Raw::of(message, query, sent, strays);
            raw.ok_or_else(|| broken(Class::Protocol, &"the answer is to another question"))
        })
        .await
    }
}
