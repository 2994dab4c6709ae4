//! Load: the questions of a file to one server over UDP, at a rate or as fast as they are answered; dnsperf's job.
//!
//! A few sockets, each with a table of what waits for an answer; many datagrams a system call; one thread.

mod questions;

use std::collections::{BTreeMap, VecDeque};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ResolverTime;
use super::report::Times;
use crate::failure::{Class, Failure};
use crate::probe::own_thread::{on_own_thread, random};
use crate::probe::{Ctx, Event, Events, input};
use crate::stats::Sketch;
use crate::sys::clock;
use crate::sys::datagram::{Batch, Outgoing, Setup, Socket};
use crate::sys::wait::{Stop, exact_timers, wait};
use crate::units::{Span, ms, nanos};
use crate::wire::dns::code_name;
use questions::{HEADER, Questions, is_to};

/// How long, where nobody says.
pub(super) const DURATION: Span = Span::secs(10);
/// Queries per second that are planned for, where there is no limit.
pub(super) const MOST_RATE: f64 = 300_000.0;
/// Octets of a file of questions.
const MOST_FILE: u64 = 64 << 20;
/// Datagrams per system call.
const BATCH: usize = 64;
/// Room for an answer: what is longer is counted, and not looked at.
const SLOT: usize = 4096;
/// Between two of its events.
const TOLD: Duration = Duration::from_secs(1);
/// The longest wait, so that nothing is missed for long.
const LONGEST: Duration = Duration::from_millis(100);

/// What came of many questions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ResolverLoad")]
pub struct LoadReport {
    /// The server, as it was named.
    pub server: String,
    /// Questions in the file.
    pub questions: u64,
    /// Queries sent whose fate is known.
    pub sent: u64,
    /// Answered in time.
    pub completed: u64,
    /// Not answered in time.
    pub timeouts: u64,
    /// `timeouts` of `sent`; null when nothing was sent.
    pub loss_ratio: Option<f64>,
    /// Answers after their time, or to no query of ours.
    pub mismatched: u64,
    /// Datagrams that this host did not send.
    pub send_errors: u64,
    /// On their way when the run was interrupted.
    pub pending: u64,
    /// Answers that were dropped in this process's own socket queues (`SO_RXQ_OVFL`).
    pub receive_overflow: u64,
    /// From the first query to the last answer.
    #[serde(rename = "duration_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub duration: Duration,
    /// Answers per second.
    pub qps: Option<f64>,
    /// How often each response code came.
    pub rcodes: BTreeMap<String, u64>,
    /// Octets of all answers.
    pub response_bytes: u64,
    /// From a query to its answer, within 1 %.
    pub latency: Option<Times>,
}

/// A query that waits.
#[derive(Clone, Copy)]
struct Waiting {
    sent: Instant,
    question: u32,
}

/// One socket, and what waits for an answer on it. An identifier is a place in the table and how often it was used, so that a
/// late answer is none to the next query.
struct Client {
    socket: Socket,
    table: Vec<Option<Waiting>>,
    /// The identifier that each place has now.
    ids: Vec<u16>,
    free: Vec<u16>,
    /// In the order sent: place and identifier.
    order: VecDeque<(u16, u16)>,
    overflow: u32,
}

impl Client {
    fn place(&self, id: u16) -> usize {
        usize::from(id) & (self.table.len() - 1)
    }
}

/// How it is to go.
struct Plan {
    rate: Option<f64>,
    duration: Duration,
    most: Option<u64>,
    timeout: Duration,
}

impl Plan {
    /// How many queries may go now, after `sent`.
    fn allowed(&self, now: Instant, start: Instant, sent: u64) -> usize {
        let due =
            self.rate.map_or(u64::MAX, |rate| (now.duration_since(start).as_secs_f64() * rate) as u64 + 1);
        due.min(self.most.unwrap_or(u64::MAX)).saturating_sub(sent) as usize
    }
}

/// What has come of it so far.
#[derive(Default)]
struct Sum {
    sent: u64,
    completed: u64,
    timeouts: u64,
    mismatched: u64,
    send_errors: u64,
    bytes: u64,
    /// By response code.
    codes: [u64; 16],
    sketch: Sketch,
    shortest: Option<Duration>,
    longest: Duration,
}

impl ResolverTime {
    /// Bears down on the server at `peer`.
    pub(super) async fn bear(
        &self,
        ctx: &Ctx,
        peer: SocketAddr,
        server: &str,
    ) -> Result<(LoadReport, Sketch), Failure> {
        let file = self.load.as_deref().ok_or_else(|| Class::Internal.because("no file of questions"))?;
        ctx.policy.check_flag("--load")?;
        let octets = input::whole(ctx, "load", file, MOST_FILE).await?;
        let questions = Questions::parse(&String::from_utf8_lossy(&octets), self)
            .map_err(|why| Class::Usage.because(format_args!("load {}: {why}", file.display())))?;
        drop(octets);
        let count = questions.count() as u64;
        let most = self.count.map(|times| times.saturating_mul(count));
        let plan = Plan {
            rate: self.qps.map(f64::from),
            duration: match (self.duration, most) {
                (Some(Span(time)), _) => time,
                (None, Some(_)) => Duration::MAX / 4,
                (None, None) => DURATION.0,
            },
            most,
            timeout: self.timeout.0,
        };
        let run = Run {
            clients: self.clients(peer)?,
            questions,
            next: 0,
            plan,
            sum: Sum::default(),
            batch: Batch::new(BATCH, SLOT),
            events: ctx.events.clone(),
        };
        let (mut report, sketch) = on_own_thread("resolvertime", ctx, move |stop| run.go(stop)).await??;
        server.clone_into(&mut report.server);
        Ok((report, sketch))
    }

    fn clients(&self, peer: SocketAddr) -> Result<Vec<Client>, Failure> {
        let each = self.outstanding.div_ceil(self.clients.into()).max(1);
        let any = if peer.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let local = SocketAddr::new(self.egress.source().unwrap_or(any), 0);
        let setup = Setup {
            interface: self.egress.device().map(str::to_owned),
            ttl: self.egress.ttl,
            tos: self.egress.tos(),
            ..Setup::default()
        };
        (0..self.clients)
            .map(|_| {
                let socket = Socket::bind(local, &setup)
                    .map_err(|error| Failure::from_io(format_args!("bind udp {local}"), &error))?;
                socket
                    .connect(peer)
                    .map_err(|error| Failure::from_io(format_args!("connect udp {peer}"), &error))?;
                let places = each.next_power_of_two() as u16;
                let first = random()? as u16 & !(places - 1);
                Ok(Client {
                    socket,
                    table: vec![None; places.into()],
                    ids: (0..places).map(|place| first | place).collect(),
                    free: (0..each as u16).rev().collect(),
                    order: VecDeque::with_capacity(each as usize * 2),
                    overflow: 0,
                })
            })
            .collect()
    }
}

struct Run {
    clients: Vec<Client>,
    questions: Questions,
    /// The question that is next.
    next: usize,
    plan: Plan,
    sum: Sum,
    batch: Batch,
    events: Events,
}

impl Run {
    fn go(mut self, stop: &Stop) -> Result<(LoadReport, Sketch), Failure> {
        exact_timers();
        let start = clock::now().mono;
        let end = start + self.plan.duration.min(Duration::from_secs(1 << 30));
        let (mut last, mut told) = (start, (start, 0, 0));
        // At full speed all sockets are looked at each time, at a rate only those that a wait has named.
        let mut readable = u64::MAX;
        loop {
            let now = clock::now().mono;
            if stop.is_set() {
                break;
            }
            let is_over = now >= end || self.plan.most.is_some_and(|most| self.sum.sent >= most);
            let sent = if is_over { 0 } else { self.send(now, start) };
            let received = self.receive(readable);
            if received > 0 {
                last = clock::now().mono;
            }
            self.give_up(now);
            let waits = self.clients.iter().any(|client| !client.order.is_empty());
            if is_over && !waits {
                break;
            }
            if now.duration_since(told.0) >= TOLD {
                self.tell(now, &mut told);
            }
            readable = match (sent + received, self.plan.rate) {
                (0, _) => self.rest(stop, now, start, is_over)?,
                (_, None) => u64::MAX,
                (_, Some(_)) => 0,
            };
        }
        self.give_up(clock::now().mono);
        let pending: usize = self.clients.iter().map(|client| client.table.iter().flatten().count()).sum();
        Ok(self.report(last.saturating_duration_since(start), pending as u64))
    }

    /// Sends what may go, at most a batch on each socket.
    fn send(&mut self, now: Instant, start: Instant) -> usize {
        let mut total = 0;
        for n in 0..self.clients.len() {
            // With few to send each socket gets its turn.
            let turn = (n + self.next) % self.clients.len();
            let client = &mut self.clients[turn];
            let allowed = self.plan.allowed(now, start, self.sum.sent);
            let count = client.free.len().min(BATCH).min(allowed);
            if count == 0 {
                continue;
            }
            let sent = burst(client, &self.questions, self.next, count, &mut self.batch, &mut self.sum);
            self.next = (self.next + sent) % self.questions.count();
            total += sent;
        }
        total
    }

    /// Takes in what has come to the sockets of these bits.
    fn receive(&mut self, readable: u64) -> usize {
        let mut total = 0;
        let named = self.clients.iter_mut().enumerate().filter(|(n, _)| readable >> n & 1 == 1);
        for (_, client) in named {
            // A refusal (ICMP) is told once, and by a silence.
            let count = self.batch.receive(&client.socket).unwrap_or(0);
            let now = clock::now().mono;
            for n in 0..count {
                let Some((bytes, _, meta)) = self.batch.get(n) else { continue };
                client.overflow = meta.overflow.unwrap_or(client.overflow);
                take(client, &self.questions, bytes, now, &mut self.sum);
            }
            total += count;
        }
        total
    }

    /// Gives up what has waited too long.
    fn give_up(&mut self, now: Instant) {
        for client in &mut self.clients {
            while let Some(&(place, id)) = client.order.front() {
                let at = usize::from(place);
                let waiting = client.table[at].filter(|_| client.ids[at] == id);
                match waiting {
                    Some(waiting) if now.saturating_duration_since(waiting.sent) < self.plan.timeout => break,
                    Some(_) => {
                        self.sum.timeouts += 1;
                        release(client, place);
                    }
                    None => {}
                }
                client.order.pop_front();
            }
        }
    }

    /// Waits for an answer, or for the next query to be due; the sockets that have something.
    fn rest(&self, stop: &Stop, now: Instant, start: Instant, is_over: bool) -> Result<u64, Failure> {
        let mut time = LONGEST;
        let has_room = self.clients.iter().any(|client| !client.free.is_empty());
        if let Some(rate) = self.plan.rate.filter(|_| has_room && !is_over) {
            let due = start + Duration::from_secs_f64(self.sum.sent as f64 / rate);
            time = time.min(due.saturating_duration_since(now));
        } else if has_room && !is_over && self.plan.allowed(now, start, self.sum.sent) > 0 {
            // The system takes no more at the moment.
            time = Duration::from_millis(1);
        }
        let oldest = self.clients.iter().filter_map(|client| {
            let (place, _) = client.order.front()?;
            client.table[usize::from(*place)].map(|waiting| waiting.sent)
        });
        if let Some(oldest) = oldest.min() {
            time = time.min((oldest + self.plan.timeout).saturating_duration_since(now));
        }
        if time.is_zero() && self.plan.rate.is_none() {
            return Ok(u64::MAX);
        }
        let sockets: Vec<BorrowedFd<'_>> = self.clients.iter().map(|client| client.socket.as_fd()).collect();
        let woken = wait(&sockets, Some(stop), Some(time));
        let woken = woken.map_err(|error| Failure::from_io("wait for answers", &error))?;
        // An error is taken, too: a socket that has one would be named for ever.
        Ok(woken.readable | woken.errors)
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

    fn report(self, duration: Duration, pending: u64) -> (LoadReport, Sketch) {
        let sum = self.sum;
        let seconds = duration.as_secs_f64();
        let quantile = |q| sum.sketch.quantile(q).and_then(|s| Duration::try_from_secs_f64(s).ok());
        let latency = sum.shortest.and_then(|min| {
            let (p50, p95) = (quantile(0.50)?, quantile(0.95)?);
            Some(Times { count: sum.completed, min, p50, p95, max: sum.longest })
        });
        let codes = (0u16..).zip(sum.codes).filter(|(_, count)| *count > 0);
        let known = sum.sent.saturating_sub(pending);
        let report = LoadReport {
            server: String::new(),
            questions: self.questions.count() as u64,
            sent: known,
            completed: sum.completed,
            timeouts: sum.timeouts,
            loss_ratio: crate::probe::counts::ratio(sum.timeouts, known),
            mismatched: sum.mismatched,
            send_errors: sum.send_errors,
            pending,
            receive_overflow: self.clients.iter().map(|client| u64::from(client.overflow)).sum(),
            duration,
            qps: (sum.completed > 0 && seconds > 0.0).then(|| sum.completed as f64 / seconds),
            rcodes: codes.map(|(code, count)| (code_name(code), count)).collect(),
            response_bytes: sum.bytes,
            latency,
        };
        (report, sum.sketch)
    }
}

/// Sends the next `count` questions on one socket; how many went.
fn burst(
    client: &mut Client,
    questions: &Questions,
    next: usize,
    count: usize,
    batch: &mut Batch,
    sum: &mut Sum,
) -> usize {
    let mut octets = [0u8; BATCH * 64];
    let mut long: Vec<Vec<u8>> = Vec::new();
    // Most questions are short: they are put together in place, without a buffer of their own.
    let mut parts = [(0usize, 0usize, usize::MAX); BATCH];
    let mut used = 0;
    for (k, part) in parts.iter_mut().enumerate().take(count) {
        let question = questions.get((next + k) % questions.count());
        let place = client.free[client.free.len() - 1 - k];
        let id = client.ids[usize::from(place)].to_be_bytes();
        if used + question.len() <= octets.len() {
            let room = &mut octets[used..used + question.len()];
            room.copy_from_slice(question);
            room[..2].copy_from_slice(&id);
            *part = (used, used + question.len(), usize::MAX);
            used += question.len();
        } else {
            let mut own = question.to_vec();
            own[..2].copy_from_slice(&id);
            *part = (0, 0, long.len());
            long.push(own);
        }
    }
    let datagrams: [Outgoing<'_>; BATCH] = std::array::from_fn(|k| {
        let (from, to, own) = parts[k];
        let bytes = long.get(own).map_or(&octets[from..to], Vec::as_slice);
        Outgoing { bytes, ..Outgoing::default() }
    });
    let at = clock::now().mono;
    let sent = match batch.send(&client.socket, &datagrams[..count]) {
        Ok(sent) => sent,
        Err(error) => {
            sum.send_errors += u64::from(error.kind() != std::io::ErrorKind::WouldBlock);
            0
        }
    };
    for k in 0..sent {
        let Some(place) = client.free.pop() else { break };
        let question = ((next + k) % questions.count()) as u32;
        client.table[usize::from(place)] = Some(Waiting { sent: at, question });
        client.order.push_back((place, client.ids[usize::from(place)]));
    }
    sum.sent += sent as u64;
    sent
}

/// Takes an answer in, if it is one to what waits.
fn take(client: &mut Client, questions: &Questions, bytes: &[u8], now: Instant, sum: &mut Sum) {
    let Some(id) = bytes.first_chunk::<2>().map(|id| u16::from_be_bytes(*id)) else {
        sum.mismatched += 1;
        return;
    };
    let place = client.place(id);
    let waiting = client.table[place].filter(|_| client.ids[place] == id && bytes.len() >= HEADER);
    let Some(waiting) = waiting.filter(|waiting| is_to(bytes, questions.get(waiting.question as usize)))
    else {
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
    release(client, place as u16);
}

/// Frees a place; the next query there has another identifier.
fn release(client: &mut Client, place: u16) {
    let at = usize::from(place);
    client.table[at] = None;
    client.ids[at] = client.ids[at].wrapping_add(client.table.len() as u16);
    client.free.push(place);
}
