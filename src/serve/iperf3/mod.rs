//! iperf3's server: any stock client's tests over TCP and UDP, many at once on one port.
//!
//! What is said (cookies, states, parameters, results) is said by tasks, each word with its deadline; what is moved is moved by
//! threads of [`net::bulk`](crate::net::bulk), one for each stream, never by the runtime. A connection says by its cookie whether it
//! is a new test or carries the data of one; a flow of UDP is known by its address alone, so tests of one address open theirs one
//! after the other. A connection takes a test's place only once its parameters are there, and nothing is sent by UDP to an
//! address that has no control connection. Where there is a [`Gate`], who does not log in gets no further than his parameters.

mod connection;
mod door;
mod end;
mod gate;
mod greeter;
mod keeper;
mod ledger;
mod limits;
mod listener;
mod network;
mod queue;
mod record;
mod registry;
mod running;
mod screen;
mod session;
mod settings;
mod streams;
mod talk;
mod tally;
mod text;
mod waiting;

pub use gate::{Gate, Users};
pub use keeper::{Keeper, Kept};
pub use listener::Listener;
pub use network::Network;
pub use screen::{Show, Shown};
pub use settings::Iperf3Settings;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use super::reflector::Census;
use crate::failure::Failure;
use crate::sys::clock;
use gate::Minutes;
use ledger::Ledger;
use queue::Queue;
use registry::Registry;
use screen::Screen;
use talk::Talk;
use waiting::Waiting;

/// Data connections of the largest test that the protocol has: 128 each way.
const MOST_STREAMS: usize = 256;

/// The server.
pub struct Server {
    listener: Listener,
    shared: Arc<Shared>,
}

/// What all tests share.
struct Shared {
    settings: Iperf3Settings,
    /// Who may test, where a login is wanted.
    gate: Option<Arc<Gate>>,
    /// Connections from networks that may not test.
    denied: Minutes,
    /// Tests that have begun.
    begun: Minutes,
    /// Who is told last words.
    farewells: Semaphore,
    registry: Arc<Registry>,
    waiting: Arc<Waiting>,
    places: Census,
    queue: Queue,
    ledger: Ledger,
    keeper: Keeper,
    /// Where tests are shown, where somebody wants to see them.
    screen: Option<Arc<Screen>>,
    /// Tests that have a place.
    active: AtomicUsize,
    /// A test has ended that had a place.
    tested: CancellationToken,
    /// No test begins any more.
    refusing: AtomicBool,
    /// No test goes on any more.
    ended: CancellationToken,
}

impl Server {
    /// A server at `listener`'s sockets, within `settings`' limits, behind `gate`. Its tests end with `ended`, and `keeper`
    /// keeps them; where `settings` want them shown, their lines go to `lines`.
    pub fn new(
        listener: Listener,
        settings: &Iperf3Settings,
        gate: Option<Gate>,
        keeper: Keeper,
        lines: mpsc::Sender<String>,
        ended: CancellationToken,
    ) -> Self {
        let screen = |show: &Show| Arc::new(Screen::new(show.clone(), listener.port(), lines));
        let screen = settings.show.as_ref().map(screen);
        if let Some(screen) = &screen {
            screen.wait();
        }
        let streams = match settings.streams {
            0 => MOST_STREAMS,
            streams => (2 * streams as usize).min(MOST_STREAMS),
        };
        let shared = Shared {
            settings: settings.clone(),
            gate: gate.map(Arc::new),
            denied: Minutes::new(clock::now().mono),
            begun: Minutes::new(clock::now().mono),
            farewells: Semaphore::new(FAREWELLS),
            registry: Arc::default(),
            waiting: Arc::new(Waiting::new(streams)),
            places: Census::new(most(settings.sessions), most(settings.sessions_per_source)),
            queue: Queue::default(),
            ledger: Ledger::new(settings, clock::now().mono),
            keeper,
            screen,
            active: AtomicUsize::new(0),
            tested: CancellationToken::new(),
            refusing: AtomicBool::new(false),
            ended,
        };
        Self { listener, shared: Arc::new(shared) }
    }

    /// What can be told of it, and asked, while it runs.
    pub fn handle(&self) -> Handle {
        Handle(Arc::clone(&self.shared))
    }

    /// Serves until no test shall go on, and those that ran have told their clients so.
    ///
    /// # Errors
    /// When the runtime does not take a socket.
    pub async fn run(self) -> Result<(), Failure> {
        door::serve(self.listener, self.shared).await
    }
}

/// No limit is as many as can be.
const fn most(limit: u32) -> u32 {
    if limit == 0 { u32::MAX } else { limit }
}

/// Clients that are told their last words at the same time.
const FAREWELLS: usize = 128;

/// A running server.
#[derive(Clone)]
pub struct Handle(Arc<Shared>);

impl Handle {
    /// Begins no test from here on; those that run go on.
    pub fn refuse_new(&self) {
        self.0.refusing.store(true, Ordering::Relaxed);
    }

    /// Waits for the end of the first test, whatever came of it.
    pub async fn tested(&self) {
        self.0.tested.cancelled().await;
    }

    /// Whether no test has a place.
    pub fn is_quiet(&self) -> bool {
        self.0.active.load(Ordering::Relaxed) == 0
    }
}

impl Shared {
    /// Whether one more test of `source` would have a place now.
    fn has_room(&self, source: IpAddr) -> bool {
        !self.refusing.load(Ordering::Relaxed) && self.places.has_room(source)
    }

    /// Tells a client its last words, and waits until it has heard them; where many are told theirs, it is closed at once.
    async fn part(&self, talk: Talk, last: &[u8]) {
        if let Ok(_permit) = self.farewells.try_acquire() {
            talk.leave(last).await;
        }
    }
}

/// A test's place, until it is dropped.
struct Place {
    shared: Arc<Shared>,
    source: IpAddr,
}

impl Place {
    fn enter(shared: &Arc<Shared>, source: IpAddr) -> Option<Self> {
        if shared.refusing.load(Ordering::Relaxed) || shared.places.enter(Some(source)).is_err() {
            return None;
        }
        shared.active.fetch_add(1, Ordering::Relaxed);
        Some(Self { shared: Arc::clone(shared), source })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shared.active.fetch_sub(1, Ordering::Relaxed);
        self.shared.places.leave(Some(self.source));
        self.shared.tested.cancel();
        Queue::serve(&self.shared);
    }
}
