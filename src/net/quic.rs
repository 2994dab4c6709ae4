//! The socket and the limits of a QUIC client (RFC 9000), of which quinn does the work.

use std::io;
use std::net::UdpSocket;
use std::sync::Arc;

use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, Endpoint, EndpointConfig, TokioRuntime, TransportConfig};
use socket2::{Domain, Protocol, Socket, Type};

use crate::sys::connect::Way;

/// Streams that a server may have opened and nobody has read: HTTP/3 needs three (RFC 9114 §6.2). Each may hold 1.25 MB.
const MOST_STREAMS: u8 = 16;

/// A client by `crypto`, of which a server has no more memory than 20 MB for what was not asked for.
pub fn client(crypto: Arc<QuicClientConfig>) -> ClientConfig {
    let mut limits = TransportConfig::default();
    limits.max_concurrent_uni_streams(MOST_STREAMS.into()).max_concurrent_bidi_streams(0_u8.into());
    let mut config = ClientConfig::new(crypto);
    config.transport_config(Arc::new(limits));
    config
}

/// One of the family that is wanted, whose datagrams leave by `way`; their type of service is QUIC's own (ECN, RFC 9000 §13.4).
///
/// # Errors
/// When descriptors are scarce, or this host cannot send that way.
pub fn endpoint(ipv6: bool, way: &Way) -> io::Result<Endpoint> {
    let domain = if ipv6 { Domain::IPV6 } else { Domain::IPV4 };
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    if let Some(interface) = &way.interface {
        socket.bind_device(Some(interface.as_bytes()))?;
    }
    if let Some(ttl) = way.ttl {
        if ipv6 { socket.set_unicast_hops_v6(ttl.into()) } else { socket.set_ttl_v4(ttl.into()) }?;
    }
    socket.bind(&way.local(ipv6).into())?;
    Endpoint::new(EndpointConfig::default(), None, UdpSocket::from(socket), Arc::new(TokioRuntime))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_leaves_by_the_source_that_is_asked_for() {
        let source = Some(std::net::IpAddr::from([127, 0, 0, 9]));
        let way = Way { source, ttl: Some(7), ..Way::default() };
        let bound = endpoint(false, &way).and_then(|endpoint| endpoint.local_addr()).expect("a socket");
        assert!(Some(bound.ip()) == source && bound.port() > 0);
        let strange = Way { interface: Some("no-such-link".to_owned()), ..Way::default() };
        assert!(endpoint(false, &strange).is_err());
    }
}
