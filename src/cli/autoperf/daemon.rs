//! `autoperf daemon`: the schedule, without a server.

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{LOCKED, locked, targets};
use crate::autoperf::{self, lock};
use crate::cli::reload::Reload;
use crate::cli::serve::Out;
use crate::cli::{Env, complaint, serve};
use crate::failure::{Class, Failure};
use crate::serve::beat;
use crate::store::{Access, blocking, control};
use crate::sys::service;

pub(super) fn run(env: &Env) -> Result<u8, Failure> {
    targets(env)?;
    let Some(_lock) = lock::take(&env.data)? else {
        complaint::tell("waddleperf autoperf daemon", &locked(&env.data));
        return Ok(LOCKED);
    };
    let store = env.store()?;
    env.block_on(async { work(store, env).await.map(|()| 0) })
}

/// Measures, and serves the store to other processes, until told to stop.
async fn work(store: Arc<Access>, env: &Env) -> Result<(), Failure> {
    let over = CancellationToken::new();
    let mut control = tokio::spawn(control::serve(Arc::clone(&store), over.clone()));
    let rounds = serve::rounds(Out::Stdout);
    let said = serve::printer(Out::Stdout, |line| line);
    let (plan, mut settings) = watch::channel(env.config.autoperf.clone());
    let reload = Reload::new("waddleperf autoperf daemon", env, plan, said.0)?.with_targets();
    service::notify("READY=1");
    let measured = tokio::select! {
        measured = autoperf::daemon(&mut settings, Arc::clone(&store), env.contexts(), env.cancel.clone(), rounds) => measured,
        ended = &mut control => {
            return ended.unwrap_or_else(|_| Err(Class::Internal.because("the store's task panicked")));
        }
        never = beat() => match never {},
        never = reload.run() => match never {},
    };
    service::notify("STOPPING=1");
    over.cancel();
    let _ = control.await;
    measured.and(blocking(&store, Access::finish).await)
}
