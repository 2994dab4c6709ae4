//! TCP connections to whichever of a host's addresses answers first (Happy Eyeballs, RFC 8305), each attempt told.
//!
//! Here one attempt follows another after [`DELAY`] or a failure; whose addresses they are, and in which order a resolver
//! gave them, is its caller's business.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use nix::libc::{ECONNREFUSED, ECONNRESET, ETIMEDOUT};
use tokio::net::{TcpSocket, TcpStream};

use crate::failure::{Class, Failure};
use crate::sys::connect::{Attempt, Unreachable, Way};
use crate::sys::{clock, tcp};

/// How long an attempt is alone before the next begins ("Connection Attempt Delay", RFC 8305 §5).
pub const DELAY: Duration = Duration::from_millis(250);

/// A connection that stands.
#[derive(Debug)]
pub struct Connection {
    /// The connection.
    pub stream: TcpStream,
    /// The far end.
    pub peer: SocketAddr,
    /// When its first SYN went out.
    pub began: Instant,
    /// When it stood.
    pub stood: Instant,
    /// From SYN to SYN-ACK as the kernel measured it; `None` where the SYN was sent again (RFC 6298 §3).
    pub rtt: Option<Duration>,
    /// The SYN was lost and sent again.
    pub resent: bool,
}

/// Why there is no connection.
#[derive(Debug)]
pub enum Unmade {
    /// The far side said no (RST, RFC 9293 §3.5.2), after this time.
    Closed(Duration),
    /// Nothing came before the kernel, or the deadline, gave up.
    Silent,
    /// A router or the host's own network said that it cannot be.
    Icmp(Unreachable),
    /// This host did not try.
    NotTried(io::Error),
}

/// One attempt of a race, for those who want to see it.
#[derive(Debug)]
pub struct Attempted {
    /// Whom it was for.
    pub to: SocketAddr,
    /// When it began.
    pub began: Instant,
    /// When it ended; `None` where another one won first.
    pub ended: Option<Instant>,
    /// Why it failed; `None` where it won or was given up.
    pub why: Option<Unmade>,
}

impl Unmade {
    /// The failure of a run that needed the connection to `to`.
    pub fn failure(&self, to: SocketAddr) -> Failure {
        let (class, why) = match self {
            Self::Closed(_) => (Class::Refused, "connection refused (RST)".to_owned()),
            Self::Silent => (Class::Timeout, "no answer in time".to_owned()),
            Self::Icmp(Unreachable { kind, code, from }) => {
                let from = from.map(|from| format!(" from {from}")).unwrap_or_default();
                (Class::Unreachable, format!("ICMP type {kind} code {code}{from}"))
            }
            Self::NotTried(error) => return Failure::from_io(format_args!("connect to {to}"), error),
        };
        class.because(format_args!("connect to {to}: {why}"))
    }
}

/// Connects to `to`.
///
/// # Errors
/// Why that cannot be.
pub async fn connect(to: SocketAddr, way: &Way) -> Result<Connection, Unmade> {
    let attempt = Attempt::new(to.is_ipv6(), way).map_err(Unmade::NotTried)?;
    let socket = TcpSocket::from_std_stream(attempt.stream().map_err(Unmade::NotTried)?);
    let began = clock::now().mono;
    let connected = socket.connect(to).await;
    let stood = clock::now().mono;
    let time = stood.saturating_duration_since(began);
    let stream = connected.map_err(|error| unmade(&attempt, error, time))?;
    let info = tcp::info(stream.as_fd()).ok();
    let resent = info.is_some_and(|info| info.retransmits > 0);
    // A SYN that was sent again has no time of its own (RFC 6298 §3).
    let rtt = info.and_then(|info| info.rtt).filter(|rtt| !resent && *rtt <= time);
    Ok(Connection { stream, peer: to, began, stood, rtt, resent })
}

/// Why an attempt ended after `time`: connect(2) says "refused" of a RST and of an ICMP error alike, the error queue does
/// not.
fn unmade(attempt: &Attempt, error: io::Error, time: Duration) -> Unmade {
    if let Some(unreachable) = attempt.unreachable() {
        return Unmade::Icmp(unreachable);
    }
    match error.raw_os_error() {
        Some(ECONNREFUSED | ECONNRESET) => Unmade::Closed(time),
        Some(ETIMEDOUT) => Unmade::Silent,
        _ => Unmade::NotTried(error),
    }
}

/// `addresses` with their families in turn, the first one's first (RFC 8305 §4).
pub fn interleaved(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let Some(first) = addresses.first() else { return Vec::new() };
    let of_first = |address: &&SocketAddr| address.is_ipv6() == first.is_ipv6();
    let (mut these, mut those) =
        (addresses.iter().filter(of_first), addresses.iter().filter(|a| !of_first(a)));
    let mut out = Vec::with_capacity(addresses.len());
    while out.len() < addresses.len() {
        out.extend(these.next());
        out.extend(those.next());
    }
    out
}

/// Races `addresses` in their order: the first connection that stands, and how each attempt that was begun ended. Dropped
/// attempts end at once.
///
/// # Errors
/// The attempts, of which none came to a connection in time; their `why` says what came of each.
pub async fn race(
    addresses: &[SocketAddr],
    way: &Way,
    deadline: Instant,
) -> Result<(Connection, Vec<Attempted>), Vec<Attempted>> {
    let mut race = Race { way, running: Vec::new(), attempts: Vec::new() };
    let mut waiting = addresses.iter();
    let mut next = clock::now().mono;
    loop {
        let now = clock::now().mono;
        if race.running.is_empty() || now >= next {
            match waiting.next() {
                Some(to) => {
                    race.begin(*to, now);
                    next = if waiting.len() == 0 { deadline } else { now + DELAY };
                }
                None if race.running.is_empty() => return Err(race.attempts),
                None => next = deadline,
            }
        }
        tokio::select! {
            biased;
            (at, made) = race.next() => match race.end(at, made) {
                Some(connection) => return Ok((connection, race.attempts)),
                None => next = clock::now().mono,
            },
            () = tokio::time::sleep_until(next.min(deadline).into()) => {
                if clock::now().mono >= deadline {
                    return Err(race.out_of_time());
                }
            }
        }
    }
}

struct Race<'a> {
    way: &'a Way,
    /// In the task that waits for them: one of their own would wake another thread, while the connection's time runs.
    running: Vec<(usize, Running<'a>)>,
    attempts: Vec<Attempted>,
}

type Made = Result<Connection, Unmade>;
type Running<'a> = Pin<Box<dyn Future<Output = Made> + Send + 'a>>;

impl Race<'_> {
    fn begin(&mut self, to: SocketAddr, began: Instant) {
        self.running.push((self.attempts.len(), Box::pin(connect(to, self.way))));
        self.attempts.push(Attempted { to, began, ended: None, why: None });
    }

    /// The next attempt that ends.
    async fn next(&mut self) -> (usize, Made) {
        poll_fn(|cx| {
            for (place, (at, attempt)) in self.running.iter_mut().enumerate() {
                if let Poll::Ready(made) = attempt.as_mut().poll(cx) {
                    let at = *at;
                    drop(self.running.swap_remove(place));
                    return Poll::Ready((at, made));
                }
            }
            Poll::Pending
        })
        .await
    }

    fn end(&mut self, at: usize, made: Made) -> Option<Connection> {
        let attempt = self.attempts.get_mut(at)?;
        match made {
            Ok(connection) => {
                (attempt.began, attempt.ended) = (connection.began, Some(connection.stood));
                Some(connection)
            }
            Err(why) => {
                (attempt.ended, attempt.why) = (Some(clock::now().mono), Some(why));
                None
            }
        }
    }

    fn out_of_time(mut self) -> Vec<Attempted> {
        let now = clock::now().mono;
        for attempt in self.attempts.iter_mut().filter(|attempt| attempt.ended.is_none()) {
            (attempt.ended, attempt.why) = (Some(now), Some(Unmade::Silent));
        }
        self.attempts
    }
}

/// Of attempts that all failed, the failure that says most: what a host said, before silence.
pub fn failure(attempts: &[Attempted]) -> Option<Failure> {
    let told = attempts.iter().filter_map(|attempt| Some((attempt.to, attempt.why.as_ref()?)));
    let rank = |why: &Unmade| match why {
        Unmade::Closed(_) => 0,
        Unmade::Icmp(_) => 1,
        Unmade::Silent => 2,
        Unmade::NotTried(_) => 3,
    };
    told.min_by_key(|(_, why)| rank(why)).map(|(to, why)| why.failure(to))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};

    fn v4(last: u8, port: u16) -> SocketAddr {
        (Ipv4Addr::new(127, 0, 0, last), port).into()
    }

    fn soon() -> Instant {
        clock::now().mono + Duration::from_secs(20)
    }

    #[test]
    fn families_take_turns_and_none_is_lost() {
        let six = |last| SocketAddr::from((Ipv6Addr::new(0xfd, 0, 0, 0, 0, 0, 0, last), 1));
        let given = [six(1), six(2), six(3), v4(1, 1), v4(2, 1)];
        assert_eq!(interleaved(&given), [six(1), v4(1, 1), six(2), v4(2, 1), six(3)]);
        assert_eq!(interleaved(&[]), []);
    }

    #[tokio::test]
    async fn a_refusal_hands_over_at_once_and_is_told() {
        let open = TcpListener::bind("127.0.0.1:0").expect("a listener").local_addr();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
        let (closed, open) = (open.expect("an address"), listener.local_addr().expect("an address"));
        let (made, attempts) = race(&[closed, open], &Way::default(), soon()).await.expect("a connection");
        assert_eq!((made.peer, attempts.len()), (open, 2));
        assert!(matches!(attempts[0].why, Some(Unmade::Closed(_))) && attempts[1].why.is_none());
        assert!(attempts[1].began - attempts[0].began < DELAY, "no wait after a refusal");
        assert!(made.rtt.is_some_and(|rtt| rtt <= made.stood - made.began));
    }

    #[tokio::test]
    async fn of_nobody_the_most_telling_failure_is_named() {
        let closed = TcpListener::bind("127.0.0.1:0").expect("a listener").local_addr().expect("an address");
        let attempts = race(&[closed], &Way::default(), soon()).await.expect_err("closed");
        assert_eq!(failure(&attempts).map(|failure| failure.class), Some(Class::Refused));
        let over = clock::now().mono;
        assert!(race(&[], &Way::default(), over).await.expect_err("nobody").is_empty());
        assert_eq!(failure(&[]), None);
    }
}
