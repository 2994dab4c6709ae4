//! `autoperf run --nagios`: the last line of a monitoring plugin, with performance data, and its exit code.

use std::io::{self, Write};

use super::run::Seen;
use crate::autoperf::settings::TargetConfig;
use crate::probe::{Measurement, Scalar};
use crate::store::run::Severity;
use crate::units::Unit;

/// Prints the line that `seen` deserves; its code.
pub(super) fn tell(seen: &[Seen]) -> u8 {
    let (code, line) = line(seen);
    say(&line);
    code
}

/// Prints that nothing is known, and why; its code.
pub(in crate::cli) fn unknown(why: &str) -> u8 {
    say(&format!("WADDLEPERF UNKNOWN - {}", clean(why)));
    3
}

fn say(line: &str) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}

fn line(seen: &[Seen]) -> (u8, String) {
    let worst =
        seen.iter().max_by_key(|seen| rank(seen.severity)).map_or(Severity::Unknown, |seen| seen.severity);
    let (code, word) = code(worst);
    let findings: Vec<String> = seen.iter().filter_map(finding).collect();
    let findings = match (findings.is_empty(), seen) {
        (false, _) => findings.join("; "),
        (true, [one]) => format!("{} is well", one.config.name),
        (true, all) => format!("{} targets are well", all.len()),
    };
    let data: Vec<String> = seen.iter().flat_map(|one| performance(one, seen.len() > 1)).collect();
    let data = if data.is_empty() { String::new() } else { format!(" | {}", data.join(" ")) };
    (code, format!("WADDLEPERF {word} - {}{data}", clean(&findings)))
}

/// Nothing known is worse than well, and better than known to be bad.
const fn rank(severity: Severity) -> u8 {
    match severity {
        Severity::Ok => 0,
        Severity::Unknown => 1,
        Severity::Warning => 2,
        Severity::Critical => 3,
    }
}

const fn code(severity: Severity) -> (u8, &'static str) {
    match severity {
        Severity::Ok => (0, "OK"),
        Severity::Warning => (1, "WARNING"),
        Severity::Critical => (2, "CRITICAL"),
        Severity::Unknown => (3, "UNKNOWN"),
    }
}

/// What is wrong with a target; `None` when nothing is.
fn finding(seen: &Seen) -> Option<String> {
    let name = &seen.config.name;
    let mut triggers: Vec<&str> = Vec::new();
    for trigger in seen.rounds.iter().flat_map(|round| &round.run.triggers) {
        if !triggers.contains(&trigger.threshold.as_str()) {
            triggers.push(&trigger.threshold);
        }
    }
    match (seen.severity, triggers.is_empty()) {
        (Severity::Ok, _) => None,
        (Severity::Unknown, _) => Some(format!("{name} could not be judged")),
        (_, true) => Some(format!("{name} is not well again yet")),
        (_, false) => Some(format!("{name}: {}", triggers.join(", "))),
    }
}

/// The status text ends at a bar; performance data begins there.
fn clean(text: &str) -> String {
    text.replace('|', "/").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The scalars of the first tier that ran, each under a name of its own.
fn performance(seen: &Seen, with_target: bool) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut data = Vec::new();
    for measurement in seen.rounds.first().into_iter().flat_map(|round| &round.measurements) {
        for scalar in measurement.scalars() {
            let prefix = if with_target { format!("{}.", seen.config.name) } else { String::new() };
            let name = format!("{prefix}{}", scalar.name);
            let count = names.iter().filter(|known| **known == name).count();
            let label = if count == 0 { name.clone() } else { format!("{name}_{}", count + 1) };
            names.push(name);
            data.push(datum(&label, &scalar, measurement, &seen.config));
        }
    }
    data
}

fn datum(label: &str, scalar: &Scalar, measurement: &Measurement, config: &TargetConfig) -> String {
    let (scale, unit, ends) = match scalar.unit {
        Unit::Seconds => (1.0, "s", "0;"),
        Unit::Ratio => (100.0, "%", "0;100"),
        Unit::Bytes => (1.0, "B", "0;"),
        Unit::BitsPerSecond | Unit::None => (1.0, "", "0;"),
    };
    let label = label.replace('=', "_").replace('\'', "''");
    let value =
        scalar.value.map_or_else(|| "U".to_owned(), |value| format!("{}{unit}", number(value * scale)));
    let limit = |severity| limit(scalar, measurement, config, severity, scale);
    format!("'{label}'={value};{};{};{ends}", limit(Severity::Warning), limit(Severity::Critical))
}

/// The range that is well, in the plugin's notation; empty where there is no threshold.
fn limit(
    scalar: &Scalar,
    measurement: &Measurement,
    config: &TargetConfig,
    severity: Severity,
    scale: f64,
) -> String {
    let concerned = config.rules.iter().find(|rule| {
        rule.severity == severity
            && rule.threshold.scalar() == scalar.name
            && rule.threshold.concerns(measurement.probe.kind())
    });
    concerned.map_or_else(String::new, |rule| {
        let end = if rule.threshold.is_upper() { "" } else { ":" };
        format!("{}{end}", number(rule.threshold.limit() * scale))
    })
}

/// A number with at most nine decimals, none of them idle.
fn number(value: f64) -> String {
    let text = format!("{value:.9}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
