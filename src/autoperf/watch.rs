//! One target under watch: what is configured, what is remembered, and what the next record has to tell.

use std::time::Duration;

use uuid::Uuid;

use super::judge::{Judgement, failed};
use super::schedule::{hash, stagger};
use super::settings::TargetConfig;
use super::state::{Cause, Due, Moment, State};
use super::step::{Action, Observation, step};
use crate::failure::Failure;
use crate::probe::Agent;
use crate::store::run::{
    Budget, ClockState, Due as Next, Mode, OwnLine, Round, Run, Severity, Skipped, Trigger, Why,
};
use crate::units::{Unit, nanos};

/// One target under watch.
pub struct Watch {
    pub(super) config: TargetConfig,
    pub(super) state: State,
    /// Tiers that did not run and that no record has told of yet.
    skipped: Vec<Skipped>,
    /// The clock was set back, or rounds are missing, and no record has told of it yet.
    has_stepped: bool,
}

/// What one observation led to.
#[derive(Default)]
pub(super) struct Led {
    judgement: Option<Judgement>,
    /// The tier that runs next, and why.
    pub(super) next: Option<(u8, &'static str)>,
    resolved: Option<Uuid>,
}

/// What ran, for the record.
pub(super) struct Ran {
    pub(super) id: Uuid,
    pub(super) at: Moment,
    pub(super) elapsed: Duration,
    pub(super) agent: Agent,
    pub(super) tier: u8,
    pub(super) reason: String,
    pub(super) own_line: OwnLine,
    pub(super) tests: Vec<Uuid>,
}

impl Watch {
    /// Watches the target of `config`, of which `row` is remembered. `anew`: the schedule begins here, as in a daemon
    /// that starts; otherwise this is one more run among others.
    ///
    /// # Errors
    /// When the row is of a newer version, or is none.
    pub(super) fn new(
        config: TargetConfig,
        row: Option<&[u8]>,
        agent: &str,
        now: Moment,
        anew: bool,
    ) -> Result<Self, Failure> {
        let state = match row {
            Some(row) => State::decode(row)?,
            None => {
                let first = stagger(agent, &config.name, config.interval);
                State::new(hash(&[agent, &config.name]), first)
            }
        };
        let mut watch = Self { config, state, skipped: Vec::new(), has_stepped: false };
        let aborted = watch.state.running.take();
        let is_aborted = aborted.is_some() || watch.state.outstanding.is_some();
        if anew || is_aborted || row.is_none() {
            watch.feed(&Observation::Restarted { aborted: is_aborted }, now);
        }
        if let Some(running) = aborted {
            watch.skip(running.tier, Why::Aborted);
        }
        Ok(watch)
    }

    /// The key of the row that remembers the target called `name`.
    pub fn key(name: &str) -> String {
        format!("autoperf/target/{name}")
    }

    /// The target's name.
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// What is configured.
    pub fn config(&self) -> &TargetConfig {
        &self.config
    }

    /// What is remembered.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Goes on with another configuration, as after a restart: what was counted against the old one says nothing, what is
    /// known (incidents, cool-downs, budgets) stays.
    pub(super) fn change(&mut self, config: TargetConfig, now: Moment) {
        self.config = config;
        self.feed(&Observation::Restarted { aborted: false }, now);
    }

    /// Puts the next round off when it is late by more than an interval (the machine slept, or nobody ran): to this
    /// target's own place in the next interval, so that not all targets burst. Whether it was.
    pub(super) fn put_off(&mut self, agent: &str, now: Moment) -> bool {
        let t = self.state.clock_at(now);
        let late = t.saturating_sub(self.state.due.at);
        if late <= nanos(self.config.interval) {
            return false;
        }
        let after = stagger(agent, &self.config.name, self.config.interval);
        self.state.due = Due { at: t.saturating_add(nanos(after)), why: Cause::Schedule };
        true
    }

    /// Notes for the next record that `tier` did not run.
    pub(super) fn skip(&mut self, tier: u8, why: Why) {
        let skipped = Skipped { tier, why };
        if !self.skipped.contains(&skipped) {
            self.skipped.push(skipped);
        }
    }

    /// Tells the state machine what was seen.
    pub(super) fn feed(&mut self, seen: &Observation, now: Moment) -> Led {
        let (state, actions) = step(self.state.clone(), seen, now, &self.config);
        self.state = state;
        let mut led = Led::default();
        for action in actions {
            match action {
                Action::RunTier { tier, reason } => led.next = Some((tier, reason)),
                Action::Record(judgement) => led.judgement = Some(judgement),
                Action::Skipped { tier, why } => self.skip(tier, why),
                Action::Stepped => self.has_stepped = true,
                Action::Resolve(id) => led.resolved = Some(id),
                // These stand in the state.
                Action::RunTier1 { .. } | Action::Open(_) | Action::Update(_) => {}
            }
        }
        led
    }

    /// The record of what `ran` and what it `led` to.
    pub(super) fn record(&mut self, ran: Ran, led: &Led, clock_stepped: bool, now: Moment) -> Run {
        let state = &self.state;
        let has_stepped = std::mem::take(&mut self.has_stepped) || clock_stepped;
        Run {
            v: 1,
            id: ran.id,
            at: ran.at.timestamp(),
            elapsed: ran.elapsed,
            agent: ran.agent,
            mode: Mode::Autoperf,
            target: self.config.name.clone(),
            tier: ran.tier,
            reason: ran.reason,
            state: state.phase,
            severity: state.severity,
            round: led.judgement.as_ref().map_or(Round::Void, |found| found.round),
            own_line: ran.own_line,
            clock: if has_stepped { ClockState::Stepped } else { ClockState::Ok },
            tests: ran.tests,
            triggers: led.judgement.as_ref().map_or_else(Vec::new, |found| self.triggers(found, ran.tier)),
            triggered_escalation: led.next.is_some(),
            next_tier: led.next.map(|(tier, _)| tier),
            skipped: std::mem::take(&mut self.skipped),
            verdict: None,
            incident: state.incident.map(|incident| incident.id).or(led.resolved),
            bundle: None,
            next: Some(next(state, led, now)),
            budget: left(state, &self.config),
        }
    }

    fn triggers(&self, found: &Judgement, tier: u8) -> Vec<Trigger> {
        let raised = found.raised.iter().filter_map(|raised| {
            let rule = self.config.rules.get(raised.rule)?;
            Some(Trigger {
                threshold: rule.threshold.as_str().to_owned(),
                value: Some(raised.value),
                unit: rule.threshold.unit(),
                rounds: self.rounds(tier),
                severity: rule.severity,
            })
        });
        let is_hard = found.round == Round::Hard;
        let failures = found.failures.iter().map(|(kind, class)| Trigger {
            threshold: failed(kind, *class),
            value: None,
            unit: Unit::None,
            rounds: self.rounds(tier),
            severity: if is_hard { Severity::Critical } else { Severity::Warning },
        });
        raised.chain(failures).collect()
    }

    /// Bad rounds of the last ones, as the raise rule counts them; a higher tier is judged by itself.
    fn rounds(&self, tier: u8) -> String {
        if tier > 1 {
            return "1/1".to_owned();
        }
        let last = usize::from(self.config.raise.last);
        let recent = self.state.streak.iter().rev().take(last);
        let bad = recent.filter(|round| matches!(round, Round::Bad | Round::Hard)).count();
        format!("{}/{last}", bad.max(1))
    }
}

fn next(state: &State, led: &Led, now: Moment) -> Next {
    match led.next {
        Some((tier, why)) => Next { at: now.timestamp(), tier, why: why.to_owned() },
        None => Next { at: state.wall_of(state.due.at, now), tier: 1, why: state.due.why.word().to_owned() },
    }
}

/// What is left of a target's budgets for the day.
pub fn left(state: &State, config: &TargetConfig) -> Budget {
    let (budget, used) = (config.budget, state.used);
    Budget {
        tier2: budget.tier2.saturating_sub(used.tier2),
        tier3: budget.tier3.saturating_sub(used.tier3),
        bytes: budget.bytes.0.saturating_sub(used.bytes),
    }
}

impl Cause {
    /// Its word in records.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Confirm => "confirm",
        }
    }
}
