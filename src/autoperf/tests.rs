//! Runs the probes of one tier within its time.

use std::time::Duration;

use tokio::task::JoinSet;

use super::judge::Test;
use crate::failure::Class;
use crate::probe::{Ctx, Measurement, Probe};

/// How long probes that were told to end may take to do so.
const WIND_UP: Duration = Duration::from_secs(4);

/// What came of a tier's probes.
pub(super) struct Tested {
    /// In the order of the configuration; `None` for one that did not run or did not end.
    pub(super) measurements: Vec<Option<Measurement>>,
    /// They did not end in time.
    pub(super) is_late: bool,
}

impl Tested {
    /// As the judge sees it, each probe in its place.
    pub(super) fn tests(&self, probes: &[Probe]) -> Vec<Test> {
        let pairs = probes.iter().zip(&self.measurements);
        pairs.map(|(probe, found)| found.as_ref().map_or_else(|| nothing(probe), Test::of)).collect()
    }

    /// Whether something is missing because the process was told to end.
    pub(super) fn is_cut(&self) -> bool {
        self.measurements
            .iter()
            .any(|found| found.as_ref().is_none_or(|found| found.partial || is_cancelled(found)))
    }
}

fn is_cancelled(measurement: &Measurement) -> bool {
    Test::of(measurement).failure == Some(Class::Cancelled)
}

/// A probe that did not run says nothing.
fn nothing(probe: &Probe) -> Test {
    Test {
        kind: probe.kind().into(),
        scalars: Vec::new(),
        losses: Vec::new(),
        failure: Some(Class::Cancelled),
        replied: false,
        clock_stepped: false,
    }
}

/// Runs `probes` side by side or one after the other; after `timeout` they are told to end.
pub(super) async fn run(probes: Vec<Probe>, ctx: &Ctx, side_by_side: bool, timeout: Duration) -> Tested {
    let mut ctx = ctx.clone();
    ctx.cancel = ctx.cancel.child_token();
    let mut measurements: Vec<Option<Measurement>> = probes.iter().map(|_| None).collect();
    let is_late = {
        let work = async {
            match side_by_side {
                true => together(probes, &ctx, &mut measurements).await,
                false => in_turn(probes, &ctx, &mut measurements).await,
            }
        };
        tokio::pin!(work);
        let is_late = tokio::time::timeout(timeout, &mut work).await.is_err();
        if is_late {
            ctx.cancel.cancel();
            // Whoever does not end by then is left behind.
            let _ = tokio::time::timeout(WIND_UP, &mut work).await;
        }
        is_late
    };
    Tested { measurements, is_late }
}

async fn together(probes: Vec<Probe>, ctx: &Ctx, measurements: &mut [Option<Measurement>]) {
    let mut tasks = JoinSet::new();
    for (place, probe) in probes.into_iter().enumerate() {
        let ctx = ctx.clone();
        tasks.spawn(async move { (place, probe.run(&ctx).await) });
    }
    while let Some(ended) = tasks.join_next().await {
        if let Ok((place, measurement)) = ended {
            measurements[place] = Some(measurement);
        }
    }
}

async fn in_turn(probes: Vec<Probe>, ctx: &Ctx, measurements: &mut [Option<Measurement>]) {
    for (probe, place) in probes.into_iter().zip(measurements) {
        if ctx.cancel.is_cancelled() {
            return;
        }
        *place = Some(probe.run(ctx).await);
    }
}
