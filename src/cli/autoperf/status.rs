//! `autoperf status`: how the targets are, as far as is remembered.

use clap::Args;
use serde::Serialize;

use super::targets;
use crate::autoperf::settings::TargetConfig;
use crate::autoperf::state::{Moment, State};
use crate::autoperf::{Watch, desk, left, lock, moment, text};
use crate::cli::{Env, say};
use crate::failure::{Class, Failure};
use crate::report::text::escape;
use crate::store::Access;
use crate::store::run::{Budget, Severity, State as Phase};
use crate::units::Timestamp;

/// See the module.
#[derive(Debug, Args)]
pub(super) struct Status {
    /// Print one line of JSON for each target
    #[arg(long)]
    json: bool,
}

/// How one target is.
#[derive(Debug, Serialize)]
struct Known {
    target: String,
    host: String,
    state: Phase,
    severity: Severity,
    /// Since when it is so bad, or well.
    since: Option<Timestamp>,
    incident: Option<uuid::Uuid>,
    /// When the next round is due.
    next: Option<Timestamp>,
    why: Option<&'static str>,
    /// What is left of today's budgets.
    budget: Budget,
    cooling: Vec<Rest>,
}

/// A finding that rests.
#[derive(Debug, Serialize)]
struct Rest {
    finding: String,
    until: Timestamp,
}

pub(super) fn run(args: &Status, env: &Env) -> Result<u8, Failure> {
    let (store, now) = (env.store()?, moment());
    let known =
        targets(env)?.iter().map(|target| known(&store, target, now)).collect::<Result<Vec<_>, _>>()?;
    if args.json {
        let lines = known.iter().map(|known| serde_json::to_string(known).map(|line| line + "\n"));
        let text: Result<String, _> = lines.collect();
        return say(&text.map_err(|error| Class::Internal.because(error))?);
    }
    let mut lines: Vec<String> = vec![who(env)];
    let mut trouble = None;
    env.block_on(async {
        trouble = desk::trouble(&env.data).await?;
        Ok(0)
    })?;
    lines.extend(trouble.map(|why| format!("the last rounds cannot be kept: {why}")));
    lines.extend(known.iter().map(|known| line(known, now)));
    say(&(lines.join("\n") + "\n"))
}

/// Who measures now.
fn who(env: &Env) -> String {
    match env.data.autoperf_lock().exists().then(|| lock::take(&env.data)) {
        Some(Ok(None)) => format!("measured by {}", lock::holder(&env.data)),
        _ => "nobody measures at this moment".to_owned(),
    }
}

fn known(store: &Access, target: &TargetConfig, now: Moment) -> Result<Known, Failure> {
    let row = store.load(&Watch::key(&target.name))?;
    let state = row.as_deref().map(State::decode).transpose()?;
    let fresh = State::new(0, target.interval);
    let of = state.as_ref().unwrap_or(&fresh);
    Ok(Known {
        target: target.name.clone(),
        host: target.host.clone(),
        state: of.phase,
        severity: of.severity,
        since: (of.since > 0).then(|| Moment { wall: of.since, ..Moment::default() }.timestamp()),
        incident: of.incident.map(|incident| incident.id),
        next: state.as_ref().map(|state| state.wall_of(state.due.at, now)),
        why: state.as_ref().map(|state| state.due.why.word()),
        budget: left(of, target),
        cooling: resting(of, now),
    })
}

fn resting(state: &State, now: Moment) -> Vec<Rest> {
    let t = state.clock_at(now);
    let resting = state.cooling.iter().filter(|entry| entry.until > t);
    let rest = resting
        .map(|entry| Rest { finding: entry.fingerprint.clone(), until: state.wall_of(entry.until, now) });
    rest.collect()
}

/// `shop  ok since 2026-11-23T10:00:03Z  next in 4 min (schedule)  left today: 12 x tier 2, 4 x tier 3`.
fn line(known: &Known, now: Moment) -> String {
    let (target, state) = (escape(&known.target), text::state(known.state));
    let mut parts = vec![match known.severity {
        Severity::Unknown => format!("{target}  {state}"),
        severity if text::severity(severity) == state => format!("{target}  {state}"),
        severity => format!("{target}  {state}, {}", text::severity(severity)),
    }];
    if let Some(since) = known.since {
        parts.push(format!("since {since:.0}"));
    }
    if let (Some(next), Some(why)) = (known.next, known.why) {
        let left = std::time::Duration::try_from(next.duration_since(now.timestamp())).unwrap_or_default();
        parts.push(format!("next in {} ({why})", text::about(left)));
    }
    parts.push(format!("left today: {} x tier 2, {} x tier 3", known.budget.tier2, known.budget.tier3));
    let mut lines = vec![parts.join("  ")];
    let rest = known.cooling.iter();
    lines.extend(rest.map(|rest| format!("  rests until {:.0}: {}", rest.until, escape(&rest.finding))));
    lines.join("\n")
}
