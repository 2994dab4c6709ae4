//! Over UDP: a socket of its own for each query, so that its port cannot be guessed; times are the kernel's.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use super::{Asking, MOST_STRAYS, Put, Raw, Reply, Strays, Unanswered, until};
use crate::failure::Failure;
use crate::probe::timing::round_trip;
use crate::sys::clock;
use crate::sys::connect::Unreachable;
use crate::sys::datagram::{Batch, Outgoing, Queued, Setup, Socket, Watched};
use crate::units::Now;

/// Datagrams that are taken in at once.
const BATCH: usize = 8;
/// Room for a reply of a server that heeds no size; what is longer is no reply to us.
const LEAST_SLOT: usize = 4096;
/// How long the kernel may take to begin stamping.
const PATIENCE: Duration = Duration::from_millis(2);
/// Octets of the headers of IP and UDP.
const HEADS4: u32 = 20 + 8;
const HEADS6: u32 = 40 + 8;
/// Octets of an ICMP error's quote that are looked at: none.
const QUOTED: usize = 64;

/// Keeps the kernel stamping while a run lasts. It begins to when the first socket asks for it, but a little later, and ends
/// with the last; a query's own socket is too young for it.
pub(in crate::probe::resolvertime) struct Stamping {
    _socket: Socket,
}

impl Stamping {
    /// Begins, and waits until the kernel does stamp, for a moment at most; `None` where there is no such socket.
    pub(in crate::probe::resolvertime) fn begin() -> Option<Self> {
        let socket = Socket::bind((Ipv4Addr::LOCALHOST, 0).into(), &Setup::default()).ok()?;
        socket.connect(socket.local().ok()?).ok()?;
        let mut batch = Batch::new(1, QUOTED);
        let end = clock::now().mono + PATIENCE;
        while clock::now().mono < end {
            batch.send(&socket, &[Outgoing { bytes: &[0], ..Outgoing::default() }]).ok()?;
            batch.receive(&socket).ok()?;
            if batch.get(0).is_some_and(|(_, _, meta)| meta.stamp.is_some()) {
                break;
            }
            std::thread::yield_now();
        }
        Some(Self { _socket: socket })
    }
}

/// Sends `query` to `peer` and waits for the reply.
pub(super) async fn ask(
    peer: SocketAddr,
    asking: &Asking,
    query: &Put,
    deadline: Instant,
    strays: &mut Strays,
) -> Result<Reply, Unanswered> {
    let not_sent = |error: std::io::Error| {
        Unanswered::NotSent(Failure::from_io(format_args!("send to udp {peer}"), &error))
    };
    let socket = socket(peer, asking).map_err(not_sent)?;
    let watched = Watched::new(socket).map_err(not_sent)?;
    let mut octets = Vec::with_capacity(64);
    query.write(&mut octets);
    let slot = query.edns.map_or(0, |edns| usize::from(edns.size)).max(LEAST_SLOT);
    let mut waiting = Waiting {
        batch: Batch::new(BATCH, slot),
        errors: Batch::new(2, QUOTED),
        sent: clock::now(),
        stamp: None,
    };
    let outgoing = [Outgoing { bytes: &octets, id: Some(0), ..Outgoing::default() }];
    waiting.batch.send(watched.socket(), &outgoing).map_err(not_sent)?;
    until(deadline, waiting.wait(&watched, query, strays)).await
}

/// Octets of the longest message that travels to `peer` in one packet, as far as this host knows.
pub(in crate::probe::resolvertime) fn one_packet(peer: SocketAddr, asking: &Asking) -> Option<u16> {
    let mtu = socket(peer, asking).ok()?.known_mtu()?;
    let heads = if peer.is_ipv4() { HEADS4 } else { HEADS6 };
    Some(u16::try_from(mtu.checked_sub(heads)?).unwrap_or(u16::MAX))
}

fn socket(peer: SocketAddr, asking: &Asking) -> std::io::Result<Socket> {
    let local = asking.egress.local(peer);
    let setup = Setup {
        interface: asking.egress.device().map(str::to_owned),
        ttl: asking.egress.ttl,
        tos: asking.egress.tos(),
        client: true,
        ..Setup::default()
    };
    let socket = Socket::bind(local, &setup)?;
    // Only what comes from there arrives.
    socket.connect(peer)?;
    Ok(socket)
}

/// A query that has been sent.
struct Waiting {
    batch: Batch,
    errors: Batch,
    sent: Now,
    /// When the kernel sent it.
    stamp: Option<u64>,
}

impl Waiting {
    async fn wait(
        &mut self,
        watched: &Watched,
        query: &Put,
        strays: &mut Strays,
    ) -> Result<Reply, Unanswered> {
        let broken = |error: std::io::Error| Unanswered::Broken(Failure::from_io("receive from udp", &error));
        while strays.count <= MOST_STRAYS {
            let news = watched.take(|socket| self.receive(socket).transpose()).await.map_err(broken)?;
            let (count, now) = (news?, clock::now());
            for n in 0..count {
                if let Some(reply) = self.reply(n, now, query, watched.socket(), strays) {
                    return Ok(reply);
                }
            }
            // A flood must not keep the deadline from being looked at.
            tokio::task::yield_now().await;
        }
        Err(Unanswered::Silent)
    }

    /// How many datagrams have come, if any.
    fn receive(&mut self, socket: &Socket) -> Result<Option<usize>, Unanswered> {
        if let Some(icmp) = self.queue(socket) {
            return Err(Unanswered::Icmp(icmp));
        }
        match self.batch.receive(socket) {
            Ok(count) => Ok((count > 0).then_some(count)),
            // An ICMP error; its particulars are in the queue.
            Err(error) => Err(self.queue(socket).map_or_else(
                || Unanswered::Broken(Failure::from_io("receive from udp", &error)),
                Unanswered::Icmp,
            )),
        }
    }

    /// The `n`-th datagram of the batch as the reply, if it is that.
    fn reply(
        &mut self,
        n: usize,
        now: Now,
        query: &Put,
        socket: &Socket,
        strays: &mut Strays,
    ) -> Option<Reply> {
        let (bytes, _, meta) = self.batch.get(n)?;
        let mut raw = Raw::of(bytes, query, self.sent.mono, strays)?;
        let received = (now, meta.stamp);
        if self.stamp.is_none() {
            self.queue(socket);
        }
        let (time, kernel) = round_trip((self.sent, self.stamp), received);
        (raw.query, raw.kernel) = (Duration::from_nanos(time), kernel);
        Some(raw.reply(None))
    }

    /// Empties the error queue: when the query was sent, and the ICMP error about it, if there is one.
    fn queue(&mut self, socket: &Socket) -> Option<Unreachable> {
        loop {
            let count = self.errors.receive_errors(socket).unwrap_or(0);
            for n in 0..count {
                let (_, _, meta) = self.errors.get(n)?;
                match meta.error {
                    Some(Queued::Sent(_)) => self.stamp = meta.stamp,
                    Some(Queued::Icmp { kind, code, from, .. }) => {
                        return Some(Unreachable { kind, code, from });
                    }
                    _ => {}
                }
            }
            if count == 0 {
                return None;
            }
        }
    }
}
