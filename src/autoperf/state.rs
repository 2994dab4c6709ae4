//! What is remembered of a target between rounds, also over restarts and by other processes: one versioned row.
//!
//! A state keeps its own clock, so that no step of the wall clock makes a span negative: nanoseconds that
//! have passed for it, counted on the kernel's clock while the machine stays up, on the wall clock over a restart.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::judge::Past;
use crate::failure::{Class, Failure};
use crate::stats::Rng;
use crate::store::run::{Round, Severity, State as Phase};
use crate::units::{Now, Timestamp, nanos};

/// A moment as a state sees it: comparable over processes, unlike an `Instant`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// Nanoseconds since the machine started, time asleep included.
    pub up: u64,
    /// Tells one start of the machine from another.
    pub boot: u64,
    /// Nanoseconds since the Unix epoch, as far as the wall clock can be believed.
    pub wall: u64,
}

/// What is remembered of one target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// Version of this structure.
    pub v: u8,
    /// Where the state machine stands.
    pub phase: Phase,
    /// How bad the target is.
    pub severity: Severity,
    /// Since when it has been so, in nanoseconds of the wall clock.
    pub since: u64,
    /// The open incident.
    pub incident: Option<Incident>,
    /// When the next round is due and why, on the state's clock.
    pub due: Due,
    /// A run that has begun and not ended: still there in the next one, it was aborted.
    pub running: Option<Running>,
    /// What is used of the day's budgets.
    pub used: Used,
    /// Findings that are not diagnosed again for a while; at most 64.
    pub cooling: Vec<Cooling>,
    pub(super) clock: Clock,
    /// How the last rounds counted, oldest first; as many as the raise rule looks at.
    pub(super) streak: VecDeque<Round>,
    /// Rounds since the suspicion arose.
    pub(super) waited: u8,
    /// Good rounds in a row.
    pub(super) good: u32,
    /// Since when no round has been bad, on the state's clock.
    pub(super) calm_since: u64,
    /// A higher tier that runs.
    pub(super) outstanding: Option<Outstanding>,
    /// The last rounds that counted, oldest first; at most 64.
    pub(super) rounds: VecDeque<Past>,
    /// Incidents so far.
    pub(super) incidents: u64,
    pub(super) dice: Rng,
}

/// The state's own clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Clock {
    /// Nanoseconds since the state was made.
    pub(super) t: u64,
    /// The last moment that it saw.
    pub(super) last: Option<Moment>,
}

/// A confirmed trouble, from its raising to its resolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Its id.
    pub id: Uuid,
    /// The worst that it has been.
    pub peak: Severity,
}

/// When the next round of tier 1 is due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    /// On the state's clock, in nanoseconds.
    pub at: u64,
    /// Why.
    pub why: Cause,
}

/// Why a round of tier 1 runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// Its time had come.
    #[default]
    Schedule,
    /// To confirm or clear a suspicion, with more packets.
    Confirm,
}

/// A run that has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// The run's id.
    pub run: Uuid,
    /// Which tier.
    pub tier: u8,
    /// When it began, in nanoseconds of the wall clock.
    pub at: u64,
}

/// What is used of the day's budgets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    /// The UTC day, counted from the epoch. It never moves backwards.
    pub day: u64,
    /// When the count began, on the state's clock.
    pub(super) since: u64,
    /// Runs of tier 2.
    pub tier2: u32,
    /// Runs of tier 3.
    pub tier3: u32,
    /// Octets reserved.
    pub bytes: u64,
}

/// A finding that was diagnosed, or could not be, and rests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cooling {
    /// What was found. (Once tiers give verdicts: the verdict and what it blames.)
    pub fingerprint: String,
    /// The signatures that tier 2 ran for, each sorted.
    pub signatures: Vec<Vec<String>>,
    /// How bad it was then.
    pub severity: Severity,
    /// When it may be diagnosed again, on the state's clock.
    pub until: u64,
    /// How often it has come back.
    pub exponent: u8,
}

/// A higher tier that runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Outstanding {
    pub(super) tier: u8,
    /// When it has failed to answer, on the state's clock.
    pub(super) deadline: u64,
    /// What it looks into; `None` when a person asked for it.
    pub(super) finding: Option<Finding>,
}

/// What made a higher tier run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Finding {
    /// Sorted.
    pub(super) signature: Vec<String>,
    pub(super) severity: Severity,
}

const DAY: u64 = 86_400_000_000_000;
/// A wall clock that lies this much behind was set back.
const SET_BACK: u64 = 5_000_000_000;
/// More intervals than this without a round: streaks mean nothing any more.
const GAP: u32 = 10;

impl State {
    /// Version of the structure.
    pub const VERSION: u8 = 1;

    /// Nothing known yet. `seed` decides its jitter; `first` is how long from now its first round is due.
    pub fn new(seed: u64, first: Duration) -> Self {
        Self {
            v: Self::VERSION,
            phase: Phase::Unknown,
            severity: Severity::Unknown,
            since: 0,
            incident: None,
            due: Due { at: nanos(first), why: Cause::Schedule },
            running: None,
            used: Used::default(),
            cooling: Vec::new(),
            clock: Clock::default(),
            streak: VecDeque::new(),
            waited: 0,
            good: 0,
            calm_since: 0,
            outstanding: None,
            rounds: VecDeque::new(),
            incidents: 0,
            dice: Rng::new(seed),
        }
    }

    /// The row that holds it.
    ///
    /// # Errors
    /// Class `internal`; cannot happen with the types above.
    pub fn encode(&self) -> Result<Vec<u8>, Failure> {
        serde_json::to_vec(self)
            .map_err(|error| Class::Internal.because(format_args!("write state: {error}")))
    }

    /// Reads a row.
    ///
    /// # Errors
    /// Class `unsupported` for a newer version (promise R9), `internal` for a row that is none.
    pub fn decode(octets: &[u8]) -> Result<Self, Failure> {
        #[derive(Deserialize)]
        struct Version {
            v: u8,
        }
        let bad = |error| Class::Internal.because(format_args!("read autoperf's state: {error}"));
        let Version { v } = serde_json::from_slice(octets).map_err(bad)?;
        if v > Self::VERSION {
            return Err(Class::Unsupported.because(format_args!(
                "autoperf's state has version {v}, this build knows {}: a newer waddleperf wrote it",
                Self::VERSION
            )));
        }
        serde_json::from_slice(octets).map_err(bad)
    }

    /// The moment `at` of the state's clock on the wall, seen from `now`.
    pub fn wall_of(&self, at: u64, now: Moment) -> Timestamp {
        let wall = i128::from(now.wall) + i128::from(at) - i128::from(self.clock_at(now));
        Timestamp::from_nanosecond(wall.max(0)).unwrap_or(Timestamp::MAX)
    }

    /// How long from `now` until the next round is due; zero when it is.
    pub fn until_due(&self, now: Moment) -> Duration {
        Duration::from_nanos(self.due.at.saturating_sub(self.clock_at(now)))
    }

    /// The state's clock at `now`.
    pub fn clock_at(&self, now: Moment) -> u64 {
        self.clock.t.saturating_add(self.clock.passed(now).0)
    }
}

impl Clock {
    /// Moves on to `now`; whether the clock was set back or rounds are missing.
    pub(super) fn advance(&mut self, now: Moment, interval: Duration) -> bool {
        let (passed, wall_passed) = self.passed(now);
        let set_back = self.last.is_some_and(|last| now.wall.saturating_add(SET_BACK) < last.wall);
        self.t = self.t.saturating_add(passed);
        self.last = Some(now);
        set_back || passed.max(wall_passed) > nanos(interval.saturating_mul(GAP))
    }

    /// What has passed until `now`, by the best clock and by the wall.
    fn passed(&self, now: Moment) -> (u64, u64) {
        let Some(last) = self.last else {
            return (0, 0);
        };
        let wall = now.wall.saturating_sub(last.wall);
        let same = last.boot == now.boot && last.up <= now.up;
        (if same { now.up - last.up } else { wall }, wall)
    }
}

impl Used {
    /// Begins a new day when it is one: by the calendar, or, under a clock that was set back, after 24 hours.
    pub(super) fn turn(&mut self, now: Moment, t: u64) {
        let day = now.wall / DAY;
        if day > self.day || t.saturating_sub(self.since) >= DAY {
            *self = Self { day: day.max(self.day), since: t, ..Self::default() };
        }
    }
}

impl Moment {
    /// The time on both clocks as a label.
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_nanosecond(i128::from(self.wall)).unwrap_or(Timestamp::MAX)
    }

    /// This moment, `span` later on every clock.
    pub fn after(self, span: Duration) -> Self {
        Self { up: self.up.saturating_add(nanos(span)), wall: self.wall.saturating_add(nanos(span)), ..self }
    }

    /// The moment `now` of a machine that has been up for `up` since the start `boot`.
    pub fn of(now: Now, up: Duration, boot: u64) -> Self {
        Self { up: nanos(up), boot, wall: now.wall }
    }
}
