//! `--fail-on`: whether what was measured is good enough.

use crate::autoperf::threshold::Threshold;
use crate::probe::{Measurement, Outcome};
use crate::report::text;

/// Thresholds, and whether one of them was raised.
pub(super) struct Verdict {
    thresholds: Vec<Threshold>,
    raised: bool,
}

impl Verdict {
    pub(super) fn new(thresholds: &[Threshold]) -> Self {
        Self { thresholds: thresholds.to_vec(), raised: false }
    }

    /// Compares `measurement`: a line for each threshold that is raised, or that nothing was measured for.
    pub(super) fn judge(&mut self, measurement: &Measurement) -> Vec<String> {
        if matches!(measurement.outcome, Outcome::Failure(_)) {
            return Vec::new();
        }
        let scalars = measurement.scalars();
        let mut told = Vec::new();
        for threshold in &self.thresholds {
            let name = threshold.scalar();
            let Some(scalar) = scalars.iter().find(|scalar| scalar.name == name && scalar.value.is_some())
            else {
                told.push(format!("'{threshold}' was not judged: {name} was not measured"));
                continue;
            };
            if threshold.raised_by(&scalars).is_some() {
                told.push(format!("'{threshold}' is raised: {name} is {}", text::scalar(scalar)));
                self.raised = true;
            }
        }
        told
    }

    /// The exit code, where `code` is the measurement's own.
    pub(super) fn exit_code(&self, code: u8) -> u8 {
        if code == 0 { u8::from(self.raised) } else { code }
    }
}
