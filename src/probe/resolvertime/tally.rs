//! What came of the queries to one server, added up.

use std::time::Duration;

use super::client::{Baked, Exchange, Reply, Unanswered};
use super::report::{Answer, Cookies, Edns, ExtendedError, Flags, Phases, RecordText, Server, Times};
use super::server::Transport;
use crate::probe::Rtt;
use crate::stats::Sketch;
use crate::units::Timestamp;
use crate::wire::dns::{Kind, Message, Record, code_name, error_name};
use crate::wire::text::printable;

/// Records of an answer that are kept as text.
const MOST_RECORDS: usize = 100;
/// Data of an answer in short.
const MOST_SHORT: usize = 10;
/// Round trips that are kept for exact percentiles; the sketch has them all.
const MOST_SAMPLES: usize = 1 << 20;

/// One server's.
pub(super) struct Tally {
    server: Server,
    samples: Vec<(u64, Duration)>,
    reused: Vec<Duration>,
    connects: Vec<Duration>,
    handshakes: Vec<Duration>,
    truncated: Vec<Duration>,
    /// The smallest TTL of each answer, with its number.
    ttls: Vec<(u64, u32)>,
    sketch: Sketch,
    cookies: Cookies,
    mixed: bool,
    kernel: bool,
    last: Option<Message>,
}

/// What a run found of a server.
pub(super) struct Found {
    pub(super) server: Server,
    /// In seconds.
    pub(super) times: Vec<f64>,
    pub(super) sketch: Sketch,
    pub(super) last: Option<Message>,
}

impl Tally {
    /// Of `server`; `mixed` are names whose letters' case tells.
    pub(super) fn new(server: Server, mixed: bool) -> Self {
        Self {
            server,
            samples: Vec::new(),
            reused: Vec::new(),
            connects: Vec::new(),
            handshakes: Vec::new(),
            truncated: Vec::new(),
            ttls: Vec::new(),
            sketch: Sketch::default(),
            cookies: Cookies::default(),
            mixed,
            kernel: true,
            last: None,
        }
    }

    /// The last answer.
    pub(super) fn last(&self) -> Option<&Message> {
        self.last.as_ref()
    }

    /// The longest time of an answer; `None` without any.
    pub(super) fn longest(&self) -> Option<Duration> {
        self.samples.iter().map(|(_, time)| *time).max()
    }

    pub(super) fn server(&mut self) -> &mut Server {
        &mut self.server
    }

    /// Takes in what came of query `seq`.
    pub(super) fn take(&mut self, seq: u64, exchange: Exchange) {
        let counts = &mut self.server.counts;
        counts.mismatched += exchange.strays.count;
        self.server.edns_refused |= exchange.edns_refused;
        self.cookies.wrong += exchange.strays.cookies;
        self.cookies.refused += u64::from(exchange.cookie_refused);
        let why = match exchange.result {
            Ok(reply) => {
                counts.sent += 1;
                counts.received += 1;
                self.reply(seq, reply);
                return;
            }
            Err(why) => why,
        };
        counts.sent += u64::from(!matches!(why, Unanswered::NotSent(_)));
        *match why {
            Unanswered::Silent => &mut counts.timeouts,
            Unanswered::NotSent(_) => &mut counts.send_errors,
            Unanswered::Broken(_) | Unanswered::Icmp(_) => &mut counts.failed,
        } += 1;
        let failure = why.failure(self.server.address.is_some_and(|address| address.is_ipv6()));
        self.server.failure = self.server.failure.take().or(failure);
    }

    /// So many queries were on their way when the run was interrupted.
    pub(super) fn interrupted(&mut self, count: u64) {
        self.server.counts.pending += count;
    }

    fn reply(&mut self, seq: u64, reply: Reply) {
        let message = reply.message;
        self.kernel &= reply.kernel;
        self.sketch.push(reply.query.as_secs_f64());
        if self.samples.len() < MOST_SAMPLES {
            self.samples.push((seq, reply.query));
        }
        let server = &mut self.server;
        match &reply.made {
            Some(made) => {
                server.counts.connections += 1;
                self.connects.extend(made.connect);
                self.handshakes.extend(made.tls);
                let phases = Phases { connect: made.connect, tls: made.tls, query: reply.query };
                if reply.truncated.is_none() {
                    server.first.get_or_insert(phases);
                }
                server.tls_session = made.session.clone().or(server.tls_session.take());
            }
            None if matches!(server.transport, Transport::Udp | Transport::System) => {}
            None => self.reused.push(reply.query),
        }
        self.truncated.extend(reply.truncated);
        match reply.cookie {
            Some(Baked::Right) => self.cookies.right += 1,
            Some(Baked::Echoed) => self.cookies.echoed += 1,
            Some(Baked::Missing) => self.cookies.missing += 1,
            Some(Baked::Wrong) | None => {}
        }
        let is_system = server.transport == Transport::System;
        let code = reply.said.map_or_else(|| code_name(message.code), str::to_owned);
        *server.rcodes.entry(code.clone()).or_default() += 1;
        server.rcode = Some(code);
        server.answers =
            message.answers.iter().take(MOST_RECORDS).map(|record| text(record, is_system)).collect();
        server.answers_total = Some(message.answers.len() as u64);
        let ttl = message.answers.iter().map(|record| record.ttl).min().filter(|_| !is_system);
        server.ttl_s = ttl;
        self.ttls.extend(ttl.map(|ttl| (seq, ttl)));
        if !is_system {
            server.response_bytes = Some(reply.bytes as u64);
            server.flags = Some(Flags {
                aa: message.aa,
                tc: message.tc,
                rd: message.rd,
                ra: message.ra,
                ad: message.ad,
                cd: message.cd,
            });
            let edns = message.edns.as_ref();
            server.edns =
                edns.map(|edns| Edns { version: edns.version, udp_bytes: edns.size, dnssec_ok: edns.dnssec });
            server.nsid = edns.and_then(|edns| edns.nsid.as_deref()).map(printable);
            server.ede = edns.map(|edns| edns.errors.iter().map(extended).collect()).unwrap_or_default();
            server.signature_expires = expires(&message);
            if self.mixed && server.transport.mixes() {
                server.case_preserved = Some(reply.case_kept && server.case_preserved != Some(false));
            }
        }
        self.last = Some(message);
    }

    /// The sum; `authoritative` is the TTL that the name's own servers give.
    pub(super) fn finish(mut self, authoritative: Option<u32>) -> Found {
        let server = &mut self.server;
        let counts = server.counts;
        self.samples.sort_unstable();
        self.ttls.sort_unstable();
        server.loss_ratio = crate::probe::counts::ratio(counts.sent - counts.received, counts.sent);
        server.query = Rtt::of(&self.samples);
        if self.kernel && counts.received > 0 {
            server.clock = crate::probe::Clock::Kernel;
        }
        server.reused = Times::of(self.reused);
        server.connect = Times::of(self.connects);
        server.tls = Times::of(self.handshakes);
        server.truncated = Times::of(self.truncated);
        server.cookies = Some(self.cookies).filter(|cookies| *cookies != Cookies::default());
        if counts.received > 0 {
            // Some were answered: what befell the others is counted.
            server.failure = None;
        }
        let is_authority = server.flags.is_some_and(|flags| flags.aa);
        let first = self.ttls.first().copied().filter(|_| !is_authority);
        let counts_down = first.is_some_and(|(_, first)| self.ttls.iter().any(|(_, ttl)| *ttl < first));
        let time = |seq| self.samples.iter().find(|(n, _)| *n == seq).map(|(_, time)| *time);
        if let Some((seq, ttl)) = first {
            // Proof by TTL: the resolver has just fetched it.
            if authoritative == Some(ttl) && ttl > 0 && server.cold.is_none() {
                server.cold = time(seq);
            }
            let is_cached = counts_down || authoritative.is_some_and(|most| ttl < most);
            let later = self.samples.iter().filter(|(n, _)| *n > seq).map(|(_, time)| *time);
            server.warm = Times::of(later.filter(|_| is_cached).collect());
        }
        let times = self.samples.iter().map(|(_, time)| time.as_secs_f64()).collect();
        Found { server: self.server, times, sketch: self.sketch, last: self.last }
    }
}

/// What a message says, in short.
pub(super) fn short(name: String, exchange: &Exchange, kind: Kind) -> Answer {
    let reply = exchange.result.as_ref().ok();
    let data = |reply: &Reply| {
        let records = reply.message.answers.iter().filter(|record| record.kind == kind);
        records.take(MOST_SHORT).map(Record::text).collect()
    };
    let code = |reply: &Reply| reply.said.map_or_else(|| code_name(reply.message.code), str::to_owned);
    Answer { name, rcode: reply.map(code), answers: reply.map(data).unwrap_or_default() }
}

fn text(record: &Record, is_system: bool) -> RecordText {
    RecordText {
        name: record.name.to_string(),
        kind: record.kind.to_string(),
        ttl_s: (!is_system).then_some(record.ttl),
        data: record.text(),
    }
}

fn extended(error: &(u16, Vec<u8>)) -> ExtendedError {
    let (code, text) = error;
    let text = printable(text);
    ExtendedError {
        code: *code,
        meaning: error_name(*code).map(str::to_owned),
        text: Some(text).filter(|text| !text.is_empty()),
    }
}

fn expires(message: &Message) -> Option<Timestamp> {
    let ends = message.answers.iter().filter_map(Record::expires).min()?;
    Timestamp::from_second(ends.into()).ok()
}
