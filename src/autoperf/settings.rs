//! Section `[autoperf]` of the configuration, and what it means for one target.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::judge::Rule;
use super::threshold::Threshold;
use crate::failure::Failure;
use crate::probe::Probe;
use crate::probe::udpping::UdpPing;
use crate::store::run::Severity;
use crate::units::{Span, Unit};

/// Packets of a probe in a confirming round (autoperf.md 3).
const CONFIRMING: u64 = 50;
/// The shortest interval, unless `allow_fast` is set; and the least under which a fast round never falls.
pub(super) const SHORTEST: Duration = Duration::from_secs(10);
/// The same with `allow_fast`, for demonstrations and laboratories.
pub(super) const SHORTEST_FAST: Duration = Duration::from_secs(1);

/// What is measured, how often, and when it is bad.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Autoperf")]
pub struct Settings {
    /// Time between two rounds of tier 1, at least 10s.
    pub interval: Span,
    /// Lets `interval` go down to 1s: for demonstrations and laboratories, not for other people's hosts.
    pub allow_fast: bool,
    /// Until the extra round that confirms or clears a suspicion.
    pub confirm_after: Span,
    /// Bad rounds of the last ones that raise: "2/3".
    pub raise: Raise,
    /// Good rounds in a row until a target counts as recovering.
    pub clear_rounds: u32,
    /// A value is clear below this part of its limit.
    pub clear_at: f64,
    /// Time without a bad round after which a recovering target is well again.
    pub keep_firing_for: Span,
    /// Rounds come this many times as often while a target is not well.
    pub fast: u32,
    /// How long a diagnosed finding is not diagnosed again; doubles each time it comes back.
    pub cooldown: Span,
    /// The most that `cooldown` grows to.
    pub cooldown_max: Span,
    /// What leads from tier 2 to tier 3.
    pub escalate: Escalate,
    /// How often the higher tiers may run.
    pub budget: Budgets,
    /// How many rounds run at once, by tier.
    pub concurrency: Concurrency,
    /// Independent hosts (`HOST` or `HOST:PORT` of a reflector) that tell this host's own line from the targets'.
    pub references: Vec<String>,
    /// Thresholds of every target that names none itself.
    pub thresholds: Vec<Threshold>,
    /// The same, critical.
    pub critical: Vec<Threshold>,
    /// The first tier, each round.
    pub tier1: Tier,
    /// The second tier, on a confirmed finding.
    pub tier2: Tier,
    /// The third tier, when the second still finds it.
    pub tier3: Tier,
    /// Who is measured.
    pub target: Vec<TargetSettings>,
}

/// One target: `[[autoperf.target]]`. What it leaves out is taken from `[autoperf]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TargetSettings {
    /// Its name, in records and on the command line.
    pub name: String,
    /// Host name or address, put into every probe that names no target itself.
    pub host: String,
    /// Time between two rounds of tier 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<Span>,
    /// Its own thresholds, instead of the general ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<Vec<Threshold>>,
    /// Its own critical thresholds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub critical: Option<Vec<Threshold>>,
    /// Its own first tier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier1: Option<Tier>,
    /// Its own second tier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier2: Option<Tier>,
    /// Its own third tier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier3: Option<Tier>,
    /// Labels for each of its measurements.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// The probes of one tier.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tier {
    /// The probes, of any kind: `[[autoperf.tier1.probe]]` with `kind = "…"` and that kind's options.
    pub probe: Vec<Probe>,
    /// How long the whole tier may take [default: 30s, 120s, 300s].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
}

/// How many bad rounds of the last ones raise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raise {
    /// This many bad ones,
    pub of: u8,
    /// of the last.
    pub last: u8,
}

/// What leads from tier 2 to tier 3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Escalate {
    /// Tier 2 still breaks a threshold.
    #[default]
    Threshold,
}

/// How often the higher tiers may run for one target in one UTC day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Budgets {
    /// Runs of tier 2.
    pub tier2: u32,
    /// Runs of tier 3.
    pub tier3: u32,
    /// Octets that they may move, by estimate.
    pub bytes: Size,
    /// The same over all targets of this agent.
    pub agent: AgentBudgets,
}

/// How often the higher tiers may run for all targets together in one UTC day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AgentBudgets {
    /// Runs of tier 2.
    pub tier2: u32,
    /// Runs of tier 3.
    pub tier3: u32,
}

/// How many rounds run at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Concurrency {
    /// Of tier 1.
    pub tier1: u16,
    /// Of tier 2.
    pub tier2: u16,
    /// Of tier 3.
    pub tier3: u16,
}

/// A number of octets, written with its unit: `200MiB`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

impl Default for Settings {
    fn default() -> Self {
        Self {
            interval: Span::secs(300),
            allow_fast: false,
            confirm_after: Span::secs(10),
            raise: Raise { of: 2, last: 3 },
            clear_rounds: 3,
            clear_at: 0.8,
            keep_firing_for: Span::secs(600),
            fast: 5,
            cooldown: Span::secs(900),
            cooldown_max: Span::secs(6 * 3600),
            escalate: Escalate::Threshold,
            budget: Budgets::default(),
            concurrency: Concurrency::default(),
            references: Vec::new(),
            thresholds: known(&[
                "rtt_p95 > 100ms",
                "loss_ratio > 5%",
                "jitter > 50ms",
                "first_byte > 2s",
                "connect > 1s",
                "lookup > 100ms",
                "http_status >= 400",
                "tls_expires_in < 14d",
            ]),
            critical: known(&["http_status >= 500", "tls_expires_in < 3d"]),
            tier1: Tier { probe: vec![Probe::UdpPing(UdpPing::default())], timeout: None },
            tier2: Tier::default(),
            tier3: Tier::default(),
            target: Vec::new(),
        }
    }
}

fn known(texts: &[&str]) -> Vec<Threshold> {
    texts.iter().filter_map(|text| Threshold::parse(text).ok()).collect()
}

impl Default for Budgets {
    fn default() -> Self {
        Self { tier2: 12, tier3: 4, bytes: Size(2 << 30), agent: AgentBudgets::default() }
    }
}

impl Default for AgentBudgets {
    fn default() -> Self {
        Self { tier2: 60, tier3: 12 }
    }
}

impl Default for Concurrency {
    fn default() -> Self {
        Self { tier1: 64, tier2: 4, tier3: 1 }
    }
}

/// Everything that one target's rounds and its state machine need, with nothing left to decide.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetConfig {
    /// Its name.
    pub name: String,
    /// Its host.
    pub host: String,
    /// Labels for its measurements.
    pub labels: BTreeMap<String, String>,
    /// What is bad.
    pub rules: Vec<Rule>,
    /// The tiers, from 1 to 3.
    pub tiers: [TierConfig; 3],
    /// Time between two rounds.
    pub interval: Duration,
    /// Time between two rounds while it is not well.
    pub fast: Duration,
    /// Until the confirming round.
    pub confirm_after: Duration,
    /// The raise rule.
    pub raise: Raise,
    /// Good rounds in a row that clear.
    pub clear_rounds: u32,
    /// The clear zone's edge, as a part of the limit.
    pub clear_at: f64,
    /// Time without a bad round before it is well again.
    pub keep_firing_for: Duration,
    /// The first cool-down of a finding.
    pub cooldown: Duration,
    /// The longest.
    pub cooldown_max: Duration,
    /// What leads to tier 3.
    pub escalate: Escalate,
    /// Its budgets.
    pub budget: Budgets,
}

/// One tier of one target.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TierConfig {
    /// Its probes, aimed at the target.
    pub probes: Vec<Probe>,
    /// How long it may take.
    pub timeout: Duration,
    /// Octets that it moves at most, by estimate.
    pub bytes: u64,
}

impl TargetConfig {
    /// The tier called `number`, 1 to 3.
    pub fn tier(&self, number: u8) -> &TierConfig {
        &self.tiers[usize::from(number.clamp(1, 3) - 1)]
    }
}

impl TierConfig {
    /// Its probes with as many packets as a confirming round sends.
    pub fn confirming(&self) -> Vec<Probe> {
        let probes = self.probes.iter().cloned();
        probes.map(|probe| probe.with_packets(CONFIRMING, self.timeout)).collect()
    }
}

impl Settings {
    /// What the settings mean for each target.
    ///
    /// # Errors
    /// Class `config`: the key, what is wrong with it and what it may be.
    pub fn targets(&self) -> Result<Vec<TargetConfig>, Failure> {
        self.check().map_err(|fault| fault.of_section("autoperf"))?;
        Ok(self.target.iter().map(|target| self.resolve(target)).collect())
    }

    /// The plan for a host that no `[[autoperf.target]]` names, with the general settings.
    ///
    /// # Errors
    /// As [`targets`](Self::targets).
    pub fn ad_hoc(&self, host: &str) -> Result<TargetConfig, Failure> {
        let target =
            TargetSettings { name: host.to_owned(), host: host.to_owned(), ..TargetSettings::default() };
        let checked = self.check_general().and_then(|()| self.check_target("target", &target));
        checked.map_err(|fault| fault.of_section("autoperf"))?;
        Ok(self.resolve(&target))
    }

    /// The general tier called `number`, 1 to 3.
    pub(super) const fn tier(&self, number: u8) -> &Tier {
        match number {
            1 => &self.tier1,
            2 => &self.tier2,
            _ => &self.tier3,
        }
    }

    /// The same for `target`.
    pub(super) fn tier_of<'a>(&'a self, number: u8, target: &'a TargetSettings) -> &'a Tier {
        target.tier(number).unwrap_or_else(|| self.tier(number))
    }

    /// What `target` means, once it is checked.
    fn resolve(&self, target: &TargetSettings) -> TargetConfig {
        let interval = target.interval.unwrap_or(self.interval).0;
        TargetConfig {
            name: target.name.clone(),
            host: target.host.clone(),
            labels: target.labels.clone(),
            rules: self.rules(target),
            tiers: [1, 2, 3].map(|number| self.tier_of(number, target).resolve(number, &target.host)),
            interval,
            fast: (interval / self.fast).max(self.shortest()).min(interval),
            confirm_after: self.confirm_after.0.min(interval),
            raise: self.raise,
            clear_rounds: self.clear_rounds,
            clear_at: self.clear_at,
            keep_firing_for: self.keep_firing_for.0,
            cooldown: self.cooldown.0,
            cooldown_max: self.cooldown_max.0,
            escalate: self.escalate,
            budget: self.budget,
        }
    }

    fn rules(&self, target: &TargetSettings) -> Vec<Rule> {
        let of = |list: &[Threshold], severity| -> Vec<Rule> {
            let rule = |threshold: &Threshold| Rule { threshold: threshold.clone(), severity };
            list.iter().map(rule).collect()
        };
        let thresholds = target.thresholds.as_ref().unwrap_or(&self.thresholds);
        let critical = target.critical.as_ref().unwrap_or(&self.critical);
        [of(thresholds, Severity::Warning), of(critical, Severity::Critical)].concat()
    }
}

impl TargetSettings {
    /// Its own tier called `number`, 1 to 3.
    pub(super) const fn tier(&self, number: u8) -> Option<&Tier> {
        match number {
            1 => self.tier1.as_ref(),
            2 => self.tier2.as_ref(),
            _ => self.tier3.as_ref(),
        }
    }
}

impl Tier {
    /// What it means for `host`, as the tier called `number`.
    fn resolve(&self, number: u8, host: &str) -> TierConfig {
        let usual = [30, 120, 300][usize::from(number.clamp(1, 3) - 1)];
        let timeout = self.timeout.unwrap_or(Span::secs(usual)).0;
        let probes: Vec<_> = self.probe.iter().map(|probe| probe.clone().aimed_at(host)).collect();
        TierConfig { bytes: probes.iter().map(|probe| probe.traffic().bytes).sum(), probes, timeout }
    }
}

macro_rules! written_as_text {
    ($type:ident, $description:literal, $example:literal) => {
        impl Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = String::deserialize(from)?;
                Self::read(&text).ok_or_else(|| {
                    serde::de::Error::custom(format_args!(concat!("`{}` is not ", $description, ", such as ", $example), text))
                })
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "description": $description, "examples": [$example] })
            }
        }
    };
}

written_as_text!(Raise, "a number of bad rounds of the last ones, at most of 60", "2/3");
written_as_text!(Size, "a number of octets with its unit (B, KiB, MiB, GiB)", "200MiB");

impl Raise {
    fn read(text: &str) -> Option<Self> {
        let (of, last) = text.split_once('/')?;
        let (of, last) = (of.trim().parse().ok()?, last.trim().parse().ok()?);
        (1 <= of && of <= last && last <= 60).then_some(Self { of, last })
    }
}

impl fmt::Display for Raise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.of, self.last)
    }
}

impl Size {
    fn read(text: &str) -> Option<Self> {
        let digits = text.find(|c: char| !c.is_ascii_digit())?;
        let (number, word) = text.split_at(digits);
        let (_, scale) = Unit::Bytes.words().iter().find(|(name, _)| *name == word.trim())?;
        number.parse::<u64>().ok()?.checked_mul(*scale as u64).map(Self)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Unit::Bytes.words().iter().rev();
        let whole = words.find(|(_, scale)| self.0 > 0 && self.0.is_multiple_of(*scale as u64));
        let (word, scale) = whole.unwrap_or(&("B", 1.0));
        write!(f, "{}{word}", self.0 / *scale as u64)
    }
}
