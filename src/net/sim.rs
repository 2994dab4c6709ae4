//! Runs a datagram engine in virtual time, against a far side and a path that are plain values: seeded, exact, fast.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::engine::{Arrival, Draft, Engine, Icmp, Next};
use crate::stats::Rng;
use crate::units::{Now, nanos};

/// What one direction of the simulated path does to each datagram.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Path {
    /// Constant delay.
    pub delay: Duration,
    /// Further delay, uniform up to this.
    pub jitter: Duration,
    /// Part of the datagrams that vanish, 0–1.
    pub loss: f64,
    /// Part that arrive twice, 0–1.
    pub duplicate: f64,
    /// Part that are held back by `hold`, 0–1.
    pub reorder: f64,
    /// How long a held datagram waits.
    pub hold: Duration,
}

/// What the path did, to compare reports with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    /// Datagrams given to this direction.
    pub entered: u64,
    /// Datagrams that vanished.
    pub lost: u64,
    /// Extra copies made.
    pub duplicated: u64,
}

/// A far side, or a whole network: gets its own time and a datagram, gives its answers.
pub type FarSide<'a> = dyn FnMut(Now, &Draft) -> Vec<Answer> + 'a;

/// What comes back for a datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A datagram, from whom, with the TTL that it arrives with.
    Datagram(Vec<u8>, Option<SocketAddr>, u8),
    /// An ICMP error that quotes the datagram as far as it went.
    Icmp {
        /// ICMP type.
        kind: u8,
        /// ICMP code.
        code: u8,
        /// Who sends it.
        from: IpAddr,
        /// MTU of the next hop, or 0.
        mtu: u32,
        /// TTL that it arrives with.
        ttl: u8,
        /// The extensions behind the quote.
        extensions: Vec<u8>,
    },
    /// An ICMP error that quotes something else.
    Quoting {
        /// ICMP type.
        kind: u8,
        /// ICMP code.
        code: u8,
        /// Who sends it.
        from: IpAddr,
        /// What it quotes of the datagram's payload.
        quoted: Vec<u8>,
    },
}

impl From<Vec<u8>> for Answer {
    /// An answer of whom the datagram went to.
    fn from(bytes: Vec<u8>) -> Self {
        Self::Datagram(bytes, None, 64)
    }
}

/// A simulated path to a far side.
pub struct Sim {
    /// Towards the far side.
    pub up: Path,
    /// Back.
    pub down: Path,
    /// The far side's clock minus ours, nanoseconds.
    pub offset: i64,
    /// What the path did on the way up, so far.
    pub truth_up: Truth,
    /// What it did on the way down.
    pub truth_down: Truth,
    now: Now,
    rng: Rng,
    serial: u64,
    flying: BinaryHeap<Flight>,
}

#[derive(Clone, PartialEq, Eq)]
struct Flight {
    due: u64,
    serial: u64,
    draft: Draft,
    /// What comes back for `draft`; none while that is on its way there.
    answer: Option<Answer>,
}

impl Ord for Flight {
    /// The one that lands first is the greatest.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.due, other.serial).cmp(&(self.due, self.serial))
    }
}

impl PartialOrd for Flight {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Sim {
    /// A path without any impairment, its clock starting at `now`. Equal seeds make equal runs.
    pub fn new(now: Now, seed: u64) -> Self {
        Self {
            up: Path::default(),
            down: Path::default(),
            offset: 0,
            truth_up: Truth::default(),
            truth_down: Truth::default(),
            now,
            rng: Rng::new(seed),
            serial: 0,
            flying: BinaryHeap::new(),
        }
    }

    /// Runs `engine` against `far` until it is done, or until `limit` of virtual time has passed.
    ///
    /// Returns whether the engine finished.
    pub fn run(&mut self, engine: &mut dyn Engine, far: &mut FarSide<'_>, limit: Duration) -> bool {
        let end = self.now.after(limit).wall;
        let (mut out, mut sends) = (Draft::default(), 0);
        while self.now.wall <= end {
            out.clear();
            let until = match engine.poll(self.now, &mut out) {
                Next::Done => return true,
                Next::Send => {
                    self.launch(out.clone(), None);
                    engine.receive(self.now, Arrival::Sent { send: sends, stamp: self.now.wall });
                    sends += 1;
                    continue;
                }
                Next::Wait(until) => {
                    self.now.wall + nanos(until.saturating_duration_since(self.now.mono)).max(1)
                }
            };
            match self.flying.peek() {
                Some(flight) if flight.due <= until => self.land(engine, far),
                _ => self.advance(until),
            }
        }
        false
    }

    fn land(&mut self, engine: &mut dyn Engine, far: &mut FarSide<'_>) {
        let Some(Flight { due, draft, answer, .. }) = self.flying.pop() else {
            return;
        };
        self.advance(due);
        match answer {
            None => {
                let there = Now { wall: self.now.wall.saturating_add_signed(self.offset), ..self.now };
                let answers = far(there, &draft);
                answers.into_iter().for_each(|answer| self.launch(draft.clone(), Some(answer)));
            }
            Some(answer) => engine.receive(self.now, arrival(&draft, &answer, self.now.wall)),
        }
    }

    fn launch(&mut self, draft: Draft, answer: Option<Answer>) {
        let path = if answer.is_none() { self.up } else { self.down };
        // Always four draws, so that changing one knob keeps the rest of the sequence.
        let [lost, twice, held, late] = [(); 4].map(|()| self.rng.unit());
        let truth = if answer.is_none() { &mut self.truth_up } else { &mut self.truth_down };
        truth.entered += 1;
        if lost < path.loss {
            truth.lost += 1;
            return;
        }
        let hold = if held < path.reorder { path.hold } else { Duration::ZERO };
        let delay = path.delay + path.jitter.mul_f64(late) + hold;
        let copies = if twice < path.duplicate { 2 } else { 1 };
        truth.duplicated += copies - 1;
        for _ in 0..copies {
            self.serial += 1;
            let (due, serial) = (self.now.wall + nanos(delay), self.serial);
            self.flying.push(Flight { due, serial, draft: draft.clone(), answer: answer.clone() });
        }
    }

    fn advance(&mut self, to: u64) {
        self.now = self.now.after(Duration::from_nanos(to.saturating_sub(self.now.wall)));
    }
}

/// What an engine hears of an answer to `draft` that arrives at `wall`.
fn arrival<'a>(draft: &'a Draft, answer: &'a Answer, wall: u64) -> Arrival<'a> {
    let (to, socket, stamp) = (draft.to, draft.socket, Some(wall));
    let error = |kind, code, from, quoted| Icmp {
        kind,
        code,
        from: Some(from),
        to,
        socket,
        stamp,
        quoted,
        ..Icmp::default()
    };
    match answer {
        Answer::Datagram(bytes, from, ttl) => Arrival::Datagram {
            bytes,
            from: from.or(to),
            socket,
            stamp,
            ttl: Some(*ttl),
            tos: Some(0),
            fragment: None,
        },
        Answer::Icmp { kind, code, from, mtu, ttl, extensions } => {
            let plain = error(*kind, *code, *from, &draft.bytes);
            Arrival::Icmp(Icmp { mtu: *mtu, ttl: Some(*ttl), extensions, ..plain })
        }
        Answer::Quoting { kind, code, from, quoted } => Arrival::Icmp(error(*kind, *code, *from, quoted)),
    }
}
