//! One server's part of a run: its queries, each when it is due, and what it makes of what it should refuse.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep_until;

use super::ResolverTime;
use super::client::{Client, Exchange, Unanswered};
use super::judge;
use super::server::Transport;
use super::sizes;
use super::tally::{Tally, short};
use super::turns::Turns;
use crate::probe::own_thread::random;
use crate::probe::{Ctx, Event, Events};
use crate::sys::clock;
use crate::wire::dns::{Kind, Name, Question, code_name};

/// Queries of one server on their way at once.
const MOST_UNDERWAY: usize = 256;

/// One server's part of a run.
pub(super) struct Part {
    pub(super) probe: ResolverTime,
    pub(super) question: Question,
    pub(super) client: Client,
    pub(super) tally: Tally,
    pub(super) ctx: Ctx,
    /// There are others: what is told bears its name.
    pub(super) several: bool,
    /// When its queries are due.
    pub(super) turns: Turns,
    /// Queries that have neither been answered nor given up.
    pub(super) under_way: u64,
}

/// What is told of each query while it runs.
#[derive(Clone)]
struct Teller {
    events: Events,
    target: Option<String>,
    ipv6: bool,
}

impl Teller {
    fn tell(&self, seq: u64, exchange: &Exchange) {
        if !self.events.want_packets() {
            return;
        }
        let target = self.target.clone();
        let at = clock::now().wall;
        self.events.tell(match &exchange.result {
            Ok(reply) => {
                let code = reply.said.map_or_else(|| code_name(reply.message.code), str::to_owned);
                let said = Some(code).filter(|code| code != "NOERROR");
                let bytes = (reply.bytes > 0).then_some(reply.bytes);
                Event::Reply {
                    target,
                    seq,
                    at: reply.at,
                    rtt: reply.query,
                    delay_ms: None,
                    bytes,
                    ttl: None,
                    said,
                }
            }
            Err(why) => {
                let what = why.failure(self.ipv6).map(|failure| failure.detail);
                match (why, what) {
                    (_, None) => Event::Lost { target, seq, at },
                    (Unanswered::NotSent(_), Some(what)) => Event::Refused { target, seq, at, what },
                    (Unanswered::Icmp(icmp), Some(what)) => Event::Unreached {
                        target,
                        seq,
                        at,
                        from: icmp.from,
                        icmp: Some((icmp.kind, icmp.code)),
                        what,
                    },
                    (_, Some(what)) => Event::Unreached { target, seq, at, from: None, icmp: None, what },
                }
            }
        });
    }
}

impl Part {
    /// Asks all that is planned, or as much as there is time for.
    pub(super) async fn go(mut self) -> Tally {
        let cancel = self.ctx.cancel.clone();
        let whole = tokio::select! {
            () = self.whole() => true,
            () = cancel.cancelled() => false,
        };
        if !whole {
            self.tally.interrupted(self.under_way);
        }
        self.tally
    }

    async fn whole(&mut self) {
        // What was due meanwhile is not made up for by a burst: the server keeps its turn.
        let first = if self.cold().await { self.turns.next(clock::now().mono) } else { 0 };
        self.rounds(first).await;
        if self.probe.dnssec {
            self.dnssec().await;
        }
        if self.probe.check {
            self.absent().await;
        }
        // Where nothing was answered there is nothing to compare with.
        if let Some(usual) = self.tally.longest().filter(|_| self.probe.sizes) {
            let timeout = self.probe.timeout.0;
            self.tally.server().sizes = sizes::find(&self.client, &self.question, usual, timeout).await;
        }
    }

    /// The planned queries, from round `first` on.
    async fn rounds(&mut self, first: u64) {
        let (count, interval) = (self.probe.count(), self.probe.interval.0);
        let teller = Teller {
            events: self.ctx.events.clone(),
            target: self.several.then(|| self.client.spec.text.clone()),
            ipv6: self.client.peer.is_ipv6(),
        };
        let parallel = self.client.is_parallel() && !interval.is_zero();
        let mut underway: JoinSet<Vec<(u64, Exchange)>> = JoinSet::new();
        let mut seq = 0;
        for n in 0..count {
            let due = self.turns.due(first + n);
            loop {
                // What has come meanwhile is taken in, also while a full house waits for its first to leave.
                tokio::select! {
                    Some(done) = underway.join_next(), if !underway.is_empty() => self.take(done.unwrap_or_default()),
                    () = sleep_until(due.into()), if underway.len() < MOST_UNDERWAY => break,
                }
            }
            let (tries, timeout) = (self.probe.tries, self.probe.timeout.0);
            let (question, number) = (self.question.clone(), seq);
            seq += u64::from(tries);
            self.under_way += 1;
            if parallel {
                let (mut client, teller) = (self.client.again(), teller.clone());
                underway.spawn(async move {
                    asked(&mut client, &question, number, tries, timeout, &teller).await
                });
            } else {
                let exchanges = asked(&mut self.client, &question, number, tries, timeout, &teller).await;
                self.take(exchanges);
            }
        }
        while let Some(done) = underway.join_next().await {
            self.take(done.unwrap_or_default());
        }
    }

    fn take(&mut self, exchanges: Vec<(u64, Exchange)>) {
        self.under_way = self.under_way.saturating_sub(1);
        for (seq, exchange) in exchanges {
            self.tally.take(seq, exchange);
        }
    }

    /// Asks for a name that nobody can have asked for before, where there is a zone of such.
    async fn cold(&mut self) -> bool {
        let Some(zone) = self.probe.cold_zone.as_deref().and_then(Name::parse) else { return false };
        let Some(name) = random_name(&zone) else { return false };
        let question = Question { name, kind: self.question.kind };
        let exchange = self.client.again().ask(&question, self.probe.timeout.0).await;
        if let Ok(reply) = exchange.result
            && reply.message.code == 0
            && !reply.message.answers.is_empty()
        {
            self.tally.server().cold = Some(reply.query);
        }
        true
    }

    /// Whether the server validates: by what it says when told not to check, and of the root.
    async fn dnssec(&mut self) {
        if self.client.spec.transport == Transport::System {
            return;
        }
        let Some(reply) = self.tally.last().cloned() else { return };
        let timeout = self.probe.timeout.0;
        let mut unchecked = None;
        let mut root = None;
        if judge::dnssec(&reply, None, None).is_none() {
            if reply.code == 2 {
                let mut client = self.client.asking(|asking| asking.unchecked = true);
                unchecked = client.ask(&self.question, timeout).await.result.ok().map(|reply| reply.message);
            } else {
                let question = Question { name: Name::root(), kind: Kind::SOA };
                root =
                    self.client.again().ask(&question, timeout).await.result.ok().map(|reply| reply.message);
            }
        }
        self.tally.server().dnssec = judge::dnssec(&reply, unchecked.as_ref(), root.as_ref());
    }

    /// What the server makes of a name that cannot be.
    async fn absent(&mut self) {
        let zone = Name::parse(&self.probe.absent_zone).unwrap_or_else(Name::root);
        let Some(name) = random_name(&zone) else { return };
        let kind = if self.question.kind == Kind::AAAA { Kind::AAAA } else { Kind::A };
        let question = Question { name, kind };
        let exchange = self.client.again().ask(&question, self.probe.timeout.0).await;
        self.tally.server().absent = Some(short(question.name.to_string(), &exchange, kind));
    }
}

/// One query and its repetitions.
async fn asked(
    client: &mut Client,
    question: &Question,
    first: u64,
    tries: u8,
    timeout: Duration,
    teller: &Teller,
) -> Vec<(u64, Exchange)> {
    let mut exchanges = Vec::new();
    for attempt in 0..u64::from(tries) {
        let exchange = client.ask(question, timeout).await;
        teller.tell(first + attempt, &exchange);
        let answered = exchange.result.is_ok();
        exchanges.push((first + attempt, exchange));
        if answered {
            break;
        }
    }
    exchanges
}

/// A name below `zone` that nobody guesses.
fn random_name(zone: &Name) -> Option<Name> {
    let bits = random().ok()?;
    // Letters alone, so that no middlebox finds it odd.
    let label: Vec<u8> = (0..13).map(|n| b'a' + (bits >> (n * 4) & 15) as u8).collect();
    zone.below(&[b"wp", label.as_slice()].concat())
}
