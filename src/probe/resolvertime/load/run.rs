//! The thread that bears down: it sends what may go, takes in what has come, gives up what took too long, and waits.

use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use super::questions::{HEADER, Questions, is_to};
use super::stream::Line;
use super::table::{Table, Waiting};
use super::{BATCH, LoadReport, datagrams};
use crate::failure::Failure;
use crate::probe::resolvertime::client::Made;
use crate::probe::resolvertime::report::Times;
use crate::probe::{Event, Events};
use crate::stats::Sketch;
use crate::sys::clock;
use crate::sys::datagram::{Batch, Socket};
use crate::sys::wait::{Stop, exact_timers, wait};
use crate::units::nanos;
use crate::wire::dns::code_name;

/// Between two of its events.
const TOLD: Duration = Duration::from_secs(1);
/// The longest wait, so that nothing is missed for long.
const LONGEST: Duration = Duration::from_millis(100);
/// The wait for what no socket tells: that the system takes more, that a connection has been made.
const MOMENT: Duration = Duration::from_millis(1);

/// Queries that are due within this time go together: to wake up for each costs more than to send it. Their times are still those
/// at which they went, and at lower rates than one in this time each goes when it is due.
const TOGETHER: Duration = Duration::from_millis(1);

/// One socket, and what waits for an answer on it.
pub(super) struct Client {
    pub(super) table: Table,
    pub(super) carrier: Carrier,
}

/// What queries travel by.
pub(super) enum Carrier {
    /// UDP, with the answers that its socket had no room for.
    Datagrams(Socket, u32),
    /// TCP or TLS.
    Line(Box<Line>),
}

/// How it is to go.
pub(super) struct Plan {
    pub(super) rate: Option<f64>,
    pub(super) duration: Duration,
    pub(super) most: Option<u64>,
    pub(super) timeout: Duration,
}

impl Plan {
    /// How many queries may go now, after `sent`.
    fn allowed(&self, now: Instant, start: Instant, sent: u64) -> usize {
        let due =
            self.rate.map_or(u64::MAX, |rate| (now.duration_since(start).as_secs_f64() * rate) as u64 + 1);
        due.min(self.most.unwrap_or(u64::MAX)).saturating_sub(sent) as usize
    }

    /// When queries may go again, after some went at `now`.
    fn again(&self, now: Instant, start: Instant) -> Instant {
        let Some(_) = self.rate.filter(|rate| *rate * TOGETHER.as_secs_f64() > 1.0) else { return now };
        let passed = now.saturating_duration_since(start).as_millis() as u64;
        start + TOGETHER * u32::try_from(passed + 1).unwrap_or(u32::MAX)
    }
}

/// What has come of it so far.
#[derive(Default)]
pub(super) struct Sum {
    sent: u64,
    completed: u64,
    timeouts: u64,
    broken: u64,
    mismatched: u64,
    send_errors: u64,
    bytes: u64,
    /// By response code.
    codes: [u64; 16],
    sketch: Sketch,
    shortest: Option<Duration>,
    longest: Duration,
}

pub(super) struct Run {
    pub(super) clients: Vec<Client>,
    pub(super) questions: Questions,
    /// The question that is next, and the socket.
    pub(super) next: usize,
    pub(super) turn: usize,
    pub(super) plan: Plan,
    pub(super) sum: Sum,
    pub(super) batch: Batch,
    pub(super) events: Events,
}

impl Run {
    /// Goes on until all is done: the report, how connections were made, and the times.
    ///
    /// # Errors
    /// When the system cannot wait.
    pub(super) fn go(mut self, stop: &Stop) -> Result<(LoadReport, Vec<Made>, Sketch), Failure> {
        exact_timers();
        let start = clock::now().mono;
        let end = start + self.plan.duration.min(Duration::from_secs(1 << 30));
        // The last moment at which a query is due.
        let until = end - Duration::from_nanos(1);
        let (mut last, mut told) = (start, (start, 0, 0));
        let mut again = start;
        // At full speed all sockets are looked at each time, at a rate only those that a wait has named.
        let mut readable = u64::MAX;
        loop {
            let now = clock::now().mono;
            if stop.is_set() {
                break;
            }
            let is_over = now >= end + TOGETHER
                || now >= end && self.plan.allowed(until, start, self.sum.sent) == 0
                || self.plan.most.is_some_and(|most| self.sum.sent >= most)
                || self.clients.iter().all(Client::is_given_up);
            let sent = if is_over || now < again { 0 } else { self.send(now.min(until), start) };
            if sent > 0 {
                again = self.plan.again(now, start);
            }
            let received = self.receive(readable, now, is_over);
            if received > 0 {
                last = clock::now().mono;
            }
            for client in &mut self.clients {
                self.sum.timeouts += client.table.expire(now, self.plan.timeout);
            }
            if is_over && !self.clients.iter().any(|client| client.table.waits()) {
                break;
            }
            if now.duration_since(told.0) >= TOLD {
                self.tell(now, &mut told);
            }
            readable = match (sent + received, self.plan.rate) {
                (0, _) => self.rest(stop, now, start, again, is_over)?,
                (_, None) => u64::MAX,
                (_, Some(_)) => 0,
            };
        }
        let now = clock::now().mono;
        for client in &mut self.clients {
            self.sum.timeouts += client.table.expire(now, self.plan.timeout);
        }
        Ok(self.report(last.saturating_duration_since(start)))
    }

    /// Sends what may go, at most a batch on each socket.
    fn send(&mut self, now: Instant, start: Instant) -> usize {
        let mut total = 0;
        for _ in 0..self.clients.len() {
            let allowed = self.plan.allowed(now, start, self.sum.sent);
            if allowed == 0 {
                break;
            }
            // With few to send each socket gets its turn.
            self.turn = (self.turn + 1) % self.clients.len();
            let client = &mut self.clients[self.turn];
            let count = client.room().min(BATCH).min(allowed);
            if count == 0 {
                continue;
            }
            let sent = client.burst(&self.questions, self.next, count, &mut self.batch, &mut self.sum);
            self.next = (self.next + sent) % self.questions.count();
            total += sent;
        }
        total
    }

    /// Takes in what has come to the sockets of these bits.
    fn receive(&mut self, readable: u64, now: Instant, is_over: bool) -> usize {
        let mut total = 0;
        for (n, client) in self.clients.iter_mut().enumerate() {
            if readable >> n & 1 == 1 {
                total += client.receive(&self.questions, &mut self.batch, &mut self.sum);
            }
            if let Carrier::Line(line) = &mut client.carrier
                && !is_over
            {
                line.go_on(now);
            }
        }
        total
    }

    /// Waits for an answer, or for the next query to be due; the sockets that have something.
    fn rest(
        &self,
        stop: &Stop,
        now: Instant,
        start: Instant,
        again: Instant,
        is_over: bool,
    ) -> Result<u64, Failure> {
        let mut time = LONGEST;
        let has_room = self.clients.iter().any(|client| client.room() > 0);
        if let Some(rate) = self.plan.rate.filter(|_| has_room && !is_over) {
            let due = start + Duration::from_secs_f64(self.sum.sent as f64 / rate);
            time = time.min(due.max(again).saturating_duration_since(now));
        } else if has_room && !is_over && self.plan.allowed(now, start, self.sum.sent) > 0 {
            // The system takes no more at the moment.
            time = MOMENT;
        }
        if self.clients.iter().any(Client::is_restless) {
            time = time.min(MOMENT);
        }
        if let Some(oldest) = self.clients.iter().filter_map(|client| client.table.oldest()).min() {
            time = time.min((oldest + self.plan.timeout).saturating_duration_since(now));
        }
        if time.is_zero() && self.plan.rate.is_none() {
            return Ok(u64::MAX);
        }
        let there = self.clients.iter().enumerate().filter_map(|(n, client)| Some((n, client.socket()?)));
        let (places, sockets): (Vec<usize>, Vec<BorrowedFd<'_>>) = there.unzip();
        let woken = wait(&sockets, Some(stop), Some(time));
        let woken = woken.map_err(|error| Failure::from_io("wait for answers", &error))?;
        // An error is taken, too: a socket that has one would be named for ever.
        let named = woken.readable | woken.errors;
        let bit = |(k, place): (usize, &usize)| (named >> k & 1) << place;
        Ok(places.iter().enumerate().map(bit).fold(0, |bits, bit| bits | bit))
    }

    fn tell(&self, now: Instant, told: &mut (Instant, u64, u64)) {
        let (since, completed, bytes) = *told;
        self.events.tell(Event::Interval {
            at: clock::now().wall,
            lasted: now.duration_since(since),
            packets: self.sum.completed - completed,
            bytes: self.sum.bytes - bytes,
            dropped: 0,
        });
        *told = (now, self.sum.completed, self.sum.bytes);
    }

    fn report(self, duration: Duration) -> (LoadReport, Vec<Made>, Sketch) {
        let pending: usize = self.clients.iter().map(|client| client.table.pending()).sum();
        let (sum, pending) = (self.sum, pending as u64);
        let seconds = duration.as_secs_f64();
        let quantile = |q| sum.sketch.quantile(q).and_then(|s| Duration::try_from_secs_f64(s).ok());
        let latency = sum.shortest.and_then(|min| {
            let (p50, p95) = (quantile(0.50)?, quantile(0.95)?);
            Some(Times { count: sum.completed, min, p50, p95, max: sum.longest })
        });
        let codes = (0u16..).zip(sum.codes).filter(|(_, count)| *count > 0);
        let known = sum.sent.saturating_sub(pending);
        let mut report = LoadReport {
            questions: self.questions.count() as u64,
            sent: known,
            completed: sum.completed,
            timeouts: sum.timeouts,
            broken: sum.broken,
            loss_ratio: crate::probe::counts::ratio(sum.timeouts + sum.broken, known),
            mismatched: sum.mismatched,
            send_errors: sum.send_errors,
            pending,
            duration,
            qps: (sum.completed > 0 && seconds > 0.0).then(|| sum.completed as f64 / seconds),
            rcodes: codes.map(|(code, count)| (code_name(code), count)).collect(),
            response_bytes: sum.bytes,
            latency,
            ..LoadReport::default()
        };
        let mut made = Vec::new();
        for client in self.clients {
            match client.carrier {
                Carrier::Datagrams(_, overflow) => report.receive_overflow += u64::from(overflow),
                Carrier::Line(line) => made.extend(line.made),
            }
        }
        (report, made, sum.sketch)
    }
}

impl Client {
    fn room(&self) -> usize {
        match &self.carrier {
            Carrier::Line(line) if !line.has_room() => 0,
            _ => self.table.room(),
        }
    }

    fn socket(&self) -> Option<BorrowedFd<'_>> {
        match &self.carrier {
            Carrier::Datagrams(socket, _) => Some(std::os::fd::AsFd::as_fd(socket)),
            Carrier::Line(line) => line.socket(),
        }
    }

    fn is_restless(&self) -> bool {
        matches!(&self.carrier, Carrier::Line(line) if line.is_restless())
    }

    fn is_given_up(&self) -> bool {
        matches!(&self.carrier, Carrier::Line(line) if line.is_given_up())
    }

    /// Sends the next `count` questions; how many went.
    fn burst(
        &mut self,
        questions: &Questions,
        next: usize,
        count: usize,
        batch: &mut Batch,
        sum: &mut Sum,
    ) -> usize {
        let Self { table, carrier } = self;
        let at = clock::now().mono;
        let waiting = |k: usize| Waiting { sent: at, question: ((next + k) % questions.count()) as u32 };
        let sent = match carrier {
            Carrier::Datagrams(socket, _) => {
                match datagrams::burst(socket, table, questions, next, count, batch) {
                    Ok(sent) => sent,
                    Err(error) => {
                        sum.send_errors += u64::from(error.kind() != std::io::ErrorKind::WouldBlock);
                        0
                    }
                }
            }
            Carrier::Line(line) => {
                let Some(stream) = line.stream() else { return 0 };
                for k in 0..count {
                    let question = questions.get((next + k) % questions.count());
                    stream.put(question, table.id(k));
                }
                let flushed = stream.flush();
                (0..count).for_each(|k| table.sent(waiting(k)));
                sum.sent += count as u64;
                if flushed.is_err() {
                    sum.broken += table.clear();
                    line.end();
                }
                return count;
            }
        };
        (0..sent).for_each(|k| table.sent(waiting(k)));
        sum.sent += sent as u64;
        sent
    }

    /// Takes in what has come; how many messages.
    fn receive(&mut self, questions: &Questions, batch: &mut Batch, sum: &mut Sum) -> usize {
        let Self { table, carrier } = self;
        match carrier {
            Carrier::Datagrams(socket, overflow) => {
                // A refusal (ICMP) is told once, and by a silence.
                let count = batch.receive(socket).unwrap_or(0);
                let now = clock::now().mono;
                for n in 0..count {
                    let Some((bytes, _, meta)) = batch.get(n) else { continue };
                    *overflow = meta.overflow.unwrap_or(*overflow);
                    take(table, questions, bytes, now, sum);
                }
                count
            }
            Carrier::Line(line) => {
                let Some(stream) = line.stream() else { return 0 };
                let mut count = 0;
                let mut at = None;
                let heard = stream.hear(|message| {
                    let now = *at.get_or_insert_with(|| clock::now().mono);
                    take(table, questions, message, now, sum);
                    count += 1;
                });
                let stands = matches!(heard, Ok(true)) && stream.flush().is_ok();
                if !stands {
                    sum.broken += table.clear();
                    line.end();
                }
                count
            }
        }
    }
}

/// Takes an answer in, if it is one to what waits.
fn take(table: &mut Table, questions: &Questions, bytes: &[u8], now: Instant, sum: &mut Sum) {
    let id = bytes.first_chunk::<2>().map(|id| u16::from_be_bytes(*id)).filter(|_| bytes.len() >= HEADER);
    let waiting = id.and_then(|id| Some((id, table.find(id)?)));
    let waiting = waiting.filter(|(_, waiting)| is_to(bytes, questions.get(waiting.question as usize)));
    let Some((id, waiting)) = waiting else {
        sum.mismatched += 1;
        return;
    };
    let time = now.saturating_duration_since(waiting.sent);
    sum.completed += 1;
    sum.bytes += bytes.len() as u64;
    sum.codes[usize::from(bytes[3] & 15)] += 1;
    sum.sketch.push(nanos(time) as f64 / 1e9);
    sum.shortest = Some(sum.shortest.map_or(time, |shortest| shortest.min(time)));
    sum.longest = sum.longest.max(time);
    table.release(id);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many queries have gone, and how often some did, after `time`, if somebody sends as soon as he may.
    fn sent(rate: f64, time: Duration) -> (u64, u64) {
        let plan = Plan { rate: Some(rate), duration: time, most: None, timeout: time };
        let start = clock::now().mono;
        let (until, mut now) = (start + time - Duration::from_nanos(1), start);
        let (mut sent, mut bursts) = (0, 0);
        while now < start + time + TOGETHER {
            let count = plan.allowed(now.min(until), start, sent) as u64;
            let planned = now.min(until).duration_since(start).as_secs_f64() * rate;
            assert!(
                planned - sent as f64 <= rate * TOGETHER.as_secs_f64() + 1.0,
                "nobody is behind the pace"
            );
            (sent, bursts) = (sent + count, bursts + u64::from(count > 0));
            let due = start + Duration::from_secs_f64(sent as f64 / rate);
            now = due.max(plan.again(now, start)).max(now + Duration::from_nanos(1));
        }
        (sent, bursts)
    }

    #[test]
    fn a_pace_is_kept_and_few_bursts_make_it() {
        assert_eq!(sent(20_000.0, Duration::from_secs(1)), (20_000, 1001));
        assert_eq!(sent(1_500.0, Duration::from_secs(2)).0, 3_000);
        // Below one in a millisecond each has its own time.
        assert_eq!(sent(200.0, Duration::from_secs(1)), (200, 200));
    }
}
