//! What a running probe needs from outside.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::targets::{Admission, Audience};
use super::{Agent, Egress, Events, Target};
use crate::failure::Failure;
use crate::geo::Atlas;
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
    /// Where addresses belong.
    pub geo: Atlas,
    /// Who measures.
    pub agent: Arc<Agent>,
    /// Labels for the record: site, tier, run, ….
    pub labels: BTreeMap<String, String>,
    /// This process is for this run alone, and what it calls from is the thread that has the process's capabilities: the
    /// run gives them up as soon as it has opened what needs them.
    pub is_alone: bool,
}

impl Ctx {
    /// A context that reports no events and carries no labels.
    pub fn new(agent: Arc<Agent>, policy: Arc<Policy>, resolver: Resolver) -> Self {
        Self {
            cancel: CancellationToken::new(),
            events: Events::none(),
            policy,
            resolver,
            geo: Atlas::default(),
            agent,
            labels: BTreeMap::new(),
            is_alone: false,
        }
    }

    /// Where the one host `target` is, by the way that `egress` asks for.
    ///
    /// # Errors
    /// Class `usage` for an interface that this host does not have and for an address that is no host's, those of the
    /// resolver and those of the policy.
    pub(super) async fn peer(
        &self,
        target: &Target,
        port: u16,
        egress: &Egress,
    ) -> Result<SocketAddr, Failure> {
        egress.check_here()?;
        let peer = self.resolver.first(target.as_str(), port, |address| egress.admits(address)).await?;
        Admission::to(self, egress, Audience::One).check(peer).map(|()| peer)
    }
}
