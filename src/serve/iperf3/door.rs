//! Who comes in: connections are taken, their cookies read, and each is led to where it belongs.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::task::TaskTracker;

use super::end::End;
use super::registry::Known;
use super::session::Session;
use super::talk::Talk;
use super::waiting::Pass;
use super::{Listener, Shared, connection, greeter};
use crate::failure::{Class, Failure};
use crate::sys::clock;
use crate::wire::iperf3::{COOKIE, Code, Cookie, Refusal};

/// How long a cookie may take.
const FIRST: Duration = Duration::from_secs(5);
/// How long nothing is taken once the system has no descriptor or memory for it.
const SCARCE: Duration = Duration::from_millis(100);
/// How long the last words to clients may take at the end.
const LAST: Duration = Duration::from_secs(2);

/// Takes connections and greetings until no test shall go on.
pub(super) async fn serve(listener: Listener, shared: Arc<Shared>) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::from_io("iperf3", &error);
    let tests = TaskTracker::new();
    let order = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    for tcp in listener.tcp {
        let tcp = TcpListener::from_std(tcp).map_err(failed)?;
        tasks.spawn(accept(tcp, Arc::clone(&shared), tests.clone(), Arc::clone(&order)));
    }
    for udp in listener.udp {
        let registry = Arc::clone(&shared.registry);
        tasks.spawn(greeter::listen(udp, registry));
    }
    let ended = tokio::select! {
        () = shared.ended.cancelled() => Ok(()),
        Some(ended) = tasks.join_next() => Err(match ended {
            Ok(Err(error)) => failed(error),
            Ok(Ok(never)) => match never {},
            Err(_) => Class::Internal.because("a task of iperf3's server panicked"),
        }),
    };
    tasks.abort_all();
    tests.close();
    let _ = timeout(LAST, tests.wait()).await;
    ended
}

/// Takes connections for ever: what fails is one connection, or passes with time.
async fn accept(
    listener: TcpListener,
    shared: Arc<Shared>,
    tests: TaskTracker,
    order: Arc<AtomicU64>,
) -> io::Result<Infallible> {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
                let order = order.fetch_add(1, Ordering::Relaxed);
                // In the order of their arrival: tasks run in any, and the newest is not the one to make room.
                let pass = shared.waiting.enter(peer.ip());
                tests.spawn(come_in(stream, peer, order, pass, Arc::clone(&shared)));
            }
            Err(error) if is_one_connections(&error) => {}
            Err(error) => {
                tracing::debug!("iperf3: {error}");
                sleep(SCARCE).await;
            }
        }
    }
}

fn is_one_connections(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted)
}

/// Reads a connection's cookie, and holds the test or hands the connection to the one that it belongs to.
async fn come_in(mut stream: TcpStream, peer: SocketAddr, order: u64, pass: Pass, shared: Arc<Shared>) {
    connection::watch(&socket2::SockRef::from(&stream));
    let _ = stream.set_nodelay(true);
    let mut octets = [0; COOKIE];
    let shown = tokio::select! {
        shown = timeout(FIRST, cookie(&mut stream, &mut octets)) => shown.ok().flatten(),
        () = pass.displaced() => None,
        () = shared.ended.cancelled() => None,
    };
    let Some(cookie) = shown else {
        // Whoever connects may cause this: it is told once a minute of each, else only to who looks for it.
        let (peer, what) = (peer.ip(), stranger(&octets));
        match what.is_empty() || shared.denied.add(peer, clock::now().mono) > 1 {
            true => tracing::debug!("iperf3: {peer} has shown no cookie{what}"),
            false => tracing::info!("iperf3: {peer} has shown no cookie{what}"),
        }
        return;
    };
    if !shared.settings.admits(peer.ip()) {
        if shared.denied.add(peer.ip(), clock::now().mono) == 1 {
            tracing::warn!("iperf3: {} may not test: it is in no network that may", peer.ip());
        }
        let refused = Refusal::new(Code::AUTH, "this network may not test");
        drop(pass);
        return shared.part(Talk::new(stream), &End::from(refused).farewell()).await;
    }
    match shared.registry.look(cookie) {
        Known::New(ticket) => Session::new(shared, stream, peer, cookie, ticket).hold(pass).await,
        Known::Data(door) => {
            drop(pass);
            if let Err(refused) = door.try_send((order, stream)) {
                deny(refused.into_inner().1, &shared).await;
            }
        }
        Known::Other => {
            drop(pass);
            deny(stream, &shared).await;
        }
    }
}

/// The first that a client says. What does not end as every cookie does is another protocol's, and what begins as one of those
/// is not read to its end.
async fn cookie(stream: &mut TcpStream, octets: &mut [u8; COOKIE]) -> Option<Cookie> {
    let mut read = 0;
    while read < COOKIE && banner(octets).is_empty() {
        match stream.read(&mut octets[read..]).await.ok()? {
            0 => return None,
            more => read += more,
        }
    }
    (read == COOKIE && octets[COOKIE - 1] == 0).then_some(Cookie(*octets))
}

/// What a client seems to be that has begun otherwise.
fn stranger(octets: &[u8; COOKIE]) -> &'static str {
    // iperf2's payload, behind a header of 24 octets or more.
    let follows =
        |pair: &[u8]| pair.iter().all(u8::is_ascii_digit) && (pair[0] - b'0' + 1) % 10 == pair[1] - b'0';
    match octets[COOKIE - 8..].windows(2).all(follows) {
        true => "; it looks like iperf2",
        false => banner(octets),
    }
}

/// Which protocol begins so, if it is a known one.
fn banner(octets: &[u8; COOKIE]) -> &'static str {
    match octets {
        [0x16, 3, ..] => "; it speaks TLS",
        [b'S', b'S', b'H', b'-', ..] => "; it speaks SSH",
        [b'G', b'E', b'T', b' ', ..] | [b'P', b'O', b'S', b'T', ..] | [b'H', b'E', b'A', b'D', ..] => {
            "; it speaks HTTP"
        }
        _ => "",
    }
}

/// A connection that no test waits for.
async fn deny(stream: TcpStream, shared: &Shared) {
    shared.part(Talk::new(stream), &End::Busy.farewell()).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_are_called_by_what_they_speak() {
        let seems = |text: &[u8]| {
            let mut octets = [0; COOKIE];
            octets[..text.len()].copy_from_slice(text);
            stranger(&octets)
        };
        assert_eq!(seems(b"GET / HTTP/1.1\r\n"), "; it speaks HTTP");
        assert_eq!(seems(b"\x16\x03\x01"), "; it speaks TLS");
        assert_eq!(seems(b"SSH-2.0-x"), "; it speaks SSH");
        let iperf2 = [&[0; 24][..], b"4567890123456"].concat();
        assert_eq!(seems(&iperf2), "; it looks like iperf2");
        assert_eq!((seems(b""), seems(&[b'9'; COOKIE])), ("", ""));
    }
}
