//! `autoperf run`: one round now, and what it leads to.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum, value_parser};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::{LOCKED, locked, nagios, targets};
use crate::autoperf::desk::{self, Order, Said};
use crate::autoperf::schedule::stagger;
use crate::autoperf::settings::TargetConfig;
use crate::autoperf::{Round, Runner, lock, text};
use crate::cli::{Env, complaint};
use crate::failure::{Class, Failure};
use crate::store::run::Severity;
use crate::store::{Access, blocking};
use crate::units::Span;

/// See the module.
#[derive(Debug, Args)]
pub(super) struct Run {
    /// Measure this host, or the target of this name or host, instead of all targets
    #[arg(value_name = "HOST", conflicts_with = "target")]
    host: Option<String>,
    /// Measure only this target; may be repeated
    #[arg(long, value_name = "NAME")]
    target: Vec<String>,
    /// Run this tier now, whatever the state; its budget still counts
    #[arg(long, value_name = "N", value_parser = value_parser!(u8).range(1..=3))]
    tier: Option<u8>,
    /// Run it although the day's budget is spent
    #[arg(long, requires = "tier")]
    ignore_budget: bool,
    /// First wait for a time up to this, which is this host's own: so that hosts with one crontab do not burst
    #[arg(long, value_name = "TIME")]
    stagger: Option<Span>,
    /// What to do when another process measures already and takes no orders: end with 75, or with 0 and silently
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = IfLocked::Fail)]
    if_locked: IfLocked,
    /// End with 1 when a target is bad
    #[arg(long)]
    strict: bool,
    /// End with a Nagios plugin's codes and print its line, with performance data
    #[arg(long, conflicts_with_all = ["json", "strict"])]
    nagios: bool,
    /// Print each run's record as one line of JSON
    #[arg(long)]
    json: bool,
    /// Print nothing but failures
    #[arg(short, long, conflicts_with_all = ["json", "nagios"])]
    quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum IfLocked {
    /// End with 75.
    Fail,
    /// End with 0.
    Skip,
}

/// What came of one target.
pub(super) struct Seen {
    pub(super) config: TargetConfig,
    pub(super) severity: Severity,
    pub(super) rounds: Vec<Round>,
}

pub(super) fn run(args: &Run, env: &Env) -> Result<u8, Failure> {
    let targets = args.targets(env)?;
    let wait = args
        .stagger
        .map_or(Duration::ZERO, |span| stagger(&env.agent.id.to_string(), &targets[0].name, span.0));
    env.block_on(async {
        if env.cancel.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
            return Ok(env.interrupted().unwrap_or(0));
        }
        let seen = match lock::take(&env.data)? {
            Some(_lock) => args.work(env, targets).await?,
            None => match args.ask(env, targets).await? {
                Some(seen) => seen,
                None if args.if_locked == IfLocked::Skip && !args.nagios => return Ok(0),
                // Codes above 3 mean nothing to a monitoring system: the line must say it.
                None if args.nagios => return Err(Class::Unsupported.because(locked(&env.data))),
                None => {
                    complaint::tell("waddleperf autoperf run", &locked(&env.data));
                    return Ok(LOCKED);
                }
            },
        };
        Ok(env.interrupted().unwrap_or_else(|| args.verdict(&seen)))
    })
}

impl Run {
    fn targets(&self, env: &Env) -> Result<Vec<TargetConfig>, Failure> {
        if let Some(host) = &self.host {
            let known = env.config.autoperf.targets()?;
            let named = known.into_iter().find(|target| target.name == *host || target.host == *host);
            let target = named.map_or_else(|| env.config.autoperf.ad_hoc(host), Ok)?;
            return Ok(vec![target]);
        }
        let mut known = targets(env)?;
        for name in &self.target {
            if !known.iter().any(|target| target.name == *name) {
                let names: Vec<&str> = known.iter().map(|target| target.name.as_str()).collect();
                return Err(Class::Usage.because(format_args!(
                    "--target: no target is called `{name}`; it may be {}",
                    names.join(", ")
                )));
            }
        }
        known.retain(|target| self.target.is_empty() || self.target.contains(&target.name));
        Ok(known)
    }

    /// Measures here.
    async fn work(&self, env: &Env, targets: Vec<TargetConfig>) -> Result<Vec<Seen>, Failure> {
        let store = env.store()?;
        let (settings, access) = (&env.config.autoperf, Arc::clone(&store));
        let runner = Runner::open(settings, access, env.contexts(), env.cancel.clone()).await?;
        let seen = self.measure(Arc::new(runner), targets).await?;
        blocking(&store, Access::finish).await?;
        Ok(seen)
    }

    /// Lets the process that holds the lock measure; `None` where it takes no orders now.
    async fn ask(&self, env: &Env, targets: Vec<TargetConfig>) -> Result<Option<Vec<Seen>>, Failure> {
        let order = Order {
            targets: targets.iter().map(|target| target.name.clone()).collect(),
            ad_hoc: self.host.is_some(),
            tier: self.tier,
            ignore_budget: self.ignore_budget,
        };
        let Some(mut answers) = desk::ask(&env.data, &order).await? else {
            return Ok(None);
        };
        let unknown = |config| Seen { config, severity: Severity::Unknown, rounds: Vec::new() };
        let mut seen: Vec<Seen> = targets.into_iter().map(unknown).collect();
        let mut open = seen.len();
        // Told to end, it waits no longer; the rounds that it has asked for go on.
        while let Some(said) = env.cancel.run_until_cancelled(answers.next()).await.transpose()?.flatten() {
            match said {
                Said::Failure { failure } => return Err(failure),
                Said::Busy | Said::Held { .. } => return Ok(None),
                Said::Round { round } => {
                    self.print(&round);
                    let of = seen.iter_mut().find(|seen| seen.config.name == round.run.target);
                    of.into_iter().for_each(|seen| seen.rounds.push((*round).clone()));
                }
                Said::Done { target, severity } => {
                    open -= 1;
                    let of = seen.iter_mut().find(|seen| seen.config.name == target);
                    of.into_iter().for_each(|seen| seen.severity = severity);
                }
            }
        }
        if open > 0 && !env.cancel.is_cancelled() {
            return Err(Class::Internal.because("the process that measures ended before it had answered"));
        }
        Ok(Some(seen))
    }

    /// Runs a round of each target, side by side, and prints each when it is kept.
    async fn measure(&self, runner: Arc<Runner>, targets: Vec<TargetConfig>) -> Result<Vec<Seen>, Failure> {
        let (tell, mut told) = mpsc::unbounded_channel::<Round>();
        let mut tasks = JoinSet::new();
        for (place, config) in targets.into_iter().enumerate() {
            let (runner, tell) = (Arc::clone(&runner), tell.clone());
            let (tier, ignore_budget) = (self.tier, self.ignore_budget);
            tasks.spawn(async move {
                let seen = round(&runner, config, tier, ignore_budget, |round| drop(tell.send(round))).await;
                (place, seen)
            });
        }
        drop(tell);
        while let Some(round) = told.recv().await {
            self.print(&round);
        }
        let mut all = Vec::new();
        while let Some(ended) = tasks.join_next().await {
            let (place, seen) = ended.map_err(|_| Class::Internal.because("a target's task panicked"))?;
            all.push((place, seen?));
        }
        all.sort_by_key(|(place, _)| *place);
        Ok(all.into_iter().map(|(_, seen)| seen).collect())
    }

    /// Prints one round. A reader that is gone stops nothing: the round is kept.
    fn print(&self, round: &Round) {
        let mut out = io::stdout().lock();
        if self.json {
            let _ = serde_json::to_writer(&mut out, &round.run);
            let _ = writeln!(out);
        } else if !self.quiet && !self.nagios {
            let _ = writeln!(out, "{}", text::line(&round.run, &round.measurements));
        }
    }

    /// The exit code that the targets deserve.
    fn verdict(&self, seen: &[Seen]) -> u8 {
        if self.nagios {
            return nagios::tell(seen);
        }
        let is_bad = seen.iter().any(|seen| seen.severity >= Severity::Warning);
        u8::from(self.strict && is_bad)
    }
}

/// One round of one target, or the tier that was asked for.
async fn round(
    runner: &Runner,
    config: TargetConfig,
    tier: Option<u8>,
    ignore_budget: bool,
    mut done: impl FnMut(Round),
) -> Result<Seen, Failure> {
    let mut rounds = Vec::new();
    let mut watch = runner.watch(config, false).await?;
    let keep = |round: Round| {
        rounds.push(round.clone());
        done(round);
    };
    runner.asked(&mut watch, tier, ignore_budget, keep).await?;
    Ok(Seen { config: watch.config().clone(), severity: watch.state().severity, rounds })
}
