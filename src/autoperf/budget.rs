//! What all targets of this agent may use together in one UTC day.

use serde::{Deserialize, Serialize};

use super::settings::AgentBudgets;
use super::state::Moment;
use crate::failure::{Class, Failure};

const DAY: u64 = 86_400_000_000_000;

/// What is used of the agent's budgets: one row of the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Used {
    v: u8,
    /// The UTC day, counted from the epoch. It never moves backwards.
    day: u64,
    tier2: u32,
    tier3: u32,
}

impl Used {
    /// The key of its row.
    pub(super) const KEY: &str = "autoperf/agent";
    const VERSION: u8 = 1;

    /// Reads the row; nothing is used where there is none.
    ///
    /// # Errors
    /// Class `unsupported` for a newer row (promise R9), `internal` for one that is none.
    pub(super) fn decode(row: Option<&[u8]>) -> Result<Self, Failure> {
        let Some(row) = row else {
            return Ok(Self { v: Self::VERSION, ..Self::default() });
        };
        let used: Self = serde_json::from_slice(row)
            .map_err(|error| Class::Internal.because(format_args!("read autoperf's budgets: {error}")))?;
        match used.v {
            v if v > Self::VERSION => Err(Class::Unsupported
                .because(format_args!("autoperf's budgets have version {v}: a newer waddleperf wrote them"))),
            _ => Ok(used),
        }
    }

    /// The row that holds it.
    ///
    /// # Errors
    /// Class `internal`; cannot happen with the types above.
    pub(super) fn encode(&self) -> Result<Vec<u8>, Failure> {
        serde_json::to_vec(self).map_err(|error| Class::Internal.because(error))
    }

    /// Takes one run of `tier`; whether there was one left. Tier 1 has no budget.
    pub(super) fn take(&mut self, tier: u8, budget: AgentBudgets, now: Moment) -> bool {
        let today = now.wall / DAY;
        if today > self.day {
            *self = Self { v: Self::VERSION, day: today, tier2: 0, tier3: 0 };
        }
        let (used, most) = match tier {
            2 => (&mut self.tier2, budget.tier2),
            3 => (&mut self.tier3, budget.tier3),
            _ => return true,
        };
        let is_left = *used < most;
        *used += u32::from(is_left);
        is_left
    }
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn a_day_has_its_budget_also_when_the_clock_is_set_back() {
        let budget = AgentBudgets { tier2: 2, tier3: 1 };
        let on = |day: u64| Moment { wall: day * DAY, ..Moment::default() };
        let mut used = Used::default();
        let taken: Vec<bool> = [5, 5, 5, 4, 6].iter().map(|&day| used.take(2, budget, on(day))).collect();
        assert_eq!(taken, [true, true, false, false, true]);
        assert!(used.take(3, budget, on(6)) && !used.take(3, budget, on(6)) && used.take(1, budget, on(6)));
        let row = used.encode().expect("a row");
        assert_eq!(Used::decode(Some(&row)), Ok(used));
    }
}
