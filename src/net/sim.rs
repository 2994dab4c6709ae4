//! Runs a datagram engine in virtual time, against a far side and a path that are plain values: seeded, exact, fast.

use std::collections::BinaryHeap;
use std::time::Duration;

use super::engine::{Arrival, Engine, Next};
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

/// A far side: gets its own time and a datagram, gives its answers.
pub type FarSide<'a> = dyn FnMut(Now, &[u8]) -> Vec<Vec<u8>> + 'a;

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
    flying: BinaryHeap<std::cmp::Reverse<Flight>>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Flight {
    due: u64,
    serial: u64,
    up: bool,
    bytes: Vec<u8>,
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
        let (mut out, mut sends) = (Vec::new(), 0);
        while self.now.wall <= end {
            out.clear();
            let until = match engine.poll(self.now, &mut out) {
                Next::Done => return true,
                Next::Send => {
                    self.launch(true, &out);
                    engine.receive(self.now, Arrival::Sent { send: sends, stamp: self.now.wall });
                    sends += 1;
                    continue;
                }
                Next::Wait(until) => {
                    self.now.wall + nanos(until.saturating_duration_since(self.now.mono)).max(1)
                }
            };
            match self.flying.peek() {
                Some(flight) if flight.0.due <= until => self.land(engine, far),
                _ => self.advance(until),
            }
        }
        false
    }

    fn land(&mut self, engine: &mut dyn Engine, far: &mut FarSide<'_>) {
        let Some(std::cmp::Reverse(flight)) = self.flying.pop() else {
            return;
        };
        self.advance(flight.due);
        if flight.up {
            let there = Now { wall: self.now.wall.saturating_add_signed(self.offset), ..self.now };
            far(there, &flight.bytes).iter().for_each(|answer| self.launch(false, answer));
        } else {
            let stamp = Some(self.now.wall);
            engine.receive(
                self.now,
                Arrival::Datagram { bytes: &flight.bytes, stamp, ttl: Some(64), tos: Some(0) },
            );
        }
    }

    fn launch(&mut self, up: bool, bytes: &[u8]) {
        let path = if up { self.up } else { self.down };
        // Always four draws, so that changing one knob keeps the rest of the sequence.
        let [lost, twice, held, late] = [(); 4].map(|()| self.rng.unit());
        let truth = if up { &mut self.truth_up } else { &mut self.truth_down };
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
            let due = self.now.wall + nanos(delay);
            self.flying.push(std::cmp::Reverse(Flight {
                due,
                serial: self.serial,
                up,
                bytes: bytes.to_vec(),
            }));
        }
    }

    fn advance(&mut self, to: u64) {
        self.now = self.now.after(Duration::from_nanos(to.saturating_sub(self.now.wall)));
    }
}
