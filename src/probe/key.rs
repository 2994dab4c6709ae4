//! The key that a reflector shares: read from a file that only its owner can read.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::Ctx;
use super::input::Input;
use super::own_thread::on_own_thread;
use crate::failure::{Class, Failure};
use crate::sys::wait::Stop;

/// The longest key that a file may hold.
const MOST: u64 = 4096;
/// Where systemd puts a unit's credentials: what their mode says of a group is what the unit's own account may.
const CREDENTIALS: &str = "/run/credentials";

/// The octets of a key file, without white space at the ends.
///
/// # Errors
/// When it cannot be read, others than its owner may read it, it is empty, or it is too long to be a key; when `stop` is
/// set before its end.
pub fn read_key(path: &Path, stop: &Stop) -> Result<Vec<u8>, Failure> {
    let input = Input::open("key file", path)?;
    let found = input.metadata()?;
    let mode = found.mode() & 0o777;
    let others = if input.is_beneath(CREDENTIALS.as_ref()) { 0o007 } else { 0o077 };
    if found.is_file() && mode & others != 0 {
        let shown = path.display();
        return Err(Class::Usage.because(format_args!(
            "key file {shown}: mode {mode:04o} lets others than its owner at it; chmod 600 {shown}"
        )));
    }
    let key = input.whole(MOST, stop)?.trim_ascii().to_vec();
    if key.is_empty() {
        return Err(
            Class::Usage.because(format_args!("key file {}: 1 to {MOST} octets are a key", path.display()))
        );
    }
    Ok(key)
}

/// The key in the file at `path`, if there is one to read.
///
/// # Errors
/// As [`read_key`]; that the run was interrupted.
pub(super) async fn key_in(ctx: &Ctx, path: Option<&Path>) -> Result<Option<Vec<u8>>, Failure> {
    let Some(path) = path.map(Path::to_owned) else { return Ok(None) };
    ctx.policy.check_flag("--key-file")?;
    on_own_thread("key", ctx, move |stop| read_key(&path, stop)).await?.map(Some)
}
