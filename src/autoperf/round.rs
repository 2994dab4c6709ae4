//! One round of one target: runs a tier's probes, judges them, feeds the state machine, keeps what came of it; and
//! goes on with the higher tiers that it leads to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::budget::Used;
use super::judge::RoundSeen;
use super::own_line::References;
use super::settings::{AgentBudgets, Concurrency, Settings, TargetConfig};
use super::state::{Cause, Moment, Running};
use super::step::{Observation, TURN};
use super::tests::{self, Tested};
use super::watch::{Led, Ran, Watch};
use crate::failure::{Class, Failure};
use crate::probe::{Ctx, Measurement, Outcome, Probe, new_id};
use crate::store::run::{OwnLine, Run, Why};
use crate::store::{Access, Record, blocking};
use crate::sys::clock;

/// One tier of one target that ran, as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Round {
    /// Its record.
    pub run: Run,
    /// What its probes found.
    pub measurements: Vec<Measurement>,
}

/// What rounds need from outside, shared by all targets.
pub struct Runner {
    access: Arc<Access>,
    ctx: Box<dyn Fn() -> Ctx + Send + Sync>,
    cancel: CancellationToken,
    common: Mutex<Arc<Common>>,
    used: Mutex<Used>,
    agent: String,
}

/// What the settings say about all targets together.
struct Common {
    concurrency: Concurrency,
    turns: [Arc<Semaphore>; 3],
    references: References,
    budget: AgentBudgets,
}

impl Common {
    fn new(settings: &Settings) -> Self {
        let most = settings.concurrency;
        Self {
            concurrency: most,
            turns: [most.tier1, most.tier2, most.tier3].map(|rounds| Arc::new(Semaphore::new(rounds.into()))),
            references: References::new(&settings.references),
            budget: settings.budget.agent,
        }
    }
}

/// What is to be run of a target.
struct Order<'a> {
    tier: u8,
    reason: &'a str,
    /// With more packets.
    confirms: bool,
}

/// This moment on all clocks that a state knows.
pub fn moment() -> Moment {
    let (up, boot) = clock::up();
    Moment::of(clock::now(), up, boot)
}

impl Runner {
    /// A runner that keeps in `access`, takes a fresh context for each round from `ctx`, and ends soon on `cancel`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn open(
        settings: &Settings,
        access: Arc<Access>,
        ctx: impl Fn() -> Ctx + Send + Sync + 'static,
        cancel: CancellationToken,
    ) -> Result<Self, Failure> {
        let used = blocking(&access, |access| access.load(Used::KEY)).await?;
        let agent = ctx().agent.id.to_string();
        Ok(Self {
            access,
            ctx: Box::new(ctx),
            cancel,
            common: Mutex::new(Arc::new(Common::new(settings))),
            used: Mutex::new(Used::decode(used.as_deref())?),
            agent,
        })
    }

    /// Goes on with what `settings` say about all targets together. Rounds that run have begun under the old ones.
    pub(super) fn adopt(&self, settings: &Settings) {
        let mut common = self.common.lock().unwrap_or_else(PoisonError::into_inner);
        let new = Common::new(settings);
        // Turns that are taken stay taken.
        if (new.concurrency, new.budget) != (common.concurrency, common.budget)
            || new.references != common.references
        {
            *common = Arc::new(new);
        }
    }

    fn common(&self) -> Arc<Common> {
        Arc::clone(&self.common.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Why the last rounds cannot be kept; `None` when all are.
    pub(super) fn trouble(&self) -> Option<String> {
        self.access.waiting().map(|waiting| waiting.why.detail)
    }

    /// Whether it was told to end.
    pub fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// Waits for `span`; false when it was told to end meanwhile.
    pub(super) async fn sleep(&self, span: Duration) -> bool {
        self.cancel.run_until_cancelled(tokio::time::sleep(span)).await.is_some()
    }

    /// Who measures.
    pub(super) fn agent(&self) -> &str {
        &self.agent
    }

    /// Takes the target of `config` under watch; `anew` when the schedule begins here. A run that began and did not
    /// end, in whichever process, is noticed here.
    ///
    /// # Errors
    /// When what is remembered of it cannot be read.
    pub async fn watch(&self, config: TargetConfig, anew: bool) -> Result<Watch, Failure> {
        let key = Watch::key(&config.name);
        let row = blocking(&self.access, move |access| access.load(&key)).await?;
        Watch::new(config, row.as_deref(), &self.agent, moment(), anew)
    }

    /// Runs tier 1 and the tiers that it leads to; each is handed to `done` once it is kept, or held until it can be.
    ///
    /// # Errors
    /// When the store refuses what is to be kept.
    pub async fn round(&self, watch: &mut Watch, done: impl FnMut(Round)) -> Result<(), Failure> {
        let confirms = watch.state.due.why == Cause::Confirm;
        let reason = watch.state.due.why.word();
        self.climb(watch, Order { tier: 1, reason, confirms }, done).await
    }

    /// Runs `tier` because a person asks for it, or what is next. A spent budget refuses it, unless told to
    /// `ignore_budget`.
    ///
    /// # Errors
    /// As [`Runner::round`].
    pub async fn asked(
        &self,
        watch: &mut Watch,
        tier: Option<u8>,
        ignore_budget: bool,
        mut done: impl FnMut(Round),
    ) -> Result<(), Failure> {
        let Some(tier) = tier else {
            return self.round(watch, done).await;
        };
        if ignore_budget {
            tracing::warn!(target = watch.name(), tier, "the budget is ignored, as asked");
        }
        if tier > 1 {
            let now = moment();
            let led = watch.feed(&Observation::Asked { tier, ignore_budget }, now);
            if led.next.is_none() {
                done(self.keep_refusal(watch, tier, "asked", &led, now).await?);
                return Ok(());
            }
        }
        self.climb(watch, Order { tier, reason: "asked", confirms: false }, done).await
    }

    async fn climb(
        &self,
        watch: &mut Watch,
        first: Order<'_>,
        mut done: impl FnMut(Round),
    ) -> Result<(), Failure> {
        let (round, mut next) = self.run_tier(watch, &first).await?;
        done(round);
        while let Some((tier, reason)) = next {
            let round;
            (round, next) = self.run_tier(watch, &Order { tier, reason, confirms: false }).await?;
            done(round);
        }
        Ok(())
    }

    /// Runs one tier when it is its turn, and keeps it. The mark that it runs is kept before.
    async fn run_tier(
        &self,
        watch: &mut Watch,
        order: &Order<'_>,
    ) -> Result<(Round, Option<(u8, &'static str)>), Failure> {
        let turn = match self.turn(order.tier).await {
            Ok(turn) => turn,
            Err(why) => return self.refuse(watch, order, why).await,
        };
        let begun = moment();
        if !self.used().take(order.tier, self.common().budget, begun) {
            return self.refuse(watch, order, Why::Budget).await;
        }
        let id = new_id(begun.timestamp());
        watch.state.running = Some(Running { run: id, tier: order.tier, at: begun.wall });
        self.keep(Vec::new(), watch).await?;

        let ctx = self.ctx(watch, order, id.to_string());
        let start = clock::now();
        let probes = probes(watch, order);
        let timeout = watch.config.tier(order.tier).timeout;
        let side_by_side = order.tier == 1;
        let (tested, (own_line, references)) = tokio::join!(
            tests::run(probes.clone(), &ctx, side_by_side, timeout),
            self.look(order.tier, &ctx)
        );
        drop(turn);
        let elapsed = clock::now().mono.saturating_duration_since(start.mono);

        let now = moment();
        let seen = RoundSeen { tests: tested.tests(&probes), own_line, under_load: false, took: elapsed };
        let clock_stepped = seen.tests.iter().any(|test| test.clock_stepped);
        let led = self.judge(watch, order.tier, &tested, seen, now);
        watch.state.running = None;
        let measurements: Vec<Measurement> =
            tested.measurements.into_iter().flatten().filter(is_kept).collect();
        let ran = Ran {
            id,
            at: begun,
            elapsed,
            agent: (*ctx.agent).clone(),
            tier: order.tier,
            reason: order.reason.to_owned(),
            own_line,
            tests: measurements.iter().map(|found| found.id).collect(),
        };
        let run = watch.record(ran, &led, clock_stepped, now);
        self.keep(records(&run, measurements.iter().chain(&references)), watch).await?;
        Ok((Round { run, measurements }, led.next))
    }

    /// Tells the state machine what a tier found, or that it came to nothing.
    fn judge(&self, watch: &mut Watch, tier: u8, tested: &Tested, seen: RoundSeen, now: Moment) -> Led {
        let is_cut = self.cancel.is_cancelled() && tested.is_cut();
        match tier {
            1 if is_cut => {
                watch.skip(1, Why::Aborted);
                watch.feed(&Observation::Tick, now)
            }
            1 => watch.feed(&Observation::Round(seen), now),
            _ if is_cut || tested.is_late => {
                watch.feed(&Observation::TierRefused { tier, why: Why::Aborted }, now)
            }
            _ => watch.feed(&Observation::TierDone { tier, seen }, now),
        }
    }

    /// A tier that could not run: a record says so, and why.
    async fn refuse(
        &self,
        watch: &mut Watch,
        order: &Order<'_>,
        why: Why,
    ) -> Result<(Round, Option<(u8, &'static str)>), Failure> {
        let now = moment();
        let led = if order.tier == 1 {
            watch.skip(1, why);
            watch.feed(&Observation::Tick, now)
        } else {
            watch.feed(&Observation::TierRefused { tier: order.tier, why }, now)
        };
        Ok((self.keep_refusal(watch, order.tier, order.reason, &led, now).await?, None))
    }

    async fn keep_refusal(
        &self,
        watch: &mut Watch,
        tier: u8,
        reason: &str,
        led: &Led,
        now: Moment,
    ) -> Result<Round, Failure> {
        let ran = Ran {
            id: new_id(now.timestamp()),
            at: now,
            elapsed: Duration::ZERO,
            agent: (*(self.ctx)().agent).clone(),
            tier,
            reason: reason.to_owned(),
            own_line: OwnLine::Weak,
            tests: Vec::new(),
        };
        let run = watch.record(ran, led, false, now);
        self.keep(records(&run, [].iter()), watch).await?;
        Ok(Round { run, measurements: Vec::new() })
    }

    /// The turn of a round of `tier`. A higher tier does not wait for ever: what made it run would be history.
    async fn turn(&self, tier: u8) -> Result<OwnedSemaphorePermit, Why> {
        let turns = Arc::clone(&self.common().turns[usize::from(tier.clamp(1, 3) - 1)]);
        let longest = if tier == 1 { Duration::MAX } else { TURN };
        let turn = self.cancel.run_until_cancelled(tokio::time::timeout(longest, turns.acquire_owned()));
        match turn.await {
            None => Err(Why::Aborted),
            Some(Ok(Ok(turn))) => Ok(turn),
            Some(_) => Err(Why::Lease),
        }
    }

    /// Looks at this host's own line, in rounds of tier 1.
    async fn look(&self, tier: u8, ctx: &Ctx) -> (OwnLine, Vec<Measurement>) {
        match tier {
            1 => self.common().references.look(ctx).await,
            _ => (OwnLine::Weak, Vec::new()),
        }
    }

    fn ctx(&self, watch: &Watch, order: &Order<'_>, run: String) -> Ctx {
        let mut ctx = (self.ctx)();
        ctx.cancel = self.cancel.child_token();
        ctx.labels.extend(watch.config.labels.clone());
        ctx.labels.extend(BTreeMap::from([
            ("tier".to_owned(), order.tier.to_string()),
            ("run".to_owned(), run),
            ("target".to_owned(), watch.config.name.clone()),
            ("reason".to_owned(), order.reason.to_owned()),
        ]));
        ctx
    }

    fn used(&self) -> std::sync::MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps `records` and what is remembered of the target and of the agent, in one transaction; where that cannot
    /// be, the rounds go on and what they find is held.
    async fn keep(&self, records: Vec<Record>, watch: &Watch) -> Result<(), Failure> {
        let used = self.used().encode()?;
        let states = [(Watch::key(watch.name()), watch.state.encode()?), (Used::KEY.to_owned(), used)];
        blocking(&self.access, move |access| access.commit_or_hold(&records, &states)).await
    }
}

/// What was asked wrongly is in no store: the run is kept without it.
fn is_kept(measurement: &Measurement) -> bool {
    match &measurement.outcome {
        Outcome::Failure(failure) if matches!(failure.class, Class::Usage | Class::Config) => {
            tracing::error!(probe = measurement.probe.kind(), %failure, "asked wrongly");
            false
        }
        _ => true,
    }
}

fn probes(watch: &Watch, order: &Order<'_>) -> Vec<Probe> {
    let tier = watch.config.tier(order.tier);
    if order.confirms { tier.confirming() } else { tier.probes.clone() }
}

fn records<'a>(run: &Run, measurements: impl Iterator<Item = &'a Measurement>) -> Vec<Record> {
    let measurements = measurements.map(|found| Record::Measurement(Box::new(found.clone())));
    measurements.chain([Record::Run(Box::new(run.clone()))]).collect()
}
