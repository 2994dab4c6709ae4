//! A run that goes on, as a picture: what was heard so far ([`State`]) and how it is drawn ([`draw()`]).
//!
//! The state folds events and owns no clock; the terminal, its keys and its size are the command line's.

mod draw;
mod hops;
mod state;
mod table;
mod totals;
mod view;

pub use draw::draw;
pub use hops::Hops;
pub use state::{Passed, Share, State};
pub use totals::{latest, totals};
pub use view::{Key, View};
