//! What moves octets in the background, and its end.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::JoinSet;

/// Spawns what belongs to a connection; hyper does so by it, too.
#[derive(Clone, Default)]
pub(super) struct Tasks(Arc<Mutex<JoinSet<()>>>);

/// Ends it. A connection holds what it spawns by, so that it would not end by itself.
#[derive(Default)]
pub(super) struct Owned(pub(super) Tasks);

impl Drop for Owned {
    fn drop(&mut self) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }
}

impl Tasks {
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).spawn(task);
    }
}

impl<F> hyper::rt::Executor<F> for Tasks
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, task: F) {
        self.spawn(async {
            let _ = task.await;
        });
    }
}
