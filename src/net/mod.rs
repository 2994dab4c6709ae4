//! Between probes and the system: names to addresses, the policy of what may be reached, connections and TLS, and the two
//! worlds that run a datagram engine: sockets ([`drive`]) and virtual time ([`sim`], [`feed`]).

pub mod bulk;
pub mod dial;
pub mod drive;
pub mod engine;
pub mod feed;
pub mod fetch;
mod names;
mod policy;
pub mod quic;
mod resolve;
pub mod sim;
pub mod tls;

pub use names::Names;
pub use policy::Policy;
pub use resolve::{Answerer, By, DnsTransport, Found, RESOLUTION_DELAY, Resolver, Service, system_resolvers};
pub use tls::Trust;
