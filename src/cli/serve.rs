//! `waddleperf serve`: the test server, in the foreground until told to stop.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::background::Background;
use super::reload::Reload;
use super::{Env, complaint};
use crate::autoperf::{self, TargetConfig, text};
use crate::config;
use crate::failure::Failure;
use crate::probe::bandwidth::{Rate, RateUnit};
use crate::probe::{Manual, Probe};
use crate::serve::iperf3::{Network, Show, Shown};
use crate::serve::{Autoperf, Listen, Prepared, Settings};
use crate::sys::process;
use crate::units::Span;

/// How long the last lines may take at the end.
const LAST: Duration = Duration::from_secs(1);
/// What waits to be printed; more is not told.
const WAITING: usize = 256;

/// See the module.
#[derive(Debug, Args)]
pub(super) struct Serve {
    /// Where a service listens, or `NAME=off`; once for each (udpping, on, port 2000; iperf3, on, port 5201; stamp, off, port 862)
    #[arg(long, value_name = "NAME=ADDR:PORT")]
    listen: Vec<Listen>,
    /// Also echo what is no session of ours, verbatim, to private addresses only
    #[arg(long)]
    udp_legacy: bool,
    /// File with the key that UDP clients must share
    #[arg(long, value_name = "FILE")]
    udp_key_file: Option<PathBuf>,
    /// A network or an address that iperf3's clients may test from; once for each (without any: all)
    #[arg(long, value_name = "NETWORK", help_heading = "Server of iperf3")]
    iperf3_allow: Vec<Network>,
    /// A network or an address that they may not test from; once for each
    #[arg(long, value_name = "NETWORK", help_heading = "Server of iperf3")]
    iperf3_deny: Vec<Network>,
    /// Clients must log in: the private RSA key (PEM) that their logins are encrypted for
    #[arg(long, value_name = "FILE", help_heading = "Server of iperf3")]
    rsa_private_key_path: Option<PathBuf>,
    /// Who may log in: lines of NAME,HASH with the SHA-256 of {NAME}PASSWORD
    #[arg(long, value_name = "FILE", help_heading = "Server of iperf3")]
    authorized_users_path: Option<PathBuf>,
    /// How far a client's clock may be off [default: 10s]
    #[arg(long, value_name = "TIME", help_heading = "Server of iperf3")]
    time_skew_threshold: Option<Span>,
    /// Also take logins of clients up to iperf 3.16 (PKCS#1 v1.5)
    #[arg(long, help_heading = "Server of iperf3")]
    use_pkcs1_padding: bool,
    /// Let clients of iperf3 have connections over several paths (Multipath TCP)
    #[arg(long, help_heading = "Server of iperf3")]
    mptcp: bool,
    /// Bits per second of a test of iperf3, over TCP and over UDP (K, M, G and T for powers of 1000; 0 is no limit)
    #[arg(long, value_name = "RATE", help_heading = "Server of iperf3")]
    server_bitrate_limit: Option<Rate>,
    /// How long a test of iperf3 may take (0: no limit)
    #[arg(long, value_name = "TIME", help_heading = "Server of iperf3")]
    server_max_duration: Option<Span>,
    /// End after one test of iperf3, whatever came of it; one at a time
    #[arg(long, help_heading = "Server of iperf3")]
    one_off: bool,
    /// Show each test of iperf3 on stdout, as iperf3's own server does
    #[arg(long, value_name = "FORM", value_enum, help_heading = "Server of iperf3")]
    iperf3_show: Option<Shown>,
    /// How long the intervals are that are shown, from 100 ms; 0 is none [default: 1s]
    #[arg(long, value_name = "TIME", requires = "iperf3_show", help_heading = "Server of iperf3")]
    iperf3_interval: Option<Span>,
    /// Unit of the rates that are shown: k, m, g, t, K, M, G or T
    #[arg(long, value_name = "UNIT", requires = "iperf3_show", help_heading = "Server of iperf3")]
    iperf3_format: Option<RateUnit>,
    /// Begin each line that is shown with its time, as strftime(3) writes it
    #[arg(long, value_name = "FORMAT", requires = "iperf3_show", help_heading = "Server of iperf3")]
    iperf3_timestamps: Option<String>,
    /// Go to the background once all is open
    #[arg(long)]
    daemon: bool,
    /// Write the process's number into this file, and nothing into it at the end
    #[arg(long, value_name = "FILE")]
    pidfile: Option<PathBuf>,
    /// Write what is told to the end of this file instead of stdout and stderr
    #[arg(long, value_name = "FILE")]
    logfile: Option<PathBuf>,
    /// The account to become when started as root
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
}

pub(super) const MANUAL: Manual = Manual {
    name: "serve",
    about: "Run the test server",
    text: "Reflects UDP pings on port 2000, serves iperf3's clients on port 5201, keeps the store, and measures the targets that the configuration names. \
           SIGTERM lets running sessions end, for at most 30 s; a second one ends at once. SIGHUP reads \
           [autoperf] and the file of users anew; other sections take effect with the next start. Started as root it \
           opens its sockets, then becomes the account `waddleperf` (or serve.user); where there is none, the owner of DATA. \
           Whatever it becomes, it keeps no capability, writes only below DATA, and reads only the system's files and \
           what lies beside its configuration, its key files and its databases of places (where the kernel has landlock, from Linux 5.19 on).\n\n\
           With --rsa-private-key-path and --authorized-users-path clients of iperf3 must log in, as with iperf3's own server; \
           each login is taken once, ten that fail in a minute close the door to their address for its rest, and who logged in \
           is the label `user` of the record. Nothing but the login is encrypted. On SIGHUP the file of users is read again; one \
           that is broken is told and changes nothing.\n\n\
           With --iperf3-show the tests of iperf3's clients are shown on stdout as they run, as iperf3's own server does (text), or as \
           what its -J or --json-stream prints; all else is told on stderr then. A link named iperf3 to this program does so with -s.",
    examples: &[
        ("waddleperf serve", "the reflector on port 2000, iperf3's server on port 5201"),
        (
            "waddleperf serve --listen udpping=127.0.0.1:2000 --listen stamp=[::]:8620",
            "other addresses, and STAMP",
        ),
        (
            "waddleperf serve --rsa-private-key-path key.pem --authorized-users-path users.csv",
            "iperf3 clients must log in",
        ),
        ("waddleperf serve --iperf3-show text", "with the screen of iperf3's own server"),
        ("waddleperf serve --udp-key-file /etc/waddleperf/udp.key", "only for those who have the key"),
    ],
    files: &[],
    see_also: &["waddleperf-udpping(1)", "waddleperf-autoperf(1)", "waddleperf-health(1)"],
};

pub(super) fn run(args: Serve, env: &Env) -> Result<u8, Failure> {
    process::share_heap();
    let targets = env.config.autoperf.targets()?;
    let background = Background::open(args.daemon, args.pidfile.as_deref(), args.logfile.as_deref())?;
    // Sockets first, then the privileges, and only then the files and the threads.
    let settings = args.settings(env.config.serve.clone());
    settings.check().map_err(|fault| fault.of_flag())?;
    let own = env.file.clone().into_iter().chain(config::places()).chain(keys(&targets));
    let files = own.chain(settings.iperf3.authorized_users_path.clone()).chain(env.atlas().reads());
    let files: Vec<_> = files.collect();
    // Tests are shown on stdout alone, where programs may read them.
    let out = if settings.iperf3.show.is_some() { Out::Stderr } else { Out::Stdout };
    let limits = format!("a test may have {} ([serve.iperf3])", settings.iperf3);
    let prepared = Prepared::new(settings, &env.data, &files)?;
    background.enter()?;
    let store = env.store()?;
    let ended = env.block_on(async {
        let (plan, settings) = watch::channel(env.config.autoperf.clone());
        let reload = Reload::new("waddleperf serve", env, plan, printer(out, |line| line).0)?;
        let reload = reload.with_users(prepared.users());
        // Whoever has read that it listens may send it SIGHUP.
        for note in prepared.notes() {
            out.write(note);
        }
        if out == Out::Stderr {
            out.write(limits);
        }
        // A server may have become somebody who must not read that file.
        if let Some(Err(failure)) = prepared.users().map(|users| users.read_again()) {
            complaint::tell("waddleperf serve", &format!("SIGHUP cannot change who may log in: {failure}"));
        }
        background.leave_terminal()?;
        let autoperf = Autoperf { plan: settings, ctx: Arc::new(env.contexts()), rounds: rounds(out) };
        let (lines, printed) = printer(Out::Stdout, |line| line);
        let ended = tokio::select! {
            ended = prepared.run(store, autoperf, lines, &env.cancel) => ended.map(|()| 0),
            never = reload.run() => match never {},
        };
        // What came of the last test is read by somebody.
        let _ = timeout(LAST, printed).await;
        ended
    });
    background.clear();
    ended
}

/// Where a line goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Out {
    Stdout,
    Stderr,
}

impl Out {
    /// Writes a line. A server goes on when nobody reads what it says.
    fn write(self, line: impl Display) {
        let _ = match self {
            Self::Stdout => writeln!(io::stdout().lock(), "{line}"),
            Self::Stderr => writeln!(io::stderr().lock(), "{line}"),
        };
    }
}

/// Where rounds go to be printed, one line each.
pub(super) fn rounds(out: Out) -> mpsc::Sender<autoperf::Round> {
    printer(out, |round: autoperf::Round| text::line(&round.run, &round.measurements)).0
}

/// Where things go to be printed as `line` writes them, and the task that does so until none can come any more. A reader that
/// is slow, or gone, stops nothing.
pub(super) fn printer<T: Send + 'static>(
    out: Out,
    line: impl Fn(T) -> String + Send + 'static,
) -> (mpsc::Sender<T>, JoinHandle<()>) {
    let (things, mut waiting) = mpsc::channel::<T>(WAITING);
    let printed = tokio::task::spawn_blocking(move || {
        while let Some(thing) = waiting.blocking_recv() {
            out.write(line(thing));
        }
    });
    (things, printed)
}

/// The files that rounds read: keys and lists.
fn keys(targets: &[TargetConfig]) -> impl Iterator<Item = PathBuf> {
    let probes = targets.iter().flat_map(|target| &target.tiers).flat_map(|tier| &tier.probes);
    probes.flat_map(Probe::inputs).map(Path::to_owned)
}

impl Serve {
    /// What the file says, with the flags on top.
    fn settings(self, mut settings: Settings) -> Settings {
        settings.listen.extend(self.listen.into_iter().map(|Listen(service, place)| (service, place)));
        settings.udpping.legacy |= self.udp_legacy;
        settings.udpping.key_file = self.udp_key_file.or(settings.udpping.key_file);
        settings.user = self.user.or(settings.user);
        let iperf3 = &mut settings.iperf3;
        iperf3.allow.extend(self.iperf3_allow);
        iperf3.deny.extend(self.iperf3_deny);
        iperf3.rsa_private_key_path = self.rsa_private_key_path.or(iperf3.rsa_private_key_path.take());
        iperf3.authorized_users_path = self.authorized_users_path.or(iperf3.authorized_users_path.take());
        iperf3.time_skew_threshold = self.time_skew_threshold.unwrap_or(iperf3.time_skew_threshold);
        iperf3.use_pkcs1_padding |= self.use_pkcs1_padding;
        iperf3.mptcp |= self.mptcp;
        if let Some(Rate { bps, .. }) = self.server_bitrate_limit {
            (iperf3.rate, iperf3.udp_rate) = (bps, bps);
        }
        iperf3.time = self.server_max_duration.unwrap_or(iperf3.time);
        if self.one_off {
            (iperf3.one_off, iperf3.sessions) = (true, 1);
        }
        iperf3.show = self.iperf3_show.map(|form| Show {
            form,
            interval: self.iperf3_interval.map_or(Duration::from_secs(1), |interval| interval.0),
            unit: self.iperf3_format,
            timestamps: self.iperf3_timestamps,
        });
        settings
    }
}
