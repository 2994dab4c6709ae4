//! What a round says about its target: good, grey, bad, hard or void, and which thresholds were raised.
//!
//! Pure. Loss is never judged from one round but over the packets of the last ones (autoperf.md §3).

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::settings::TargetConfig;
use super::threshold::Threshold;
use crate::failure::Class;
use crate::probe::{Findings, Loss, Measurement, Outcome, Report, Scalar, Scalars};
use crate::stats::wilson_lower;
use crate::store::run::{OwnLine, Round, Severity};

/// Rounds whose packets are judged together, the present one included.
pub const WINDOW: usize = 6;
/// How far back they may lie.
const WINDOW_AGE: Duration = Duration::from_secs(30 * 60);
/// Fewer packets than this raise no loss threshold.
const FEWEST_PACKETS: u64 = 30;
/// A round that lost this many packets asks for the confirming round although nothing is raised.
const RESTLESS: u64 = 2;

/// A threshold with its severity.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// When it is raised.
    pub threshold: Threshold,
    /// How bad that is.
    pub severity: Severity,
}

/// What the probes of one round found.
#[derive(Clone, Debug, PartialEq)]
pub struct RoundSeen {
    /// One for each probe, in the order of the configuration.
    pub tests: Vec<Test>,
    /// Whether this host's own line was fit to judge others.
    pub own_line: OwnLine,
    /// Whether a load test of this agent ran beside it or just before.
    pub under_load: bool,
    /// How long the round took.
    pub took: Duration,
}

/// What one probe found, as far as thresholds go.
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    /// The probe's kind.
    pub kind: Cow<'static, str>,
    /// Its headline numbers.
    pub scalars: Vec<Scalar>,
    /// The packets behind its loss ratios.
    pub losses: Vec<Loss>,
    /// Why it measured nothing.
    pub failure: Option<Class>,
    /// Whether anything at all came back.
    pub replied: bool,
    /// Whether the wall clock jumped while it ran.
    pub clock_stepped: bool,
}

/// A round that counted, as far as later ones need it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    /// When, on the state's own clock, in nanoseconds.
    pub at: u64,
    /// How it counted.
    pub round: Round,
    /// Its packets: the probe's place in the list, and what became of them.
    pub packets: Vec<(u8, Loss)>,
}

/// What a round says.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// How it counts.
    pub round: Round,
    /// How bad it is: ok, or the worst of what was raised.
    pub severity: Severity,
    /// The rules that were raised, with the value that did it.
    pub raised: Vec<Raised>,
    /// The probes that failed at the far side, or got no reply at all, by kind.
    pub failures: Vec<(Cow<'static, str>, Option<Class>)>,
    /// It lost enough packets to ask for a second look.
    pub restless: bool,
}

/// A rule that was raised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Raised {
    /// Its place in the target's list of rules.
    pub rule: usize,
    /// The value that raised it, in the rule's base unit.
    pub value: f64,
}

impl Test {
    /// What `measurement` says to thresholds.
    pub fn of(measurement: &Measurement) -> Self {
        let (losses, failure, replied) = match &measurement.outcome {
            Outcome::Report(report) => (Report::losses(report), None, report.replied()),
            Outcome::Failure(failure) => (Vec::new(), Some(failure.class), false),
        };
        Self {
            kind: measurement.probe.kind().into(),
            scalars: measurement.scalars(),
            losses,
            failure,
            replied,
            clock_stepped: measurement.clock_step_ms.is_some(),
        }
    }

    /// Whether it looked: a probe that could not (permission, unsupported, interrupted) says nothing.
    fn looked(&self) -> bool {
        self.failure.is_none_or(Class::is_far_side)
    }
}

impl Judgement {
    /// What the round says, in words that mean the same in every round: the raised thresholds, and the failures.
    pub fn signature<'a>(&'a self, config: &'a TargetConfig) -> impl Iterator<Item = Cow<'a, str>> {
        let raised = self.raised.iter().filter_map(|raised| config.rules.get(raised.rule));
        let raised = raised.map(|rule| Cow::Borrowed(rule.threshold.as_str()));
        let failed = self.failures.iter().map(|(kind, class)| Cow::Owned(failed(kind, *class)));
        raised.chain(failed)
    }

    /// Whether a higher tier could tell more about it.
    pub fn escalates(&self, config: &TargetConfig) -> bool {
        let rules = || self.raised.iter().filter_map(|raised| config.rules.get(raised.rule));
        !self.failures.is_empty() || rules().any(|rule| rule.threshold.escalates())
    }
}

/// The words for a probe that got nowhere.
pub fn failed(kind: &str, class: Option<Class>) -> String {
    match class {
        Some(class) => format!("{kind} failed: {class}"),
        None => format!("{kind} failed: no reply"),
    }
}

/// Judges a round at `now`, a moment of the same clock as that of `past`, which holds the earlier rounds, oldest first.
pub fn judge<'a>(
    past: impl DoubleEndedIterator<Item = &'a Past> + Clone,
    seen: &RoundSeen,
    now: u64,
    config: &TargetConfig,
) -> Judgement {
    if is_void(seen) {
        return Judgement::void();
    }
    let recent = past
        .rev()
        .take(WINDOW - 1)
        .take_while(move |past| now.saturating_sub(past.at) <= WINDOW_AGE.as_nanos() as u64);
    let mut found = Judgement::void();
    found.round = Round::Good;
    found.severity = Severity::Ok;
    for (index, rule) in config.rules.iter().enumerate() {
        for (slot, test) in (0u8..).zip(&seen.tests) {
            if rule.threshold.concerns(&test.kind) {
                found.apply(
                    index,
                    rule,
                    &weigh(&rule.threshold, slot, test, recent.clone(), config.clear_at),
                );
            }
        }
    }
    found.count_failures(seen);
    found
}

/// What one test says to one threshold.
enum Weighed {
    Silent,
    Clear,
    Between,
    Raised(f64),
}

impl Judgement {
    const fn void() -> Self {
        Self {
            round: Round::Void,
            severity: Severity::Unknown,
            raised: Vec::new(),
            failures: Vec::new(),
            restless: false,
        }
    }

    fn apply(&mut self, index: usize, rule: &Rule, weighed: &Weighed) {
        match *weighed {
            Weighed::Silent | Weighed::Clear => {}
            Weighed::Between if self.round == Round::Good => self.round = Round::Grey,
            Weighed::Between => {}
            Weighed::Raised(value) => {
                self.round = Round::Bad;
                self.severity = self.severity.max(rule.severity);
                self.raised.push(Raised { rule: index, value });
            }
        }
    }

    fn count_failures(&mut self, seen: &RoundSeen) {
        let looked = || seen.tests.iter().filter(|test| test.looked());
        let dumb = || looked().filter(|test| !test.replied);
        let hard = looked().all(|test| !test.replied);
        // Silence of one probe among others is a matter of its loss threshold; a failure speaks for itself.
        let telling = dumb().filter(|test| hard || test.failure.is_some());
        self.failures = telling.map(|test| (test.kind.clone(), test.failure)).collect();
        if hard {
            self.round = Round::Hard;
            self.severity = Severity::Critical;
        } else if !self.failures.is_empty() {
            self.round = Round::Bad;
            self.severity = self.severity.max(Severity::Warning);
        }
        let losses = seen.tests.iter().flat_map(|test| &test.losses);
        let lost: u64 = losses.filter(|loss| loss.name == "loss_ratio").map(|loss| loss.lost).sum();
        self.restless = lost >= RESTLESS;
    }
}

fn is_void(seen: &RoundSeen) -> bool {
    seen.own_line == OwnLine::Down
        || seen.under_load
        || seen.tests.iter().any(|test| test.clock_stepped)
        || !seen.tests.iter().any(Test::looked)
}

fn weigh<'a>(
    threshold: &Threshold,
    slot: u8,
    test: &Test,
    recent: impl Iterator<Item = &'a Past>,
    clear_at: f64,
) -> Weighed {
    let own = test.losses.iter().find(|loss| loss.name == threshold.scalar());
    if let Some(own) = own.filter(|_| threshold.is_upper()) {
        let same = |(place, loss): &&(u8, Loss)| *place == slot && loss.name == own.name;
        let earlier = recent.flat_map(|past| past.packets.iter().filter(same));
        let (lost, sent) = earlier
            .fold((own.lost, own.sent), |(lost, sent), (_, loss)| (lost + loss.lost, sent + loss.sent));
        return weigh_loss(threshold, lost, sent, clear_at);
    }
    match threshold.value_in(&test.scalars) {
        None => Weighed::Silent,
        Some(value) if threshold.is_raised(value) => Weighed::Raised(value),
        Some(value) if threshold.is_clear(value, clear_at) => Weighed::Clear,
        Some(_) => Weighed::Between,
    }
}

fn weigh_loss(threshold: &Threshold, lost: u64, sent: u64, clear_at: f64) -> Weighed {
    if sent == 0 {
        return Weighed::Silent;
    }
    let ratio = lost as f64 / sent as f64;
    if sent >= FEWEST_PACKETS && threshold.is_raised(wilson_lower(lost, sent)) {
        Weighed::Raised(ratio)
    } else if threshold.is_clear(ratio, clear_at) {
        Weighed::Clear
    } else {
        Weighed::Between
    }
}
