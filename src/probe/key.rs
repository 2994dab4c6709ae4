//! Keys and their like: read from files that only their owner can read.

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
/// As [`read_private`].
pub fn read_key(path: &Path, stop: &Stop) -> Result<Vec<u8>, Failure> {
    read_private("key file", path, MOST, stop)
}

/// The octets of a file that is `what`, of `most` at most, without white space at the ends.
///
/// # Errors
/// When it cannot be read, others than its owner may read it, it is empty, or it is too long; when `stop` is set before its
/// end.
pub fn read_private(what: &str, path: &Path, most: u64, stop: &Stop) -> Result<Vec<u8>, Failure> {
    let input = Input::open(what, path)?;
    let found = input.metadata()?;
    let mode = found.mode() & 0o777;
    let others = if input.is_beneath(CREDENTIALS.as_ref()) { 0o007 } else { 0o077 };
    if found.is_file() && mode & others != 0 {
        let shown = path.display();
        return Err(Class::Usage.because(format_args!(
            "{what} {shown}: mode {mode:04o} lets others than its owner at it; chmod 600 {shown}"
        )));
    }
    let octets = input.whole(most, stop)?.trim_ascii().to_vec();
    if octets.is_empty() {
        return Err(Class::Usage.because(format_args!("{what} {}: it is empty", path.display())));
    }
    Ok(octets)
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
