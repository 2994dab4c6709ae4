//! Bulk transfer: threads that fill or empty one TCP connection or one flow of UDP, and what they count meanwhile.
//!
//! A [`Worker`] moves octets on a thread of its own until its [`Test`] is over; its [`Gauge`] may be read at any time. Both ends
//! of iperf3's protocol, client and server, are made of them.

mod control;
mod gauge;
mod order;
mod pace;
mod payload;
mod tcp;
mod test;
mod udp;

pub use control::{Broken, Control};
pub use gauge::{Gauge, Reading};
pub use pace::Pace;
pub use test::{Budget, Test};
pub use udp::{Udp, prepare, queue};

use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::sys::datagram::Socket;

/// How long a worker may wait in the kernel before it looks whether its test is over.
const LOOK: Duration = Duration::from_millis(20);

/// What a worker moves octets through.
#[derive(Debug)]
pub enum Stream {
    /// A connection.
    Tcp(TcpStream),
    /// A connected socket.
    Udp(Socket),
}

/// Which way the octets go, and how.
#[derive(Clone, Debug)]
pub enum Task {
    /// Send.
    Send {
        /// Octets of a write or a datagram.
        length: usize,
        /// How fast.
        pace: Pace,
        /// The payload is a pattern, else random.
        repeats: bool,
        /// Connections take the payload's own pages instead of copies of them (splice(2)).
        lends: bool,
        /// How datagrams are made.
        udp: Udp,
    },
    /// Receive.
    Receive {
        /// Octets of a read or a datagram.
        length: usize,
        /// Copy what is read, as an application would, instead of having the kernel throw it away (of datagrams all but headers).
        copies: bool,
        /// The window is the system's business, not the user's: a read may ask for more of it.
        free_window: bool,
        /// How datagrams come.
        udp: Udp,
    },
}

/// A thread that moves octets.
pub struct Worker {
    gauge: Arc<Gauge>,
    thread: JoinHandle<(Stream, io::Result<()>)>,
}

impl Worker {
    /// Starts to move octets through `stream`.
    ///
    /// # Errors
    /// When the system gives no thread, or a socket does not take its options.
    pub fn start(stream: Stream, task: Task, test: &Arc<Test>) -> io::Result<Self> {
        let (gauge, test) = (Arc::new(Gauge::default()), Arc::clone(test));
        let seen = Arc::clone(&gauge);
        let all = move || {
            let done = work(&stream, task, &test, &seen);
            seen.rest();
            (stream, done)
        };
        let thread = std::thread::Builder::new().name("bulk".to_owned()).spawn(all)?;
        Ok(Self { gauge, thread })
    }

    /// What it has moved so far.
    pub fn gauge(&self) -> &Arc<Gauge> {
        &self.gauge
    }

    /// Whether it still runs.
    pub fn is_running(&self) -> bool {
        !self.thread.is_finished()
    }

    /// Waits for its end, which comes soon after that of its test.
    ///
    /// # Errors
    /// Why it ended before its test: what the system says of its socket. A connection that the far side has closed is none.
    pub fn join(self) -> io::Result<()> {
        self.finish().1
    }

    /// The same, and gives the stream back: a far side that still sends is told so before it is closed.
    pub fn finish(self) -> (Option<Stream>, io::Result<()>) {
        match self.thread.join() {
            Ok((stream, done)) => (Some(stream), done),
            Err(_) => (None, Err(io::Error::other("a thread that moves octets panicked"))),
        }
    }
}

/// Moves octets until `test` is over, or there are none.
fn work(stream: &Stream, task: Task, test: &Test, gauge: &Gauge) -> io::Result<()> {
    match (stream, task) {
        (Stream::Tcp(socket), Task::Send { length, pace, repeats, lends, .. }) => {
            tcp::send(socket, payload::octets(length, repeats)?, pace, lends, test, gauge)
        }
        (Stream::Tcp(socket), Task::Receive { length, copies, free_window, .. }) => {
            tcp::receive(socket, length, copies, free_window, test, gauge)
        }
        (Stream::Udp(socket), Task::Send { length, pace, repeats, udp, .. }) => {
            udp::send(socket, &payload::octets(length, repeats)?, pace, udp, test, gauge)
        }
        (Stream::Udp(socket), Task::Receive { length, copies, udp, .. }) => {
            udp::receive(socket, length, copies, udp, test, gauge)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::clock;
    use crate::sys::datagram::Setup;
    use std::net::TcpListener;

    fn tcp_pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
        let near = TcpStream::connect(listener.local_addr().expect("an address")).expect("a connection");
        (near, listener.accept().expect("a connection").0)
    }

    fn udp_pair() -> (Socket, Socket) {
        let bind =
            || Socket::bind("127.0.0.1:0".parse().expect("an address"), &Setup::default()).expect("a socket");
        let (near, far) = (bind(), bind());
        near.connect(far.local().expect("an address")).expect("connected");
        far.connect(near.local().expect("an address")).expect("connected");
        (near, far)
    }

    /// Moves `octets` through a pair of streams, and returns what each end says.
    fn moved(pair: (Stream, Stream), octets: u64, send: Task, receive: Task) -> (Reading, Reading) {
        let began = clock::now().mono;
        let test = |budget| Arc::new(Test::new(began, budget).expect("a test"));
        let (sending, receiving) = (test(Some(Budget::new(octets))), test(None));
        let receiver = Worker::start(pair.1, receive, &receiving).expect("a thread");
        let sender = Worker::start(pair.0, send, &sending).expect("a thread");
        let sent = Arc::clone(sender.gauge());
        sender.join().expect("all was sent");
        let got = Arc::clone(receiver.gauge());
        let patience = clock::now().mono + Duration::from_secs(10);
        while got.read().octets < octets && clock::now().mono < patience {
            crate::sys::wait::sleep(Duration::from_millis(1));
        }
        receiving.stop.set();
        receiver.join().expect("no error");
        assert!(sent.is_at_rest() && got.is_at_rest());
        (sent.read(), got.read())
    }

    #[test]
    fn every_octet_of_a_connection_is_counted_at_both_ends() {
        for (copies, lends) in [(false, false), (true, false), (false, true), (true, true)] {
            let (pace, udp) = (Pace::UNLIMITED, Udp::default());
            let send = Task::Send { length: 10_000, pace, repeats: false, lends, udp };
            let receive = Task::Receive { length: 10_000, copies, free_window: true, udp };
            let (near, far) = tcp_pair();
            let (sent, got) = moved((Stream::Tcp(near), Stream::Tcp(far)), 30_000_001, send, receive);
            let how = format!("copies: {copies}, lends: {lends}");
            assert_eq!((sent.octets, got.octets), (30_000_001, 30_000_001), "{how}");
            assert!(sent.units >= 3001 && !sent.processor.is_zero(), "{sent:?}");
        }
    }

    #[test]
    fn what_has_come_by_the_end_is_counted_though_nobody_has_read_it() {
        use std::io::Write;

        let (mut near, far) = tcp_pair();
        socket2::SockRef::from(&far).set_recv_buffer_size(4 << 20).expect("a buffer");
        let octets = vec![7; 4096];
        near.set_nonblocking(true).expect("no waiting");
        let mut sent = 0;
        // Until both queues are full.
        while let Ok(more) = near.write(&octets) {
            sent += more as u64;
        }
        let queued = crate::sys::bulk::queued(&far).expect("a number") as u64;
        // More than a read takes, where this system lets a buffer be as large.
        assert!(queued > 0 && queued <= sent, "{queued} of {sent}");
        let test = Arc::new(Test::new(clock::now().mono, None).expect("a test"));
        test.stop.set();
        let udp = Udp::default();
        let receive = Task::Receive { length: 10_000, copies: false, free_window: true, udp };
        let worker = Worker::start(Stream::Tcp(far), receive, &test).expect("a thread");
        let gauge = Arc::clone(worker.gauge());
        worker.join().expect("it ends well");
        let octets = gauge.read().octets;
        assert!((queued..=sent).contains(&octets), "{octets} of {queued}");
    }

    #[test]
    fn every_datagram_is_counted_at_both_ends() {
        // Datagrams that are cut and joined, that could be joined and are not, and that could not.
        for (is_wide, cuts, joins, copies) in [
            (false, false, false, true),
            (false, false, false, false),
            (true, false, false, true),
            (true, false, false, false),
            (true, true, true, false),
            (true, false, true, false),
            (true, false, true, true),
        ] {
            let (near, far) = udp_pair();
            assert!(!cuts || prepare(&near, 1000, true), "this kernel cuts");
            assert!(!joins || prepare(&far, 1000, false), "this kernel joins");
            let udp = Udp { is_wide, offload: cuts };
            let pace = Pace { rate: 200_000_000, burst: 1 };
            let send = Task::Send { length: 1000, pace, repeats: true, lends: false, udp };
            let how = format!("cuts: {cuts}, joins: {joins}, copies: {copies}");
            let udp = Udp { is_wide, offload: joins };
            let receive = Task::Receive { length: 1000, copies, free_window: true, udp };
            let (sent, got) = moved((Stream::Udp(near), Stream::Udp(far)), 4_000_000, send, receive);
            assert_eq!((sent.octets, sent.units), (4_000_000, 4000), "{how}");
            assert_eq!((got.octets, got.units, got.highest), (4_000_000, 4000, 4000), "{how}");
            assert_eq!((got.lost, got.disordered, got.overflow), (0, 0, 0), "{how}");
        }
    }

    #[test]
    fn a_flow_keeps_its_pace() {
        let (near, far) = udp_pair();
        let pace = Pace { rate: 8_000_000, burst: 1 };
        let send = Task::Send { length: 1000, pace, repeats: true, lends: false, udp: Udp::default() };
        let test = Arc::new(Test::new(clock::now().mono, None).expect("a test"));
        let sender = Worker::start(Stream::Udp(near), send, &test).expect("a thread");
        crate::sys::wait::sleep(Duration::from_millis(300));
        test.stop.set();
        let time = clock::now().mono - test.began;
        let sent = Arc::clone(sender.gauge());
        sender.join().expect("no error");
        drop(far);
        // A datagram a millisecond, and never more.
        let most = time.as_secs_f64() * 1e3 + 2.0;
        assert!((100.0..=most).contains(&(sent.read().units as f64)), "{:?} in {time:?}", sent.read());
    }
}
