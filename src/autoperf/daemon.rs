//! The schedule: every target in its own time, until told to stop.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::round::{Round, Runner, moment};
use super::settings::{Settings, TargetConfig};
use crate::failure::{Class, Failure};
use crate::probe::Ctx;
use crate::store::Access;

/// How long a target rests after a round that the store refused.
const REST: Duration = Duration::from_secs(10);

/// Measures the targets of `settings` until `cancel`; running tests then end soon, and what they have is kept.
///
/// Each round goes to `rounds` once it is kept; one for which there is no room is kept all the same. Whoever calls
/// this holds autoperf's [lock](super::lock), and asks the store in the end whether it has [all](Access::finish).
///
/// # Errors
/// When the settings are wrong, or what is remembered of a target cannot be read.
pub async fn daemon(
    settings: &Settings,
    access: Arc<Access>,
    ctx: impl Fn() -> Ctx + Send + Sync + 'static,
    cancel: CancellationToken,
    rounds: mpsc::Sender<Round>,
) -> Result<(), Failure> {
    let targets = settings.targets()?;
    let runner = Arc::new(Runner::open(settings, access, ctx, cancel).await?);
    let mut tasks = JoinSet::new();
    for config in targets {
        tasks.spawn(follow(Arc::clone(&runner), config, rounds.clone()));
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap_or_else(|_| Err(Class::Internal.because("a target's task panicked")))?;
    }
    Ok(())
}

/// Runs one target's rounds when they are due.
async fn follow(
    runner: Arc<Runner>,
    config: TargetConfig,
    rounds: mpsc::Sender<Round>,
) -> Result<(), Failure> {
    let rest = REST.min(config.interval);
    let mut watch = runner.watch(config, true).await?;
    loop {
        let now = moment();
        watch.put_off(runner.agent(), now);
        if !runner.sleep(watch.state().until_due(now)).await {
            return Ok(());
        }
        // The machine may have slept meanwhile.
        if watch.put_off(runner.agent(), moment()) {
            continue;
        }
        let told = runner.round(&mut watch, |round| drop(rounds.try_send(round)));
        if let Err(failure) = told.await {
            tracing::error!(target = watch.name(), %failure, "a round was refused");
            if !runner.sleep(rest).await {
                return Ok(());
            }
        }
        if runner.is_cancelled() {
            return Ok(());
        }
    }
}
