//! What a running probe needs from outside.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{Agent, Events};
use crate::net::{Policy, Resolver};

/// Cancellation, events, policy, identity: handed to every run, cheap to clone.
#[derive(Clone)]
pub struct Ctx {
    /// Ends the run early; what there is by then becomes a partial report.
    pub cancel: CancellationToken,
    /// Where live events go.
    pub events: Events,
    /// Which addresses this run may reach.
    pub policy: Arc<Policy>,
    /// How names become addresses.
    pub resolver: Resolver,
    /// Who measures.
    pub agent: Arc<Agent>,
    /// Labels for the record: site, tier, run, ….
    pub labels: BTreeMap<String, String>,
}

impl Ctx {
    /// A context that reports no events and carries no labels.
    pub fn new(agent: Arc<Agent>, policy: Arc<Policy>, resolver: Resolver) -> Self {
        Self {
            cancel: CancellationToken::new(),
            events: Events::none(),
            policy,
            resolver,
            agent,
            labels: BTreeMap::new(),
        }
    }
}
