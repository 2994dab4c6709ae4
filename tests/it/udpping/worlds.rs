//! The same claims in two worlds: the engine in the seeded simulator's virtual time, and the whole probe on sockets.
//!
//! In both the far side is the product's own reflector behind a [`Mischief`], which loses, repeats and holds back
//! datagrams by their number, so that the truth is known exactly.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use waddleperf::net::engine::Draft;
use waddleperf::net::sim::{Answer, Sim};
use waddleperf::net::{Policy, Resolver};
use waddleperf::probe::udpping::{Protocol, Report, UdpPing};
use waddleperf::probe::{self, Agent, Ctx, Events, Findings, Outcome, Probe, Target};
use waddleperf::serve::reflector::{Reflector, Request, Service, UdpPingSettings};
use waddleperf::sys::clock;
use waddleperf::units::{Now, Span};
use waddleperf::wire::stamp::ErrorEstimate;

/// What happens to the n-th probe packet and to its reply, on top of the reflector. Control packets pass.
#[derive(Clone, Copy, Debug, Default)]
struct Mischief {
    /// Every so-manieth request does not reach the reflector.
    lose_up: usize,
    /// Every so-manieth request reaches it, but its reply is lost.
    lose_down: usize,
    /// Every so-manieth request reaches the reflector twice.
    twice_up: usize,
    /// Every so-manieth reply is held back until after the next one.
    hold_down: usize,
}

impl Mischief {
    fn hits(every: usize, n: usize) -> bool {
        every > 0 && n % every == every - 1
    }
}

/// The product's reflector, its limits lifted, behind a mischief.
struct Far {
    reflector: Reflector,
    service: Service,
    mischief: Mischief,
    probes: usize,
    held: Option<Vec<u8>>,
}

impl Far {
    fn new(protocol: Protocol, mischief: Mischief, psk: Option<&[u8]>, now: Now) -> Self {
        let unlimited = 1_000_000;
        let settings = UdpPingSettings {
            rate_per_source: unlimited,
            rate_total: unlimited,
            rate_per_key: unlimited,
            legacy: true,
            ..UdpPingSettings::default()
        };
        let reflector = Reflector::new(&settings, psk, vec![2000], now);
        let service = match protocol {
            Protocol::Wp1 | Protocol::Echo => Service::UdpPing,
            Protocol::Stamp | Protocol::Twamp => Service::Stamp,
        };
        Self { reflector, service, mischief, probes: 0, held: None }
    }

    /// All answers to one datagram.
    fn answers(&mut self, now: Now, from: SocketAddr, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut answer = || {
            let request = Request {
                service: self.service,
                bytes,
                from,
                stamp: Some(now.wall),
                ttl: Some(64),
                tos: Some(0),
            };
            let mut out = Vec::new();
            let answered = self.reflector.answer(&|| now, &request, &mut out).is_ok();
            assert!(out.len() <= bytes.len(), "no answer is longer than its request");
            answered.then_some(out)
        };
        let is_control = bytes.starts_with(&[0x57, 0x50, 1]) && bytes[3] != 3;
        if is_control {
            return answer().into_iter().collect();
        }
        let (n, mischief) = (self.probes, self.mischief);
        self.probes += 1;
        if Mischief::hits(mischief.lose_up, n) {
            return Vec::new();
        }
        let mut answers: Vec<Vec<u8>> = answer().into_iter().collect();
        if Mischief::hits(mischief.twice_up, n) {
            answers.extend(answer());
        }
        if Mischief::hits(mischief.lose_down, n) {
            answers.clear();
        }
        if Mischief::hits(mischief.hold_down, n) {
            self.held = answers.pop();
        } else {
            answers.extend(self.held.take());
        }
        answers
    }
}

fn probe(protocol: Protocol) -> UdpPing {
    UdpPing {
        target: Target::from("127.0.0.1"),
        protocol,
        count: 100,
        interval: Span::millis(2),
        timeout: Span::millis(400),
        size: 128,
        catch_up: true,
        ..UdpPing::default()
    }
}

fn answers(datagrams: Vec<Vec<u8>>) -> Vec<Answer> {
    datagrams.into_iter().map(Answer::from).collect()
}

fn in_virtual_time(probe: &UdpPing, mischief: Mischief, psk: Option<&[u8]>) -> Report {
    let now = clock::now();
    let mut far = Far::new(probe.protocol, mischief, psk, now);
    let mut engine = probe.engine(psk.map(<[u8]>::to_vec), ErrorEstimate::default(), 7, Events::none());
    let mut sim = Sim::new(now, 1);
    (sim.up.delay, sim.down.delay) = (Duration::from_millis(10), Duration::from_millis(30));
    sim.offset = 5_000_000_000;
    let from: SocketAddr = "127.0.0.1:40000".parse().expect("an address");
    let mut answered = |now, draft: &Draft| answers(far.answers(now, from, &draft.bytes));
    let done = sim.run(&mut engine, &mut answered, Duration::from_secs(60));
    assert!(done, "the engine ends by itself");
    engine.finish(false, ErrorEstimate::default(), false).expect("a report")
}

/// Serves one client on loopback until dropped.
struct Served {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Served {
    fn start(protocol: Protocol, mischief: Mischief, psk: Option<&'static [u8]>) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        socket.set_read_timeout(Some(Duration::from_millis(20))).expect("a timeout");
        let address = socket.local_addr().expect("an address");
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut far = Far::new(protocol, mischief, psk, clock::now());
            let mut buffer = [0; 2048];
            while !stopped.load(Ordering::Relaxed) {
                let Ok((length, from)) = socket.recv_from(&mut buffer) else {
                    continue;
                };
                for answer in far.answers(clock::now(), from, &buffer[..length]) {
                    socket.send_to(&answer, from).expect("loopback takes it");
                }
            }
        });
        Self { address, stop, thread: Some(thread) }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().map(std::thread::JoinHandle::join);
    }
}

fn ctx() -> Ctx {
    let agent = Agent { id: uuid::Uuid::nil(), host: "test".into(), version: "0".into() };
    Ctx::new(Arc::new(agent), Arc::new(Policy::Operator), Resolver::default())
}

fn run(probe: UdpPing) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(Probe::UdpPing(probe).run(&ctx())).outcome
}

fn on_sockets(probe: &UdpPing, mischief: Mischief, psk: Option<&'static [u8]>) -> Report {
    let served = Served::start(probe.protocol, mischief, psk);
    let key = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(key.path(), psk.unwrap_or_default()).expect("written");
    let key_file = psk.map(|_| key.path().to_owned());
    match run(UdpPing { port: Some(served.address.port()), key_file, ..probe.clone() }) {
        Outcome::Report(probe::Report::UdpPing(report)) => *report,
        other => panic!("no report: {other:?}"),
    }
}

/// Runs one case in both worlds and checks the same claims.
fn check(protocol: Protocol, mischief: Mischief, psk: Option<&'static [u8]>, claims: impl Fn(&Report)) {
    let probe = probe(protocol);
    claims(&in_virtual_time(&probe, mischief, psk));
    claims(&on_sockets(&probe, mischief, psk));
}

const EVERY_PROTOCOL: [Protocol; 4] = [Protocol::Wp1, Protocol::Stamp, Protocol::Twamp, Protocol::Echo];

#[test]
fn a_clean_path_loses_and_repeats_nothing() {
    for protocol in EVERY_PROTOCOL {
        check(protocol, Mischief::default(), None, |report| {
            let counts = report.counts;
            assert_eq!((counts.sent, counts.received), (100 - counts.skipped, counts.sent), "{protocol:?}");
            assert_eq!((counts.duplicates, counts.reordered, counts.late), (0, 0, 0), "{protocol:?}");
            assert_eq!(report.loss_ratio, Some(0.0), "{protocol:?}");
        });
    }
}

#[test]
fn loss_is_told_by_direction_where_the_reflector_counts() {
    for protocol in [Protocol::Wp1, Protocol::Stamp] {
        for (lose_up, lose_down) in [(10, 0), (0, 10), (5, 7), (7, 5)] {
            let mischief = Mischief { lose_up, lose_down, ..Mischief::default() };
            check(protocol, mischief, None, |report| {
                let sent = report.counts.sent as usize;
                let up = (0..sent).filter(|&n| Mischief::hits(lose_up, n)).count() as u64;
                let down = (0..sent)
                    .filter(|&n| Mischief::hits(lose_down, n) && !Mischief::hits(lose_up, n))
                    .count() as u64;
                let unknown = report.lost_unknown;
                assert_eq!(report.counts.received + up + down, report.counts.sent, "{protocol:?}");
                assert_eq!(
                    report.up.lost.map(|lost| lost + unknown >= up && lost <= up),
                    Some(true),
                    "{report:?}"
                );
                if protocol == Protocol::Wp1 {
                    assert_eq!((report.up.lost, report.down.lost, unknown), (Some(up), Some(down), 0));
                }
            });
        }
    }
}

#[test]
fn nothing_tells_the_direction_of_loss_at_a_plain_echo() {
    check(Protocol::Echo, Mischief { lose_up: 10, ..Mischief::default() }, None, |report| {
        assert_eq!((report.up.lost, report.up.loss_ratio, report.down.loss_ratio), (None, None, None));
        assert_eq!(report.lost_unknown, report.counts.sent - report.counts.received);
    });
}

#[test]
fn duplicates_and_reordering_are_counted_where_they_happen() {
    let mischief = Mischief { twice_up: 10, hold_down: 7, ..Mischief::default() };
    check(Protocol::Wp1, mischief, None, |report| {
        assert_eq!(report.loss_ratio, Some(0.0));
        assert_eq!(report.up.duplicates, Some(report.counts.sent / 10));
        assert_eq!(report.counts.duplicates, report.counts.sent / 10);
        assert!(report.counts.reordered > 0, "{:?}", report.counts);
        assert_eq!(report.up.reordered, Some(0));
    });
}

#[test]
fn a_shared_key_opens_what_another_does_not() {
    for protocol in [Protocol::Wp1, Protocol::Stamp] {
        check(protocol, Mischief::default(), Some(b"a key"), |report| {
            assert_eq!(report.counts.received, report.counts.sent, "{protocol:?}");
        });
    }
    let served = Served::start(Protocol::Stamp, Mischief::default(), Some(b"a key"));
    let other = UdpPing { port: Some(served.address.port()), count: 3, ..probe(Protocol::Stamp) };
    let Outcome::Report(report) = run(other) else { panic!("silence is a result") };
    assert!(!report.replied());
}

#[test]
fn the_simulators_delay_is_the_round_trip_exactly() {
    let report = in_virtual_time(&probe(Protocol::Wp1), Mischief::default(), None);
    let rtt = report.rtt.expect("replies");
    assert_eq!((rtt.min, rtt.max), (Duration::from_millis(40), Duration::from_millis(40)));
    assert_eq!((rtt.jitter, rtt.ipdv), (Some(Duration::ZERO), Some(Duration::ZERO)));
    // Half of the asymmetry is in the offset, as with any two-way exchange.
    assert_eq!(report.clock_offset_ms, Some(5_000.0 - 10.0));
    assert_eq!((report.up.delay, report.clock_error_ms), (None, None), "nothing bounds the clocks' error");
}

#[test]
fn equal_seeds_make_equal_reports() {
    let run = || {
        let now = Now { wall: 1_700_000_000_000_000_000, ..clock::now() };
        let mut far = Far::new(Protocol::Stamp, Mischief::default(), None, now);
        let mut engine = probe(Protocol::Stamp).engine(None, ErrorEstimate::default(), 7, Events::none());
        let mut sim = Sim::new(now, 42);
        (sim.up.loss, sim.up.jitter, sim.down.duplicate) = (0.1, Duration::from_millis(9), 0.2);
        let from: SocketAddr = "192.0.2.1:40000".parse().expect("an address");
        let mut answer = |now, draft: &Draft| answers(far.answers(now, from, &draft.bytes));
        assert!(sim.run(&mut engine, &mut answer, Duration::from_secs(60)));
        let report = engine.finish(false, ErrorEstimate::default(), false).expect("a report");
        assert_eq!(report.counts.sent - report.counts.received, sim.truth_up.lost);
        assert_eq!(report.counts.duplicates, sim.truth_down.duplicated);
        report
    };
    assert_eq!(run(), run());
}

#[test]
fn a_closed_port_is_refused_at_once() {
    const TIMEOUT: Duration = Duration::from_secs(5);
    let closed = UdpSocket::bind("127.0.0.1:0").expect("a socket").local_addr().expect("an address").port();
    for protocol in EVERY_PROTOCOL {
        let start = clock::now().mono;
        let timeout = Span(TIMEOUT);
        let outcome = run(UdpPing { port: Some(closed), timeout, ..probe(protocol) });
        let Outcome::Failure(failure) = outcome else { panic!("{protocol:?}: {outcome:?}") };
        assert_eq!(failure.class, waddleperf::failure::Class::Refused, "{failure}");
        // It is not waited for as long as for an answer.
        assert!(clock::now().mono - start < TIMEOUT, "{protocol:?}");
    }
}
