//! Only one process runs autoperf on a data directory (promise R7): the holder of `DATA/autoperf.lock`.
//!
//! The kernel drops the lock with the process, so it is never stale; what the file says is for people only.

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, fchown};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::failure::Failure;
use crate::store::Data;
use crate::sys::lock::Lock;
use crate::sys::{clock, host};

/// How often a server looks whether the lock is free.
const LOOK: Duration = Duration::from_secs(1);

/// Takes the lock of `data`; `None` when another process has it.
///
/// # Errors
/// When the directory or the file cannot be made.
pub fn take(data: &Data) -> Result<Option<Lock>, Failure> {
    data.make()?;
    let path = data.autoperf_lock();
    let failed = |error: std::io::Error| Failure::from_io(format_args!("lock {}", path.display()), &error);
    let Some(mut lock) = Lock::take(&path).map_err(failed)? else {
        return Ok(None);
    };
    // A note that cannot be written is missed only in one message.
    let _ = sign(&mut lock, data);
    Ok(Some(lock))
}

/// Who holds the lock of `data`, as far as it says: `pid 4711 since 2026-11-23T10:00:03Z`.
pub fn holder(data: &Data) -> String {
    let note = fs::read_to_string(data.autoperf_lock()).unwrap_or_default();
    let note = note.lines().next().unwrap_or_default().trim().to_owned();
    if note.is_empty() { "another process".to_owned() } else { note }
}

/// Waits for the lock of `data`; `None` when `cancel` comes first.
///
/// # Errors
/// As [`take`].
pub async fn wait(data: &Data, cancel: &CancellationToken) -> Result<Option<Lock>, Failure> {
    let mut has_told = false;
    loop {
        if let Some(lock) = take(data)? {
            return Ok(Some(lock));
        }
        if !has_told {
            has_told = true;
            tracing::warn!("autoperf waits: it is run by {}", holder(data));
        }
        if cancel.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_none() {
            return Ok(None);
        }
    }
}

fn sign(lock: &mut Lock, data: &Data) -> std::io::Result<()> {
    let owner = fs::metadata(data.path())?;
    let file = lock.file();
    if host::is_root() {
        // The account that serves must be able to take it next.
        fchown(&*file, Some(owner.uid()), Some(owner.gid()))?;
    }
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    writeln!(file, "pid {} since {:.0}", std::process::id(), clock::now().timestamp())
}
