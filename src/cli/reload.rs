//! SIGHUP: the file is read anew, and what can change while the process runs does. A file that is broken changes nothing.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};

use super::autoperf::some_targets;
use super::{Env, complaint};
use crate::autoperf;
use crate::config::{self, Config};
use crate::failure::Failure;
use crate::serve::iperf3::Users;
use crate::store::apart;
use crate::sys::service;

/// What a server does on SIGHUP.
pub(super) struct Reload {
    name: &'static str,
    started: Config,
    file: Option<PathBuf>,
    plan: watch::Sender<autoperf::Settings>,
    hangups: Signal,
    needs_targets: bool,
    users: Option<Arc<Users>>,
    /// Lines for who reads what the process says: who sleeps must not stop the task that serves.
    said: mpsc::Sender<String>,
}

impl Reload {
    /// Listens from now on; the settings of autoperf go to `plan`, what has been reloaded to `said`.
    ///
    /// # Errors
    /// When the signal cannot be listened for.
    pub(super) fn new(
        name: &'static str,
        env: &Env,
        plan: watch::Sender<autoperf::Settings>,
        said: mpsc::Sender<String>,
    ) -> Result<Self, Failure> {
        let hangups =
            signal(SignalKind::hangup()).map_err(|error| Failure::from_io("listen for SIGHUP", &error))?;
        let (started, file) = (env.config.clone(), env.file.clone());
        Ok(Self { name, started, file, plan, hangups, needs_targets: false, users: None, said })
    }

    /// A file without targets is refused as well.
    pub(super) const fn with_targets(mut self) -> Self {
        self.needs_targets = true;
        self
    }

    /// The file of these users is read again as well.
    pub(super) fn with_users(mut self, users: Option<Arc<Users>>) -> Self {
        self.users = users;
        self
    }

    /// Reads the file on each SIGHUP; for ever.
    pub(super) async fn run(mut self) -> Infallible {
        loop {
            if self.hangups.recv().await.is_none() {
                std::future::pending::<()>().await;
            }
            service::notify_reloading();
            match self.read().await {
                Ok(config) => self.take(config),
                Err(failure) => {
                    complaint::tell(self.name, &format!("reload: {failure}; nothing was changed"))
                }
            }
            if let Some(users) = &self.users {
                self.admit(Arc::clone(users)).await;
            }
            service::notify("READY=1");
        }
    }

    /// What the file says now, checked.
    async fn read(&self) -> Result<Config, Failure> {
        let (file, needs_targets) = (self.file.clone(), self.needs_targets);
        apart(move || {
            let loaded = config::load(file.as_deref())?;
            let settings = &loaded.config.autoperf;
            match needs_targets {
                true => some_targets(settings, loaded.file.as_deref())?,
                false => settings.targets()?,
            };
            Ok(loaded.config)
        })
        .await
    }

    /// Lets those in that the file of users names now; one that is broken changes nothing.
    async fn admit(&self, users: Arc<Users>) {
        match apart(move || users.read_again()).await {
            Ok(count) => drop(self.said.try_send(format!("reloaded: {count} users"))),
            Err(failure) => {
                complaint::tell(self.name, &format!("reload: {failure}; who may log in was not changed"));
            }
        }
    }

    fn take(&self, config: Config) {
        let fixed = self.fixed(&config);
        if !fixed.is_empty() {
            let fixed = fixed.join(", ");
            complaint::tell(self.name, &format!("reload: what changed in {fixed} waits for the next start"));
        }
        let _ = self.said.try_send(format!("reloaded: {} targets", config.autoperf.target.len()));
        self.plan.send_replace(config.autoperf);
    }

    /// The sections that differ from what this process was started with and cannot change before it is started again.
    /// (Those of the probes are defaults of commands.)
    fn fixed(&self, config: &Config) -> Vec<&'static str> {
        let started = &self.started;
        let sections = [
            ("[agent]", started.agent != config.agent),
            ("[log]", started.log != config.log),
            ("[geo]", started.geo != config.geo),
            ("[store]", started.store != config.store),
            ("[serve]", started.serve != config.serve),
        ];
        sections.into_iter().filter(|(_, differs)| *differs).map(|(section, _)| section).collect()
    }
}
