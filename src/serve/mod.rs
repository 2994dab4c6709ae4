//! The test server: reflectors, iperf3's server, the store's owner, autoperf's daemon.
//!
//! Two steps: [`Prepared`] opens the sockets while the process may, and gives up what it may do; then
//! [`Prepared::run`] serves until it is told to stop, lets running sessions end, and ends.

pub mod iperf3;
pub mod reflector;
mod settings;

pub use settings::{Listen, Place, ServiceName, Settings};

use std::convert::Infallible;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::autoperf;
use crate::failure::{Class, Failure};
use crate::probe::Ctx;
use crate::probe::read_key;
use crate::store::{Access, Data, blocking, control};
use crate::sys::privilege::{self, Account};
use crate::sys::wait::Stop;
use crate::sys::{capability, host, landlock, service};
use reflector::{Listener, Workers};

/// The account that a root process becomes where the settings name none.
const ACCOUNT: &str = "waddleperf";
/// Threads of a reflector where the settings name no number: each may hold 4 MiB of the largest datagrams (promise R5).
const MOST_THREADS: usize = 4;
/// What any server reads: settings, names, time zones, what the kernel tells, libraries that are loaded late.
const READABLE: [&str; 7] = ["/etc", "/usr", "/lib", "/lib64", "/proc", "/sys", "/run/systemd/resolve"];
/// How often a server looks whether its threads live.
const BEAT: Duration = Duration::from_secs(1);
/// How often a draining server looks whether sessions still run.
const LOOK: Duration = Duration::from_millis(100);

/// A server with its sockets open and its privileges gone.
pub struct Prepared {
    settings: Settings,
    groups: Vec<Vec<Listener>>,
    iperf3: iperf3::Listener,
    gate: Option<iperf3::Gate>,
    psk: Option<Vec<u8>>,
    notes: Vec<String>,
}

/// What a server measures on the side.
pub struct Autoperf {
    /// What, and how often; it may change.
    pub plan: watch::Receiver<autoperf::Settings>,
    /// The context of a round.
    pub ctx: Arc<dyn Fn() -> Ctx + Send + Sync>,
    /// Where each round goes once it is kept.
    pub rounds: mpsc::Sender<autoperf::Round>,
}

impl Prepared {
    /// Opens every socket that `settings` name, or takes the service manager's; then drops privileges, giving
    /// `data` to the account that the process becomes. From then on it reads the system's files and those beside
    /// `files`, and writes nothing outside of `data`. Must run before any thread is started.
    ///
    /// # Errors
    /// A socket that cannot be opened, a key that cannot be read, an account that does not exist.
    pub fn new(settings: Settings, data: &Data, files: &[PathBuf]) -> Result<Self, Failure> {
        // Nobody catches signals yet: they end this.
        let never = Stop::new().map_err(|error| Failure::from_io("eventfd", &error))?;
        let psk = settings.udpping.key_file.as_deref().map(|path| read_key(path, &never)).transpose()?;
        let gate = iperf3::Gate::open(&settings.iperf3, &never)?;
        let passed = adopt()?;
        let groups = open(&settings, passed.reflector)?;
        let iperf3 = match settings.place(ServiceName::Iperf3).filter(|_| passed.iperf3.is_empty()) {
            Some(place) => iperf3::Listener::open(place, settings.iperf3.mptcp)?,
            None => passed.iperf3,
        };
        let mut notes: Vec<String> = groups.first().into_iter().flatten().map(describe).collect();
        notes.extend(iperf3.notes());
        if settings.iperf3.mptcp && !iperf3.is_multipath() {
            let why = "neither has this system Multipath TCP nor do sockets of a service manager";
            notes.push(format!("iperf3: mptcp is left out: {why}"));
        }
        notes.extend(drop_privileges(&settings, data, &readable(files))?);
        Ok(Self { settings, groups, iperf3, gate, psk, notes })
    }

    /// What the operator should read once: where it listens, what it runs as.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Who may log in to iperf3's server, where anybody must.
    pub fn users(&self) -> Option<Arc<iperf3::Users>> {
        self.gate.as_ref().map(iperf3::Gate::users)
    }

    /// Serves, and measures what `autoperf` names, until `cancel`, telling what is to be shown to `lines`; then lets running sessions end, for at most the
    /// settings' `drain`.
    ///
    /// # Errors
    /// When it cannot start, the store fails for good, or something that was measured could not be kept.
    pub async fn run(
        self,
        store: Arc<Access>,
        autoperf: Autoperf,
        lines: mpsc::Sender<String>,
        cancel: &CancellationToken,
    ) -> Result<(), Failure> {
        let workers = Workers::start(self.groups, &self.settings.udpping, self.psk.as_deref())?;
        // Also set by the end of the one test that there is to be.
        let cancel = &cancel.child_token();
        let drained = CancellationToken::new();
        let (keeper, kept) = iperf3::Keeper::new(Arc::clone(&autoperf.ctx));
        let ended = drained.clone();
        let iperf3 = iperf3::Server::new(self.iperf3, &self.settings.iperf3, self.gate, keeper, lines, ended);
        let tests = iperf3.handle();
        let mut tasks = JoinSet::new();
        tasks.spawn(iperf3.run());
        tasks.spawn(kept.run(Arc::clone(&store)));
        tasks.spawn(control::serve(Arc::clone(&store), drained.clone()));
        tasks.spawn(measure(autoperf, Arc::clone(&store), cancel.clone()));
        service::notify("READY=1");
        let ended = tokio::select! {
            ended = attend(cancel, &workers, &mut tasks) => ended,
            () = tests.tested(), if self.settings.iperf3.one_off => Ok(()),
            never = beat() => match never {},
        };
        cancel.cancel();
        service::notify("STOPPING=1");
        drain(&workers, &tests, self.settings.drain.0).await;
        drained.cancel();
        // The last of them that may hold a record.
        drop(tests);
        let stopped = tokio::task::spawn_blocking(move || workers.stop()).await;
        while tasks.join_next().await.is_some() {}
        stopped.map_err(|_| Class::Internal.because("a reflector thread panicked"))?;
        ended.and(blocking(&store, Access::finish).await)
    }
}

/// Runs autoperf's schedule while there are targets, once no other process does. The lock is only for who measures:
/// beside a server without targets, `autoperf run` may.
async fn measure(
    mut autoperf: Autoperf,
    store: Arc<Access>,
    cancel: CancellationToken,
) -> Result<(), Failure> {
    while !cancel.is_cancelled() {
        let has_targets = async {
            if autoperf.plan.wait_for(|settings| !settings.target.is_empty()).await.is_err() {
                // It will never change again.
                std::future::pending().await
            }
        };
        if cancel.run_until_cancelled(has_targets).await.is_none() {
            break;
        }
        let Some(_lock) = autoperf::lock::wait(store.data(), &cancel).await? else {
            break;
        };
        let (make, rounds) = (Arc::clone(&autoperf.ctx), autoperf.rounds.clone());
        let ctx = move || make();
        autoperf::daemon(&mut autoperf.plan, Arc::clone(&store), ctx, cancel.clone(), rounds).await?;
    }
    Ok(())
}

/// Lets no session begin, and waits until those that run have ended, at most `patience`.
async fn drain(workers: &Workers, tests: &iperf3::Handle, patience: Duration) {
    workers.refuse_new();
    tests.refuse_new();
    let quiet = async {
        while !workers.is_quiet() || !tests.is_quiet() {
            tokio::time::sleep(LOOK).await;
        }
    };
    let _ = tokio::time::timeout(patience, quiet).await;
}

/// Waits for `cancel`, or for a task or thread that ends before it should.
async fn attend(
    cancel: &CancellationToken,
    workers: &Workers,
    tasks: &mut JoinSet<Result<(), Failure>>,
) -> Result<(), Failure> {
    let mut look = tokio::time::interval(BEAT);
    loop {
        tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            Some(ended) = tasks.join_next() => {
                return ended.unwrap_or_else(|_| Err(Class::Internal.because("a task of the server panicked")));
            }
            _ = look.tick() => if !workers.is_alive() {
                return Err(Class::Internal.because("a reflector thread has ended"));
            }
        }
    }
}

/// Tells the service manager that the process is alive, as often as it wants to hear it; for ever.
pub async fn beat() -> Infallible {
    let Some(every) = service::watchdog() else {
        return std::future::pending().await;
    };
    let mut beat = tokio::time::interval(every);
    loop {
        beat.tick().await;
        service::notify("WATCHDOG=1");
    }
}

/// One group of sockets for each thread: the manager's sockets make one group, else each thread has its own.
fn open(settings: &Settings, passed: Vec<Listener>) -> Result<Vec<Vec<Listener>>, Failure> {
    let threads = match settings.udpping.threads {
        0 => std::thread::available_parallelism().map_or(1, |cores| (cores.get() / 2).clamp(1, MOST_THREADS)),
        threads => threads.into(),
    };
    let threads = if passed.is_empty() { threads } else { 1 };
    let mut groups: Vec<Vec<Listener>> = (0..threads).map(|_| Vec::new()).collect();
    for name in ServiceName::ALL {
        let Some(service) = name.reflected() else { continue };
        let is_passed = passed.iter().any(|listener| listener.service == service);
        let Some(place) = settings.place(name).filter(|_| !is_passed) else { continue };
        for group in &mut groups {
            group.extend(Listener::open(service, place, threads > 1)?);
        }
    }
    groups[0].extend(passed);
    Ok(groups)
}

/// The service manager's sockets.
#[derive(Default)]
struct Passed {
    reflector: Vec<Listener>,
    iperf3: iperf3::Listener,
}

/// The service manager's sockets, by their names.
fn adopt() -> Result<Passed, Failure> {
    let mut passed = Passed::default();
    for (name, fd) in service::sockets() {
        let failed = |error: io::Error| Failure::from_io(format_args!("socket unit: {name}"), &error);
        let known = ServiceName::ALL.into_iter().find(|service| service.name() == name);
        let unknown = || {
            Class::Config
                .because(format_args!("socket unit: no service named `{name}` (FileDescriptorName=)"))
        };
        match known.ok_or_else(unknown)?.reflected() {
            Some(service) => {
                let socket = crate::sys::datagram::Socket::adopt(fd).map_err(failed)?;
                passed.reflector.push(Listener { service, socket });
            }
            None => passed.iperf3.adopt(fd).map_err(failed)?,
        }
    }
    Ok(passed)
}

fn describe(listener: &Listener) -> String {
    let name = match listener.service {
        reflector::Service::UdpPing => ServiceName::UdpPing.name(),
        reflector::Service::Stamp => ServiceName::Stamp.name(),
    };
    match listener.socket.local() {
        Ok(address) => format!("{name} listens on udp {address}"),
        Err(_) => format!("{name} listens"),
    }
}

/// Gives up every right that is not needed once the sockets are open; started as root it becomes another account.
/// Says what it runs as then.
fn drop_privileges(
    settings: &Settings,
    data: &Data,
    readable: &[PathBuf],
) -> Result<Option<String>, Failure> {
    let failed = |error: io::Error| Failure::from_io("drop privileges", &error);
    // While there is the right to: a directory that only root may make. Who opens the store tells what is wrong.
    // What lies above DATA stays open to the account.
    if let Some(above) = data.path().parent().filter(|_| host::is_root()) {
        let _ = std::fs::create_dir_all(above);
    }
    let _ = data.make();
    capability::clear_bounds().map_err(failed)?;
    let note = match (&settings.user, host::is_root()) {
        (_, false) => None,
        (Some(name), true) => {
            let missing = || Class::Config.because(format_args!("serve.user: no account named `{name}`"));
            Some(become_account(&Account::named(name).ok_or_else(missing)?, data)?)
        }
        (None, true) => match Account::named(ACCOUNT).or_else(|| Account::owning(data.path())) {
            Some(account) => Some(become_account(&account, data)?),
            None => Some(format!(
                "runs as root, without capabilities: there is no account `{ACCOUNT}`, and serve.user names no other"
            )),
        },
    };
    privilege::harden().map_err(failed)?;
    if let Err(error) = landlock::confine(&[data.path()], readable) {
        tracing::debug!("files are not confined to {}: {error}", data.path().display());
    }
    Ok(note)
}

/// The directories that a running server reads: the system's, and those of the files `own`, which may be replaced.
fn readable(own: &[PathBuf]) -> Vec<PathBuf> {
    let resolver = PathBuf::from("/etc/resolv.conf");
    let directories = [&resolver].into_iter().chain(own).flat_map(|file| {
        let real = file.canonicalize().ok();
        let beside = |file: &Path| file.parent().map(Path::to_owned);
        // The parent of a bare name is empty, and that of its whole path is not.
        [beside(file).filter(|dir| !dir.as_os_str().is_empty()), real.as_deref().and_then(beside)]
    });
    READABLE.into_iter().map(PathBuf::from).chain(directories.flatten()).collect()
}

fn become_account(account: &Account, data: &Data) -> Result<String, Failure> {
    let data = data.path();
    // What root has left there would be out of reach; what is somebody else's stays his.
    if let Err(error) = std::fs::create_dir_all(data).and_then(|()| account.take_over(data)) {
        return Err(Failure::from_io(format_args!("give {} to {}", data.display(), account.name), &error));
    }
    account.become_it().map_err(|error| Failure::from_io(format_args!("become {}", account.name), &error))?;
    Ok(format!("runs as {}", account.name))
}
