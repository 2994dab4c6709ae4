//! Who comes in: connections are taken, their cookies read, and each is led to where it belongs.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
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
use super::{Listener, Shared, connection, greeter};
use crate::failure::{Class, Failure};
use crate::wire::iperf3::{COOKIE, Cookie};

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
                tests.spawn(come_in(stream, peer, order, Arc::clone(&shared)));
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
async fn come_in(mut stream: TcpStream, peer: SocketAddr, order: u64, shared: Arc<Shared>) {
    let pass = shared.waiting.enter(peer.ip());
    connection::watch(&socket2::SockRef::from(&stream));
    let _ = stream.set_nodelay(true);
    let shown = tokio::select! {
        shown = timeout(FIRST, cookie(&mut stream)) => shown.ok().flatten(),
        () = pass.displaced() => None,
        () = shared.ended.cancelled() => None,
    };
    let Some(cookie) = shown else {
        return unknown(peer.ip());
    };
    match shared.registry.look(cookie) {
        Known::New(ticket) => Session::new(shared, stream, peer, ticket).hold(pass).await,
        Known::Data(door) => {
            drop(pass);
            if let Err(refused) = door.try_send((order, stream)) {
                deny(refused.into_inner().1).await;
            }
        }
        Known::Other => deny(stream).await,
    }
}

/// The first that a client says. What does not end as every cookie does is another protocol's.
async fn cookie(stream: &mut TcpStream) -> Option<Cookie> {
    let mut octets = [0; COOKIE];
    stream.read_exact(&mut octets).await.ok()?;
    (octets[COOKIE - 1] == 0).then_some(Cookie(octets))
}

fn unknown(source: IpAddr) {
    tracing::debug!("iperf3: {source} has shown no cookie");
}

/// A connection that no test waits for.
async fn deny(stream: TcpStream) {
    Talk::new(stream).leave(&End::Busy.farewell()).await;
}
