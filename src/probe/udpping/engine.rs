//! The engine: opens, sends by the plan, matches replies, closes. No socket, no clock, no randomness of its own.

use std::time::{Duration, Instant};

use super::echo::Echo;
use super::plan::Plan;
use super::report::Report;
use super::stamp::StampSender;
use super::tally::{Arrived, Circumstances, FarCounts, FarTimes, FarTotals, Reply, Tally};
use crate::failure::{Class, Failure};
use crate::net::engine::{Arrival, Draft, Icmp, Next};
use crate::probe::pace::{Cadence, Due};
use crate::probe::session::{Heard, Session, Want};
use crate::probe::{Event, Events};
use crate::units::{Now, Span};
use crate::wire::stamp::ErrorEstimate;
use crate::wire::wp1::{ECHO_LEAST, Echoed, FLAG_TOS, Params};

/// Without any reply for this long (or the timeout, if longer) a WP1 session is opened again.
const SILENCE: Duration = Duration::from_secs(1);

/// How packets are written and read.
pub(super) enum Format {
    /// Our own session.
    Wp1(Session),
    /// STAMP or TWAMP Light.
    Stamp(Box<StampSender>),
    /// A verbatim echo.
    Echo(Echo),
}

/// One run of `udpping`.
pub struct Engine {
    plan: Plan,
    cadence: Cadence,
    format: Format,
    phase: Phase,
    tally: Tally,
    events: Events,
    /// Datagrams sent so far, of every sort: the driver numbers them alike.
    sends: u64,
    started: Option<Instant>,
    stopped: bool,
    failure: Option<Failure>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Opening,
    Running,
    Closing,
    Done,
}

impl Engine {
    pub(super) fn new(plan: Plan, format: Format, events: Events) -> Self {
        let phase = if matches!(format, Format::Wp1(_)) { Phase::Opening } else { Phase::Running };
        let tally = Tally::new(plan.timeout, events.clone());
        let cadence = Cadence::new(plan.pace.clone());
        Self {
            plan,
            cadence,
            format,
            phase,
            tally,
            events,
            sends: 0,
            started: None,
            stopped: false,
            failure: None,
        }
    }

    /// Tells one-way delays with each reply, where the clocks will allow them in the report; as for [`Self::finish`].
    pub fn tell_delays(&mut self, one_clock: bool, clock: ErrorEstimate, assume_synced: bool) {
        let bounded = clock.is_synchronised() && clock.bound_ns().is_some();
        self.tally.tell_delays(one_clock || assume_synced, bounded);
    }

    /// What was found; `one_clock` when both ends run on one kernel's clock, `clock` is our own clock's quality.
    ///
    /// # Errors
    /// Why nothing could be measured.
    pub fn finish(
        self,
        one_clock: bool,
        clock: ErrorEstimate,
        assume_synced: bool,
    ) -> Result<Report, Failure> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        if self.tally.next_seq() == 0 {
            return Err(Class::Cancelled.because("interrupted before anything was sent"));
        }
        Ok(self.tally.report(&Circumstances {
            payload: u16::try_from(self.plan.size).unwrap_or(u16::MAX),
            interval: self.plan.pace.interval,
            skipped: self.cadence.skipped,
            clock_error: clock.bound_ns().filter(|_| clock.is_synchronised()),
            one_clock,
            assume_synced,
        }))
    }

    /// `None`: the phase has changed, ask again.
    fn open(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<Next> {
        let Format::Wp1(session) = &mut self.format else {
            return self.turn(Phase::Running);
        };
        if self.stopped {
            return self.turn(Phase::Done);
        }
        match session.poll(now, out) {
            Want::Send => self.send(),
            Want::Wait(until) => Some(Next::Wait(until)),
            Want::Nothing => self.turn(Phase::Running),
            Want::GaveUp => {
                let hellos = session.hellos();
                let silence =
                    || Class::Timeout.because(format_args!("no answer to {hellos} hellos in 7.75 s"));
                self.failure = self.failure.take().or_else(|| Some(silence()));
                self.turn(Phase::Done)
            }
        }
    }

    fn run(&mut self, now: Now, out: &mut Vec<u8>) -> Option<Next> {
        self.started.get_or_insert(now.mono);
        self.tally.expire(now);
        if self.revive(now.mono, out) {
            return self.send();
        }
        let due = if self.stopped { Due::Never } else { self.cadence.take(now.mono) };
        match (due, self.tally.deadline()) {
            (Due::Now(late), _) => {
                self.write(now, out);
                self.tally.sent(self.sends, now, late);
                self.send()
            }
            (Due::At(due), deadline) => Some(Next::Wait(deadline.map_or(due, |deadline| deadline.min(due)))),
            (Due::Never, Some(deadline)) if !self.stopped => Some(Next::Wait(deadline)),
            (Due::Never, _) => {
                self.tally.interrupt();
                if let Format::Wp1(session) = &mut self.format {
                    session.close();
                }
                self.turn(Phase::Closing)
            }
        }
    }

    fn write(&mut self, now: Now, out: &mut Vec<u8>) {
        let (seq, size) = (self.tally.next_seq(), self.plan.size);
        match &mut self.format {
            Format::Wp1(session) => session.write_echo(seq as u32, now, size, out),
            Format::Stamp(sender) => sender.write(seq, now, size, out),
            Format::Echo(echo) => echo.write(seq, size, out),
        }
    }

    /// Opens a session that went silent again, beside the packets that go on. Returns whether there is a packet.
    fn revive(&mut self, now: Instant, out: &mut Vec<u8>) -> bool {
        let Format::Wp1(session) = &mut self.format else {
            return false;
        };
        let since = self.tally.last_arrival.or(self.started).unwrap_or(now);
        if self.stopped || now < since + SILENCE.max(self.plan.timeout) {
            return false;
        }
        session.revive();
        match session.poll(now, out) {
            Want::Send => true,
            Want::GaveUp => {
                // A black-out, not a restart: look again after another silence.
                session.settle();
                self.tally.last_arrival = Some(now);
                false
            }
            Want::Wait(_) | Want::Nothing => false,
        }
    }

    fn close(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<Next> {
        let Format::Wp1(session) = &mut self.format else {
            return self.turn(Phase::Done);
        };
        match session.poll(now, out) {
            Want::Send => self.send(),
            Want::Wait(until) => Some(Next::Wait(until)),
            Want::Nothing | Want::GaveUp => self.turn(Phase::Done),
        }
    }

    fn send(&mut self) -> Option<Next> {
        self.sends += 1;
        Some(Next::Send)
    }

    fn turn(&mut self, phase: Phase) -> Option<Next> {
        self.phase = phase;
        None
    }

    fn datagram(&mut self, bytes: &[u8], arrived: Arrived) {
        let reply = match &mut self.format {
            Format::Stamp(sender) => sender.read(bytes),
            Format::Echo(echo) => echo.read(bytes),
            Format::Wp1(session) => match session.receive(bytes) {
                Heard::Echoed(seq, echoed) => Some(reply_of(seq, &echoed, bytes.len())),
                Heard::Opened(restarted) => {
                    let granted = session.open.as_ref().map(|open| open.granted).unwrap_or_default();
                    self.opened(granted, restarted);
                    None
                }
                Heard::Closed(totals) => {
                    self.tally.closed(FarTotals {
                        received: u64::from(totals.received) + u64::from(totals.outside),
                        duplicates: totals.duplicates.into(),
                        reordered: u64::from(totals.reordered) + u64::from(totals.outside),
                    });
                    None
                }
                Heard::Nothing => None,
            },
        };
        if let Some(reply) = reply {
            self.tally.replied(reply, arrived);
        }
    }

    /// Takes over what the reflector granted; tells what that changes.
    fn opened(&mut self, granted: Params, restarted: bool) {
        if self.phase == Phase::Running {
            self.tally.new_leg(restarted);
            let cause =
                if restarted { "the reflector was restarted" } else { "the session was opened again" };
            self.events.tell(Event::Note { text: cause.to_owned() });
            return;
        }
        let least = Duration::from_micros(u64::from(granted.interval_us) * u64::from(self.plan.pace.burst));
        if least > self.plan.pace.interval + Duration::from_micros(1) {
            self.note("interval", Span(self.plan.pace.interval), Span(least));
            self.plan.pace.interval = least;
        }
        let length = usize::from(granted.length).max(ECHO_LEAST);
        if length < self.plan.size {
            self.note("size", self.plan.size, length);
            self.plan.size = length;
        }
        self.cadence = Cadence::new(self.plan.pace.clone());
    }

    fn note(&self, what: &str, asked: impl std::fmt::Display, granted: impl std::fmt::Display) {
        self.events.tell(Event::Note { text: format!("the reflector grants {what} {granted}, not {asked}") });
    }

    fn icmp(&mut self, icmp: &Icmp<'_>) {
        self.tally.icmp(icmp);
        if self.tally.last_arrival.is_some() {
            return;
        }
        let error = std::io::Error::from_raw_os_error(icmp.errno);
        let from = icmp.from.map_or_else(String::new, |from| format!(" from {from}"));
        let what = format!("icmp type {} code {}{from}", icmp.kind, icmp.code);
        let failure = Failure::from_io(what, &error);
        match failure.class {
            Class::Refused => (self.failure, self.phase) = (Some(failure), Phase::Done),
            // A router's word may be passing: it becomes the reason only if nothing else comes.
            _ if self.phase == Phase::Opening => self.failure = Some(failure),
            _ => {}
        }
    }

    fn not_sent(&mut self, send: u64, errno: i32) {
        self.tally.refused(send);
        if self.tally.last_arrival.is_none() {
            let error = std::io::Error::from_raw_os_error(errno);
            (self.failure, self.phase) = (Some(Failure::from_io("send udp", &error)), Phase::Done);
        }
    }
}

impl crate::net::engine::Engine for Engine {
    fn poll(&mut self, now: Now, out: &mut Draft) -> Next {
        let out = &mut out.bytes;
        loop {
            let next = match self.phase {
                Phase::Opening => self.open(now.mono, out),
                Phase::Running => self.run(now, out),
                Phase::Closing => self.close(now.mono, out),
                Phase::Done => Some(Next::Done),
            };
            if let Some(next) = next {
                return next;
            }
        }
    }

    fn receive(&mut self, now: Now, arrival: Arrival<'_>) {
        match arrival {
            Arrival::Datagram { bytes, stamp, ttl, tos, .. } => {
                self.datagram(bytes, Arrived { now, stamp, ttl, tos });
            }
            Arrival::Sent { send, stamp } => self.tally.stamped(send, stamp),
            Arrival::NotSent { send, errno, .. } => self.not_sent(send, errno),
            Arrival::Icmp(icmp) => self.icmp(&icmp),
            Arrival::Overflow(total) => self.tally.overflowed(total),
            Arrival::Stop => self.stopped = true,
        }
    }
}

fn reply_of(seq: u32, echoed: &Echoed, bytes: usize) -> Reply {
    let error = ErrorEstimate(echoed.error);
    Reply {
        seq,
        bytes,
        times: Some(FarTimes {
            t2: echoed.t2,
            t3: echoed.t3,
            bound_ns: error.bound_ns().filter(|_| error.is_synchronised()),
        }),
        far: Some(FarCounts { received: echoed.received }),
        ttl: Some(echoed.ttl).filter(|&ttl| ttl > 0),
        tos: Some(echoed.tos).filter(|_| echoed.flags & FLAG_TOS != 0),
    }
}
