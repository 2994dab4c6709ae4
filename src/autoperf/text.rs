//! A round on one line, for people.

use std::time::Duration;

use crate::probe::{Measurement, Scalar};
use crate::report::text::{escape, scalar};
use crate::store::run::{Round, Run, Severity, Skipped, State, Trigger, Why};
use crate::units::Timestamp;

/// The scalars that a line shows, and how it calls them.
const SHOWN: [(&str, &str); 4] = [
    ("rtt_p95", "rtt_p95"),
    ("loss_ratio", "loss"),
    ("first_byte", "first_byte"),
    ("throughput", "throughput"),
];

/// `10:00:03 shop tier 1 good  rtt_p95 12.4 ms  loss 0.0 %  next in 5 min (schedule)`; times are UTC.
pub fn line(run: &Run, measurements: &[Measurement]) -> String {
    let (time, target) = (run.at.strftime("%H:%M:%S"), escape(&run.target));
    let mut parts = vec![format!("{time} {target} tier {} {}", run.tier, round(run.round))];
    parts.extend(values(measurements));
    parts.extend(run.triggers.iter().map(trigger));
    parts.extend(run.skipped.iter().map(skipped));
    parts.extend(condition(run));
    parts.extend(next(run));
    parts.join("  ")
}

fn values(measurements: &[Measurement]) -> Vec<String> {
    let scalars: Vec<Scalar> = measurements.iter().flat_map(Measurement::scalars).collect();
    let shown = SHOWN.iter().filter_map(|(name, shown)| {
        let known = scalars.iter().find(|scalar| scalar.name == *name && scalar.value.is_some())?;
        Some(format!("{shown} {}", scalar(known)))
    });
    shown.collect()
}

fn trigger(trigger: &Trigger) -> String {
    format!("{} ({})", trigger.threshold, trigger.rounds)
}

fn skipped(skipped: &Skipped) -> String {
    format!("tier {} skipped: {}", skipped.tier, why(skipped.why))
}

/// State and severity, where not all is well.
fn condition(run: &Run) -> Option<String> {
    let is_well = matches!(run.state, State::Ok | State::Unknown)
        && matches!(run.severity, Severity::Ok | Severity::Unknown);
    (!is_well).then(|| format!("{}, {}", state(run.state), severity(run.severity)))
}

fn next(run: &Run) -> Option<String> {
    let next = run.next.as_ref()?;
    if let Some(tier) = run.next_tier {
        return Some(format!("tier {tier} now ({})", next.why));
    }
    let end = run.at.checked_add(run.elapsed).unwrap_or(Timestamp::MAX);
    let left = Duration::try_from(next.at.duration_since(end)).unwrap_or_default();
    Some(format!("next in {} ({})", about(left), next.why))
}

/// A span to about its first two digits.
pub fn about(span: Duration) -> String {
    match span.as_secs_f64() {
        s if s < 89.5 => format!("{s:.0} s"),
        s if s < 5_400.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.0} h", s / 3_600.0),
        s => format!("{:.0} d", s / 86_400.0),
    }
}

/// The word for how a round counted.
pub const fn round(round: Round) -> &'static str {
    match round {
        Round::Good => "good",
        Round::Grey => "grey",
        Round::Bad => "bad",
        Round::Hard => "hard",
        Round::Void => "void",
    }
}

/// The word for where a target stands.
pub const fn state(state: State) -> &'static str {
    match state {
        State::Unknown => "unknown",
        State::Ok => "ok",
        State::Suspect => "suspect",
        State::Tier2 => "tier2",
        State::Tier3 => "tier3",
        State::Cooldown => "cooldown",
        State::Recovering => "recovering",
    }
}

/// The word for how bad a target is.
pub const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Unknown => "unknown",
        Severity::Ok => "ok",
        Severity::Warning => "warning",
        Severity::Critical => "critical",
    }
}

/// The word for why a tier did not run.
pub const fn why(why: Why) -> &'static str {
    match why {
        Why::Budget => "budget",
        Why::Cooldown => "cooldown",
        Why::Window => "window",
        Why::Lease => "lease",
        Why::Confirmation => "confirmation",
        Why::Disabled => "disabled",
        Why::Aborted => "aborted",
    }
}

#[cfg(test)]
mod unit_tests {
    use super::*;
    use crate::report::sample;
    use crate::units::Unit;

    fn run(text: &str) -> Run {
        let mut run = serde_json::json!({
            "v": 1, "id": "019ab0e2-0000-7000-8000-000000000001", "at": "2026-11-23T10:00:03Z", "elapsed_ms": 1000.0,
            "agent": sample::agent().as_ref(), "mode": "autoperf", "target": "shop", "tier": 1, "reason": "schedule",
            "state": "ok", "severity": "ok", "round": "good", "own_line": "ok", "clock": "ok", "tests": [],
            "triggers": [], "triggered_escalation": false, "next_tier": null, "skipped": [], "verdict": null,
            "incident": null, "bundle": null,
            "next": {"at": "2026-11-23T10:05:04Z", "tier": 1, "why": "schedule"},
            "budget": {"tier2": 12, "tier3": 4, "bytes": 0}
        });
        let changes: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(text).expect("changes");
        run.as_object_mut().expect("an object").extend(changes);
        serde_json::from_value(run).expect("a run")
    }

    #[test]
    fn a_good_round_tells_its_numbers_and_what_is_next() {
        let told = line(&run("{}"), &[sample::udpping(10, &[])]);
        assert!(told.starts_with("10:00:03 shop tier 1 good  rtt_p95 "), "{told}");
        assert!(told.ends_with("  loss 0.0 %  next in 5 min (schedule)"), "{told}");
    }

    #[test]
    fn a_bad_round_names_what_it_raised_and_what_follows() {
        let mut bad = run(r#"{"round": "bad", "state": "tier2", "severity": "warning", "next_tier": 2,
            "skipped": [{"tier": 3, "why": "budget"}], "next": {"at": "2026-11-23T10:00:04Z", "tier": 2, "why": "confirmed"}}"#);
        bad.triggers = vec![Trigger {
            threshold: "rtt_p95 > 100ms".to_owned(),
            value: Some(0.143),
            unit: Unit::Seconds,
            rounds: "2/3".to_owned(),
            severity: Severity::Warning,
        }];
        let expected = "10:00:03 shop tier 1 bad  rtt_p95 > 100ms (2/3)  tier 3 skipped: budget  tier2, warning  \
                        tier 2 now (confirmed)";
        assert_eq!(line(&bad, &[]), expected);
    }
}
