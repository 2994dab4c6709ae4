//! Flows of UDP: greetings that come to the shared socket, and the socket that each flow then has of its own.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use super::registry::{Hello, Registry, opens};
use crate::sys::datagram::{Batch, Fragments, Outgoing, Setup, Socket, Watched};
use crate::sys::{bulk, flow_label};
use crate::wire::iperf3::Params;
use crate::wire::iperf3::datagram::WELCOME;

/// Datagrams of one system call.
const BATCH: usize = 32;
/// Octets of a datagram that are looked at.
const LOOK: usize = 64;

/// Hands greetings to the tests that wait for them, for as long as the runtime lives; everything else that comes is nobody's
/// and gets no answer.
///
/// # Errors
/// When the runtime does not take the socket.
pub(super) async fn listen(socket: Socket, registry: Arc<Registry>) -> io::Result<Infallible> {
    let port = socket.local()?.port();
    let socket = Watched::new(socket)?;
    let mut batch = Batch::new(BATCH, LOOK);
    loop {
        socket.take(|socket| batch.receive(socket).ok().filter(|&count| count > 0)).await?;
        greetings(&batch, port).for_each(|hello| registry.greet(hello));
        tokio::task::yield_now().await;
    }
}

/// The greetings of the last receive, at `port`.
fn greetings(batch: &Batch, port: u16) -> impl Iterator<Item = Hello> + '_ {
    (0..BATCH).map_while(|n| batch.get(n)).filter_map(move |(bytes, from, meta)| {
        let (from, to) = (from?, meta.to.filter(|_| !meta.to_many && opens(bytes))?);
        let from = SocketAddr::new(from.ip().to_canonical(), from.port());
        Some(Hello { from, to: at(to.to_canonical(), port, from) })
    })
}

/// Our address and `port`, by the interface that leads to `from` where that matters.
fn at(to: std::net::IpAddr, port: u16, from: SocketAddr) -> SocketAddr {
    match (SocketAddr::new(to, port), from) {
        (SocketAddr::V6(mut to), SocketAddr::V6(from)) => {
            to.set_scope_id(from.scope_id());
            to.into()
        }
        (to, _) => to,
    }
}

/// A flow: a socket that hears nobody else.
pub(super) struct Flow {
    pub(super) socket: Socket,
    pub(super) peer: SocketAddr,
}

impl Flow {
    /// Opens the flow that `hello` asks for, and answers. What came to others between binding and connecting goes to them.
    pub(super) fn open(hello: Hello, params: &Params, registry: &Registry) -> io::Result<Self> {
        let setup = Setup {
            share_address: true,
            tos: (params.tos > 0).then_some(params.tos),
            fragments: (params.dont_fragment && hello.from.is_ipv4()).then_some(Fragments::Refused),
            ..Setup::default()
        };
        let socket = Socket::bind(hello.to, &setup)?;
        let labelled = match params.flow_label {
            0 => hello.from,
            label => flow_label::towards(&socket, hello.from, label).unwrap_or(hello.from),
        };
        socket.connect(labelled)?;
        if params.fq_rate > 0 {
            let _ = bulk::set_pacing(&socket, params.fq_rate / 8);
        }
        let flow = Self { socket, peer: hello.from };
        let mut batch = Batch::new(BATCH, LOOK);
        while batch.receive(&flow.socket).is_ok_and(|count| count > 0) {
            let others = greetings(&batch, hello.to.port()).filter(|other| other.from != hello.from);
            others.for_each(|other| registry.greet(other));
        }
        flow.welcome()?;
        Ok(flow)
    }

    /// Answers a greeting: four octets, as many as the shortest has.
    pub(super) fn welcome(&self) -> io::Result<()> {
        let welcome = Outgoing { bytes: &WELCOME, ..Outgoing::default() };
        Batch::new(1, 0).send(&self.socket, &[welcome]).map(drop)
    }

    /// Answers greetings that came again because an answer was lost.
    pub(super) fn welcome_again(&self) {
        let mut batch = Batch::new(BATCH, LOOK);
        let port = self.socket.local().map_or(0, |local| local.port());
        while batch.receive(&self.socket).is_ok_and(|count| count > 0) {
            for _ in greetings(&batch, port).take(1) {
                let _ = self.welcome();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket;
    use std::time::Duration;

    #[tokio::test]
    async fn a_flow_is_its_peers_and_what_belongs_to_others_reaches_them() {
        let listening = Setup { share_address: true, ..Setup::default() };
        let shared = Socket::bind("127.0.0.1:0".parse().expect("an address"), &listening).expect("a socket");
        let to = shared.local().expect("an address");
        let registry = Arc::new(Registry::default());
        let (_turn, mut hellos) = registry.flows_of(to.ip(), false).await;
        let listening = tokio::spawn(listen(shared, Arc::clone(&registry)));
        let client = || {
            let client = UdpSocket::bind("127.0.0.1:0").expect("a socket");
            client.connect(to).expect("connected");
            client.set_read_timeout(Some(Duration::from_secs(5))).expect("a time-out");
            client
        };
        let (one, other) = (client(), client());
        one.send(b"0000").expect("sent");
        one.send(b"9876").expect("sent");
        let hello = hellos.recv().await.expect("a greeting");
        assert_eq!((hello.from, hello.to), (one.local_addr().expect("an address"), to));
        let flow = Flow::open(hello, &Params::default(), &registry).expect("a flow");
        // The second one's greeting still finds the shared socket.
        other.send(b"9876").expect("sent");
        let second = hellos.recv().await.expect("a greeting");
        assert_eq!(second.from, other.local_addr().expect("an address"));
        one.send(b"9876").expect("sent");
        one.send(b"0000").expect("sent");
        flow.welcome_again();
        let mut answer = [0; 16];
        for _ in 0..2 {
            let length = one.recv(&mut answer).expect("an answer");
            assert_eq!(&answer[..length], b"6789");
        }
        one.set_nonblocking(true).expect("no waiting");
        assert!(one.recv(&mut answer).is_err(), "one answer for each greeting");
        listening.abort();
    }
}
