//! Between probes and the system: names to addresses, the policy of what may be reached, and the two worlds
//! that run a datagram engine: sockets ([`drive`]) and virtual time ([`sim`], [`feed`]).

pub mod drive;
pub mod engine;
pub mod feed;
mod names;
mod policy;
mod resolve;
pub mod sim;

pub use names::Names;
pub use policy::Policy;
pub use resolve::Resolver;
