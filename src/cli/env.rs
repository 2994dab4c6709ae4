//! What a command gets to work with: data directory, configuration, identity, runtime, and the wish to stop.

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Loaded};
use crate::failure::{Class, Failure};
use crate::geo::Atlas;
use crate::net::{Policy, Resolver};
use crate::probe::{Agent, Ctx};
use crate::store::{Access, Data};
use crate::sys::{self, host};

/// Threads of the runtime: measuring waits far more than it computes, and bulk traffic has threads of its own.
const WORKERS: usize = 2;

/// A run with one target has about a dozen descriptors open; with too few for its own wake-up pipe the runtime panics.
const LEAST_DESCRIPTORS: u64 = 32;

/// What a command gets to work with.
pub struct Env {
    /// Where store, spool, locks and sockets are.
    pub data: Data,
    /// What the file says, defaults filled in.
    pub config: Config,
    /// The file that it comes from, if there is one.
    pub file: Option<PathBuf>,
    /// Who measures.
    pub agent: Arc<Agent>,
    /// Cancelled by the first SIGINT or SIGTERM: whoever works ends soon, with what there is by then.
    pub cancel: CancellationToken,
    signal: Arc<AtomicU8>,
}

impl Env {
    pub(super) fn new(loaded: Loaded, data: Option<&Path>) -> Result<Self, Failure> {
        let data = Data::at(data.map_or_else(place_of_data, Path::to_owned));
        let agent = super::identity::of(&loaded.config.agent, &data)?;
        Ok(Self {
            data,
            config: loaded.config,
            file: loaded.file,
            agent: Arc::new(agent),
            cancel: CancellationToken::new(),
            signal: Arc::default(),
        })
    }

    /// A context for probes that the operator himself asks for: cancelled with this process, labelled as the
    /// configuration says, not restricted.
    pub fn ctx(&self) -> Ctx {
        self.contexts()()
    }

    /// Makes such contexts, as many as there are rounds.
    pub fn contexts(&self) -> impl Fn() -> Ctx + Send + Sync + 'static {
        let mut ctx = Ctx::new(self.agent.clone(), Arc::new(Policy::Operator), Resolver::default());
        ctx.cancel = self.cancel.clone();
        ctx.labels = self.config.agent.labels.clone();
        ctx.geo = self.atlas();
        move || ctx.clone()
    }

    /// The databases of places that this installation has.
    pub fn atlas(&self) -> Atlas {
        Atlas::of(self.config.geo.files.clone(), Some(self.data.geo()))
    }

    /// The store: taken where it is free, else reached through the process that holds it.
    ///
    /// # Errors
    /// When it is damaged, newer than this build, or somebody else's.
    pub fn store(&self) -> Result<Arc<Access>, Failure> {
        Access::open(&self.data, &self.config.store).map(Arc::new)
    }

    /// The exit code of a process that was told to stop: 130 after SIGINT, 143 after SIGTERM.
    pub fn interrupted(&self) -> Option<u8> {
        Some(self.signal.load(Ordering::Relaxed)).filter(|code| *code > 0)
    }

    /// Runs `work` on the one runtime, which exists from here on, and listens for signals meanwhile.
    ///
    /// # Errors
    /// Those of `work`, and class `internal` when there can be no runtime.
    pub fn block_on(&self, work: impl Future<Output = Result<u8, Failure>>) -> Result<u8, Failure> {
        self.drive(&mut Builder::new_multi_thread(), work)
    }

    /// The same on this thread, without workers: a process of a few milliseconds starts earlier, and nobody wakes another thread, which
    /// takes some 50 µs each time.
    ///
    /// # Errors
    /// The same.
    pub fn block_on_one_thread(
        &self,
        work: impl Future<Output = Result<u8, Failure>>,
    ) -> Result<u8, Failure> {
        self.drive(&mut Builder::new_current_thread(), work)
    }

    /// The same for a process that does nothing else: no program that it starts may do more than it, and no thread but
    /// this one has capabilities beyond opening files. This one's are for `work` to give up ([`Ctx::is_alone`]).
    ///
    /// # Errors
    /// The same.
    pub fn block_on_alone(&self, work: impl Future<Output = Result<u8, Failure>>) -> Result<u8, Failure> {
        sys::privilege::forbid_new().map_err(|error| Failure::from_io("give up privileges", &error))?;
        let mut builder = Builder::new_multi_thread();
        // What fails there has nothing to run on: the process ends.
        builder
            .on_thread_start(|| sys::capability::shed(true).expect("fewer capabilities can always be had"));
        self.drive(&mut builder, work)
    }

    fn drive(
        &self,
        builder: &mut Builder,
        work: impl Future<Output = Result<u8, Failure>>,
    ) -> Result<u8, Failure> {
        let few = sys::process::descriptors();
        if few < LEAST_DESCRIPTORS {
            let remedy = "raise it by `ulimit -n` or LimitNOFILE=";
            return Err(Class::Internal.because(format_args!(
                "start threads: only {few} file descriptors are allowed, {LEAST_DESCRIPTORS} are needed; {remedy}"
            )));
        }
        let runtime = builder.worker_threads(WORKERS).enable_all().build();
        let runtime =
            runtime.map_err(|error| Class::Internal.because(format_args!("start threads: {error}")))?;
        let (cancel, code) = (self.cancel.clone(), self.signal.clone());
        let done = runtime.block_on(async {
            let signals = tokio::spawn(listen(cancel, code));
            let done = work.await;
            signals.abort();
            done
        });
        // A blocking call that still runs (a look-up, say) is nobody's any more.
        runtime.shutdown_background();
        done
    }
}

/// DATA where `--data` does not say: systemd's `STATE_DIRECTORY`, else `$XDG_STATE_HOME/waddleperf`, else
/// `/var/lib/waddleperf` for root and `~/.local/state/waddleperf` for others (design §6).
fn place_of_data() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(list) = set("STATE_DIRECTORY") {
        // A unit may name several, separated by colons; the first is ours.
        return list.to_string_lossy().split(':').next().unwrap_or_default().into();
    }
    if let Some(state) = set("XDG_STATE_HOME") {
        return PathBuf::from(state).join("waddleperf");
    }
    match set("HOME") {
        Some(home) if !host::is_root() => PathBuf::from(home).join(".local/state/waddleperf"),
        _ => "/var/lib/waddleperf".into(),
    }
}

/// The first signal asks to stop, the second ends the process at once.
async fn listen(cancel: CancellationToken, code: Arc<AtomicU8>) -> io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    loop {
        let received = tokio::select! {
            _ = interrupt.recv() => 130,
            _ = terminate.recv() => 143,
        };
        if cancel.is_cancelled() {
            // A picture may still be on its way out.
            super::probing::give_back();
            std::process::exit(received.into());
        }
        code.store(received, Ordering::Relaxed);
        cancel.cancel();
    }
}
