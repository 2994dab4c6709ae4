//! The state machine of one target: what a round, or a finished tier, leads to (autoperf.md §2).
//!
//! One pure function without I/O, clock or randomness of its own. On this floor a finding's fingerprint is its
//! signature (a later floor gives verdicts), and tier 2 leads to tier 3 when it still breaks a threshold.

#[cfg(test)]
mod properties;

use std::time::Duration;

use uuid::Uuid;

use super::judge::{Judgement, Past, RoundSeen, judge};
use super::schedule::jitter;
use super::settings::{Escalate, TargetConfig};
use super::state::{Cause, Cooling, Due, Finding, Incident, Moment, Outstanding, State};
use crate::store::run::{Round, Severity, State as Phase, Why};
use crate::units::nanos;

/// How long a tier may wait for its turn (concurrency), on top of its own time.
pub const TURN: Duration = Duration::from_secs(60);
/// What a tier may take beyond its time, to wind up.
const SLACK: Duration = Duration::from_secs(5);
/// A finding that returns within this time of the end of its cool-down cools longer.
const MEMORY: u64 = 86_400_000_000_000;
/// Rounds that are kept.
const KEPT: usize = 64;
/// Findings that are kept.
const FINDINGS: usize = 64;

/// Something that happened to a target.
#[derive(Clone, Debug, PartialEq)]
pub enum Observation {
    /// A round of tier 1 ended.
    Round(RoundSeen),
    /// Tier 2 or 3 ended.
    TierDone {
        /// Which.
        tier: u8,
        /// What its probes found.
        seen: RoundSeen,
    },
    /// Tier 2 or 3 could not run.
    TierRefused {
        /// Which.
        tier: u8,
        /// Why.
        why: Why,
    },
    /// A person asks for a tier.
    Asked {
        /// Which: 2 or 3.
        tier: u8,
        /// Whatever the budget says; it is charged all the same.
        ignore_budget: bool,
    },
    /// Time went by.
    Tick,
    /// The process that runs the schedule began anew.
    Restarted {
        /// A run had not ended.
        aborted: bool,
    },
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// The next round of tier 1.
    RunTier1 {
        /// From now.
        after: Duration,
        /// Why.
        why: Cause,
    },
    /// Run this tier now.
    RunTier {
        /// 2 or 3.
        tier: u8,
        /// Why, in a word or two.
        reason: &'static str,
    },
    /// Put this into the record of the run.
    Record(Judgement),
    /// Put this into the record of the run: a tier was wanted and does not run.
    Skipped {
        /// Which.
        tier: u8,
        /// Why.
        why: Why,
    },
    /// The wall clock was set back, or rounds are missing: streaks were dropped.
    Stepped,
    /// An incident begins.
    Open(Uuid),
    /// An incident has become worse, or a tier has said more about it.
    Update(Uuid),
    /// An incident is over.
    Resolve(Uuid),
}

/// What follows for `state` from what was `seen` at `now`.
///
/// The same arguments give the same answer, to the byte. Each answer names at most one tier to run, and, but for a
/// [`Observation::Asked`], when the next round is due.
pub fn step(state: State, seen: &Observation, now: Moment, config: &TargetConfig) -> (State, Vec<Action>) {
    let mut turn = Turn { state, actions: Vec::with_capacity(4), now, config };
    turn.pass_time();
    match seen {
        Observation::Round(seen) => turn.round(seen),
        Observation::TierDone { tier, seen } => turn.tier_done(*tier, seen),
        Observation::TierRefused { tier, why } => turn.tier_refused(*tier, *why),
        Observation::Asked { tier, ignore_budget } => turn.asked(*tier, *ignore_budget),
        Observation::Tick => turn.schedule_anew(),
        Observation::Restarted { aborted } => turn.restarted(*aborted),
    }
    (turn.state, turn.actions)
}

/// One call of [`step`] under way.
struct Turn<'a> {
    state: State,
    actions: Vec<Action>,
    now: Moment,
    config: &'a TargetConfig,
}

impl Turn<'_> {
    const fn t(&self) -> u64 {
        self.state.clock.t
    }

    fn pass_time(&mut self) {
        if self.state.clock.advance(self.now, self.config.interval) {
            self.actions.push(Action::Stepped);
            self.drop_streaks();
        }
        let t = self.t();
        self.state.used.turn(self.now, t);
        self.state.cooling.retain(|entry| t.saturating_sub(entry.until) < MEMORY);
        if self.state.outstanding.as_ref().is_some_and(|tier| tier.deadline < t) {
            self.give_up(Why::Aborted);
        }
    }

    /// What was counted in rounds starts anew; what is known (incidents, cool-downs, budgets) stays.
    fn drop_streaks(&mut self) {
        self.state.streak.clear();
        self.state.rounds.clear();
        self.state.good = 0;
        self.state.calm_since = self.t();
        if self.state.phase == Phase::Suspect {
            self.enter(Phase::Unknown);
        }
    }

    fn round(&mut self, seen: &RoundSeen) {
        let found = judge(self.state.rounds.iter(), seen, self.t(), self.config);
        let confirmed = self.state.due.why == Cause::Confirm;
        if found.round == Round::Void {
            self.schedule(seen.took);
            self.actions.push(Action::Record(found));
            return;
        }
        self.remember(&found, seen);
        let suspected = self.state.phase == Phase::Suspect;
        match self.state.phase {
            Phase::Unknown | Phase::Ok => self.while_well(&found),
            Phase::Suspect => self.while_suspect(&found),
            Phase::Tier2 | Phase::Tier3 => {}
            Phase::Cooldown => self.while_cooling(&found),
            Phase::Recovering => self.while_recovering(&found),
        }
        self.settle_severity(&found);
        let arose = self.state.phase == Phase::Suspect && !suspected;
        let well = matches!(self.state.phase, Phase::Unknown | Phase::Ok);
        if arose || (well && found.restless && !confirmed) {
            self.due_in(self.config.confirm_after, Cause::Confirm);
        } else {
            self.schedule(seen.took);
        }
        self.actions.push(Action::Record(found));
    }

    fn remember(&mut self, found: &Judgement, seen: &RoundSeen) {
        let state = &mut self.state;
        let packets = (0u8..)
            .zip(&seen.tests)
            .flat_map(|(slot, test)| test.losses.iter().map(move |loss| (slot, loss.clone())));
        state.rounds.push_back(Past { at: state.clock.t, round: found.round, packets: packets.collect() });
        if state.rounds.len() > KEPT {
            state.rounds.pop_front();
        }
        state.streak.push_back(found.round);
        while state.streak.len() > usize::from(self.config.raise.last.max(2)) {
            state.streak.pop_front();
        }
        state.good = if found.round == Round::Good { state.good.saturating_add(1) } else { 0 };
        if is_bad(found.round) {
            state.calm_since = state.clock.t;
        }
    }

    fn while_well(&mut self, found: &Judgement) {
        if !is_bad(found.round) {
            return self.enter(Phase::Ok);
        }
        self.enter(Phase::Suspect);
        self.state.waited = 0;
        self.state.streak.clear();
        self.state.streak.push_back(found.round);
        if self.is_raised() {
            self.raise(found);
        }
    }

    fn while_suspect(&mut self, found: &Judgement) {
        self.state.waited += 1;
        let over = self.state.waited >= self.config.raise.last;
        match (self.is_raised(), over, is_bad(found.round)) {
            (true, _, _) => self.raise(found),
            // The last look is bad again: the suspicion starts anew.
            (_, true, true) => self.state.waited = 0,
            (_, true, false) => self.enter(Phase::Ok),
            (_, false, _) => {}
        }
    }

    fn while_cooling(&mut self, found: &Judgement) {
        if self.state.good >= self.config.clear_rounds {
            self.state.streak.clear();
            self.state.calm_since = self.t();
            return self.enter(Phase::Recovering);
        }
        if !is_bad(found.round) || self.state.outstanding.is_some() {
            return;
        }
        let finding = self.finding(found);
        let (t, known) = (self.t(), self.known(&finding.signature));
        match known {
            None => self.diagnose(found, finding, "new finding"),
            Some(entry) if entry.severity < finding.severity => self.diagnose(found, finding, "worse"),
            Some(entry) if entry.until <= t => self.diagnose(found, finding, "still bad"),
            Some(_) => {}
        }
    }

    fn while_recovering(&mut self, found: &Judgement) {
        if is_bad(found.round) && self.is_raised() {
            self.enter(Phase::Cooldown);
            return self.while_cooling(found);
        }
        let calm = self.t().saturating_sub(self.state.calm_since);
        if !is_bad(found.round) && calm >= nanos(self.config.keep_firing_for) {
            if let Some(incident) = self.state.incident.take() {
                self.actions.push(Action::Resolve(incident.id));
            }
            self.state.streak.clear();
            self.enter(Phase::Ok);
        }
    }

    /// The raise rule: M of the last N, or hard twice in a row.
    fn is_raised(&self) -> bool {
        let (streak, raise) = (&self.state.streak, self.config.raise);
        let last = || streak.iter().rev();
        let bad = last().take(usize::from(raise.last)).filter(|round| is_bad(**round)).count();
        let hard = last().take(2).filter(|round| **round == Round::Hard).count();
        bad >= usize::from(raise.of) || hard == 2
    }

    fn raise(&mut self, found: &Judgement) {
        let id = self.incident_id();
        self.state.incidents += 1;
        self.state.incident = Some(Incident { id, peak: found.severity });
        self.actions.push(Action::Open(id));
        let finding = self.finding(found);
        self.diagnose(found, finding, "confirmed");
    }

    /// Wants tier 2 for `finding`.
    fn diagnose(&mut self, found: &Judgement, finding: Finding, reason: &'static str) {
        if !found.escalates(self.config) {
            return self.cool(&finding, finding.severity);
        }
        match self.refusal(2) {
            None => self.run_tier(2, Some(finding), reason),
            Some(why) => {
                self.skip(2, why);
                self.cool(&finding, finding.severity);
            }
        }
    }

    fn run_tier(&mut self, tier: u8, finding: Option<Finding>, reason: &'static str) {
        let plan = self.config.tier(tier);
        let used = &mut self.state.used;
        let runs = if tier == 2 { &mut used.tier2 } else { &mut used.tier3 };
        *runs = runs.saturating_add(1);
        used.bytes = used.bytes.saturating_add(plan.bytes);
        if finding.is_some() {
            self.enter(if tier == 2 { Phase::Tier2 } else { Phase::Tier3 });
        }
        self.state.outstanding = Some(Outstanding {
            tier,
            deadline: self.t().saturating_add(nanos(plan.timeout + TURN + SLACK)),
            finding,
        });
        self.actions.push(Action::RunTier { tier, reason });
    }

    /// Why `tier` may not run, if so.
    fn refusal(&self, tier: u8) -> Option<Why> {
        let (plan, budget, used) = (self.config.tier(tier), self.config.budget, self.state.used);
        let spent = match tier {
            2 => used.tier2 >= budget.tier2,
            _ => used.tier3 >= budget.tier3,
        };
        if plan.probes.is_empty() {
            Some(Why::Disabled)
        } else if self.state.outstanding.is_some() {
            Some(Why::Lease)
        } else if spent || used.bytes.saturating_add(plan.bytes) > budget.bytes.0 {
            Some(Why::Budget)
        } else {
            None
        }
    }

    fn tier_done(&mut self, tier: u8, seen: &RoundSeen) {
        let found = judge([].iter(), seen, self.t(), self.config);
        let outstanding = self.state.outstanding.take_if(|running| running.tier == tier);
        if let Some(finding) = outstanding.and_then(|running| running.finding) {
            let severity = finding.severity.max(found.severity);
            if tier == 2 && is_bad(found.round) && self.config.escalate == Escalate::Threshold {
                self.escalate(&finding, severity);
            } else {
                self.cool(&finding, severity);
            }
            if let Some(incident) = &mut self.state.incident {
                incident.peak = incident.peak.max(severity);
                self.actions.push(Action::Update(incident.id));
                self.set_severity(self.state.severity.max(found.severity));
            }
        }
        self.schedule(seen.took);
        self.actions.push(Action::Record(found));
    }

    fn escalate(&mut self, finding: &Finding, severity: Severity) {
        let t = self.t();
        let fingerprint = finding.fingerprint();
        let rests = |entry: &Cooling| entry.fingerprint == fingerprint && entry.until > t;
        let refusal = match self.state.cooling.iter().any(rests) {
            true => Some(Why::Cooldown),
            false => self.refusal(3),
        };
        match refusal {
            None => {
                let finding = Finding { severity, ..finding.clone() };
                self.run_tier(3, Some(finding), "escalation");
            }
            Some(why) => {
                self.skip(3, why);
                self.cool(finding, severity);
            }
        }
    }

    fn tier_refused(&mut self, tier: u8, why: Why) {
        if self.state.outstanding.as_ref().is_some_and(|running| running.tier == tier) {
            self.give_up(why);
        }
        self.schedule_anew();
    }

    /// The tier that runs has come to nothing; tier 1 goes on.
    fn give_up(&mut self, why: Why) {
        let Some(running) = self.state.outstanding.take() else {
            return;
        };
        self.skip(running.tier, why);
        if let Some(finding) = running.finding {
            self.cool(&finding, finding.severity);
        }
    }

    fn asked(&mut self, tier: u8, ignore_budget: bool) {
        match self.refusal(tier) {
            Some(Why::Budget) if ignore_budget => self.run_tier(tier, None, "asked"),
            None => self.run_tier(tier, None, "asked"),
            Some(why) => self.skip(tier, why),
        }
    }

    fn restarted(&mut self, aborted: bool) {
        self.drop_streaks();
        if aborted || self.state.outstanding.is_some() {
            self.give_up(Why::Aborted);
        }
        self.schedule_anew();
    }

    /// Lets `finding` rest, longer each time that it comes back within a day.
    fn cool(&mut self, finding: &Finding, severity: Severity) {
        let t = self.t();
        let fingerprint = finding.fingerprint();
        let cooling = &mut self.state.cooling;
        let known = cooling.iter().position(|entry| entry.fingerprint == fingerprint);
        let mut entry = match known {
            Some(place) => cooling.remove(place),
            None => Cooling {
                fingerprint,
                signatures: vec![finding.signature.clone()],
                severity,
                until: 0,
                exponent: 0,
            },
        };
        if known.is_some() && entry.until <= t {
            entry.exponent = entry.exponent.saturating_add(1);
        }
        let longer = 1u32.checked_shl(entry.exponent.into()).unwrap_or(u32::MAX);
        let span = self.config.cooldown.saturating_mul(longer).min(self.config.cooldown_max);
        entry.until = t.saturating_add(nanos(span));
        entry.severity = severity;
        if cooling.len() >= FINDINGS {
            cooling.remove(0);
        }
        cooling.push(entry);
        self.enter(Phase::Cooldown);
    }

    /// The entry whose signatures cover `signature`; of several, the one that rests longest.
    fn known(&self, signature: &[String]) -> Option<&Cooling> {
        let covers = |known: &Vec<String>| signature.iter().all(|word| known.contains(word));
        let entries = self.state.cooling.iter().filter(|entry| entry.signatures.iter().any(covers));
        entries.max_by_key(|entry| (entry.severity, entry.until))
    }

    fn finding(&self, found: &Judgement) -> Finding {
        let mut signature: Vec<String> = found.signature(self.config).map(Into::into).collect();
        signature.sort_unstable();
        signature.dedup();
        Finding { signature, severity: found.severity }
    }

    fn skip(&mut self, tier: u8, why: Why) {
        self.actions.push(Action::Skipped { tier, why });
    }

    fn enter(&mut self, phase: Phase) {
        if phase == Phase::Cooldown && self.state.phase != Phase::Cooldown {
            self.state.good = 0;
        }
        self.state.phase = phase;
    }

    /// The target is as bad as its last round; a good one clears it only when no incident is open.
    fn settle_severity(&mut self, found: &Judgement) {
        let severity = match self.state.incident {
            Some(_) if !is_bad(found.round) => self.state.severity,
            Some(_) => {
                self.worsen(found.severity);
                found.severity
            }
            None => found.severity,
        };
        self.set_severity(severity);
    }

    fn set_severity(&mut self, severity: Severity) {
        if severity != self.state.severity {
            self.state.severity = severity;
            self.state.since = self.now.wall;
        }
    }

    /// Tells when an open incident becomes worse than it ever was.
    fn worsen(&mut self, severity: Severity) {
        if let Some(incident) = &mut self.state.incident
            && severity > incident.peak
        {
            incident.peak = severity;
            self.actions.push(Action::Update(incident.id));
        }
    }

    /// The next round in its usual time, from the beginning of the one that `took` so long.
    fn schedule(&mut self, took: Duration) {
        let well = matches!(self.state.phase, Phase::Unknown | Phase::Ok);
        let span = if well { self.config.interval } else { self.config.fast };
        let mut after = jitter(span, &mut self.state.dice).saturating_sub(took);
        if self.state.phase == Phase::Recovering {
            // A round just when the incident may be resolved.
            let calm = Duration::from_nanos(self.t().saturating_sub(self.state.calm_since));
            let left = self.config.keep_firing_for.saturating_sub(calm);
            after = after.min(left);
        }
        self.due_in(after, Cause::Schedule);
    }

    /// The next round as it was planned, or now if it is late.
    fn schedule_anew(&mut self) {
        let left = Duration::from_nanos(self.state.due.at.saturating_sub(self.t()));
        let why = self.state.due.why;
        let longest = self.config.interval + self.config.interval / 10;
        self.due_in(left.min(longest), why);
    }

    fn due_in(&mut self, after: Duration, why: Cause) {
        self.state.due = Due { at: self.t().saturating_add(nanos(after)), why };
        self.actions.push(Action::RunTier1 { after, why });
    }

    /// A UUID v7 made of the moment, the seed and the count: the same run of events gives the same ids.
    fn incident_id(&self) -> Uuid {
        let mut dice = self.state.dice;
        let random = u128::from(dice.bits()) << 64 | u128::from(dice.bits() ^ self.state.incidents);
        let mut octets = [0; 10];
        octets.copy_from_slice(&random.to_be_bytes()[..10]);
        uuid::Builder::from_unix_timestamp_millis(self.now.wall / 1_000_000, &octets).into_uuid()
    }
}

impl Finding {
    fn fingerprint(&self) -> String {
        self.signature.join(", ")
    }
}

const fn is_bad(round: Round) -> bool {
    matches!(round, Round::Bad | Round::Hard)
}
