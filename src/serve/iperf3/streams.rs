//! The streams of a test: their sockets, the threads that fill or empty them, and what they show.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use super::greeter::Flow;
use super::{Iperf3Settings, connection, limits};
use crate::net::bulk::{Gauge, Pace, Reading, Stream, Task, Test, Udp, Worker, prepare, queue};
use crate::sys::{bulk, tcp};
use crate::wire::iperf3::{Code, Params, Refusal, Transport, stream_id};

/// IPv6's and UDP's headers: what is left of a packet is its datagram's.
const HEADERS: u32 = 48;

/// A data connection or a flow.
pub(super) enum Carrier {
    Tcp(TcpStream),
    Udp(Flow),
}

/// One stream of a test.
pub(super) struct Line {
    /// Its number on the wire.
    pub(super) id: u32,
    /// Whether we send.
    pub(super) sends: bool,
    pub(super) local: Option<SocketAddr>,
    pub(super) peer: Option<SocketAddr>,
    pub(super) gauge: Arc<Gauge>,
    /// The connection once more, to ask the kernel about it.
    connection: Option<TcpStream>,
    /// It may take several paths, and the kernel tells of the first alone.
    is_multipath: bool,
    worker: Option<Worker>,
    /// What runs once the client was told so.
    waiting: Option<(Stream, Task)>,
}

/// What a stream shows at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Glance {
    pub(super) reading: Reading,
    /// What the kernel says of a connection through which we send.
    pub(super) sent: Option<tcp::Info>,
}

impl Line {
    /// Makes the carriers of a test ready, in their order: of both directions those come first through which the client sends.
    ///
    /// # Errors
    /// What the system refuses.
    pub(super) fn all(
        carriers: Vec<Carrier>,
        params: &Params,
        settings: &Iperf3Settings,
    ) -> Result<Vec<Self>, Refusal> {
        let line = |(n, carrier)| {
            let sends = params.reverse || params.bidirectional && n >= params.parallel as usize;
            Self::new(stream_id(n), sends, carrier, params, settings)
        };
        carriers.into_iter().enumerate().map(line).collect()
    }

    fn new(
        id: u32,
        sends: bool,
        carrier: Carrier,
        params: &Params,
        settings: &Iperf3Settings,
    ) -> Result<Self, Refusal> {
        let failed = |error: io::Error| Refusal::new(Code::STREAM_ACCEPT, error);
        let (local, peer, connection, stream, udp) = match carrier {
            Carrier::Tcp(stream) => {
                stream.set_nonblocking(false).map_err(failed)?;
                connection::prepare(&stream, params, settings)?;
                let (local, peer) = (stream.local_addr().ok(), stream.peer_addr().ok());
                let twin = stream.try_clone().map_err(failed)?;
                (local, peer, Some(twin), Stream::Tcp(stream), Udp::default())
            }
            Carrier::Udp(Flow { socket, peer }) => {
                let length = params.length;
                // A window may be less than what is there for all, not more.
                let most = queue(None, params.parallel as usize);
                let allowed = if settings.window > 0 { most.min(settings.window as usize) } else { most };
                let window = if params.window > 0 { allowed.min(params.window as usize) } else { most };
                match (sends, params.window) {
                    (false, _) => socket.expect_bulk(window).map_err(failed)?,
                    (true, 1..) => socket.set_send_queue(window).map_err(failed)?,
                    (true, 0) => {}
                }
                // The kernel cuts into what fits into packets; bursts are for who wants all or asks for them.
                let may_cut = params.rate == 0 || params.gso;
                let fits = socket.known_mtu().is_some_and(|mtu| length + HEADERS <= mtu);
                let offload = if sends { may_cut && fits } else { true };
                let offload = offload && prepare(&socket, length as usize, sends);
                let udp = Udp { is_wide: params.is_wide, offload };
                (socket.local().ok(), Some(peer), None, Stream::Udp(socket), udp)
            }
        };
        let length = params.length as usize;
        let task = match sends {
            true => Task::Send {
                length,
                pace: pace(params, settings),
                repeats: params.repeats,
                lends: settings.lends(params),
                udp,
            },
            false => Task::Receive {
                length,
                copies: settings.copies(params),
                free_window: params.window == 0,
                udp,
            },
        };
        let gauge = Arc::default();
        let is_multipath = connection.as_ref().is_some_and(bulk::is_multipath);
        let waiting = Some((stream, task));
        Ok(Self { id, sends, local, peer, gauge, connection, is_multipath, worker: None, waiting })
    }

    /// Begins to move octets.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(super) fn start(&mut self, test: &Arc<Test>) -> Result<(), Refusal> {
        let Some((stream, task)) = self.waiting.take() else { return Ok(()) };
        let worker = Worker::start(stream, task, test)
            .map_err(|error| Refusal::new(Code::STREAM_ACCEPT, format_args!("start a thread: {error}")))?;
        self.gauge = Arc::clone(worker.gauge());
        self.worker = Some(worker);
        Ok(())
    }

    /// What it shows now.
    pub(super) fn glance(&self) -> Glance {
        let connection = self.connection.as_ref().filter(|_| self.sends && !self.is_multipath);
        let sent = connection.and_then(|connection| tcp::info(connection.as_fd()).ok());
        Glance { reading: self.gauge.read(), sent }
    }

    /// How long nothing has come, of a connection through which we receive.
    pub(super) fn quiet(&self) -> Option<Duration> {
        let connection = self.connection.as_ref().filter(|_| !self.sends)?;
        tcp::info(connection.as_fd()).ok().map(|info| info.quiet)
    }

    /// The sizes of its connection's buffers in octets: send, receive.
    pub(super) fn buffers(&self) -> Option<(usize, usize)> {
        bulk::buffers(self.connection.as_ref()?)
    }

    /// Whether it is a flow.
    pub(super) const fn is_udp(&self) -> bool {
        self.connection.is_none()
    }

    /// The congestion control of its connection.
    pub(super) fn congestion(&self) -> Option<String> {
        self.connection.as_ref().and_then(bulk::congestion)
    }

    /// Its thread, to wait for its end.
    pub(super) fn take_worker(&mut self) -> Option<Worker> {
        self.worker.take()
    }
}

/// How fast a stream sends. A flow without a rate has its share of the server's limit; connections keep it together.
fn pace(params: &Params, settings: &Iperf3Settings) -> Pace {
    let most = limits::ceiling(settings, params) / params.streams().max(1) as u64;
    let rate = match (params.transport, params.rate) {
        (Transport::Udp, 0) => most,
        (_, rate) => rate,
    };
    Pace { rate, burst: params.burst.max(1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flows_without_a_rate_share_the_limit() {
        let settings = Iperf3Settings { udp_rate: 100, ..Iperf3Settings::default() };
        let params =
            Params { transport: Transport::Udp, parallel: 2, bidirectional: true, ..Params::default() };
        let rate = |params: &Params| pace(params, &settings).rate;
        assert_eq!(rate(&params), 25);
        assert_eq!(rate(&Params { rate: 7, ..params }), 7);
        assert_eq!(rate(&Params::default()), 0);
    }
}
