//! Keeps what was measured, where that is wanted.

use crate::failure::Failure;
use crate::probe::Measurement;
use crate::store::{Access, Data, Record, Settings, apart};

use super::Env;
use super::options::Common;

/// The way into the store. It is held only while a record goes in: others want it too.
pub(super) struct Keeper(Option<(Data, Settings)>);

impl Keeper {
    /// Keeps if the options or the configuration say so.
    pub(super) fn new(common: &Common, env: &Env) -> Self {
        let settings = &env.config.store;
        Self(common.saves(settings.save).then(|| (env.data.clone(), settings.clone())))
    }

    /// Keeps `measurement`, durable when this returns.
    pub(super) async fn keep(&self, measurement: &Measurement) -> Result<(), Failure> {
        let Some((data, settings)) = self.0.clone() else {
            return Ok(());
        };
        let record = Record::Measurement(Box::new(measurement.clone()));
        apart(move || Access::open(&data, &settings)?.keep(&[record])).await
    }
}
