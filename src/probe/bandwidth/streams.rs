//! Opens what carries the data: connections that begin with the cookie, or flows of UDP that the server has greeted.

use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use super::Bandwidth;
use crate::net::bulk::{Broken, Control, Stream, prepare, queue};
use crate::sys::bulk::{Options, Untaken};
use crate::sys::datagram::{Batch, Fragments, Outgoing, Setup, Socket};
use crate::sys::wait::{Stop, wait};
use crate::sys::{bulk, clock, flow_label};
use crate::wire::iperf3::datagram::{HELLO, Header, header, is_welcome};
use crate::wire::iperf3::{Cookie, Refusal, State, stream_id};

/// How long a server has to accept a connection or a flow.
const PATIENCE: Duration = Duration::from_secs(30);
/// When a greeting that nobody has answered is sent again.
const AGAIN: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];

/// A stream that the server knows.
pub(super) struct Opened {
    /// Its number in iperf3's count.
    pub(super) id: u32,
    /// This host sends.
    pub(super) sends: bool,
    /// Both ends.
    pub(super) ends: (SocketAddr, SocketAddr),
    /// What octets go through.
    pub(super) stream: Stream,
    /// The same connection, to ask the kernel about it.
    pub(super) tcp: Option<TcpStream>,
    /// The kernel cuts or joins datagrams.
    pub(super) offload: bool,
}

/// Why a stream could not be opened.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unopened {
    /// The server, or what is between.
    #[error("{0}")]
    Broken(#[from] Broken),
    /// This host, or the way there.
    #[error("{0}")]
    Here(#[from] Untaken),
}

/// Opens every stream of a test, those that send first.
pub(super) fn open(
    asked: &Bandwidth,
    control: &mut Control,
    cookie: &Cookie,
    to: SocketAddr,
    length: usize,
    stop: &Stop,
) -> Result<Vec<Opened>, Unopened> {
    let (sends, receives) = asked.ways();
    let each =
        |is_wanted: bool, sends: bool| (0..if is_wanted { asked.parallel } else { 0 }).map(move |_| sends);
    let ways = each(sends, true).chain(each(receives, false));
    let mut all = Vec::new();
    for (n, sends) in ways.enumerate() {
        if stop.is_set() {
            return Err(Broken::Stopped.into());
        }
        let opened = match asked.udp {
            false => connection(asked, cookie, to, n)?,
            true => flow(asked, control, to, n, length, sends, stop)?,
        };
        all.push(Opened { id: stream_id(n), sends, ..opened });
    }
    Ok(all)
}

fn connection(asked: &Bandwidth, cookie: &Cookie, to: SocketAddr, n: usize) -> Result<Opened, Unopened> {
    let rate = asked.rate().bps;
    let helps = rate > 0 && !asked.mptcp;
    let options = Options {
        window: asked.window.map(|window| window.0 as u32),
        mss: asked.mss,
        // What a pace parts must not wait for the answer to what left before (Nagle's algorithm).
        no_delay: asked.no_delay || rate > 0,
        tos: asked.type_of_service(),
        congestion: asked.congestion.clone(),
        // The thread paces; the kernel sees to it that what a thread hands over late does not leave at once.
        // Over several paths there is no such help.
        pacing: asked.fq_rate.map(|rate| rate.bps / 8).or(helps.then(|| rate / 8 + rate / 80)),
        patience: asked.snd_timeout.map(|span| span.0),
        flow_label: asked.flowlabel,
        multipath: asked.mptcp,
    };
    let mut stream = options.connect(to, local(asked, to, n), asked.egress.device(), PATIENCE)?;
    let named = |option| move |error| Untaken { option, error };
    std::io::Write::write_all(&mut stream, &cookie.0).map_err(named("send the cookie"))?;
    let local = stream.local_addr().map_err(named("getsockname"))?;
    let tcp = stream.try_clone().map_err(named("dup"))?;
    Ok(Opened {
        id: 0,
        sends: false,
        ends: (local, to),
        stream: Stream::Tcp(stream),
        tcp: Some(tcp),
        offload: false,
    })
}

fn flow(
    asked: &Bandwidth,
    control: &mut Control,
    to: SocketAddr,
    n: usize,
    length: usize,
    sends: bool,
    stop: &Stop,
) -> Result<Opened, Unopened> {
    let setup = Setup {
        interface: asked.egress.device().map(str::to_owned),
        ttl: asked.egress.ttl,
        tos: asked.type_of_service(),
        fragments: (asked.dont_fragment && to.is_ipv4()).then_some(Fragments::Refused),
        ..Setup::default()
    };
    let named = |option| move |error| Untaken { option, error };
    let socket = Socket::bind(local(asked, to, n).unwrap_or_else(|| asked.egress.local(to)), &setup)
        .map_err(named("bind udp"))?;
    if let Some(rate) = asked.fq_rate {
        bulk::set_pacing(&socket, rate.bps / 8).map_err(named("--fq-rate"))?;
    }
    let labelled = match asked.flowlabel {
        Some(label) => flow_label::towards(&socket, to, label).map_err(named("-L"))?,
        None => to,
    };
    socket.connect(labelled).map_err(named("connect udp"))?;
    greet(&socket, control, length, stop)?;
    let window = asked.window.map(|window| window.0 as u32);
    match (sends, window) {
        (false, _) => {
            socket.expect_bulk(queue(window, asked.parallel.into())).map_err(named("setsockopt"))?
        }
        (true, Some(window)) => socket.set_send_queue(window as usize).map_err(named("-w"))?,
        (true, None) => {}
    }
    let local = socket.local().map_err(named("getsockname"))?;
    let offload = asked.gso && prepare(&socket, length, sends);
    Ok(Opened { id: 0, sends, ends: (local, to), stream: Stream::Udp(socket), tcp: None, offload })
}

/// Where data leave from: the `n`th stream's address and port; `None` where the system chooses both.
fn local(asked: &Bandwidth, to: SocketAddr, n: usize) -> Option<SocketAddr> {
    if asked.egress.source().is_none() && asked.cport.is_none() {
        return None;
    }
    let port = asked.cport.map_or(0, |first| first.saturating_add(n as u16));
    Some(SocketAddr::new(asked.egress.local(to).ip(), port))
}

/// Greets the server until it greets back.
fn greet(socket: &Socket, control: &mut Control, length: usize, stop: &Stop) -> Result<(), Broken> {
    let began = clock::now().mono;
    // One at a time: what follows the greeting are data.
    let mut batch = Batch::new(1, length.max(64));
    send(&mut batch, socket, &HELLO)?;
    let mut again = AGAIN.into_iter();
    let mut next = again.next().map(|after| began + after);
    loop {
        if has_come(&mut batch, socket)? {
            return Ok(());
        }
        // A server that goes on has heard all greetings; only its own was lost. What else it says is why it does not.
        let what = "the server's greeting over UDP";
        match control.peek(what)? {
            Some(byte) if byte == State::TestStart.byte() => return Ok(()),
            Some(_) => {
                let said = control.heard(what, Some(stop), began + PATIENCE)?;
                return Err(Refusal::unexpected(format_args!("the far side says {said:?}"), what).into());
            }
            None => {}
        }
        let now = clock::now().mono;
        if stop.is_set() {
            return Err(Broken::Stopped);
        }
        if now >= began + PATIENCE {
            return Err(Broken::Late(what));
        }
        if next.is_some_and(|next| now >= next) {
            next = again.next().map(|after| began + after);
            send(&mut batch, socket, &repeated(length, now, began))?;
        }
        let until = next.unwrap_or(began + PATIENCE).saturating_duration_since(now);
        wait(&[socket.as_fd(), control.stream().as_fd()], Some(stop), Some(until))?;
    }
}

/// A greeting that is sent again is a whole datagram: a server that has accepted the first already reads it as one of the data,
/// and would read four octets as the beginning of the next.
fn repeated(length: usize, now: Instant, began: Instant) -> Vec<u8> {
    let mut datagram = vec![0; length.max(header(true))];
    datagram[..HELLO.len()].copy_from_slice(&HELLO);
    let sent_us = now.saturating_duration_since(began).as_micros() as u64;
    Header { sent_us, number: 0 }.write(true, &mut datagram);
    datagram
}

fn send(batch: &mut Batch, socket: &Socket, bytes: &[u8]) -> Result<(), Broken> {
    match batch.send(socket, &[Outgoing { bytes, ..Outgoing::default() }]) {
        // Nobody listens there yet, or a queue is full: there is another try.
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(()),
        sent => sent.map(|_| ()).map_err(Broken::from),
    }
}

/// Whether the server's greeting, or data that has overtaken it, has come.
fn has_come(batch: &mut Batch, socket: &Socket) -> Result<bool, Broken> {
    let received = match batch.receive(socket) {
        Ok(received) => received,
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => 0,
        Err(error) => return Err(error.into()),
    };
    let greeting = batch.get(0).filter(|_| received > 0);
    Ok(greeting.is_some_and(|(bytes, _, _)| is_welcome(bytes) || bytes.len() >= header(false)))
}
