//! `autoperf check`: the effective plan and the most that it sends. Nothing is sent.

use std::time::Duration;

use super::targets;
use crate::autoperf::settings::{Size, TargetConfig, TierConfig};
use crate::autoperf::text::about;
use crate::cli::{Env, say};
use crate::failure::Failure;
use crate::probe::{Probe, Traffic};
use crate::report::text::{bytes, escape};

const DAY: f64 = 86_400.0;

pub(super) fn run(env: &Env) -> Result<u8, Failure> {
    let targets = targets(env)?;
    let mut lines: Vec<String> = targets.iter().flat_map(plan).collect();
    let (octets, rate) =
        targets.iter().map(worst).fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    lines.push(format!("all together at most {} a day, {rate:.0} packets/s", bytes(octets)));
    lines.extend(env.data.make().err().map(|failure| format!("missing: {failure}")));
    say(&(lines.join("\n") + "\n"))
}

fn plan(target: &TargetConfig) -> Vec<String> {
    let name = escape(&target.name);
    let mut lines = vec![format!(
        "{name} ({})  every {}, {} while it is not well; raised by {} rounds",
        escape(&target.host),
        about(target.interval),
        about(target.fast),
        target.raise
    )];
    lines.extend((1u8..).zip(&target.tiers).map(|(number, tier)| describe(number, tier, target)));
    lines.extend(target.rules.iter().map(|rule| {
        let severity = crate::autoperf::text::severity(rule.severity);
        format!("  {severity:<8}  {}", rule.threshold)
    }));
    let (octets, rate) = worst(target);
    lines.push(format!("  at most {} a day, {rate:.0} packets/s", bytes(octets)));
    lines
}

fn describe(number: u8, tier: &TierConfig, target: &TargetConfig) -> String {
    let runs = match number {
        2 => format!(", at most {} a day", target.budget.tier2),
        3 => format!(", at most {} a day", target.budget.tier3),
        _ => String::new(),
    };
    if tier.probes.is_empty() {
        return format!("  tier {number}    no probes");
    }
    let probes: Vec<String> = tier.probes.iter().map(probe).collect();
    format!("  tier {number}    {}; within {}{runs}", probes.join(", "), about(tier.timeout))
}

fn probe(probe: &Probe) -> String {
    let Traffic { packets, bytes: octets, .. } = probe.traffic();
    format!("{} {} ({packets} packets, {})", probe.kind(), escape(probe.target()), Size(octets))
}

/// The most that rounds of `target` move in a day, in octets, and send, in packets per second.
fn worst(target: &TargetConfig) -> (f64, f64) {
    let [first, second, third] = &target.tiers;
    let per_day = |every: Duration| DAY / every.as_secs_f64().max(1.0);
    let confirming: Vec<Traffic> = first.confirming().iter().map(Probe::traffic).collect();
    let confirmed: u64 = confirming.iter().map(|traffic| traffic.bytes).sum();
    let usual = (first.bytes + confirmed) as f64 * per_day(target.interval);
    let fast = first.bytes as f64 * per_day(target.fast);
    let budget = target.budget;
    let higher = u64::from(budget.tier2).saturating_mul(second.bytes)
        + u64::from(budget.tier3).saturating_mul(third.bytes);
    let rates = |probe: &Probe| probe.traffic().packets_per_second;
    let together: f64 = confirming.iter().map(|traffic| traffic.packets_per_second).sum();
    let in_turn = second.probes.iter().chain(&third.probes).map(rates).fold(0.0, f64::max);
    (usual.max(fast) + higher.min(budget.bytes.0) as f64, together.max(in_turn))
}
