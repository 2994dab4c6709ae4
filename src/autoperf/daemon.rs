//! The schedule: every target in its own time, until told to stop; and what changes when the settings do.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::round::{Round, Runner, moment};
use super::settings::{Settings, TargetConfig};
use crate::failure::{Class, Failure};
use crate::probe::Ctx;
use crate::store::Access;

/// How long a target rests after a round that the store refused.
const REST: Duration = Duration::from_secs(10);

/// Measures the targets of `plan`, as it changes, until `cancel` or until it names none; running tests then end soon, and
/// what they have is kept.
///
/// Each round goes to `rounds` once it is kept; one for which there is no room is kept all the same. Whoever calls
/// this holds autoperf's [lock](super::lock), and asks the store in the end whether it has [all](Access::finish).
///
/// # Errors
/// When the settings are wrong, or what is remembered of a target cannot be read.
pub async fn daemon(
    plan: &mut watch::Receiver<Settings>,
    access: Arc<Access>,
    ctx: impl Fn() -> Ctx + Send + Sync + 'static,
    cancel: CancellationToken,
    rounds: mpsc::Sender<Round>,
) -> Result<(), Failure> {
    let settings = plan.borrow_and_update().clone();
    let runner = Arc::new(Runner::open(&settings, access, ctx, cancel).await?);
    let mut schedule = Schedule { runner, rounds, told: BTreeMap::new(), tasks: JoinSet::new() };
    schedule.adopt(settings.targets()?);
    while !schedule.tasks.is_empty() {
        tokio::select! {
            Some(ended) = schedule.tasks.join_next() => {
                let name = ended.unwrap_or_else(|_| Err(Class::Internal.because("a target's task panicked")))?;
                schedule.ended(&name);
            }
            Ok(()) = plan.changed() => {
                let settings = plan.borrow_and_update().clone();
                schedule.runner.adopt(&settings);
                schedule.adopt(settings.targets()?);
            }
        }
    }
    Ok(())
}

/// The tasks of the targets, one each.
struct Schedule {
    runner: Arc<Runner>,
    rounds: mpsc::Sender<Round>,
    /// What each task is told: its target's configuration, or that there is no such target any more.
    told: BTreeMap<String, watch::Sender<Option<TargetConfig>>>,
    tasks: JoinSet<Result<String, Failure>>,
}

impl Schedule {
    /// Measures `targets` from now on. Those that stay what they are notice nothing.
    fn adopt(&mut self, targets: Vec<TargetConfig>) {
        for (name, told) in &self.told {
            if !targets.iter().any(|target| target.name == *name) {
                told.send_replace(None);
            }
        }
        for target in targets {
            let Some(told) = self.told.get(&target.name) else {
                self.follow(target);
                continue;
            };
            told.send_if_modified(|known| {
                let is_new = known.as_ref() != Some(&target);
                *known = Some(target);
                is_new
            });
        }
    }

    fn follow(&mut self, target: TargetConfig) {
        let name = target.name.clone();
        let (tell, told) = watch::channel(Some(target));
        self.told.insert(name.clone(), tell);
        let (runner, rounds) = (Arc::clone(&self.runner), self.rounds.clone());
        self.tasks.spawn(async move { follow(&runner, told, &rounds).await.map(|()| name) });
    }

    /// The task of the target called `name` is over. It is begun again when the target has come back meanwhile.
    fn ended(&mut self, name: &str) {
        let told = self.told.remove(name);
        if let Some(target) = told.and_then(|told| told.borrow().clone())
            && !self.runner.is_cancelled()
        {
            self.follow(target);
        }
    }
}

/// Runs one target's rounds when they are due, as it is `told`. A round that runs is never cut by a change.
async fn follow(
    runner: &Runner,
    mut told: watch::Receiver<Option<TargetConfig>>,
    rounds: &mpsc::Sender<Round>,
) -> Result<(), Failure> {
    let Some(config) = told.borrow_and_update().clone() else {
        return Ok(());
    };
    let mut watch = runner.watch(config, true).await?;
    loop {
        let now = moment();
        watch.put_off(runner.agent(), now);
        tokio::select! {
            biased;
            changed = told.changed() => {
                let config = told.borrow_and_update().clone();
                let (Ok(()), Some(config)) = (changed, config) else {
                    return Ok(());
                };
                watch.change(config, moment());
                continue;
            }
            is_on = runner.sleep(watch.state().until_due(now)) => if !is_on {
                return Ok(());
            }
        }
        // The machine may have slept meanwhile.
        if watch.put_off(runner.agent(), moment()) {
            continue;
        }
        let ran = runner.round(&mut watch, |round| drop(rounds.try_send(round)));
        if let Err(failure) = ran.await {
            tracing::error!(target = watch.name(), %failure, "a round was refused");
            runner.sleep(REST.min(watch.config().interval)).await;
        }
        if runner.is_cancelled() {
            return Ok(());
        }
    }
}
