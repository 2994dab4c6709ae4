//! Which settings contradict themselves: the key from `[autoperf]` on, what is wrong with it, and the remedy.

use std::collections::BTreeSet;
use std::fmt;

use super::settings::{SHORTEST, SHORTEST_FAST, Settings, TargetSettings, Tier};
use super::threshold::Threshold;
use crate::failure::Fault;
use crate::units::Span;

/// Stands for a target where there is none.
const ANY: &str = "h.example";

impl Settings {
    /// Refuses what no round can be made of.
    ///
    /// # Errors
    /// The key, what is wrong with it and what it may be.
    pub fn check(&self) -> Result<(), Fault> {
        self.check_general()?;
        let mut names = BTreeSet::new();
        for (number, target) in self.target.iter().enumerate() {
            let place = format!("target[{number}]");
            self.check_target(&place, target)?;
            if !names.insert(&target.name) {
                let why = format_args!("`{}` is taken: two targets are called so", target.name);
                return wrong(format!("{place}.name"), why);
            }
        }
        Ok(())
    }

    /// What holds for every target, those that no file names included.
    pub(super) fn check_general(&self) -> Result<(), Fault> {
        self.check_interval("interval", self.interval)?;
        if !(1..=60).contains(&self.clear_rounds) {
            return wrong("clear_rounds", "takes 1 to 60");
        }
        if !(self.clear_at > 0.0 && self.clear_at <= 1.0) {
            return wrong("clear_at", "takes a part of the limit, above 0 and at most 1");
        }
        if self.fast == 0 {
            return wrong("fast", "takes 1 or more; 1 keeps the interval");
        }
        if self.cooldown.0.is_zero() {
            return wrong("cooldown", "must be above 0");
        }
        if self.cooldown > self.cooldown_max {
            let (first, most) = (self.cooldown, self.cooldown_max);
            // Who wrote only one of them looks for that one.
            return match first == Self::default().cooldown {
                true => {
                    wrong("cooldown_max", format_args!("{most} is below cooldown, {first}: set that as well"))
                }
                false => {
                    wrong("cooldown", format_args!("{first} is above cooldown_max, {most}: set that as well"))
                }
            };
        }
        let at_once = self.concurrency;
        for (tier, rounds) in [("tier1", at_once.tier1), ("tier2", at_once.tier2), ("tier3", at_once.tier3)] {
            if rounds == 0 {
                return wrong(format!("concurrency.{tier}"), "takes 1 or more rounds at once");
            }
        }
        for number in 1..=3 {
            check_tier(&format!("tier{number}"), self.tier(number), ANY)?;
        }
        match self.inversion(&self.thresholds, &self.critical) {
            Some((_, place)) => inverted(format!("critical[{place}]"), &self.critical[place]),
            None => Ok(()),
        }
    }

    /// What holds for one target, which stands at `place`.
    pub(super) fn check_target(&self, place: &str, target: &TargetSettings) -> Result<(), Fault> {
        let name = &target.name;
        let at = |key: &str| format!("{place}.{key}");
        for (key, value) in [("name", name), ("host", &target.host)] {
            if value.is_empty() {
                return wrong(at(key), "is missing: each [[autoperf.target]] needs a name and a host");
            }
        }
        if name.len() > 128 || name.chars().any(char::is_control) {
            let name = name.escape_debug();
            return wrong(at("name"), format_args!("`{name}`: at most 128 octets, none a control character"));
        }
        if let Some(interval) = target.interval {
            self.check_interval(&at("interval"), interval)?;
        }
        for number in 1..=3 {
            let key = format!("tier{number}");
            let path = if target.tier(number).is_some() { at(&key) } else { key };
            let tier = self.tier_of(number, target);
            check_tier(&path, tier, &target.host).map_err(|fault| match fault.key() {
                // Where the tier leaves it open, that is the target's host.
                "target" if tier.probe.iter().all(|probe| probe.target().is_empty()) => {
                    Fault::of(at("host"), fault.why)
                }
                _ => fault,
            })?;
            if number == 1 && tier.probe.is_empty() {
                let why = format_args!("has no probe for target `{name}`: write a [[autoperf.tier1.probe]]");
                return wrong(path, why);
            }
        }
        self.check_thresholds(place, target)
    }

    /// The thresholds that `target` itself names: each can be measured, and the critical ones are the worse ones.
    fn check_thresholds(&self, place: &str, target: &TargetSettings) -> Result<(), Fault> {
        let probes = || (1..=3).flat_map(|number| &self.tier_of(number, target).probe);
        for (key, own) in [("thresholds", &target.thresholds), ("critical", &target.critical)] {
            for (number, threshold) in own.iter().flatten().enumerate() {
                if !probes().any(|probe| threshold.is_measured_by(probe)) {
                    let known: BTreeSet<_> =
                        probes().flat_map(|probe| probe.unmeasured()).map(|known| known.name).collect();
                    let why = format_args!(
                        "`{threshold}`: no probe of target `{}` measures that; they know {}",
                        target.name,
                        known.into_iter().collect::<Vec<_>>().join(", ")
                    );
                    return wrong(format!("{place}.{key}[{number}]"), why);
                }
            }
        }
        let thresholds = target.thresholds.as_ref().unwrap_or(&self.thresholds);
        let critical = target.critical.as_ref().unwrap_or(&self.critical);
        match self.inversion(thresholds, critical) {
            Some((_, number)) if target.critical.is_some() => {
                inverted(format!("{place}.critical[{number}]"), &critical[number])
            }
            Some((warning, number)) => inverted(format!("{place}.thresholds[{warning}]"), &critical[number]),
            None => Ok(()),
        }
    }

    /// A threshold and a critical one that is raised before it, unless the program itself added that.
    fn inversion(&self, thresholds: &[Threshold], critical: &[Threshold]) -> Option<(usize, usize)> {
        let usual = Self::default().critical;
        let written = critical.iter().enumerate().filter(|(_, critical)| !usual.contains(critical));
        let mut found = written.filter_map(|(number, critical)| {
            let warning = thresholds.iter().position(|warning| critical.precedes(warning))?;
            Some((warning, number))
        });
        found.next()
    }

    fn check_interval(&self, path: &str, interval: Span) -> Result<(), Fault> {
        let shortest = self.shortest();
        if interval.0 >= shortest {
            return Ok(());
        }
        let remedy = if self.allow_fast { "" } else { ", or `allow_fast = true` for a demonstration" };
        wrong(path, format_args!("{interval} is too short, {} at least{remedy}", Span(shortest)))
    }

    /// The shortest interval that is allowed.
    pub(super) const fn shortest(&self) -> std::time::Duration {
        if self.allow_fast { SHORTEST_FAST } else { SHORTEST }
    }
}

/// Refuses the tier at `path` where it cannot measure `host`.
fn check_tier(path: &str, tier: &Tier, host: &str) -> Result<(), Fault> {
    if tier.timeout.is_some_and(|timeout| timeout.0.is_zero()) {
        return wrong(format!("{path}.timeout"), "must be above 0");
    }
    for (number, probe) in tier.probe.iter().enumerate() {
        let checked = probe.clone().aimed_at(host).check();
        checked.map_err(|fault| fault.within(&format!("{path}.probe[{number}]")))?;
    }
    Ok(())
}

fn inverted(path: String, critical: &Threshold) -> Result<(), Fault> {
    let why = format_args!("`{critical}` is critical before it is a warning: swap the two limits");
    wrong(path, why)
}

fn wrong(path: impl Into<String>, why: impl fmt::Display) -> Result<(), Fault> {
    Err(Fault::of(path, why))
}
