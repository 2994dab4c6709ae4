//! The schedule: every target in its own time, and when it is asked for, until told to stop; and what changes when the settings do.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::desk::{Desk, Order, Ordered, Said};
use super::round::{Round, Runner, moment};
use super::settings::{Settings, TargetConfig};
use super::watch::Watch;
use crate::failure::{Class, Failure};
use crate::probe::Ctx;
use crate::store::Access;

/// How long a target rests after a round that the store refused.
const REST: Duration = Duration::from_secs(10);
/// Rounds of one target that may be asked for at once; beyond it the schedule is busy.
const MOST_ASKS: usize = 4;

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
    let mut desk = Desk::open(access.data())?;
    let runner = Arc::new(Runner::open(&settings, access, ctx, cancel).await?);
    let mut schedule = Schedule {
        runner,
        settings,
        rounds,
        told: BTreeMap::new(),
        tasks: JoinSet::new(),
        hosts: JoinSet::new(),
        visit: Arc::new(Semaphore::new(1)),
    };
    let ended = schedule.run(plan, &mut desk.orders).await;
    if ended.is_err() {
        schedule.hosts.abort_all();
    }
    // Whoever still waits for an answer gets it.
    while schedule.hosts.join_next().await.is_some() {}
    drop(schedule);
    desk.close().await;
    ended
}

/// The tasks of the targets, one each.
struct Schedule {
    runner: Arc<Runner>,
    settings: Settings,
    rounds: mpsc::Sender<Round>,
    told: BTreeMap<String, Told>,
    tasks: JoinSet<Result<String, Failure>>,
    /// Rounds of hosts that are no targets,
    hosts: JoinSet<()>,
    /// one after the other: their states have no task that owns them.
    visit: Arc<Semaphore>,
}

/// How a target's task is spoken to.
struct Told {
    /// Its target's configuration, or that there is no such target any more.
    config: watch::Sender<Option<TargetConfig>>,
    /// Rounds that somebody wants now.
    asks: mpsc::Sender<Ask>,
}

/// A wish for a round now.
struct Ask {
    tier: Option<u8>,
    ignore_budget: bool,
    out: mpsc::Sender<Said>,
}

impl Schedule {
    /// Until every target's task is over.
    async fn run(
        &mut self,
        plan: &mut watch::Receiver<Settings>,
        orders: &mut mpsc::Receiver<Ordered>,
    ) -> Result<(), Failure> {
        self.adopt(self.settings.targets()?);
        while !self.tasks.is_empty() {
            tokio::select! {
                Some(ended) = self.tasks.join_next() => {
                    let name = ended.unwrap_or_else(|_| Err(Class::Internal.because("a target's task panicked")))?;
                    self.ended(&name);
                }
                Ok(()) = plan.changed() => {
                    self.settings = plan.borrow_and_update().clone();
                    self.runner.adopt(&self.settings);
                    self.adopt(self.settings.targets()?);
                }
                Some(Ordered { order, out }) = orders.recv() => self.take(&order, &out),
                Some(_) = self.hosts.join_next() => {}
            }
        }
        Ok(())
    }

    /// Passes an order on to those whom it concerns.
    fn take(&mut self, order: &Order, out: &mpsc::Sender<Said>) {
        if let Some(why) = self.runner.trouble().filter(|_| order.targets.is_empty()) {
            let _ = out.try_send(Said::Held { why });
        }
        for name in &order.targets {
            let ask = Ask { tier: order.tier, ignore_budget: order.ignore_budget, out: out.clone() };
            let refused = match self.told.get(name) {
                Some(told) => told.asks.try_send(ask).err().map(|_| Said::Busy),
                None if order.ad_hoc => self.visit(name, ask).err(),
                None => Some(Said::from(Class::Usage.because(format_args!(
                    "no target is called `{name}` in what is measured here; a reload may be missing"
                )))),
            };
            if let Some(said) = refused {
                let _ = out.try_send(said);
            }
        }
    }

    /// A round of a host that is no target.
    fn visit(&mut self, host: &str, ask: Ask) -> Result<(), Said> {
        if self.hosts.len() >= MOST_ASKS {
            return Err(Said::Busy);
        }
        let config = self.settings.ad_hoc(host)?;
        let (runner, rounds, turn) = (Arc::clone(&self.runner), self.rounds.clone(), Arc::clone(&self.visit));
        self.hosts.spawn(async move {
            let _turn = turn.acquire().await;
            match runner.watch(config, false).await {
                Ok(mut watch) => drop(serve(&runner, &mut watch, ask, &rounds).await),
                Err(failure) => drop(ask.out.try_send(failure.into())),
            }
        });
        Ok(())
    }

    /// Measures `targets` from now on. Those that stay what they are notice nothing.
    fn adopt(&mut self, targets: Vec<TargetConfig>) {
        for (name, told) in &self.told {
            if !targets.iter().any(|target| target.name == *name) {
                told.config.send_replace(None);
            }
        }
        for target in targets {
            let Some(told) = self.told.get(&target.name) else {
                self.follow(target);
                continue;
            };
            told.config.send_if_modified(|known| {
                let is_new = known.as_ref() != Some(&target);
                *known = Some(target);
                is_new
            });
        }
    }

    fn follow(&mut self, target: TargetConfig) {
        let name = target.name.clone();
        let (config, told) = watch::channel(Some(target));
        let (asks, asked) = mpsc::channel(MOST_ASKS);
        self.told.insert(name.clone(), Told { config, asks });
        let (runner, rounds) = (Arc::clone(&self.runner), self.rounds.clone());
        self.tasks.spawn(async move { follow(&runner, told, asked, &rounds).await.map(|()| name) });
    }

    /// The task of the target called `name` is over. It is begun again when the target has come back meanwhile.
    fn ended(&mut self, name: &str) {
        let told = self.told.remove(name);
        if let Some(target) = told.and_then(|told| told.config.borrow().clone())
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
    mut asked: mpsc::Receiver<Ask>,
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
            Some(ask) = asked.recv() => {
                if let Err(failure) = serve(runner, &mut watch, ask, rounds).await {
                    tracing::error!(target = watch.name(), %failure, "a round was refused");
                }
                if runner.is_cancelled() {
                    return Ok(());
                }
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

/// Runs what is asked for, and answers.
async fn serve(
    runner: &Runner,
    watch: &mut Watch,
    ask: Ask,
    rounds: &mpsc::Sender<Round>,
) -> Result<(), Failure> {
    let done = |round: Round| {
        let _ = rounds.try_send(round.clone());
        let _ = ask.out.try_send(Said::Round { round: Box::new(round) });
    };
    let ran = runner.asked(watch, ask.tier, ask.ignore_budget, done).await;
    let said = match &ran {
        Ok(()) => Said::Done { target: watch.name().to_owned(), severity: watch.state().severity },
        Err(failure) => failure.clone().into(),
    };
    let _ = ask.out.try_send(said);
    ran
}
