//! What a run needs from the system besides sockets: a thread of its own or one of the runtime's, and secrets that nobody guesses.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::Ctx;
use crate::failure::{Class, Failure};
use crate::sys::random::octets;
use crate::sys::wait::Stop;

/// Runs blocking `work` on a thread of its own, which bears `name` and is joined; `ctx.cancel` sets the switch that it
/// gets.
///
/// # Errors
/// When the system gives no thread or no descriptor, and when `work` panics.
pub(crate) async fn on_own_thread<T: Send + 'static>(
    name: &str,
    ctx: &Ctx,
    work: impl FnOnce(&Stop) -> T + Send + 'static,
) -> Result<T, Failure> {
    let stop = Arc::new(Stop::new().map_err(|error| Failure::from_io("eventfd", &error))?);
    let switch = Arc::clone(&stop);
    let (done, mut result) = tokio::sync::oneshot::channel();
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        let _ = done.send(work(&switch));
    });
    let thread = thread.map_err(|error| Failure::from_io("start a thread", &error))?;
    let ended = tokio::select! {
        ended = &mut result => ended,
        () = ctx.cancel.cancelled() => {
            stop.set();
            result.await
        }
    };
    let joined = thread.join();
    ended
        .ok()
        .filter(|_| joined.is_ok())
        .ok_or_else(|| Class::Internal.because("the measuring thread panicked"))
}

/// Does `work` on a thread of the runtime. What waits for sockets there is woken where they are watched; who waits on the thread
/// that began it all is woken by another, each time some 50 µs later, which stand in what is measured.
///
/// # Errors
/// When `work` panics.
pub(crate) async fn on_a_worker<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, Failure> {
    // It ends with who waits for it.
    let mut task = JoinSet::new();
    task.spawn(work);
    let done = task.join_next().await.and_then(Result::ok);
    done.ok_or_else(|| Class::Internal.because("the measuring task panicked"))
}

/// A random number that only we know.
///
/// # Errors
/// When the system has none.
pub(crate) fn random() -> Result<u64, Failure> {
    let octets = octets().map_err(|error| Failure::from_io("read random octets", &error))?;
    let (first, _) = octets.split_first_chunk().expect("32 octets are more than 8");
    Ok(u64::from_ne_bytes(*first))
}
