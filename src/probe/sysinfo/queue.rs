//! Queueing disciplines: what waits in them, and what they have thrown away.

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::tc::{TcAttribute, TcHandle, TcMessage, TcStats2};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::source::Source;
use crate::failure::reason;
use crate::sys::link;
use crate::sys::netlink::dump;

/// A queueing discipline, as `tc -s qdisc` shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Queue {
    /// The interface whose packets wait in it.
    pub interface: String,
    /// What it is: `fq_codel`.
    pub kind: String,
    /// Whether all packets of the interface pass it, and it is in no other.
    pub root: bool,
    /// Packets that it has let pass.
    pub packets: u64,
    /// Their octets.
    pub bytes: u64,
    /// Packets that it threw away.
    pub dropped: u64,
    /// How often the limit of its link was met.
    pub overlimits: u64,
    /// Packets that were put back.
    pub requeued: u64,
    /// Packets that wait now.
    pub waiting: u32,
    /// Their octets.
    pub waiting_bytes: u32,
}

impl Queue {
    /// All that have an interface.
    pub(super) fn read(source: &mut Source) -> Vec<Self> {
        let found = dump(RouteNetlinkMessage::GetQueueDiscipline(TcMessage::default()));
        let found = found.map_err(|error| source.lacks("queues", &reason(&error))).unwrap_or_default();
        found.iter().filter_map(Self::of).collect()
    }

    fn of(message: &RouteNetlinkMessage) -> Option<Self> {
        let RouteNetlinkMessage::NewQueueDiscipline(message) = message else { return None };
        let number = u32::try_from(message.header.index).ok()?;
        let mut queue = Self {
            interface: link::name(number)?,
            root: message.header.parent == TcHandle::ROOT,
            ..Self::default()
        };
        for attribute in &message.attributes {
            match attribute {
                TcAttribute::Kind(kind) => queue.kind.clone_from(kind),
                TcAttribute::Stats2(all) => all.iter().for_each(|one| queue.note(one)),
                _ => {}
            }
        }
        Some(queue)
    }

    fn note(&mut self, told: &TcStats2) {
        match told {
            TcStats2::Basic(basic) => (self.packets, self.bytes) = (basic.packets.into(), basic.bytes),
            TcStats2::Queue(queue) => {
                (self.dropped, self.overlimits) = (queue.drops.into(), queue.overlimits.into());
                (self.requeued, self.waiting) = (queue.requeues.into(), queue.qlen);
                self.waiting_bytes = queue.backlog;
            }
            _ => {}
        }
    }
}
