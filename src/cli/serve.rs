//! `waddleperf serve`: the test server, in the foreground until told to stop.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use tokio::sync::{mpsc, watch};

use super::Env;
use super::reload::Reload;
use crate::autoperf::{self, TargetConfig, text};
use crate::config;
use crate::failure::Failure;
use crate::probe::{Manual, Probe};
use crate::serve::{Autoperf, Listen, Prepared, Settings};

/// Rounds that wait to be printed; more are kept, but not told.
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
    /// The account to become when started as root
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
}

pub(super) const MANUAL: Manual = Manual {
    name: "serve",
    about: "Run the test server",
    text: "Reflects UDP pings on port 2000, serves iperf3's clients on port 5201, keeps the store, and measures the targets that the configuration names. \
           SIGTERM lets running sessions end, for at most 30 s; a second one ends at once. SIGHUP reads \
           [autoperf] anew; other sections take effect with the next start. Started as root it \
           opens its sockets, then becomes the account `waddleperf` (or serve.user); where there is none, the owner of DATA. \
           Whatever it becomes, it keeps no capability, writes only below DATA, and reads only the system's files and \
           what lies beside its configuration and its key files (where the kernel has landlock, from Linux 5.19 on).",
    examples: &[
        ("waddleperf serve", "the reflector on port 2000, iperf3's server on port 5201"),
        (
            "waddleperf serve --listen udpping=127.0.0.1:2000 --listen stamp=[::]:8620",
            "other addresses, and STAMP",
        ),
        ("waddleperf serve --udp-key-file /etc/waddleperf/udp.key", "only for those who have the key"),
    ],
    files: &[],
    see_also: &["waddleperf-udpping(1)", "waddleperf-autoperf(1)", "waddleperf-health(1)"],
};

pub(super) fn run(args: Serve, env: &Env) -> Result<u8, Failure> {
    let targets = env.config.autoperf.targets()?;
    let files: Vec<_> = env.file.clone().into_iter().chain(config::places()).chain(keys(&targets)).collect();
    // Sockets first, then the privileges, and only then the files and the threads.
    let prepared = Prepared::new(args.settings(env.config.serve.clone()), &env.data, &files)?;
    let store = env.store()?;
    env.block_on(async {
        let (plan, settings) = watch::channel(env.config.autoperf.clone());
        let reload = Reload::new("waddleperf serve", env, plan)?;
        // Whoever has read that it listens may send it SIGHUP.
        for note in prepared.notes() {
            // A server goes on when nobody reads what it says.
            let _ = writeln!(io::stdout().lock(), "{note}");
        }
        let autoperf = Autoperf { plan: settings, ctx: Arc::new(env.contexts()), rounds: printer() };
        tokio::select! {
            ended = prepared.run(store, autoperf, &env.cancel) => ended.map(|()| 0),
            never = reload.run() => match never {},
        }
    })
}

/// Where rounds go to be printed on stdout, one line each. A reader that is slow, or gone, stops nothing.
pub(super) fn printer() -> mpsc::Sender<autoperf::Round> {
    let (rounds, mut waiting) = mpsc::channel::<autoperf::Round>(WAITING);
    tokio::task::spawn_blocking(move || {
        while let Some(round) = waiting.blocking_recv() {
            let line = text::line(&round.run, &round.measurements);
            let _ = writeln!(io::stdout().lock(), "{line}");
        }
    });
    rounds
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
        settings
    }
}
