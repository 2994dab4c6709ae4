//! The conversation of a test, on a thread of its own: cookie, parameters, streams, the transfer, results.

use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use socket2::{SockRef, TcpKeepalive};
use tokio_util::sync::CancellationToken;

use super::course::{Course, Lane};
use super::login::Credentials;
use super::streams::{self, Opened, Unopened};
use super::told::Told;
use super::trace::{Ends, Trace};
use super::{Bandwidth, KeepAlive, Report, Size};
use crate::failure::{Class, Failure};
use crate::net::bulk::{Broken, Budget, Control, Pace, Task, Test, Udp, Worker};
use crate::probe::{Event, Events};
use crate::sys::process::run_on;
use crate::sys::wait::{Stop, wait};
use crate::sys::{bulk, clock, random, tcp};
use crate::wire::iperf3::{Code, Cookie, Frame, Params, Results, State};

/// How long a server has to go one step further.
const STEP: Duration = Duration::from_secs(30);
/// A server may hold a test back until another one's flows are open.
const TURN: Duration = Duration::from_secs(90);
/// Where octets are counted, not time: how often somebody looks whether they are through.
const LOOK: Duration = Duration::from_millis(2);
/// How much later than its connections' end a server's word for it may come.
const WORD: Duration = Duration::from_secs(1);
/// Datagrams do not come any more: those that are missing are lost.
const SILENCE: Duration = Duration::from_secs(3);

/// Why there is no test.
#[derive(Debug)]
pub(super) struct Untested {
    /// What is told of it.
    pub(super) failure: Failure,
    /// What the server says, in iperf3's numbers.
    pub(super) said: Option<Code>,
}

impl Untested {
    /// The server has time for another test later.
    pub(super) fn is_busy(&self) -> bool {
        self.said == Some(Code::BUSY)
    }
}

impl From<Failure> for Untested {
    fn from(failure: Failure) -> Self {
        Self { failure, said: None }
    }
}

/// How the transfer ended.
enum End {
    /// As it should.
    Whole,
    /// Somebody here wanted it to end.
    Interrupted,
    /// What is to be sent does not leave any more.
    Stuck,
    /// The server, or the way there, ended it.
    Early(String),
}

/// A conversation.
struct Talk<'a> {
    asked: &'a Bandwidth,
    control: Control,
    events: &'a Events,
    stop: &'a Stop,
}

/// Tests by the server at the other end of `stream`, which is `peer`; who logs in has `credentials`.
pub(super) fn test(
    asked: &Bandwidth,
    stream: TcpStream,
    peer: SocketAddr,
    credentials: Option<&Credentials>,
    events: &Events,
    begun: &CancellationToken,
    stop: &Stop,
) -> Result<Report, Untested> {
    prepare(asked, &stream)?;
    let mss = tcp::info(stream.as_fd()).map_or(0, |info| info.payload);
    let mut talk = Talk { asked, control: Control::new(stream).map_err(system)?, events, stop };
    let cookie = cookie()?;
    let length = asked.length_over(mss);
    let opened = talk.open(&cookie, peer, length, credentials)?;
    let (buffers, congestion) = first(&opened);
    if let Some(text) =
        asked.window.zip(opened.first()).and_then(|(window, first)| cut(window.0, first, buffers))
    {
        events.tell(Event::Note { text });
    }
    let multipath =
        asked.mptcp && opened.iter().filter_map(|opened| opened.tcp.as_ref()).all(bulk::is_multipath);
    if asked.mptcp && !multipath {
        let text =
            "--mptcp: connections take one path; this system, the server or the way there does not have it";
        events.tell(Event::Note { text: text.to_owned() });
    }
    // Of several paths the kernel tells of the first alone.
    let known = |tcp: Option<TcpStream>| tcp.filter(|_| !multipath);
    let (sending, receiving) = (talk.shared(true, length)?, talk.shared(false, length)?);
    let mut workers = Vec::new();
    let mut lanes = Vec::new();
    let mut waiting = Vec::new();
    // Who receives is ready before anything is sent.
    for opened in opened {
        let ends = Ends { id: opened.id, local: opened.ends.0, peer: opened.ends.1, sends: opened.sends };
        let (task, test) = talk.task(&opened, length, if opened.sends { &sending } else { &receiving });
        match opened.sends {
            true => waiting.push((opened, ends, task, test)),
            false => {
                let start = || Worker::start(opened.stream, task, &test);
                let (lane, worker) = Lane::started(ends, known(opened.tcp), start).map_err(system)?;
                lanes.push(lane);
                workers.push(worker);
            }
        }
    }
    let running = talk.running();
    if let Err(broken) = running {
        receiving.stop.set();
        workers.into_iter().for_each(|worker| drop(worker.join()));
        return Err(failure(&broken, peer));
    }
    begun.cancel();
    let before = bulk::process_time();
    let began = clock::now();
    let mut senders = Vec::new();
    for (opened, ends, task, test) in waiting {
        let start = || Worker::start(opened.stream, task, &test);
        let (lane, worker) = Lane::started(ends, known(opened.tcp), start).map_err(system)?;
        senders.push(lane);
        workers.push(worker);
    }
    // In the order of their numbers, which is that of the server's results.
    lanes.splice(0..0, senders);
    let trace = Trace {
        at: began.timestamp(),
        cookie: cookie.shown(),
        peer,
        length,
        mss,
        buffers: (asked.window.map_or(0, |window| window.0), buffers.0 as u64, buffers.1 as u64),
        streams: lanes.iter().map(|lane| lane.ends).collect(),
        intervals: Vec::new(),
        totals: Vec::new(),
        cpu: [[0.0; 3]; 2],
        congestion: [None, None],
    };
    events.tell(Event::Streams { trace: Box::new(trace.clone()) });
    let mut course = Course::new(lanes, began.mono, asked, events.clone());
    let end = talk.transfer(&mut course, began.mono, &sending, &receiving);
    let stopped = clock::now();
    course.end(false);
    sending.stop.set();
    receiving.stop.set();
    // The streams stay open until the server knows that it is over: a port that is closed is an error to who sends to it.
    let (_open, ended): (Vec<_>, Vec<_>) = workers.into_iter().map(Worker::finish).unzip();
    let errors = ended.into_iter().filter_map(|ended| ended.err()).map(|error| error.to_string());
    let error = errors.into_iter().next();
    course.end(true);
    course.rest();
    let over = clock::now();
    if course.has_more(over.mono) {
        course.interval(over);
    }
    let after = bulk::process_time();
    let spans = [over.mono, stopped.mono].map(|end| end.saturating_duration_since(course.from()));
    let mut told = Told {
        asked: asked.clone(),
        trace,
        course,
        spans,
        processor: (after.0 - before.0, after.1 - before.1, over.mono - began.mono),
        congestion,
        multipath,
        results: None,
        ended: error,
    };
    match end {
        End::Whole => match talk.results(&told) {
            Ok(results) => told.results = Some(results),
            Err(broken) => told.ended = Some(format!("after the transfer: {broken}")),
        },
        End::Interrupted => {
            let _ = talk.control.say(State::ClientTerminate, soon(Duration::from_secs(1)));
            told.ended = Some("interrupted".to_owned());
        }
        End::Stuck => {
            let why = told.ended.take();
            told.ended = Some(why.map_or_else(
                || "the server takes no more".to_owned(),
                |why| format!("nothing more can be sent: {why}"),
            ));
        }
        End::Early(why) => told.ended = Some(why),
    }
    Ok(told.report())
}

impl Talk<'_> {
    /// Everything up to the streams.
    fn open(
        &mut self,
        cookie: &Cookie,
        peer: SocketAddr,
        length: u32,
        credentials: Option<&Credentials>,
    ) -> Result<Vec<Opened>, Untested> {
        let named = |broken: Broken| failure(&broken, peer);
        let control = &mut self.control;
        control.write(&cookie.0, soon(STEP)).map_err(named)?;
        let wants = "the server's question for parameters";
        control.expect(State::ParamExchange, wants, self.stop, soon(STEP)).map_err(named)?;
        let params = self.asked.params(length);
        let params = Params { token: credentials.map(Credentials::token).transpose()?, ..params };
        control.send(&params.to_json(), soon(STEP)).map_err(named)?;
        let wants = "the server's word to open streams";
        control.expect(State::CreateStreams, wants, self.stop, soon(TURN)).map_err(|broken| {
            let plain = failure(&broken, peer);
            match self.asked.login.hint(&broken) {
                Some((class, hint)) => {
                    let told = class.because(format_args!("{}; {hint}", plain.failure.detail));
                    Untested { failure: told, ..plain }
                }
                None => plain,
            }
        })?;
        match streams::open(self.asked, control, cookie, peer, length as usize, self.stop) {
            Ok(opened) => Ok(opened),
            // The server may have said why.
            Err(Unopened::Here(untaken)) => match control.glance("streams") {
                Err(broken @ (Broken::Refused(_) | Broken::Busy | Broken::Terminated)) => Err(named(broken)),
                // What is not of the way there: an option, which the system does not have.
                _ if untaken.option == "-C" => Err(Class::Usage
                    .because(format_args!(
                        "-C {}: no such congestion control here ({})",
                        self.asked.congestion.as_deref().unwrap_or_default(),
                        untaken.error
                    ))
                    .into()),
                _ if self.asked.mptcp && is_unknown(&untaken.error) => Err(Class::Usage
                    .because(format_args!("{} cannot be had with --mptcp: {}", untaken.option, untaken.error))
                    .into()),
                _ => Err(Failure::from_io(format_args!("{} {peer}", untaken.option), &untaken.error).into()),
            },
            Err(Unopened::Broken(broken)) => Err(named(broken)),
        }
    }

    /// The server has all streams, and the transfer begins.
    fn running(&mut self) -> Result<(), Broken> {
        self.control.expect(State::TestStart, "the start of the test", self.stop, soon(STEP))?;
        self.control.expect(State::TestRunning, "the start of the transfer", self.stop, soon(STEP))
    }

    /// What the streams of one direction share.
    fn shared(&self, sends: bool, length: u32) -> Result<Arc<Test>, Failure> {
        let octets = self.octets(length);
        // One of two directions is what counts, as with iperf3: what this host sends.
        let counts = sends != self.asked.reverse;
        let budget = octets.filter(|_| counts).map(Budget::new);
        let test = Test::new(clock::now().mono, budget).map_err(system)?;
        Ok(Arc::new(if self.asked.omit.0.is_zero() { test } else { test.omitting() }))
    }

    /// Octets after which it ends.
    fn octets(&self, length: u32) -> Option<u64> {
        let blocks = self.asked.blocks.map(|Size(blocks)| blocks.saturating_mul(length.into()));
        self.asked.bytes.map(|Size(bytes)| bytes).or(blocks)
    }

    fn task(&self, opened: &Opened, length: u32, test: &Arc<Test>) -> (Task, Arc<Test>) {
        let length = length as usize;
        let udp = Udp { is_wide: true, offload: opened.offload };
        let rate = self.asked.rate();
        let task = match opened.sends {
            true => Task::Send {
                length,
                pace: Pace { rate: rate.bps, burst: rate.burst },
                repeats: self.asked.repeating_payload,
                lends: !self.asked.tx_copy,
                udp,
            },
            false => Task::Receive {
                length,
                copies: self.asked.rx_copy,
                free_window: self.asked.window.is_none(),
                udp,
            },
        };
        (task, Arc::clone(test))
    }

    /// Lets the workers work until it is over.
    fn transfer(&mut self, course: &mut Course, began: Instant, sending: &Test, receiving: &Test) -> End {
        let asked = self.asked;
        let is_counted = sending.has_budget() || receiving.has_budget();
        let mut counts_from = (!asked.omit.0.is_zero()).then(|| began + asked.omit.0);
        let end = (!is_counted && !asked.time.0.is_zero()).then(|| began + asked.omit.0 + asked.time.0);
        let interval = Some(asked.interval.0).filter(|interval| !interval.is_zero());
        let mut next_interval = interval.map(|interval| began + interval);
        let mut heard = (0, began);
        loop {
            let now = clock::now();
            if let Some(from) = counts_from.filter(|&from| now.mono >= from) {
                counts_from = None;
                if !course.is_told(now.mono) {
                    course.interval(now);
                }
                course.begin_anew(now.mono);
                sending.begin_anew();
                receiving.begin_anew();
                next_interval = interval.map(|interval| from + interval);
                continue;
            }
            if now.mono >= course.next_bin() {
                course.bin(now.mono);
            }
            if let (Some(next), Some(interval)) = (next_interval, interval)
                && now.mono >= next
                // The last one ends with the test.
                && end.is_none_or(|end| end > next + interval / 10)
            {
                course.interval(now);
                next_interval = Some(next + interval);
            }
            if self.stop.is_set() {
                return End::Interrupted;
            }
            if end.is_some_and(|end| now.mono >= end) {
                return End::Whole;
            }
            match self.is_through(course, now.mono, receiving, &mut heard) {
                Some(End::Stuck) => return self.stuck(),
                Some(end) => return end,
                None => {}
            }
            let look = if is_counted { LOOK } else { Duration::MAX };
            let due = [Some(course.next_bin()), next_interval, end, counts_from].into_iter().flatten().min();
            let time = due.map_or(look, |due| due.saturating_duration_since(now.mono)).min(look);
            let woken = wait(&[self.control.stream().as_fd()], Some(self.stop), Some(time));
            match woken {
                Ok(woken) if woken.readable & 1 == 1 || woken.errors & 1 == 1 => {}
                Ok(_) => continue,
                Err(error) => return End::Early(error.to_string()),
            }
            match self.control.glance("the end of the test") {
                Ok(None) => {}
                Ok(Some(state)) => {
                    return End::Early(format!("the server says {state:?} in the middle of the test"));
                }
                Err(broken) => return End::Early(broken.to_string()),
            }
        }
    }

    /// Nothing leaves any more: of connections because the server has ended them, which says so, or closes, at about the same time.
    fn stuck(&mut self) -> End {
        if self.asked.udp {
            return End::Stuck;
        }
        match self.control.heard("the end of the test", Some(self.stop), soon(WORD)) {
            Ok(_) | Err(Broken::Late(_) | Broken::Stopped) => End::Stuck,
            Err(broken) => End::Early(broken.to_string()),
        }
    }

    /// Whether what was to be moved is moved, or nothing comes any more.
    fn is_through(
        &self,
        course: &Course,
        now: Instant,
        receiving: &Test,
        heard: &mut (u64, Instant),
    ) -> Option<End> {
        let of = |sends: bool| course.lanes.iter().filter(move |lane| lane.ends.sends == sends);
        if of(true).count() > 0 && of(true).all(|lane| lane.gauge.is_at_rest()) {
            let is_over = self.asked.bytes.is_some() || self.asked.blocks.is_some();
            return Some(if is_over { End::Whole } else { End::Stuck });
        }
        // A connection may still wait for what it has taken out of the budget; datagrams are counted as they come.
        let all_rest = || of(false).all(|lane| lane.gauge.is_at_rest());
        if receiving.budget().is_some_and(|budget| budget.is_spent() && (self.asked.udp || all_rest())) {
            return Some(End::Whole);
        }
        let octets: u64 = of(false).map(|lane| lane.gauge.read().octets).sum();
        if octets > heard.0 {
            *heard = (octets, now);
        }
        if of(false).count() == 0 {
            return None;
        }
        let silent = now.saturating_duration_since(heard.1);
        if receiving.budget().is_some() && self.asked.udp && octets > 0 && silent >= SILENCE {
            let text = "nothing came for 3 s: what is missing is lost";
            self.events.tell(Event::Note { text: text.to_owned() });
            return Some(End::Whole);
        }
        if all_rest() {
            return Some(End::Early("the server sends no more".to_owned()));
        }
        let patience = self.asked.rcv_timeout.0;
        (silent >= patience).then(|| End::Early(format!("nothing came for {}", self.asked.rcv_timeout)))
    }

    /// Both ends tell what they have seen.
    fn results(&mut self, told: &Told) -> Result<Results, Broken> {
        self.control.say(State::TestEnd, soon(STEP))?;
        self.control.expect(
            State::ExchangeResults,
            "the server's question for results",
            self.stop,
            soon(STEP),
        )?;
        self.control.send(&told.ours().to_json(), soon(STEP))?;
        let frame =
            self.control.frame(Frame::ServerResults, "the server's results", self.stop, soon(STEP))?;
        let results = Results::parse(&frame)?.of_streams(told.course.lanes.len())?;
        // It has told everything: what fails from here on changes nothing.
        if self.control.expect(State::DisplayResults, "the end", self.stop, soon(STEP)).is_ok() {
            let _ = self.control.say(State::Done, soon(STEP));
        }
        Ok(results)
    }
}

/// What is asked of this thread, and of the control connection.
fn prepare(asked: &Bandwidth, stream: &TcpStream) -> Result<(), Failure> {
    if let Some(affinity) = asked.affinity {
        run_on(affinity.local.into())
            .map_err(|error| Failure::from_io(format_args!("-A {}", affinity.local), &error))?;
    }
    let KeepAlive { idle, interval, count } = asked.cntl_ka;
    let keepalive = TcpKeepalive::new().with_time(idle).with_interval(interval).with_retries(count);
    let socket = SockRef::from(stream);
    // What is said last arrives: no reset overtakes it.
    socket.set_linger(None).map_err(system)?;
    socket.set_tcp_keepalive(&keepalive).map_err(system)?;
    socket.set_tcp_user_timeout(asked.snd_timeout.map(|span| span.0)).map_err(system)
}

/// The buffers and the congestion control of the first connection.
fn first(opened: &[Opened]) -> ((usize, usize), Option<String>) {
    let Some(first) = opened.first() else { return ((0, 0), None) };
    let buffers = match &first.stream {
        crate::net::bulk::Stream::Tcp(stream) => bulk::buffers(stream),
        crate::net::bulk::Stream::Udp(socket) => bulk::buffers(socket),
    };
    (buffers.unwrap_or_default(), first.tcp.as_ref().and_then(bulk::congestion))
}

/// That the system gives less than a window of `asked` octets for the stream `first`, whose `buffers` these are.
fn cut(asked: u64, first: &Opened, (send, receive): (usize, usize)) -> Option<String> {
    let given = bulk::usable(match (&first.tcp, first.sends) {
        (Some(_), _) => send.min(receive),
        (None, true) => send,
        (None, false) => receive,
    });
    (0 < given && (given as u64) < asked).then(|| {
        format!(
            "-w: the system gives {given} octets of the {asked} (sysctl net.core.wmem_max, net.core.rmem_max)"
        )
    })
}

/// Whether an option is one that such a socket does not have.
fn is_unknown(error: &std::io::Error) -> bool {
    matches!(error.raw_os_error(), Some(nix::libc::ENOPROTOOPT | nix::libc::EOPNOTSUPP))
}

fn cookie() -> Result<Cookie, Failure> {
    let mut octets = [0; 36];
    let drawn = || random::octets().map_err(|error| Failure::from_io("read random octets", &error));
    octets[..32].copy_from_slice(&drawn()?);
    octets[32..].copy_from_slice(&drawn()?[..4]);
    Ok(Cookie::new(octets))
}

fn soon(time: Duration) -> Instant {
    clock::now().mono + time
}

fn system(error: std::io::Error) -> Failure {
    Failure::from_io("prepare the test", &error)
}

/// Why there is no test.
fn failure(broken: &Broken, peer: SocketAddr) -> Untested {
    let said = match broken {
        Broken::Busy => Some(Code::BUSY),
        Broken::Refused(code) => Some(*code),
        _ => None,
    };
    let class = match broken {
        Broken::Late(_) => Class::Timeout,
        Broken::Refused(Code::AUTH) => Class::Auth,
        Broken::Busy | Broken::Refused(_) | Broken::Terminated => Class::Refused,
        Broken::Closed(_) | Broken::Nonsense(_) => Class::Protocol,
        Broken::Stopped => return Class::Cancelled.because("interrupted before the transfer").into(),
        Broken::System(error) => return Failure::from_io(format_args!("talk to {peer}"), error).into(),
    };
    Untested { failure: class.because(format_args!("test with {peer}: {broken}")), said }
}
