//! Where the records of tests go: one after the other into the store, which nobody who tests waits for.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::failure::Failure;
use crate::probe::{Ctx, Measurement};
use crate::store::{Access, Record, blocking};

/// Records that wait for the store.
const MOST: usize = 64;
/// Records of one commit.
const TOGETHER: usize = 8;

/// Makes contexts for records, and takes those in.
#[derive(Clone)]
pub struct Keeper {
    ctx: Arc<dyn Fn() -> Ctx + Send + Sync>,
    to: mpsc::Sender<Measurement>,
}

/// The other end of a [`Keeper`].
pub struct Kept(mpsc::Receiver<Measurement>);

impl Keeper {
    /// A keeper whose records belong to the contexts that `ctx` makes.
    pub fn new(ctx: Arc<dyn Fn() -> Ctx + Send + Sync>) -> (Self, Kept) {
        let (to, from) = mpsc::channel(MOST);
        (Self { ctx, to }, Kept(from))
    }

    /// Who measures, and where addresses belong.
    pub(super) fn ctx(&self) -> Ctx {
        (self.ctx)()
    }

    /// Takes a record in, or gives it back while there are too many.
    pub(super) fn offer(&self, measurement: Measurement) -> Option<Measurement> {
        self.to.try_send(measurement).err().map(mpsc::error::TrySendError::into_inner)
    }

    /// Takes a record in; waits while there are too many.
    pub(super) async fn keep(&self, measurement: Measurement) {
        if self.to.send(measurement).await.is_err() {
            tracing::warn!("iperf3: a test's record came after the end");
        }
    }
}

impl Kept {
    /// Keeps what comes until every keeper is gone.
    ///
    /// # Errors
    /// None: what the store refuses is told to the log, and what it cannot take now is held.
    pub async fn run(mut self, store: Arc<Access>) -> Result<(), Failure> {
        let mut waiting = Vec::new();
        // Some that have come meanwhile go in together: each commit costs the same.
        while self.0.recv_many(&mut waiting, TOGETHER).await > 0 {
            let record = |measurement| Record::Measurement(Box::new(measurement));
            let records: Vec<Record> = waiting.drain(..).map(record).collect();
            if let Err(failure) = blocking(&store, move |store| store.commit_or_hold(&records, &[])).await {
                tracing::warn!("iperf3: records of tests are not kept: {}", failure.detail);
            }
        }
        Ok(())
    }
}
