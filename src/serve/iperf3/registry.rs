//! Who is here: tests by their cookies, those that wait for flows of UDP by their addresses.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc};

use crate::wire::iperf3::Cookie;
use crate::wire::iperf3::datagram::{Header, is_hello};

/// Greetings that wait for their test.
const GREETINGS: usize = 64;

/// A data connection, and when it was taken: clients open them one after the other.
pub(super) type Arrival = (u64, TcpStream);

/// A datagram that may open a flow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hello {
    /// Who sent it.
    pub(super) from: SocketAddr,
    /// To which of our addresses.
    pub(super) to: SocketAddr,
}

/// Whether `bytes` may open a flow: a greeting, or a whole datagram with the number 0 of 64 bits, which is how our client
/// repeats it (a repeated greeting would be misread by stock servers).
pub(super) fn opens(bytes: &[u8]) -> bool {
    is_hello(bytes) || Header::read(true, bytes).is_some_and(|header| header.number == 0)
}

/// All that are here.
#[derive(Default)]
pub(super) struct Registry {
    tests: Mutex<Tests>,
    flows: Mutex<HashMap<IpAddr, Awaited>>,
    /// Somebody has all his flows.
    turn: Notify,
}

/// Flows that a test waits for.
struct Awaited {
    hellos: mpsc::Sender<Hello>,
    /// Its client may greet from another address than that of its control connection.
    from_anywhere: bool,
}

#[derive(Default)]
struct Tests {
    last: u64,
    all: Vec<Entry>,
}

struct Entry {
    id: u64,
    cookie: Cookie,
    /// Where its data connections go, while it waits for some.
    door: Option<mpsc::Sender<Arrival>>,
}

/// What a cookie says of a new connection.
pub(super) enum Known {
    /// It is the first of a new test.
    New(Ticket),
    /// It carries data of a test that waits for it.
    Data(mpsc::Sender<Arrival>),
    /// It belongs to a test that waits for no more.
    Other,
}

impl Registry {
    /// Looks a cookie up, and notes it if it is new.
    pub(super) fn look(self: &Arc<Self>, cookie: Cookie) -> Known {
        let mut tests = lock(&self.tests);
        // All of them, whichever it is: the time tells nothing.
        let mut found = None;
        for entry in &tests.all {
            if entry.cookie.is(&cookie) {
                found = Some(entry.door.clone());
            }
        }
        if let Some(door) = found {
            return door.map_or(Known::Other, Known::Data);
        }
        tests.last += 1;
        let id = tests.last;
        tests.all.push(Entry { id, cookie, door: None });
        Known::New(Ticket { registry: Arc::clone(self), id })
    }

    /// Waits until no other test of `source` waits for flows, and returns where its greetings come from then on. A test
    /// cannot be told from another by UDP but by this address. Where a translator may have given the client another one for UDP
    /// (`from_anywhere`), it is also who greets from an address that no test has, if no other such test waits.
    pub(super) async fn flows_of(
        self: &Arc<Self>,
        source: IpAddr,
        from_anywhere: bool,
    ) -> (Turn, mpsc::Receiver<Hello>) {
        loop {
            let freed = self.turn.notified();
            if let Some(hellos) = self.try_flows_of(source, from_anywhere) {
                return (Turn { registry: Arc::clone(self), source }, hellos);
            }
            freed.await;
        }
    }

    fn try_flows_of(&self, source: IpAddr, from_anywhere: bool) -> Option<mpsc::Receiver<Hello>> {
        let mut flows = lock(&self.flows);
        if flows.contains_key(&source) {
            return None;
        }
        let (sender, receiver) = mpsc::channel(GREETINGS);
        flows.insert(source, Awaited { hellos: sender, from_anywhere });
        Some(receiver)
    }

    /// A greeting has come: it goes to who waits for it, else nowhere.
    pub(super) fn greet(&self, hello: Hello) {
        let flows = lock(&self.flows);
        let mut others = flows.values().filter(|awaited| awaited.from_anywhere);
        let only = others.next().filter(|_| others.next().is_none());
        if let Some(test) = flows.get(&hello.from.ip()).or(only) {
            let _ = test.hellos.try_send(hello);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A test's place among the cookies, until it is dropped.
pub(super) struct Ticket {
    registry: Arc<Registry>,
    id: u64,
}

impl Ticket {
    /// Lets data connections in, at most `count` that wait.
    pub(super) fn open(&self, count: usize) -> mpsc::Receiver<Arrival> {
        let (door, arrivals) = mpsc::channel(count);
        self.set(Some(door));
        arrivals
    }

    /// Lets none in any more.
    pub(super) fn close(&self) {
        self.set(None);
    }

    fn set(&self, door: Option<mpsc::Sender<Arrival>>) {
        let mut tests = lock(&self.registry.tests);
        if let Some(entry) = tests.all.iter_mut().find(|entry| entry.id == self.id) {
            entry.door = door;
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        lock(&self.registry.tests).all.retain(|entry| entry.id != self.id);
    }
}

/// A test's turn to be greeted by its source, until it is dropped.
pub(super) struct Turn {
    registry: Arc<Registry>,
    source: IpAddr,
}

impl Drop for Turn {
    fn drop(&mut self) {
        lock(&self.registry.flows).remove(&self.source);
        self.registry.turn.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookie(octet: u8) -> Cookie {
        Cookie::new([octet; 36])
    }

    #[test]
    fn a_cookie_is_new_then_known_then_forgotten() {
        let registry = Arc::new(Registry::default());
        let Known::New(ticket) = registry.look(cookie(1)) else { panic!("it is new") };
        assert!(matches!(registry.look(cookie(1)), Known::Other), "it waits for no data");
        let arrivals = ticket.open(2);
        assert!(matches!(registry.look(cookie(1)), Known::Data(_)));
        assert!(matches!(registry.look(cookie(2)), Known::New(_)));
        ticket.close();
        assert!(matches!(registry.look(cookie(1)), Known::Other));
        drop((arrivals, ticket));
        assert!(matches!(registry.look(cookie(1)), Known::New(_)));
        assert!(lock(&registry.tests).all.is_empty());
    }

    #[tokio::test]
    async fn greetings_go_to_the_one_test_of_their_address() {
        let registry = Arc::new(Registry::default());
        let source: IpAddr = [192, 0, 2, 1].into();
        let hello = |from: IpAddr| Hello {
            from: SocketAddr::new(from, 7000),
            to: SocketAddr::new([192, 0, 2, 9].into(), 5201),
        };
        let (turn, mut hellos) = registry.flows_of(source, false).await;
        registry.greet(hello([192, 0, 2, 2].into()));
        registry.greet(hello(source));
        assert_eq!(hellos.try_recv().map(|hello| hello.from.ip()), Ok(source));
        assert!(hellos.try_recv().is_err());
        assert!(registry.try_flows_of(source, false).is_none(), "a second one waits");
        assert!(registry.try_flows_of([192, 0, 2, 2].into(), false).is_some());
        let second = registry.flows_of(source, false);
        let (second, ()) = tokio::join!(second, async { drop(turn) });
        drop(second);
        registry.greet(hello(source));
    }

    #[test]
    fn who_greets_from_elsewhere_belongs_to_the_one_test_that_allows_it() {
        let registry = Registry::default();
        let address = |last| IpAddr::from([192, 0, 2, last]);
        let greet = |last| {
            let to = SocketAddr::new(address(9), 5201);
            registry.greet(Hello { from: SocketAddr::new(address(last), 7000), to });
        };
        let mut strict = registry.try_flows_of(address(1), false).expect("nobody else waits");
        greet(5);
        let mut open = registry.try_flows_of(address(2), true).expect("nobody else waits");
        greet(5);
        greet(1);
        let from = |of: &mut mpsc::Receiver<Hello>| of.try_recv().ok().map(|hello| hello.from.ip());
        assert_eq!((from(&mut strict), from(&mut open)), (Some(address(1)), Some(address(5))));
        let mut another = registry.try_flows_of(address(3), true).expect("nobody else waits");
        greet(5);
        greet(3);
        assert_eq!([from(&mut strict), from(&mut open)], [None, None], "whose it is cannot be told");
        assert_eq!((from(&mut another), from(&mut another)), (Some(address(3)), None));
    }

    #[test]
    fn a_flow_is_opened_by_a_greeting_or_by_our_repeated_one() {
        assert!(opens(b"9876") && opens(b"6789") && !opens(b"98765") && !opens(b""));
        let mut datagram = [0xaa; 64];
        Header { sent_us: 1, number: 0 }.write(true, &mut datagram);
        assert!(opens(&datagram) && !opens(&datagram[..15]));
        for is_wide in [false, true] {
            Header { sent_us: 1, number: 7 }.write(is_wide, &mut datagram);
            assert!(!opens(&datagram), "data of a test that is over");
        }
    }
}
